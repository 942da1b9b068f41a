# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of profile_apply on its host: from the parameters to the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import connect

# The share and the content of files are long: neither the answer nor a -vvv screen needs them again.
_NOT_ECHOED = ("share", "archives", "sources", "secrets")


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed`` and ``invocation``. *params* are complete, as its argument spec has them."""
    result = _result(params, check)
    if not diff:
        result.pop("diff", None)
    echo = {key: value for key, value in params.items() if key not in _NOT_ECHOED}
    return {**result, "invocation": {"module_args": echo}}


def _result(params: Mapping[str, Any], check: bool) -> dict[str, Any]:
    try:
        return run(parse_order(params, check), lambda: connect(timeout=params["engine_timeout"]))
    except MissingFiles as error:
        return {"failed": True, "msg": str(error), "missing": error.dests}
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}
