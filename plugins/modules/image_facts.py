#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_facts
short_description: Tell which images and layers a Docker Engine has
version_added: 0.1.0
description:
  - Looks at images by name, and at all layers that the engine has, so that no more of an image than is missing has to
    be brought there.
  - The role P(retail.profiles.images#role) uses it.
author:
  - the retail.profiles authors (@retail-profiles)
requirements:
  - Python 3.9 or later on the host
options:
  names:
    description: The images, by name.
    type: list
    elements: str
    default: []
  docker_host:
    description: The address of the engine; that in E(DOCKER_HOST), or the usual socket, when it is not given.
    type: str
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
- name: Look at the images
  retail.profiles.image_facts:
    names: ["retail/kserve-client:1"]
  register: looked
"""

RETURN = r"""
engine:
  description: What the engine has.
  returned: success
  type: dict
  contains:
    images:
      description:
        - Those of the images that are there, by name. Each with C(id), C(layers), C(size) in bytes, C(arch), C(labels),
          and C(content), a hash that is the same where engines give the same image other ids.
      type: dict
      sample: {}
    chains:
      description: The beginnings of the chain ids of all layers.
      type: list
      elements: str
      sample: ["6c3c624b58dbbcd3"]
    arch:
      description: The architecture of the host, as C(uname -m) names it.
      type: str
      sample: x86_64
    containerd_store:
      description: Whether the engine keeps its images in containerd's store.
      type: bool
    root_dir:
      description: The folder in which the engine keeps its data.
      type: str
      sample: /var/lib/docker
    free_bytes:
      description: How many bytes are free there; V(null) where that cannot be seen.
      type: int
lacking:
  description: Those of the images that are not there.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.image_facts import answer, argument_spec


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
