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
  - It is used by the role P(retail.profiles.profile#role), and rarely by hand.
extends_documentation_fragment:
  - retail.profiles.state_dir
requirements:
  - Python 3.9 or later on the host
  - the Python package C(docker) 5.0.3 or later on the host
  - Docker Engine 20.10 or later
attributes:
  check_mode:
    description: Can run in check mode and says what would change, without writing anything.
    support: full
  diff_mode:
    description: Shows each field that differs, as it is and as it should be.
    support: full
options:
  state:
    description:
      - V(checked) only looks for whatever would keep the share from running, and reports all of it at once.
        Images that are missing are pulled.
      - V(prepared) writes the record, makes networks, files, images and volumes, but no container, and waits until what
        the replicas depend on is reached from this host.
      - V(present) is V(prepared), then makes, makes again or starts the containers of the share, and waits for them.
      - V(ready) only waits until the replicas of the share are ready.
      - V(absent) removes the deployment from the host.
    type: str
    choices: [checked, prepared, present, ready, absent]
    default: present
  snapshot:
    description:
      - With O(state=checked), also answer with all that planning must know of the host, as
        M(retail.profiles.profile_facts) does; so one call serves both.
    type: bool
    default: false
  deployment:
    description: Name of the deployment. Needed but for O(state=checked), and for O(state=absent) with O(all=true).
    type: str
  all:
    description: With O(state=absent) and without O(deployment), remove every deployment from the host.
    type: bool
    default: false
  run_id:
    description: The run that this belongs to. It goes into the record, so that O(state=absent) finds its sampler.
    type: str
  plan_id:
    description: The plan that this belongs to. It goes into the record.
    type: str
  share:
    description: What this host has to run, from the plan.
    type: dict
    suboptions:
      networks:
        description: Networks, as arguments of M(community.docker.docker_network).
        type: list
        elements: dict
      files:
        description: Files of the profile to be written on the host.
        type: list
        elements: dict
        suboptions:
          path:
            description: The file's path in the profile.
            type: str
            required: true
          sha256:
            description: SHA-256 of its content, in hexadecimal.
            type: str
            required: true
          mode:
            description: Its mode, in octal.
            type: str
            default: "0644"
          dest:
            description: Where it goes, inside of the deployment's folder C(files) in the state directory.
            type: str
            required: true
          content:
            description: Its content, compressed by zlib, in Base64.
            type: str
            required: true
      paths:
        description: What has to be on the host. Only O(state=checked) looks at it.
        type: list
        elements: dict
        suboptions:
          kind:
            description: What it is. All but V(path) are the engine's.
            type: str
            choices: [path, volume, network, container]
            default: path
          path:
            description: An absolute path, or a name.
            type: str
            required: true
          container:
            description: The container that needs it.
            type: str
            required: true
          field:
            description: The field of the profile that names it.
            type: str
            required: true
          model:
            description: Name of the model that it is the repository of. It must then hold a version folder.
            type: str
      replicas:
        description: Containers of this host, in no particular order.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the replica, which is that of its Docker container.
            type: str
            required: true
          container:
            description: Its container in the profile.
            type: str
            required: true
          task:
            description: Arguments of M(community.docker.docker_container).
            type: dict
            required: true
          pull:
            description: When to pull its image.
            type: str
            choices: [missing, always, never]
            default: missing
          ready:
            description: Probes that must succeed after it has started. See RV(replicas).
            type: list
            elements: dict
          reach:
            description: Probes that must succeed from this host before it is made.
            type: list
            elements: dict
  secrets:
    description:
      - The secrets of each replica of the share, by its name, as variables of its environment. Needed with
        O(state=present) for those that the label C(retail.profiles.secrets) of a task names.
      - They reach the containers through the engine's API, and are written nowhere. The host's record holds a digest
        of them that is keyed (HMAC-SHA-256) with a random key of this host and deployment.
      - Whoever may use the engine can read them with C(docker inspect).
    type: dict
  expected:
    description:
      - Names of all replicas of this deployment that belong on this host.
      - With O(state=prepared) and O(state=present) other containers of ours are removed. Without it none is.
    type: list
    elements: str
  concurrency:
    description: How many containers are made, started or removed at the same time.
    type: int
    default: 4
"""

EXAMPLES = r"""
- name: Bring this host to its share of the wave
  retail.profiles.profile_apply:
    state: present
    deployment: ovms
    share:
      networks:
        - name: ovms-inference
          labels:
            retail.profiles.collection: retail.profiles
            retail.profiles.deployment: ovms
      replicas:
        - name: ovms-ovms-server-1
          container: ovms-server
          task:
            name: ovms-ovms-server-1
            image: openvino/model_server:2025.4
            command: [--config_path, /config/config.json, --rest_port, "8000"]
            networks:
              - name: ovms-inference
            labels:
              retail.profiles.collection: retail.profiles
              retail.profiles.deployment: ovms
              retail.profiles.replica: ovms-ovms-server-1
          ready:
            - kind: http
              replica: ovms-ovms-server-1
              port: 8000
              path: /v2/health/ready
              timeout: 60

- name: Take the deployment off this host
  retail.profiles.profile_apply:
    state: absent
    deployment: ovms

- name: Take everything of ours off this host
  retail.profiles.profile_apply:
    state: absent
    all: true
"""

RETURN = r"""
replicas:
  description: What became of each replica of the share, by name.
  returned: with O(state=present) and O(state=ready)
  type: dict
  sample:
    ovms-ovms-server-1:
      id: 5f0c7d...
      image_id: sha256:0c1d...
      status: created
      ready: true
      ready_after: 1.25
      started_at: "2026-01-31T10:00:00.123456789Z"
      exit_code: null
      address: 172.18.0.2
      diff: []
      error: null
removed:
  description: Names of what was removed.
  returned: always
  type: list
  elements: str
  sample: [ovms-client-7]
pulled:
  description: Images that were pulled and were not there before.
  returned: always
  type: list
  elements: str
  sample: []
problems:
  description: All that keeps the share from running on this host.
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: Container of the profile, if it is one container's problem.
      type: str
    field:
      description: Field of the profile.
      type: str
    message:
      description: What is wrong, and what to do.
      type: str
snapshot:
  description: The host's facts, as M(retail.profiles.profile_facts) returns them.
  returned: with O(state=checked) and O(snapshot=true)
  type: dict
prepared:
  description: Networks, files and volumes that differed, as RV(replicas) has them for containers.
  returned: with O(state=prepared) and O(state=present)
  type: list
  elements: dict
  sample: []
msg:
  description: One line that says what happened.
  returned: always
  type: str
  sample: "2 created, 1 unchanged"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.retail.profiles.plugins.module_utils.engine import MissingLibrary, connect
from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.outcome import run
from ansible_collections.retail.profiles.plugins.module_utils.tasks import DEFAULT_CONCURRENCY, NEEDED, parse_order


def argument_spec() -> dict[str, Any]:
    text = {"type": "str"}
    needed = {"type": "str", "required": True}
    dicts = {"type": "list", "elements": "dict"}
    return {
        "state": {
            "type": "str",
            "choices": ["checked", "prepared", "present", "ready", "absent"],
            "default": "present",
        },
        "snapshot": {"type": "bool", "default": False},
        "deployment": text,
        "all": {"type": "bool", "default": False},
        "run_id": text,
        "plan_id": text,
        "state_dir": {"type": "path", "default": "/var/lib/retail-profiles"},
        "share": {
            "type": "dict",
            "options": {
                "networks": dicts,
                "files": {
                    **dicts,
                    "options": {
                        "path": needed,
                        "sha256": needed,
                        "mode": {"type": "str", "default": "0644"},
                        "dest": needed,
                        "content": needed,
                    },
                },
                "paths": {
                    **dicts,
                    "options": {
                        "kind": {"type": "str", "choices": list(NEEDED), "default": "path"},
                        "path": needed,
                        "container": needed,
                        "field": needed,
                        "model": text,
                    },
                },
                "replicas": {
                    **dicts,
                    "options": {
                        "name": needed,
                        "container": needed,
                        "task": {"type": "dict", "required": True},
                        "pull": {
                            "type": "str",
                            "choices": ["missing", "always", "never"],
                            "default": "missing",
                        },
                        "ready": dicts,
                        "reach": dicts,
                    },
                },
            },
        },
        "secrets": {"type": "dict", "no_log": True},
        "expected": {"type": "list", "elements": "str"},
        "concurrency": {"type": "int", "default": DEFAULT_CONCURRENCY},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    # The arguments hold whole files, and secrets: neither the answer nor a -vvv screen needs them again.
    echo = {"module_args": {key: value for key, value in module.params.items() if key not in ("share", "secrets")}}
    try:
        result = run(parse_order(module.params, module.check_mode), connect)
    except MissingLibrary as error:
        module.fail_json(
            msg=f"{missing_required_lib('docker')} Or run prepare_hosts.yml, which installs it.",
            exception=error.traceback,
            invocation=echo,
        )
    except ProfileError as error:
        module.fail_json(msg=str(error), invocation=echo)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if not module._diff:
        result.pop("diff", None)
    if result.pop("failed"):
        module.fail_json(invocation=echo, **result)
    module.exit_json(invocation=echo, **result)


if __name__ == "__main__":
    main()
