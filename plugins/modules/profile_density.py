#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_density
short_description: Take a search for stream density one look further
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Looks at the samples that have come so far of the streams that run, judges whether they hold their objectives, and
    answers with the number of streams to run next, or that the search has come to its end.
  - It does not wait, and starts nothing. Call it first, and then after each collection of samples; where RV(change) is
    true, run RV(streams) streams and call it with O(applied).
  - A step is watched from when its throughput has settled, in windows of 10 seconds, for as long as a sequential test
    needs to tell 1 % from the limit. It passes when the objectives hold over all streams and no stream is more than 3 %
    below. The number is doubled or raised to what the throughput seen carries, until a step fails; then what lies
    between is tried. What passed last is confirmed by a hold.
  - The state of the search is C(search.json) in the run directory, written before the answer is given.
  - This is an action that runs on the controller and connects to no host. Use it with C(run_once).
  - Reads what the callback plugin P(retail.profiles.profile_metrics#callback) has recorded, which therefore must be
    enabled.
attributes:
  check_mode:
    description: The state is written in any mode.
    support: none
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  run_dir:
    description: The run directory, as M(retail.profiles.profile_plan) answered it.
    type: path
    required: true
  applied:
    description: The streams that were asked for have all been started since the last call, but for O(problems).
    type: bool
    default: false
  resume:
    description: The search was interrupted. What ran then does not run any more, and its last step is taken again.
    type: bool
    default: false
  problems:
    description: Why streams could not be started. The search has failed then.
    type: list
    elements: str
    default: []
  least:
    description: The number of streams to begin with.
    type: int
    default: 1
  most:
    description: The largest number of streams to try; 4096 by default.
    type: int
  steps_max:
    description: Steps after which the search ends.
    type: int
    default: 40
  seconds_max:
    description: Seconds after which no new step is begun.
    type: float
    default: 7200.0
  resolution:
    description: Width of the interval that is answered, as a part of the number of streams; at least one stream.
    type: float
    default: 0.01
  hold:
    description: Seconds for which the answer is held to confirm it.
    type: float
    default: 60.0
  warmup_max:
    description: Seconds after which a step counts as steady even if its throughput still grows.
    type: float
    default: 60.0
  memory_min:
    description: Percent of its memory, and of each GPU's, that a host must keep. It is not loaded further below that.
    type: float
    default: 5.0
  disk_min:
    description: Percent of the file system with the state directory that a host must keep.
    type: float
    default: 2.0
  pressure_max:
    description: Percent of the time that a host may stall for want of memory (PSI, C(some)).
    type: float
    default: 20.0
  contention_max:
    description: As in M(retail.profiles.profile_window).
    type: float
    default: 10.0
seealso:
  - module: retail.profiles.profile_plan
  - module: retail.profiles.profile_window
"""

EXAMPLES = r"""
- name: Look how the step goes
  retail.profiles.profile_density:
    run_dir: "{{ profile_answer.run_dir }}"
    least: 1
    most: 64
  run_once: true
  register: density_look
"""

RETURN = r"""
done:
  description: Whether the search has come to its end.
  type: bool
  returned: success
change:
  description: Whether streams are to be started or stopped.
  type: bool
  returned: success
fewer:
  description: Whether streams are to be stopped.
  type: bool
  returned: success
streams:
  description: How many streams there are to be; a number for each host where every host has its own search.
  type: raw
  returned: success
searches:
  description: The searches that have ended a step, or have come to their end, with this look.
  type: list
  elements: dict
  returned: success
windows:
  description: The windows of the step that was looked at last, as those of M(retail.profiles.profile_window).
  type: list
  elements: dict
  returned: success
run_dir:
  description: The run directory that was looked at.
  type: str
  returned: success
next_poll:
  description: Seconds after which it is worth looking again.
  type: float
  returned: success
next_look:
  description: The same as a time of the controller's clock, in seconds since 1970.
  type: float
  returned: success
contention_max:
  description: As it was given.
  type: float
  returned: success
msg:
  description: Where the search stands, for a person.
  type: str
  returned: always
"""
