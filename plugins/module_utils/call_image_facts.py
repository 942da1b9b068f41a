# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One call of image_facts: its arguments, and from these to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.engine import connect
from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.images import describe


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
