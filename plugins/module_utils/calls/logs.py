# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of profile_logs: its arguments, and from these to its result."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT
from ansible_collections.retail.profiles.plugins.module_utils.logs import host_logs, since


def argument_spec() -> dict[str, Any]:
    return {
        "deployment": {"type": "str"},
        "containers": {"type": "list", "elements": "str", "default": []},
        "since": {"type": "str"},
        "tail": {"type": "int"},
        "grep": {"type": "str"},
        "follow": {"type": "bool", "default": False},
        "file": {"type": "path"},
        "to": {"type": "path"},
        "timestamps": {"type": "bool", "default": False},
        "places": {"type": "dict", "default": {}},
        "until": {"type": "int"},
    }


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    now = time.time()
    try:
        wanted = host_logs.Wanted(
            deployment=params["deployment"],
            containers=tuple(params["containers"]),
            since_ns=int(since.parse(params["since"], now) * 1e9),
            until_ns=params["until"],
            tail=params["tail"],
            pattern=host_logs.pattern_of(params["grep"]),
            places={name: host_logs.Place(*map(int, place)) for name, place in params["places"].items()},
        )
        found = host_logs.read(host_logs.connect(ENGINE_TIMEOUT), wanted, int(now * 1e9))
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}
    lines = base64.b64encode(zlib.compress(json.dumps(found.pop("lines")).encode())).decode()
    return {"failed": False, "changed": False, **found, "lines": lines, "clock": now}


def lines_of(packed: str) -> list[list[Any]]:
    """The lines of an answer: of each its time (unix nanoseconds), replica, stream, text, and bytes that were cut."""
    found: list[list[Any]] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return found
