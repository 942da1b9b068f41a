#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_overview
version_added: 0.1.0
short_description: Show how the replicas of the fleet are, in one table
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Puts together what M(retail.profiles.profile_status) has told of each host, and prints it.
  - Fails where a replica is not as it should be, where a host could not be asked, and where there is nothing to show of
    a deployment that was named.
  - It runs on the controller, as an action.
options:
  registered:
    description: The variable in which each host of the play has the result of M(retail.profiles.profile_status).
    type: str
    required: true
  deployment:
    description: The deployment that was asked for, for messages.
    type: str
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
"""

EXAMPLES = r"""
- name: Show the replicas of all hosts
  retail.profiles.profile_overview:
    registered: looked
  run_once: true
"""

RETURN = r"""
table:
  description: What was printed.
  returned: always
  type: str
  sample: "HOST  REPLICA ..."
"""
