#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: profile_facts
version_added: 0.1.0
short_description: Tell what planning a profile must know about a host
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Returns a snapshot of the host - addresses, devices, engine, images, containers, sockets that listen, and a
    description of the system that goes into the record of a run.
  - A host without a working Docker Engine is no failure. The snapshot then says why there is none.
extends_documentation_fragment:
  - retail.profiles.state_dir
requirements:
  - Python 3.9 or later on the host
  - the Python package C(docker) 5.0.3 or later on the host
attributes:
  check_mode:
    description: Changes nothing, in check mode or not.
    support: full
"""

EXAMPLES = r"""
- name: Ask the host what planning must know
  retail.profiles.profile_facts:
  register: facts
"""

RETURN = r"""
snapshot:
  description:
    - What there is on the host.
    - A value of RV(snapshot.system) that cannot be had is a dictionary with the reason under C(absent).
  returned: always
  type: dict
  contains:
    hostname:
      description: Its name.
      type: str
    arch:
      description: Its machine type, as C(uname -m) has it.
      type: str
    cpus:
      description: How many CPUs may be used.
      type: int
    cpu_cores:
      description: The CPUs that may be used, by core.
      type: list
      elements: list
    memory_bytes:
      description: Its memory.
      type: int
    addresses:
      description: Its addresses, but for loopback.
      type: list
      elements: str
    python:
      description: Version of Python that runs the module.
      type: str
    time:
      description: Its clock, in seconds since 1970.
      type: float
    engine:
      description: Version, API, storage driver, cgroups and root directory of the engine. Null where there is none.
      type: dict
    engine_error:
      description: Why there is no engine.
      type: str
    state_dir:
      description: Whether the state directory exists and may be written.
      type: dict
    listening:
      description: Sockets that listen, by address, port and protocol.
      type: list
      elements: dict
    images:
      description: Images by name, with id, digests, and the labels that are the collection's.
      type: dict
    containers:
      description: Containers by name, with id, image, labels of the collection, and published ports with their targets.
      type: dict
    networks:
      description: Docker networks by name, with labels of the collection.
      type: dict
    devices:
      description: Render, accelerator and video nodes, and the group of the render nodes.
      type: dict
    system:
      description: Hardware, kernel, network, clock and engine components.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, connect
from ansible_collections.retail.profiles.plugins.module_utils.host.snapshot import snapshot


def main() -> None:
    module = AnsibleModule(
        argument_spec={"state_dir": {"type": "path", "default": STATE_DIR}},
        supports_check_mode=True,
    )
    engine: Engine | None = None
    reason = None
    try:
        engine = connect()
    except ProfileError as error:
        reason = str(error)
    try:
        found = snapshot(module.params["state_dir"], engine, reason)
    except ProfileError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, snapshot=found)


if __name__ == "__main__":
    main()
