#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_runs
short_description: List the runs of a results directory, and remove old ones
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Lists the runs of a results directory, the newest first - its id, profile, start, verdict, objectives, the figures
    that people look for first, and notes.
  - With O(keep) it removes all but the newest of them. It never removes what is not the directory of a run, nor a run
    that may be going on, and C(latest) then points to the newest that is left.
  - This is an action that runs on the controller and connects to no host. It needs no inventory.
attributes:
  check_mode:
    description: In check mode nothing is removed; RV(removed) says what would be.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  results_dir:
    description: Directory on the controller under which each run has its own.
    type: path
    default: results
  keep:
    description: The number of runs to keep, from 1 on. None is removed when it is not given.
    type: int
seealso:
  - module: retail.profiles.profile_compare
"""

EXAMPLES = r"""
- name: Keep the last 20 runs
  retail.profiles.profile_runs:
    keep: 20
"""

RETURN = r"""
runs:
  description: The runs that are there, the newest first.
  type: list
  elements: dict
  returned: success
removed:
  description: The ids of the runs that were removed.
  type: list
  elements: str
  returned: success
  sample: [ovms-20260701T100000Z-3f9d3f9d]
"""
