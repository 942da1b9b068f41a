#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_verdict
short_description: Judge a run, and fail when it cannot stand
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Judges a run from its directory, once, and writes the final record, the summary, the metrics and the report. What
    cannot be written makes the verdict V(failed). The callback plugin P(retail.profiles.profile_metrics#callback) shows
    the summary at the end of the playbook.
  - V(failed) means that a measured replica never came up or was lost, that data is missing in a measure window or no
    window was reached, that a stream finished no frame, or that clean-up was incomplete.
  - V(missed) means that the run stands and does not reach its objectives, or that it is not known whether it does.
  - V(degraded) means that the run stands with a flaw. That is a restart that a restart policy allows, an optional
    metric that is absent, errors that clients counted, clients that were overloaded, a gap in a stream, contention on
    a host, a clock that jumped, an engine that was gone, memory that ran out, values that cannot be read, or samples or
    log lines that were dropped.
  - Call it last, after clean-up, whatever happened before.
  - This is an action that runs on the controller and connects to no host. Use it with C(run_once).
attributes:
  check_mode:
    description: It is skipped in check mode, in which nothing is measured.
    support: none
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  run_dir:
    description: The run directory, as M(retail.profiles.profile_plan) answered it.
    type: path
    required: true
seealso:
  - module: retail.profiles.profile_window
"""

EXAMPLES = r"""
- name: Judge the run
  retail.profiles.profile_verdict:
    run_dir: "{{ profile_answer.run_dir }}"
  run_once: true
"""

RETURN = r"""
verdict:
  description: V(ok), V(degraded), V(missed) or V(failed). The task fails with V(missed) and V(failed).
  type: str
  returned: always
  sample: ok
reasons:
  description: Why the verdict is not V(ok), failures first.
  type: list
  elements: str
  returned: always
  sample: []
msg:
  description: The verdict and its reasons in one line.
  type: str
  returned: always
"""
