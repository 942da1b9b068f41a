#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_compare
short_description: Compare runs of a profile with one another
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Compares two groups of runs of one profile by their directories. It prints what differs between their set-ups, and
    for each declared figure whether it has changed, is equivalent, or is inconclusive and how many more runs it takes.
  - The unit is the run. A figure has changed where Welch's test of the logarithms is significant at 5 % after Holm's
    correction over the declared figures, and the change is above the noise floor; it is equivalent where the interval
    of 95 % lies within the floor. An exact permutation test stands beside it.
  - With one run on a side the difference is shown, and no significance is claimed.
  - Writes C(comparison.html), which opens with no network, C(comparison.csv) and C(comparison.json).
  - This is an action that runs on the controller and connects to no host. It needs no inventory.
requirements:
  - scipy and numpy on the controller, for more than one run on a side
attributes:
  check_mode:
    description: In check mode nothing is written.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  a:
    description:
      - Directories of runs, as a list or as text with commas between them. A pattern stands for those that match.
      - C(STUDY#2) stands for the runs of the second combination of the study in the folder C(STUDY),
        C(STUDY#cpus=4&profile_env.STREAMS=2) for its runs with these levels.
    type: raw
    required: true
  b:
    description: Directories of the runs that are held against those of O(a).
    type: raw
    required: true
  aa:
    description:
      - Directories of equal runs of this rig. The noise floor is then the 95th percentile of what groups of them differ
        by, and at least 2 %. Runs of O(a) and O(b) may be among them.
    type: raw
    default: []
  metrics:
    description:
      - The figures that are judged, as a list or as text with commas between them. C(fps) and C(latency_seconds.p99)
        are of all measured replicas together, C(ovms-server:cpu_cores) of a container, C(h1:cpu_cores) of a host.
      - When it is not given they are frames per second, median and 99th percentile of the latency, errors and dropped
        frames, and what the objectives of the profile are about.
    type: raw
    default: []
  include_failed:
    description: Whether to take runs whose verdict is not V(ok).
    type: bool
    default: false
  fail_on:
    description: Fail where a declared figure has changed, or where one has changed for the worse.
    type: str
    choices: [changed, worse]
  dest:
    description: Folder of the files; a new one in O(results_dir) when it is not given.
    type: path
  results_dir:
    description: Directory on the controller in which a folder is made where O(dest) is not given.
    type: path
    default: results
seealso:
  - module: retail.profiles.profile_plan
  - module: retail.profiles.profile_study
"""

EXAMPLES = r"""
- name: Is it slower with the new image
  retail.profiles.profile_compare:
    a: [results/ovms-20260701T100000Z-3f9d3f9d, results/ovms-20260701T100200Z-3f9d3f9d]
    b: [results/ovms-20260701T100100Z-77aa77aa, results/ovms-20260701T100300Z-77aa77aa]
    fail_on: worse
"""

RETURN = r"""
headline:
  description: The outcome in a sentence.
  type: str
  returned: success
  sample: "changed, worse: fps -5.1 %; equivalent: errors"
verdicts:
  description: By declared figure, what is concluded.
  type: dict
  returned: success
  sample: {"fps": "changed, worse"}
differences:
  description: What differs between the set-ups.
  type: list
  elements: str
  returned: success
  sample: ["h1: kernel.release: 6.1.0-13-amd64 → 6.1.0-14-amd64"]
files:
  description: The files that were written.
  type: list
  elements: str
  returned: success
"""
