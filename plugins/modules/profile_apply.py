#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: profile_apply
version_added: 0.1.0
short_description: Bring one host to its share of a profile
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Is to one host what C(docker compose up) and C(docker compose down) are - networks, files, images, containers
    and readiness in one call, with bounded concurrency.
  - The tasks it takes are arguments of M(community.docker.docker_container), as the plan has them.
  - A second call with nothing to do writes nothing to the engine.
  - Only what bears the labels of the collection and stands in the host's record of the deployment is ever touched.
extends_documentation_fragment:
  - retail.profiles.state_dir
  - retail.profiles.apply
"""

EXAMPLES = r"""
- name: Bring this host to its share of the wave
  retail.profiles.profile_apply:
    deployment: ovms
    share:
      replicas:
        - name: ovms-ovms-server-1
          container: ovms-server
          task:
            name: ovms-ovms-server-1
            image: openvino/model_server:2026.4
          ready:
            - {kind: http, port: 8000, path: /v2/health/ready}

- name: Take everything of ours off this host
  retail.profiles.profile_apply:
    state: absent
    all: true
"""

RETURN = r"""
replicas:
  description:
    - What became of each replica of the share, by name. Its C(status) is V(created), V(recreated), V(updated) where
      limits were changed in place, V(started), V(joined), V(unchanged), V(not_ready) or V(failed).
  returned: with O(state=present) and O(state=ready)
  type: dict
  sample:
    ovms-ovms-server-1:
      {id: 5f0c7d..., status: created, ready: true, ready_after: 1.25, error: null}
removed:
  description: Names of what was removed.
  returned: always
  type: list
  elements: str
pulled:
  description: Images that were pulled and are new.
  returned: always
  type: list
  elements: str
missing:
  description: Places of files of the share that are not on the host.
  returned: with O(state=checked), and where O(sources) does not have one of them
  type: list
  elements: str
converged:
  description:
    - With O(release=true), whether O(state=present) would neither change anything nor wait. False also where that
      takes more than a look, as with shared replicas and secrets.
  returned: with O(state=checked)
  type: bool
problems:
  description: All that keeps the share from running here - C(container), if it is one's, C(field) and C(message).
  returned: always
  type: list
  elements: dict
snapshot:
  description: The host's facts, as M(retail.profiles.profile_facts) returns them.
  returned: with O(state=checked) and O(snapshot=true)
  type: dict
lease:
  description: The lease that was taken; pass it on as O(lease).
  returned: with O(state=checked) and O(lease), if no other playbook holds the deployment
  type: dict
prepared:
  description: Networks, files and volumes that differed, as RV(replicas) has them for containers.
  returned: with O(state=prepared) and O(state=present)
  type: list
  elements: dict
msg:
  description: One line that says what happened.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.apply import answer
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import argument_spec


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    result = answer(module.params, module.check_mode, module._diff)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
