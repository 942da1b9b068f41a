# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of a Compose file: its keys, where they stand, and how what is wrong with them is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Made = TypeVar("Made")
# Keys that become fields, or options in a way of their own; the others are in options.TABLE, or cannot be said.
KEYS = (
    "image",
    "build",
    "entrypoint",
    "command",
    "environment",
    "env_file",
    "volumes",
    "configs",
    "networks",
    "network_mode",
    "ports",
    "expose",
    "depends_on",
    "links",
    "deploy",
    "scale",
    "profiles",
    "healthcheck",
    "restart",
    "logging",
    "gpus",
    "cpus",
    "cpuset",
    "container_name",
    "label_file",
    "secrets",
    "volumes_from",
    "mac_address",
    "platform",
    "pull_policy",
    "blkio_config",
    "attach",
)


@dataclass
class ComposeFile:
    """What a service needs of its file. ``names``: the containers' names by service."""

    source: Source
    variables: Variables
    services: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    top: Mapping[str, Mapping[str, Any]]
    project: str
    generated: dict[str, bytes] = field(default_factory=dict)
    anonymous: list[str] = field(default_factory=list)


class Service:
    """One service of a file. ``value``: its keys that say something."""

    def __init__(self, file: ComposeFile, name: str) -> None:
        self.file = file
        self.source = file.source
        self.name = name
        self.label = f"services.{name}"
        self.path: Path = ("services", name)
        self.value = {key: item for key, item in file.services[name].items() if not is_nothing(item)}

    def at(self, key: str) -> Path:
        """Where a key stands; the service itself where it is not given."""
        return (*self.path, key) if key in self.value else self.path

    def warn(self, key: str, path: Path | None = None, why: str = "a profile cannot say it") -> None:
        """Note that a key is ignored."""
        self.source.warn(f"{self.label}.{key} is ignored: {why}", path or self.at(key.partition(".")[0]))

    def error(self, key: str, why: str) -> ProfileError:
        """The error of what a key says."""
        return self.source.error(f"{self.label}.{key}: {why}", self.at(key))

    def read(self, key: str, make: Callable[[], Made]) -> Made:
        """What is made of a key. ProfileError for a value that is not as Compose takes it."""
        try:
            return make()
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise self.error(key, str(error)) from error

    def joined(self, key: str) -> Any:
        """``service:NAME`` with the name that the service has here."""
        written = scalar(self.value[key])
        kind, colon, other = written.partition(":")
        return f"{kind}:{self.file.names.get(other, other)}" if kind == "service" and colon else written


def is_nothing(item: Any) -> bool:
    """Whether a key with this value is as good as none."""
    return item is None or item == "" or item == [] or item == {}
