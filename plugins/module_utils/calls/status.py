# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of profile_status: its arguments, and from these to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.apply.status import statuses
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT, STATE_DIR
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import connect


def argument_spec() -> dict[str, Any]:
    return {
        "deployment": {"type": "str"},
        "engine_timeout": {"type": "int", "default": ENGINE_TIMEOUT},
        "state_dir": {"type": "path", "default": STATE_DIR},
    }


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    try:
        found = statuses(
            StateDir(params["state_dir"].rstrip("/")), connect(timeout=params["engine_timeout"]), params["deployment"]
        )
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}
    return {"failed": False, "changed": False, "replicas": [item.as_dict() for item in found]}
