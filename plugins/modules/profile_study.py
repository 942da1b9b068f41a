#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_study
short_description: Run a profile over the levels of factors, and say what each does
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Makes the runs of a study, one after the other, and answers what they say together. A study's file names a
    profile, factors with their levels, and how often each combination is run; the documentation of the collection
    describes it.
  - Each run is the playbook C(run_profile.yml), or C(stream_density.yml) where the response is the density, started
    with the options of the command line that this playbook was started with. Its variables are extra ones.
  - The runs are in a random order within blocks, so that what drifts over time does not fall on one level.
  - Writes C(study.json) from the start and after each run; C(study.html), which opens with no network, C(study.csv) and
    C(answers.json) at the end. The directories of the runs are in the same folder.
  - Fails at the end where a run has failed; what the others say is written all the same.
  - This is an action that runs on the controller and connects to no host itself. It is meant for a playbook that is
    started with C(ansible-playbook), once for all hosts.
requirements:
  - scipy and numpy on the controller
attributes:
  check_mode:
    description: In check mode it shows the runs that would be made, in their order.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  study:
    description: The study's file. It may be left out with O(resume).
    type: path
  resume:
    description:
      - Folder of a study that was interrupted. It goes on where it stopped; the run that was broken off is made again.
      - Of a study that is at its end, the answers are made anew, with what O(study) asks now.
    type: path
  results_dir:
    description: Directory on the controller in which the study gets a folder of its own.
    type: path
    default: results
seealso:
  - module: retail.profiles.profile_compare
"""

EXAMPLES = r"""
- name: Study how latency grows with the load
  retail.profiles.profile_study:
    study: load.yml
  run_once: true
"""

RETURN = r"""
verdict:
  description: V(ok), or V(failed) where a run has failed.
  type: str
  returned: success or failure of a run
  sample: ok
study_dir:
  description: Folder of the study.
  type: str
  returned: success or failure of a run
files:
  description: The files of the answers.
  type: list
  elements: str
  returned: success or failure of a run
"""
