# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of profile_models: its arguments, and from these to its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.host import model_digests


def argument_spec() -> dict[str, Any]:
    return {"expected": {"type": "dict", "required": True}}


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    now = model_digests.digests(params["expected"])
    other = model_digests.other(params["expected"], now)
    if other:
        hint = "put the recorded models back on the host, or run the profile anew"
        return {"failed": True, "msg": f"{'; '.join(other)}: {hint}", "models": now}
    return {"failed": False, "changed": False, "models": now}
