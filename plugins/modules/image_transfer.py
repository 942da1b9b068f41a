#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_transfer
short_description: Bring images from one Docker Engine to many, over the network of the fleet
version_added: 0.1.0
description:
  - Every host that lacks images waits for them (O(state=awaited)), one host sends them (O(state=sent)), and each that
    receives passes on what comes while it comes, so that a tree of hosts takes little longer than one. Every image
    travels once to every host, and of its layers only those that are missing there.
  - A receiver listens on one address of its host alone, for a single connection that knows its token, and until a
    deadline. What comes is checked against the ids of the images, and loaded by the engine. No engine is configured
    otherwise for it. The stream is not encrypted.
  - The role P(retail.profiles.images#role) uses it.
author:
  - the retail.profiles authors (@retail-profiles)
requirements:
  - Python 3.9 or later on the host
options:
  state:
    description:
      - V(awaited) starts a process on the host that waits for one stream and loads it, and tells where it listens.
      - V(sent) saves images and sends them, from a host or from the controller.
      - V(received) waits until what V(awaited) has started has ended, and tells how it went. It comes after V(sent), so
        a process to which no stream has come by then is ended. Afterwards nothing is left of it.
    type: str
    choices: [awaited, sent, received]
    required: true
  name:
    description: A name for the whole transfer, the same on all hosts and for all states.
    type: str
    required: true
  docker_host:
    description: The address of the engine; that in E(DOCKER_HOST), or the usual socket, when it is not given.
    type: str
  state_dir:
    description:
      - The collection's folder on the host. With O(state=sent), any in which one for what is on its way may be made.
    type: path
    default: /var/lib/retail-profiles
  timeout:
    description: How many seconds a receiver waits for the stream, and O(state=received) for the receiver.
    type: int
    default: 1800
  secret:
    description: What all tokens are made from. Needed with O(state=sent).
    type: str
  token:
    description: What proves to the receiver who may send. Needed with O(state=awaited).
    type: str
  addresses:
    description:
      - With O(state=awaited), the addresses by which others reach the host. The first that is the host's own is used.
    type: list
    elements: str
    default: []
  port:
    description: The port to listen on; V(0) for any that is free.
    type: int
    default: 0
  images:
    description: With O(state=awaited), what is to come. By name, as M(retail.profiles.image_facts) tells of it.
    type: dict
    default: {}
  transfers:
    description: With O(state=sent), what is sent to whom.
    type: list
    elements: dict
    default: []
    suboptions:
      images:
        description: The images, each with its C(names), C(id) and C(layers).
        type: list
        elements: dict
        required: true
      blobs:
        description: The ids of images and layers that the hosts lack.
        type: list
        elements: str
        default: []
      archive:
        description: Send all that the engine saves, as it is. For engines that keep images in containerd's store.
        type: bool
        default: false
      root:
        description:
          - The host that gets it first, as a dictionary with C(name), C(address), C(port), and C(forward), a list of
            those that it passes it on to.
        type: dict
        required: true
  dial:
    description:
      - With O(state=sent), whether to connect to the first host. Without, and where it cannot be connected to, what was
        to be sent is written to a file below O(state_dir), to be copied and sent from there.
    type: bool
    default: true
  path:
    description: With O(state=sent), a file that an earlier call has written, to be sent to the one transfer's hosts.
    type: path
attributes:
  check_mode:
    support: none
    description: Can run in check mode.
  diff_mode:
    support: none
    description: Shows differences.
  platform:
    support: full
    platforms: posix
    description: The systems it runs on.
"""

EXAMPLES = r"""
- name: Wait for images
  retail.profiles.image_transfer:
    state: awaited
    name: "20260131T100000"
    token: "{{ my_token }}"
    addresses: [192.0.2.11]
    images: "{{ looked.engine.images }}"
  register: awaited
"""

RETURN = r"""
address:
  description: Where the receiver listens.
  returned: with O(state=awaited)
  type: str
  sample: 192.0.2.11
port:
  description: The port that it listens on.
  returned: with O(state=awaited)
  type: int
  sample: 41234
sent:
  description:
    - How each transfer went. With C(root), the first host; C(bytes); C(lost), why hosts were not reached, by their
      names; and C(file), where it was written instead.
  returned: with O(state=sent)
  type: list
  elements: dict
  sample: []
ids:
  description: The ids of the images, by name, as the engine has them now.
  returned: with O(state=received)
  type: dict
  sample: {"retail/kserve-client:1": "sha256:0c1d..."}
bytes:
  description: How many bytes came.
  returned: with O(state=received)
  type: int
  sample: 2100021
lost:
  description: Why other hosts did not get what this one was to pass on, by their names.
  returned: with O(state=received)
  type: dict
  sample: {}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.calls.image_transfer import (
    REQUIRED_IF,
    answer,
    argument_spec,
)


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(argument_spec=argument_spec(), required_if=REQUIRED_IF)
    module.exit_json(**answer(module.params, module.check_mode, module._diff))


if __name__ == "__main__":
    main()
