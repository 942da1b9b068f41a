#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_logs
version_added: 0.1.0
short_description: Read the logs of the collection's containers on a host
author:
  - The retail.profiles authors (@retail-profiles)
description:
  - Reads what the containers of the collection on this host have written to their standard output and error. It needs
    no plan, and writes nothing on the host.
  - Secrets of the containers are replaced by C(********); a line is cut at 16 KiB.
  - With O(file), the lines go there, to be shown with those of the other hosts by M(retail.profiles.fleet_logs). The
    host is then asked until there are no more lines; with O(follow), until no container is left that could write some.
  - Without O(file), it is one call, and answers with the lines.
requirements:
  - Python 3.9 or later on the host
attributes:
  check_mode:
    description: Can run in check mode; it changes nothing.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
options:
  deployment:
    description: The deployment whose logs are read; all that are on the host when it is not given.
    type: str
  containers:
    description: Names of containers as the profile has them, or of replicas; all when it is empty.
    type: list
    elements: str
    default: []
  since:
    description:
      - No line from before this time; an age (V(90s), V(10m), V(1h30m), V(2d)) by the host's clock, a date and time
        (V(2026-01-31T12:00:00Z), UTC unless it says otherwise), or seconds since 1970.
    type: str
  tail:
    description: Of each log no more than so many of its last lines to begin with.
    type: int
  grep:
    description: A regular expression, as Python has them, that is searched for in each line without its secrets.
    type: str
  follow:
    description: With O(file), go on until no container runs any more, and show lines as they come.
    type: bool
    default: false
  file:
    description: Where the lines of all hosts go, as RV(retail.profiles.fleet_logs#module:file) says.
    type: path
  to:
    description:
      - With O(file), a folder on the controller in which the lines are kept, too, as C(HOST/REPLICA.log), with the time
        and the name of the stream in front. What these files had before is replaced.
    type: path
  timestamps:
    description: With O(follow), show the time of each line.
    type: bool
    default: false
  places:
    description: Where to go on in each log, as RV(places) of the call before.
    type: dict
    default: {}
  until:
    description: No line from after this time, in nanoseconds since 1970 by the host's clock.
    type: int
seealso:
  - module: retail.profiles.fleet_logs
"""

EXAMPLES = r"""
- name: Read the errors of the last ten minutes
  retail.profiles.profile_logs:
    deployment: ovms
    since: 10m
    grep: "(?i)error"
  register: read
"""

RETURN = r"""
lines:
  description:
    - A JSON list, compressed with zlib, in Base64. Each line is a list of its time (nanoseconds since 1970), replica,
      stream, text, and the number of bytes that were cut off.
  returned: without O(file)
  type: str
  sample: eJyLjgUAARUAuQ==
replicas:
  description: The replicas whose logs were asked for.
  returned: without O(file)
  type: list
  elements: str
  sample: [ovms-client-1]
alive:
  description: How many of them run, are paused, or wait to be restarted.
  returned: without O(file)
  type: int
  sample: 1
places:
  description: Where the next call goes on, by the container's id.
  returned: without O(file)
  type: dict
all_until:
  description: The time before which no line is left, in nanoseconds since 1970.
  returned: without O(file)
  type: int
  sample: 1767268800000000000
more:
  description: Whether there is more than was returned.
  returned: without O(file)
  type: bool
  sample: false
unread:
  description: By replica, why its log cannot be read.
  returned: without O(file)
  type: dict
  sample: {}
clock:
  description: The host's clock when the call began, in seconds since 1970.
  returned: without O(file)
  type: float
  sample: 1767268800.25
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.logs import answer, argument_spec


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
