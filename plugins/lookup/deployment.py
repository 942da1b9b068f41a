# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: deployment
author:
  - the retail.profiles authors (@retail-profiles)
version_added: 0.1.0
short_description: The name of a profile's deployment
description:
  - The name under which M(retail.profiles.profile_plan) plans a profile, unless C(profile_deployment) gives another.
  - A name under which no profile is found is one of a deployment, whose profile may be gone.
options:
  _terms:
    description: Profiles, as the variable C(profile) names one. Nothing has no name.
    type: list
    elements: raw
    required: true
  search:
    description: Folders in which profiles are looked for, as C(profile_path).
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Stop what a Compose file has started
  retail.profiles.profile_apply:
    state: absent
    deployment: "{{ lookup('retail.profiles.deployment', '/srv/shop/compose.yml') }}"
"""

RETURN = r"""
_raw:
  description: A name for each term.
  type: list
  elements: str
"""

from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner_input
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.search import find_files
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """See above."""

    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        return [self._name(untagged(term), variables) if term else "" for term in terms]

    def _name(self, profile: Any, variables: Any) -> str:
        search = planner_input.search_path(self.get_option("search"), variables["playbook_dir"])
        try:
            file, *over = find_files(profile, search)
        except ProfileError as error:
            # A file that is not there is no name.
            if not isinstance(profile, str) or profile.endswith((".json", ".yaml", ".yml")):
                raise self._refused(error) from None
            try:
                return str(field_types.name(profile))
            except ValueError:
                raise self._refused(error) from None
        render = planner_input.renderer(self._templar)
        try:
            given = replace(planner_input.given_by(variables, render), over=tuple(over))
            return load.name_of(file, render, variables, given)
        except ProfileError as error:
            raise self._refused(error) from None

    @staticmethod
    def _refused(error: ProfileError) -> AnsibleLookupError:
        return AnsibleLookupError(f"{error}; or name its deployment with -e profile_deployment=NAME")
