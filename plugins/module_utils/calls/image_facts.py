# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of image_facts: its arguments, and from these to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import connect
from ansible_collections.retail.profiles.plugins.module_utils.images.inventory import describe


def argument_spec() -> dict[str, Any]:
    return {
        "names": {"type": "list", "elements": "str", "default": []},
        "docker_host": {"type": "str"},
    }


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    try:
        found = describe(connect(params["docker_host"]), params["names"])
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}
    lacking = [name for name in params["names"] if name not in found["images"]]
    return {"failed": False, "changed": False, "engine": found, "lacking": lacking}
