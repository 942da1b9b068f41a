# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: profile_secrets
short_description: The secrets of the containers that a plan has on this host
version_added: 0.1.0
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Renders what O(retail.profiles.profile_apply#module:secrets) takes, with the variables of the host of the task.
    A plan has only the names of secrets; their values come from the variable C(profile_secrets), or else from
    C(secret_env) in the profile.
  - Use it in the argument itself, so that the values are in no variable, no fact and no result.
options:
  _terms:
    description: The plan.
    required: true
  wave:
    description: Only the containers of this wave, counted from 0.
    type: int
  file:
    description:
      - The file of the profile that the plan was made from, or the files or the folder of a Compose project. Not needed
        where C(profile_secrets) has all.
    type: raw
  search:
    description: Folders in which profiles are looked for, as for M(retail.profiles.profile_plan).
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Bring this host to its share
  retail.profiles.profile_apply:
    deployment: "{{ profile_answer.plan.deployment }}"
    share: "{{ profile_answer.plan | retail.profiles.host_share(inventory_hostname) }}"
    secrets: "{{ query('retail.profiles.profile_secrets', profile_answer.plan, file=my_profile) | first }}"
  vars:
    my_profile: "{{ profile_answer.profile_file }}"
"""

RETURN = r"""
_raw:
  description: One dictionary, with the variables of each replica that has secrets.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner_input
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.secrets import Secrets, of_host
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import entry, load


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """Renders the secrets of one host and wave."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[dict[str, dict[str, str]]]:
        self.set_options(var_options=variables, direct=kwargs)
        plan, host, wave = terms[0], str(variables["inventory_hostname"]), self.get_option("wave")
        own = plan["hosts"][host]["replicas"] if host in plan["hosts"] else []
        names = [
            name for name in own if plan["replicas"][name]["secrets"] and wave in (None, plan["replicas"][name]["wave"])
        ]
        if not names:
            return [{}]
        render = planner_input.renderer(self._templar)
        try:
            secrets = Secrets(self._profile(render, variables), {host: variables}, render)
            used = {"replicas": {name: plan["replicas"][name] for name in names}}
            return [of_host(untagged(used), secrets, names)]
        except ProfileError as error:
            raise AnsibleLookupError(str(error)) from None

    def _profile(self, render: entry.Render, variables: Any) -> entry.Profile | None:
        file = self.get_option("file")
        if not file:
            return None
        search = planner_input.search_path(self.get_option("search"), variables["playbook_dir"])
        names = ("env", "image", "root", "variables", "env_wins")
        given = planner_input.given({name: render(variables.get(f"profile_{name}"), variables) for name in names})
        first, given = load.find(file, search, render, variables, given)
        return load.load(first, search, render, variables, given)
