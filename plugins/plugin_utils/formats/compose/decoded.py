# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a profile cannot say, and that Compose reads all the same: what is wrong in them it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import casts
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.options import seconds
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import size
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


def _flag(value: Any) -> None:
    if isinstance(value, str):
        casts.flag(value)


def _cpus(value: Any) -> None:
    casts.number(str(value))


def _attempts(value: Any) -> None:
    if int(value) < 0:
        raise ValueError(f"{value} is less than none")


def _mode(value: Any) -> None:
    if isinstance(value, float) or not re.fullmatch(r"[0-7]+", str(value) if isinstance(value, str) else "0"):
        raise ValueError(f"{value!r} is not a mode such as 0440")


def _size(value: Any) -> None:
    if isinstance(value, str):
        size(value)


def _written(value: Any) -> None:
    if isinstance(value, str):
        raise ValueError(f"{value!r} is a text: write the number itself")


def _address(value: Any) -> None:
    if isinstance(value, str) and not re.search("[=:]", value):
        raise ValueError(f"{value!r} is not NAME=ADDRESS")


_TABLE: Mapping[Callable[[Any], Any], tuple[str, ...]] = {
    seconds: (
        *(f"deploy.{key}.{time}" for key in ("update_config", "rollback_config") for time in ("delay", "monitor")),
        *("deploy.restart_policy.delay", "deploy.restart_policy.window"),
    ),
    _flag: (
        *("attach", "build.no_cache", "build.privileged", "build.pull"),
        *("post_start.*.privileged", "pre_stop.*.privileged"),
    ),
    _cpus: ("deploy.resources.reservations.cpus",),
    _attempts: ("deploy.restart_policy.max_attempts",),
    _mode: ("configs.*.mode", "secrets.*.mode"),
    _written: ("build.ulimits.**", "blkio_config.weight_device.*.weight"),
    _address: ("build.extra_hosts.*",),
    _size: ("build.shm_size",),
}


def check(source: Source, services: Mapping[str, Any]) -> None:
    """ProfileError for the first value that Compose would not take. ``services``: all, in canonical form."""
    for name, service in services.items():
        for parse, patterns in _TABLE.items():
            for path, value in (found for pattern in patterns for found in _values(service, pattern.split("."), ())):
                try:
                    parse(value)
                except ValueError as error:
                    where = ".".join(map(str, path))
                    raise source.error(f"services.{name}.{where}: {error}", ("services", name, *path)) from error


def _values(value: Any, pattern: list[str], path: Path) -> Iterator[tuple[Path, Any]]:
    """The values at a place; ``*`` stands for every item of a list, ``**`` for every value of a mapping."""
    if not pattern:
        yield path, value
    elif pattern[0] == "*":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _values(item, pattern[1:], (*path, index))
    elif pattern[0] == "**":
        for key, item in (value if isinstance(value, Mapping) else {}).items():
            yield from _values(item, pattern[1:], (*path, key))
    elif isinstance(value, Mapping) and value.get(pattern[0]) is not None:
        yield from _values(value[pattern[0]], pattern[1:], (*path, pattern[0]))
