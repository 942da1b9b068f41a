# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text stands for where Compose wants a number or a boolean, such as that of a variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.schema import FLAG_KEYS
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


def flag(value: str) -> bool:
    """What a text stands for. ValueError for one that stands for neither."""
    word = value.lower()
    if word in ("true", "y", "yes", "on"):
        return True
    if word in ("false", "n", "no", "off"):
        return False
    raise ValueError(f"{value!r} is not true or false")


def _whole(value: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", value):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


def number(value: str) -> float:
    """The number of a text. ValueError for one that is none."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a number") from None


_SERVICES = "services.*."
_CASTS: Mapping[Callable[[str], Any], tuple[str, ...]] = {
    flag: (
        *(f"{_SERVICES}{key}" for key in FLAG_KEYS if key != "attach"),
        *(f"{_SERVICES}{key}" for key in ("depends_on.*.restart", "healthcheck.disable")),
        *(f"{_SERVICES}volumes.*.{key}" for key in ("read_only", "volume.nocopy", "bind.create_host_path")),
        *(f"networks.*.{key}" for key in ("external", "internal", "attachable", "enable_ipv4", "enable_ipv6")),
        *(f"{key}.*.external" for key in ("volumes", "secrets", "configs")),
    ),
    _whole: tuple(
        f"{_SERVICES}{key}"
        for key in (
            *("cpu_count", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares"),
            *("deploy.replicas", "deploy.update_config.parallelism", "deploy.rollback_config.parallelism"),
            *("deploy.restart_policy.max_attempts", "deploy.placement.max_replicas_per_node"),
            *("healthcheck.retries", "oom_score_adj", "pids_limit", "ports.*.target", "scale"),
            *("ulimits.*", "ulimits.*.hard", "ulimits.*.soft"),
        )
    ),
    number: tuple(
        f"{_SERVICES}{key}"
        for key in (
            *("cpus", "cpu_percent"),
            *("deploy.update_config.max_failure_ratio", "deploy.rollback_config.max_failure_ratio"),
        )
    ),
}
_BY_PATTERN = [(tuple(pattern.split(".")), cast) for cast, patterns in _CASTS.items() for pattern in patterns]


def typed(value: str, path: Path) -> Any:
    """A text where Compose wants a number or a boolean, as that. ValueError for one that is none."""
    for pattern, cast in _BY_PATTERN:
        if len(pattern) == len(path) and all(part in ("*", key) for part, key in zip(pattern, path, strict=True)):
            return cast(value)
    return value
