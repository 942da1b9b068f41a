#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_models
short_description: Check that models on a host are the recorded ones
version_added: 0.1.0
description:
  - Reads models on the host, and fails where one of them is not what a run has recorded.
  - The playbook C(run_profile.yml) uses it for a run that is made again.
author:
  - the retail.profiles authors (@retail-profiles)
requirements:
  - Python 3.9 or later on the host
options:
  expected:
    description: By path, the digest of the model, as C(models) in the record of a run has it.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: Can run in check mode; it changes nothing.
  diff_mode:
    support: none
    description: Shows differences.
  platform:
    support: full
    platforms: posix
    description: The systems it runs on.
"""

EXAMPLES = r"""
- name: Check the models
  retail.profiles.profile_models:
    expected:
      /var/lib/retail-profiles/models/face-detection: 25db35e447f5462315586d51bc53c8e26ffa46acff9a1c53abe9d018ea7b605c
"""

RETURN = r"""
models:
  description: By path, the digest of the model, or why it is not known.
  returned: always
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.models import answer, argument_spec


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
