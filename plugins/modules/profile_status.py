#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_status
version_added: 0.1.0
short_description: Tell how the replicas of a host are, against what they should be
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Compares the containers of the collection with the records of their deployments on the host, and asks each probe
    once. It needs no plan, and writes nothing.
  - What cannot change in the life of a container is not compared; that another container took its place is told.
extends_documentation_fragment:
  - retail.profiles.state_dir
requirements:
  - Python 3.9 or later on the host
attributes:
  check_mode:
    description: Can run in check mode; it changes nothing.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
options:
  deployment:
    description: The deployment to tell of; all that are on the host when it is not given.
    type: str
  engine_timeout:
    description:
      - Seconds that one call of the host's Docker Engine may take. The action plugin fills in the variable
        C(profile_engine_timeout), where it is set.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Look at all deployments of this host
  retail.profiles.profile_status:
  register: looked
"""

RETURN = r"""
replicas:
  description: The replicas of the host, by name.
  returned: success
  type: list
  elements: dict
  contains:
    deployment:
      description: Its deployment.
      type: str
      sample: ovms
    replica:
      description: Its name.
      type: str
      sample: ovms-client-1
    image:
      description: The image that it should run.
      type: str
      sample: retail/kserve-client:1
    desired:
      description: The state in which it should be.
      type: str
      sample: running
    actual:
      description: The state in which it is.
      type: str
      sample: exited (137)
    ready:
      description: Whether all of its probes are satisfied; V(null) where it has none.
      type: bool
    reason:
      description: Why it is not ready.
      type: str
    restarts:
      description: How often Docker has restarted it.
      type: int
      sample: 0
    drift:
      description: What differs, each with C(field), C(current) and C(desired).
      type: list
      elements: dict
      sample: []
    as_desired:
      description: Whether it is in the desired state, not unready, and without drift.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.status import answer, argument_spec


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
