#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_window
short_description: Say where the measurement of a run stands
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Looks at the samples that have come so far, decides when the warm-up is over, and answers with the windows that are
    measured. The windows are the same on every host. Once decided they stay as they are.
  - It does not wait. Call it before the first collection and after each, until RV(done) is true; the next collection is
    due at RV(next_look).
  - The warm-up is over after two blocks of 5 seconds running whose throughput exceeds the best block before them by
    less than 1 %, with every stream alive; at the latest after O(warmup_max). Throughput is the metric C(fps) of all
    measured replicas together, or their CPU use where none has that metric.
  - This is an action that runs on the controller and connects to no host. Use it with C(run_once).
  - Reads what the callback plugin P(retail.profiles.profile_metrics#callback) has recorded, which therefore must be
    enabled.
attributes:
  check_mode:
    description: Nothing is changed in any mode.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  run_dir:
    description: The run directory, as M(retail.profiles.profile_plan) answered it.
    type: path
    required: true
  warmup_max:
    description: Seconds after which the warm-up ends even if throughput still grows. V(0) means no warm-up.
    type: float
    default: 60.0
  duration:
    description: Seconds that a measure window lasts.
    type: float
    default: 30.0
  repeat:
    description: Number of measure windows, one right after the other.
    type: int
    default: 1
  contention_max:
    description:
      - Percent of a host's processors that processes which are not the plan's, or the hypervisor, may take in a measure
        window. Beyond that the run is V(degraded). V(100) means that nothing is too much.
      - It decides nothing here; M(retail.profiles.profile_verdict) judges by it.
    type: float
    default: 10.0
  poll:
    description:
      - Seconds between two collections. They are further apart where there would be more than 80 of them, and the last
        of them comes as soon as the windows have ended.
      - After 120 looks it is given up, and the task fails.
    type: float
    default: 5.0
seealso:
  - module: retail.profiles.profile_measure
  - module: retail.profiles.profile_verdict
"""

EXAMPLES = r"""
- name: Look where the measurement stands
  retail.profiles.profile_window:
    run_dir: "{{ profile_answer.run_dir }}"
    warmup_max: 60
    duration: 30
  run_once: true
  register: measure_window
"""

RETURN = r"""
done:
  description: Whether there is nothing more to wait for.
  type: bool
  returned: success
phase:
  description: V(warmup), V(measure), V(done), or V(lost) when a measured replica has ended for good.
  type: str
  returned: success
windows:
  description: The windows decided so far, with phase, start and end in UTC, and reasons.
  type: list
  elements: dict
  returned: success
  sample:
    - phase: measure
      start: "2026-01-31T12:00:00.000Z"
      end: "2026-01-31T12:00:30.000Z"
      reasons: []
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
final:
  description: Whether the windows have ended by then, so that the next collection ends the samplers.
  type: bool
  returned: success
ended:
  description: Whether all samplers have been ended, and all that they wrote has been collected.
  type: bool
  returned: success
elapsed:
  description: Seconds that the phase has lasted.
  type: float
  returned: success
total:
  description: Seconds that the phase lasts, or lasts at most.
  type: float
  returned: success
contention_max:
  description: As it was given.
  type: float
  returned: success
msg:
  description: Where the measurement stands, for a person.
  type: str
  returned: always
"""
