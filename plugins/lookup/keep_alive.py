# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: keep_alive
author:
  - the retail.profiles authors (@retail-profiles)
version_added: 0.1.0
short_description: Arguments of ssh with which a link that is cut ends a task
description:
  - What the inventory says for C(ansible_ssh_common_args), and keep-alives (C(ServerAliveInterval)) unless
    the user has set some in Ansible or for ssh itself. For plays whose tasks are of other collections; those of this
    collection have them anyway.
"""

EXAMPLES = r"""
- name: Prepare the hosts
  hosts: all
  vars:
    ansible_ssh_common_args: "{{ lookup('retail.profiles.keep_alive') }}"
  tasks:
    - name: Ansible's own
      ansible.builtin.package:
        name: docker.io
"""

RETURN = r"""
_raw:
  description: The arguments, as one string.
  type: list
  elements: str
"""

from typing import Any

from ansible import constants
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible.plugins.lookup import LookupBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import keep_alive

SSH = "ssh"


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """See above."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[str]:
        # The inventory's word: that of the play is this lookup itself.
        known = variables["hostvars"][variables["inventory_hostname"]]
        connection = connection_loader.get(SSH, PlayContext())
        names = constants.config.get_plugin_vars("connection", connection._load_name)
        connection.set_options(var_options={name: known[name] for name in names if name in known})
        return [keep_alive.arguments(connection)]
