# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One call of profile_status: its arguments, and from these to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.engine import connect
from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.state import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.status import statuses


def argument_spec() -> dict[str, Any]:
    return {
        "deployment": {"type": "str"},
        "state_dir": {"type": "path", "default": "/var/lib/retail-profiles"},
    }


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    try:
        found = statuses(StateDir(params["state_dir"].rstrip("/")), connect(), params["deployment"])
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}
    return {"failed": False, "changed": False, "replicas": [item.as_dict() for item in found]}
