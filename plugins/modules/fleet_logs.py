#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_logs
version_added: 0.1.0
short_description: Show the log lines of all hosts in order of time
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Stands before and after M(retail.profiles.profile_logs), which puts the lines of each host into O(file).
  - With V(begun), checks what is asked for, and makes the file. With V(ended), shows the lines that were not shown
    yet, and removes it.
  - Each line has its host and replica in front, in a colour of the replica's own on a terminal. What steers a terminal
    is taken out. Where a host's clock is known to differ from the controller's, its times are put right by that.
  - Fails where a host could not be asked or a log could not be read, and where nothing is there of what was asked for
    by name.
  - It runs on the controller, as an action.
options:
  state:
    description: Before or after the hosts are asked.
    type: str
    choices: [begun, ended]
    required: true
  file:
    description: With O(state=ended), where the lines are, as RV(file) said.
    type: path
  since:
    description: With O(state=begun), what the hosts will be asked, to be checked.
    type: str
  tail:
    description: With O(state=begun), what the hosts will be asked, to be checked.
    type: str
  grep:
    description: With O(state=begun), what the hosts will be asked, to be checked.
    type: str
  follow:
    description:
      - With O(state=begun), whether the logs will be followed. Ansible needs as many forks as there are hosts then.
    type: bool
    default: false
  timestamps:
    description: Show the time of each line.
    type: bool
    default: false
  asked:
    description: What was asked for by name, in words for a message.
    type: str
  containers:
    description: With O(state=begun), what the hosts will be asked, to be checked.
    type: list
    elements: str
    default: []
  to:
    description: With O(state=begun), what the hosts will be asked, to be checked.
    type: path
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Can run in check mode; it changes nothing.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
seealso:
  - module: retail.profiles.profile_logs
"""

EXAMPLES = r"""
- name: Begin
  retail.profiles.fleet_logs:
    state: begun
  register: begun
  run_once: true

- name: Read the logs
  retail.profiles.profile_logs:
    file: "{{ begun.file }}"
  failed_when: false

- name: Show them
  retail.profiles.fleet_logs:
    state: ended
    file: "{{ begun.file }}"
  run_once: true
"""

RETURN = r"""
file:
  description: Where the lines of all hosts go; it is removed when the playbook ends, at the latest.
  returned: state=begun
  type: str
  sample: /root/.ansible/tmp/ansible-local-4711/logs-x/lines.sqlite
"""
