#!/usr/bin/python
# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_context
short_description: Read and stage image build contexts
version_added: 0.1.0
description:
  - Computes a digest of everything that is in image build contexts, so that an image is built again when and only when
    that changes.
  - Stages copies of them, with the wheels for their C(requirements.txt) in C(wheels/), so that a build needs no package
    index. The wheels are downloaded by this machine's pip, and kept.
  - Runs on the controller; the role P(retail.profiles.images#role) uses it.
author:
  - the retail.profiles authors (@retail-profiles)
options:
  contexts:
    description:
      - The contexts, as a dictionary of image name and absolute path of its build context; or, in its place, a
        dictionary with the path as C(context), and C(dockerfile) (a file in it) or C(dockerfile_inline) (its text),
        C(target) and C(args).
    type: dict
    required: true
  stage:
    description: The images whose contexts are to be staged.
    type: list
    elements: str
    default: []
  cache:
    description: The folder in which wheels and staged contexts are.
    type: path
    required: true
  python_version:
    description: The version of Python in the images, for which wheels are downloaded.
    type: str
    default: "3.11"
  arch:
    description: The architecture of the images, as C(uname -m) names it.
    type: str
    default: x86_64
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what it would do.
  diff_mode:
    support: none
    description: Shows differences.
  platform:
    support: full
    platforms: posix
    description: The systems it runs on.
"""

EXAMPLES = r"""
- name: Read the build contexts
  retail.profiles.image_context:
    contexts:
      retail/kserve-client:1: /home/me/profiles/ovms/images/kserve-client
    cache: /home/me/.cache/retail-profiles
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
contexts:
  description: The contexts, each after those that it builds on.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The image's name.
      type: str
      sample: retail/kserve-client:1
    digest:
      description: The sha256 of what the image is made of.
      type: str
      sample: 6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b
    bases:
      description: The images that it builds on.
      type: list
      elements: str
      sample: ["debian:bookworm-slim"]
    path:
      description: The staged copy; V(null) when it was not asked for.
      type: str
      sample: /home/me/.cache/retail-profiles/contexts/6c3c624b58dbbcd3c0dd82b4c53f0419
    dockerfile:
      description: The Dockerfile, by its path in the context.
      type: str
      sample: Dockerfile
    target:
      description: The stage to build; V(null) for the last one.
      type: str
      sample: runtime
    args:
      description: The build arguments.
      type: dict
      sample: {}
    round:
      description:
        - When it is built, from 0 on. Those of a round build on none but those of the rounds before, and no two of them
          begin with the same image and command, which is run once then. V(null) when its copy was not asked for.
      type: int
      sample: 0
"""

import sys
from collections.abc import Sequence
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.images import build_context


def run_module(module: AnsibleModule) -> dict[str, Any]:
    """Do what the parameters ask for; return the result.

    Raises:
        ProfileError: a context cannot be used, or wheels cannot be had.
    """
    target = build_context.BuildTarget(module.params["python_version"], module.params["arch"])
    cache = module.params["cache"]

    def run(command: Sequence[str]) -> tuple[int, str]:
        status, out, err = module.run_command(list(command))
        return status, f"{out}\n{err}"

    changed = False
    result = []
    contexts = build_context.read(module.params["contexts"], target)
    rounds = build_context.rounds([context for context in contexts if context.image in module.params["stage"]])
    for context in contexts:
        path: Optional[str] = None
        if context.image in module.params["stage"]:
            changed = True
            path = build_context.stage_folder(cache, context)
            if not module.check_mode:
                wheels = build_context.fetch_wheels(context, cache, target, sys.executable, run)
                build_context.stage(context, cache, wheels)
        told = {"image": context.image, "digest": context.digest, "bases": list(context.bases), "path": path}
        build = {"dockerfile": context.build.dockerfile, "target": context.build.target or None}
        result.append({**told, **build, "args": dict(context.build.args), "round": rounds.get(context.image)})
    return {"changed": changed, "contexts": result}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "contexts": {"type": "dict", "required": True},
            "stage": {"type": "list", "elements": "str", "default": []},
            "cache": {"type": "path", "required": True},
            "python_version": {"type": "str", "default": "3.11"},
            "arch": {"type": "str", "default": "x86_64"},
        },
        supports_check_mode=True,
    )
    try:
        result = run_module(module)
    except ProfileError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"a build context cannot be read or staged: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
