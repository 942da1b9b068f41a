#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profile_convert
short_description: Write a profile of another format in our own
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Reads a profile of Intel's retail repositories or a Compose file, and writes a folder with the same profile in the
    format of this collection, and the files that it uses beside it.
  - What it writes plans as the original does. What it could not carry over is listed, and stands in the new profile as
    its C(warnings).
  - Both are planned for hosts that are made up before anything is written. A profile that no inventory could plan is
    refused, with its own file and line.
  - This is an action that runs on the controller and connects to no host. It needs no inventory.
attributes:
  check_mode:
    description: In check mode nothing is written.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
options:
  source:
    description: The profile, its folder or its file; or a list of its files, each laid over those before it.
    type: raw
    required: true
  dest:
    description: The folder of the new profile. It is made if it is not there.
    type: path
    required: true
  image:
    description: Image of the containers for which the profile names none; or a dictionary of images by container.
    type: raw
  env:
    description: Environment variables that the profile is also written with. They are written out in the new one.
    type: dict
    default: {}
  variables:
    description: Values of the variables that the profile is written with. They are written out in the new one.
    type: dict
    default: {}
  root:
    description: The folder that holds the files of the profile. The usual folder of its format when it is not given.
    type: path
  force:
    description: Whether to replace files that are there with other content.
    type: bool
    default: false
seealso:
  - module: retail.profiles.profile_plan
"""

EXAMPLES = r"""
- name: Convert a profile of the retail use cases
  retail.profiles.profile_convert:
    source: retail-use-cases/grpc_python/res
    dest: profiles/grpc_python

- name: Convert one that names no image
  retail.profiles.profile_convert:
    source: configuration.yaml
    dest: profiles/gst
    image: registry.example/gst:1
"""

RETURN = r"""
profile:
  description: The new profile.yml.
  type: str
  returned: success
  sample: /home/user/profiles/gst/profile.yml
files:
  description: The files of the new profile, relative to its folder.
  type: list
  elements: str
  returned: success
  sample: [profile.yml, res/gst.env]
notes:
  description: What could not be carried over as it was.
  type: list
  elements: str
  returned: success
  sample: ["compose.yaml:7: services.web.credential_spec is ignored: a profile cannot say it"]
"""
