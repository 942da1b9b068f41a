#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: profile_measure
short_description: Measure containers and their host with a detached sampler
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Starts a process of its own on the host that samples the named containers and the host at a fixed interval,
    hands over what is new, and ends the process.
  - Samples are counters from control group and C(/proc) files, the containers' log lines, samples of their
    Prometheus endpoints, and the text of files that they write. They are stored as JSON lines in
    C(<state_dir>/runs/<run_id>/samples.jsonl); rates are derived by whoever reads them. What cannot be read is recorded
    as absent, with the reason, and never as zero.
  - The sampler needs nothing but Python's standard library. Losing the controller loses nothing; at its deadline it
    ends by itself.
options:
  state:
    description:
      - With V(started), a sampler for the run is running. One that had died is started again and goes on in the same
        file, with a record of the gap. One that runs with other O(replicas), O(interval) or O(deadline) goes on with
        the new ones.
      - With V(collected), nothing is changed; the lines from O(offset) on are returned.
      - With V(stopped), no sampler for the run is running; the lines from O(offset) on are returned.
    type: str
    choices: [started, collected, stopped]
    required: true
  run_id:
    description: Name of the run; letters, digits, C(.), C(_) and C(-).
    type: str
    required: true
  run_dir:
    description:
      - Directory of the run on the controller, where the callback P(retail.profiles.profile_metrics#callback) records
        what is collected. Where it is given and O(offset) is not, it goes on where the record ends.
    type: path
  at:
    description:
      - When to ask the host, in seconds since 1970 on the controller's clock. Until then the task waits there.
    type: float
  state_dir:
    description: Directory on the host where the collection keeps its state. It must exist.
    type: path
    default: /var/lib/retail-profiles
  interval:
    description: Seconds between samples; at least 0.05.
    type: float
    default: 1.0
  deadline:
    description: Seconds after which the sampler ends by itself, whatever happens.
    type: float
    default: 3600
  models:
    description: For V(started), folders and files of models whose digests are told.
    type: list
    elements: path
    default: []
  offset:
    description: Where in the samples file to go on, as RV(offset) of the call before; V(0) is the beginning.
    type: int
    default: 0
  replicas:
    description: The containers to watch. One that is not there yet is waited for.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the container.
        type: str
        required: true
      prometheus:
        description: An endpoint with metrics in the Prometheus text format, asked at each interval.
        type: dict
        suboptions:
          port:
            description: The port inside the container.
            type: int
            required: true
          path:
            description: The path.
            type: str
            default: /metrics
          prefixes:
            description: Only the samples whose name begins with one of these are kept.
            type: list
            elements: str
            default: [ovms_]
      network:
        description:
          - V(host) and V(none) for a container without a network of its own, V(container:NAME) for one that joins
            another's, whose traffic is then counted once.
          - With V(own) the engine is asked which of these it is.
        type: str
        default: own
      files:
        description:
          - Paths of files in the container or in its volumes; C(*), C(?) and C([…]) stand for what is in one name. They
            are read when the container ends, and when the sampler does.
          - A file may have 2 MiB, all that a pattern matches 8 MiB and 64 files, and the folder that is looked through
            64 MiB. Links are not followed, and what was not written since the container started is not taken.
        type: list
        elements: str
        default: []
  lease:
    description:
      - RV(retail.profiles.profile_apply#module:lease) of the deployment that is measured. Each call renews it, and no
        sampler is started for a playbook that has lost it.
    type: dict
    suboptions:
      deployment:
        description: Name of the deployment.
        type: str
        required: true
      holder:
        description: The playbook's process.
        type: str
        required: true
      owner:
        description: The same for people.
        type: str
        required: true
      epoch:
        description: Number of the lease.
        type: int
        required: true
  release:
    description: With O(state=stopped), give O(lease) back.
    type: bool
    default: false
  docker_host:
    description:
      - The socket of Docker Engine on the host, as C(unix:///path).
      - Without it E(DOCKER_HOST) of the host, else C(unix:///var/run/docker.sock).
    type: str
attributes:
  check_mode:
    description: Nothing is started or ended in check mode; what there is, is collected.
    support: full
notes:
  - Log lines are cut at 16 KiB. Of one container at most 200 lines or 64 KiB a second are kept, after a burst of 5000
    lines or 4 MiB; what is dropped beyond that is counted in an absent record of the metric C(log).
  - The user needs to be able to use Docker Engine's socket and to write in O(state_dir); it need not be root.
requirements:
  - python >= 3.9
  - Linux
seealso:
  - module: retail.profiles.profile_apply
  - module: retail.profiles.profile_facts
"""

EXAMPLES = r"""
- name: Start to measure two containers
  retail.profiles.profile_measure:
    state: started
    run_id: ovms-20260101T120000Z-0a1b2c3d
    replicas:
      - name: ovms-ovms-server-1
        prometheus:
          port: 8000
      - name: ovms-client-1

- name: Collect what is new
  retail.profiles.profile_measure:
    state: collected
    run_id: ovms-20260101T120000Z-0a1b2c3d
    offset: "{{ collected.offset | default(0) }}"
  register: collected

- name: End the measurement and collect the remainder
  retail.profiles.profile_measure:
    state: stopped
    run_id: ovms-20260101T120000Z-0a1b2c3d
    offset: "{{ collected.offset }}"
"""

RETURN = r"""
models:
  description: By path of O(models), the SHA-256 of its content, or why it is not known.
  returned: state is started
  type: dict
  sample: {}
pid:
  description: Process id of the sampler; null in check mode where none runs.
  returned: state=started
  type: int
  sample: 4711
asked_at:
  description: When the host was asked, in seconds since 1970 on the controller's clock.
  returned: success
  type: float
  sample: 1767268800.01
clock:
  description: The host's clock when the call ended, in seconds since 1970.
  returned: success
  type: float
  sample: 1767268800.25
cpu_seconds:
  description: What this call itself cost on the host, in seconds of CPU time; part of what observing costs.
  returned: success
  type: float
  sample: 0.21
data:
  description: Whole JSON lines, compressed with zlib, in Base64; at most about 8 MiB of them a call.
  returned: state=collected or state=stopped
  type: str
  sample: eAEDAAAAAAE=
offset:
  description: Where the next call goes on.
  returned: state=collected or state=stopped
  type: int
  sample: 52413
more:
  description: Whether there is already more than was returned.
  returned: state=collected or state=stopped
  type: bool
  sample: false
alive:
  description: Whether the sampler is running.
  returned: state=collected or state=stopped
  type: bool
  sample: true
died:
  description: Whether the sampler was found dead, killed by something else than this module.
  returned: state=collected or state=stopped
  type: bool
  sample: false
disk_full:
  description: Whether the file system of the samples had no free block.
  returned: state=collected or state=stopped
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.measure import answer, argument_spec


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
