# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: claim
author:
  - the retail.profiles authors (@retail-profiles)
version_added: 0.1.0
short_description: Who asks a host for a deployment
description:
  - Tells M(retail.profiles.profile_apply) which playbook it works for, so that another can be told, and which playbooks
    of this user are alive on this controller, so that what a dead one held is free at once.
options:
  _terms:
    description: What the playbook does, such as the id of a run; shown to whoever is refused.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Take this host for the deployment
  retail.profiles.profile_apply:
    state: checked
    deployment: ovms
    lease: "{{ lookup('retail.profiles.claim') }}"
"""

RETURN = r"""
_raw:
  description: The keys C(holder), C(owner) and C(running), as the option C(lease) takes them.
  type: list
  elements: dict
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.lease_claim import claim


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """See above."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        what = " ".join(str(term) for term in terms if term)
        return [{key: value for key, value in claim(what=what).items() if value is not None}]
