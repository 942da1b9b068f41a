# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What a Compose service mounts, as native volumes; and the named volumes of the file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import X11
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import host_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


def mounts(source: Source, service: str, value: Any, path: Path) -> list[Any]:
    """``volumes`` of a service. What cannot be said is warned of."""
    items = value if isinstance(value, list) else [value]
    made: list[Any] = []
    for index, item in enumerate(items):
        at = (*path, index)
        if isinstance(item, Mapping):
            made += _long(source, service, item, at)
        elif isinstance(item, str) and item:
            made += _short(source, service, item, at)
        else:
            raise source.error(f"services.{service}.volumes: {item!r} is not a volume", at)
    return made


def _short(source: Source, service: str, written: str, path: Path) -> list[Any]:
    first, *rest = written.split(":")
    if not rest:
        return _anonymous(source, service, first, path)
    if not first or not rest[0].startswith("/"):
        raise source.error(f"services.{service}.volumes: {written!r} is not SOURCE:TARGET[:MODE]", path)
    flags = [flag for mode in rest[1:] for flag in mode.split(",") if flag not in ("cached", "delegated", "consistent")]
    return _place(source, first, [rest[0], *_mode(flags)], path, True)


def _place(source: Source, place: str, rest: list[str], path: Path, create: bool) -> list[Any]:
    """The volumes of a source: relative to the file, in the user's home, a path of the host, or a volume's name."""
    if place.startswith(".") or source.holds(place):
        return host_volumes.relative_mounts(source, place, rest, path, source.folder, create)
    if place == "~" or place.startswith("~/"):
        place = host_volumes.expand(source, f"$HOME{place[1:].replace('$', '$$')}", {}, path)
    return [host_volumes.mount(source, place, rest[0], ",".join(rest[1:]), path, create)]


def _anonymous(source: Source, service: str, target: str, path: Path) -> list[Any]:
    if not target.startswith("/"):
        raise source.error(f"services.{service}.volumes: {target!r} is not an absolute path in the container", path)
    if target.rstrip("/") == X11:
        source.warn(f"{target} names no target: it is bound to itself", path)
        return [host_volumes.mount(source, X11, X11, "", path)]
    name = anonymous_name(service, target)
    source.warn(f"services.{service}.volumes: the volume of {target} has no name: it is called {name} here", path)
    return [f"{name}:{target}"]


def anonymous_name(service: str, target: str) -> str:
    """A name for a volume that has none."""
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", f"{service}{target}").strip("-.")


@dataclass(frozen=True)
class _Mount:
    """A volume in the long form. ``special`` is what it says under the name of its own type."""

    source: Source
    service: str
    item: Mapping[str, Any]
    target: str
    special: Mapping[str, Any]
    path: Path

    @property
    def label(self) -> str:
        return f"services.{self.service}.volumes"

    @property
    def read_only(self) -> bool:
        return _is_true(self.item.get("read_only"))

    def ignore_all_but(self, *known: str) -> None:
        """Warn of what stands under the name of its type beside these keys."""
        for key in self.special:
            if key not in known:
                self.source.warn(f"{self.label}: {key} is ignored: a profile cannot say it", self.path)


def _long(source: Source, service: str, item: Mapping[str, Any], path: Path) -> list[Any]:
    kind, target = item.get("type", "volume"), item.get("target")
    label = f"services.{service}.volumes"
    if not isinstance(target, str) or not target.startswith("/"):
        raise source.error(f"{label}: the target {target!r} is not an absolute path in the container", path)
    for key in item:
        if key not in {*_LONG_KEYS, str(kind)} and not key.startswith("x-"):
            source.warn(f"{label}.{key} is ignored: a profile cannot say it", (*path, key))
    given = item.get(kind)
    if kind not in _OF_TYPE:
        source.warn(f"{label}: the type {kind} is ignored: a profile cannot say it", path)
        return []
    special = given if isinstance(given, Mapping) else {}
    return _OF_TYPE[kind](_Mount(source, service, item, target, special, path))


def _tmpfs(mount: _Mount) -> list[Any]:
    mount.ignore_all_but("size", "mode")
    made: dict[str, Any] = {"type": "tmpfs", "target": mount.target}
    if mount.read_only:
        made["read_only"] = True
    if (size := mount.special.get("size")) is not None:
        made["size"] = size
    if (mode := mount.special.get("mode")) is not None:
        made["mode"] = f"{mode:04o}" if isinstance(mode, int) else str(mode)
    return [made]


def _bind(mount: _Mount) -> list[Any]:
    mount.ignore_all_but("propagation", "create_host_path", "selinux")
    place = mount.item.get("source")
    if not isinstance(place, str) or not place:
        raise mount.source.error(f"{mount.label}: the source of a bind is missing", mount.path)
    flags = ["ro"] if mount.read_only else []
    flags += [str(mount.special[key]) for key in ("selinux", "propagation") if mount.special.get(key)]
    create = mount.special.get("create_host_path") not in (False, "false")
    relative = place if place.startswith((".", "/", "~")) else f"./{place}"
    return _place(mount.source, relative, [mount.target, *_mode(flags)], mount.path, create)


def _volume(mount: _Mount) -> list[Any]:
    mount.ignore_all_but("nocopy")
    place = mount.item.get("source")
    if not place:
        return _anonymous(mount.source, mount.service, mount.target, mount.path)
    flags = ["ro"] if mount.read_only else []
    flags += ["nocopy"] if _is_true(mount.special.get("nocopy")) else []
    return [":".join([str(place), mount.target, *_mode(flags)])]


_OF_TYPE: Mapping[str, Callable[[_Mount], list[Any]]] = {"tmpfs": _tmpfs, "bind": _bind, "volume": _volume}
_LONG_KEYS = ("type", "source", "target", "read_only", "consistency")


def _mode(flags: Sequence[str]) -> list[str]:
    """The last part of SOURCE:TARGET[:MODE], if there is one."""
    return [",".join(flags)] if flags else []


def _is_true(value: Any) -> bool:
    return value in (True, "true")


def configs(
    source: Source, service: str, value: Any, declared: Mapping[str, Any], generated: dict[str, bytes], path: Path
) -> list[Any]:
    """``configs`` of a service: files of the profile, mounted read-only."""
    made = []
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        at = (*path, index)
        written = item if isinstance(item, Mapping) else {"source": item}
        name = str(written.get("source", ""))
        target = str(written.get("target") or f"/{name}")
        for key in written:
            if key not in ("source", "target"):
                source.warn(f"services.{service}.configs.{key} is ignored: a profile cannot say it", at)
        config = declared.get(name)
        if not isinstance(config, Mapping):
            raise source.error(f"services.{service}.configs: there is no config {name!r}", at)
        if isinstance(config.get("file"), str):
            made.append(f"{source.inside(config['file'], source.folder, at)}:{posixpath.join('/', target)}:ro")
        elif isinstance(config.get("content"), str):
            generated[f"configs/{name}"] = config["content"].encode()
            made.append(f"./configs/{name}:{posixpath.join('/', target)}:ro")
        else:
            source.warn(f"services.{service}.configs: {name} is ignored: it is neither a file nor content", at)
    return made


def named(source: Source, value: Any, made: list[str]) -> dict[str, Any] | None:
    """Top-level ``volumes``. ``made``: names of volumes that the file does not list. None where all are plain."""
    result: dict[str, Any] = {}
    for name, item in (value or {}).items():
        volume, path = item or {}, ("volumes", name)
        known: dict[str, Any] = {}
        for key, given in volume.items():
            if key == "driver" and given:
                known["driver"] = given
            elif key == "driver_opts" and given:
                known["driver_options"] = dict(given)
            elif key == "external":
                known["external"] = given not in (False, "false")
            elif key not in ("name", "driver", "driver_opts") and not key.startswith("x-"):
                source.warn(f"volumes.{name}.{key} is ignored: a profile cannot say it", (*path, key))
        own = real_name(name, volume)
        if own != name and not known.get("external"):
            source.warn(f"volumes.{name}.name is ignored: a volume bears the name of its deployment", (*path, "name"))
            own = name
        result[own] = {key: item for key, item in known.items() if item} or None
    if not any(result.values()):
        return None
    return {**result, **dict.fromkeys(made)}


def real_name(name: str, declared: Any) -> str:
    """The name of a volume or network on the hosts: that of an external one may be another than the file's."""
    if not isinstance(declared, Mapping) or declared.get("external") in (None, False, "false"):
        written = declared.get("name") if isinstance(declared, Mapping) else None
        return str(written or name)
    external = declared["external"]
    return str(declared.get("name") or (external.get("name") if isinstance(external, Mapping) else None) or name)
