# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
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
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import PROPAGATIONS
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


@dataclass(frozen=True)
class _Mount:
    """A mount in canonical form. ``special`` is what it says under the name of its own type."""

    source: Source
    service: str
    item: Mapping[str, Any]
    special: Mapping[str, Any]
    path: Path

    @property
    def label(self) -> str:
        return f"services.{self.service}.volumes"

    @property
    def target(self) -> str:
        return posixpath.normpath(str(self.item["target"]))

    @property
    def read_only(self) -> bool:
        return self.item.get("read_only") is True

    def ignore_all_but(self, *known: str) -> None:
        """Warn of what stands under the name of its type beside these keys."""
        for key in self.special:
            if key not in known and not key.startswith("x-"):
                self.source.warn(f"{self.label}: {key} is ignored: a profile cannot say it", self.path)


def mounts(source: Source, service: str, value: Sequence[Mapping[str, Any]], path: Path) -> list[Any]:
    """``volumes`` of a service. What cannot be said is warned of; ProfileError for what would be another mount."""
    return [made for index, item in enumerate(value) for made in _mounts(source, service, item, (*path, index))]


def _mounts(source: Source, service: str, item: Mapping[str, Any], path: Path) -> list[Any]:
    kind, target = item["type"], str(item["target"])
    mount = _Mount(source, service, item, item.get(kind) or {}, path)
    if not target.startswith("/"):
        raise source.error(f"{mount.label}: the target {target!r} is not an absolute path in the container", path)
    if kind not in _OF_TYPE:
        raise source.error(f"{mount.label}: a mount of the type {kind} is none that a profile can say", path)
    return _OF_TYPE[kind](mount)


def _tmpfs(mount: _Mount) -> list[Any]:
    mount.ignore_all_but("size", "mode")
    made: dict[str, Any] = {"type": "tmpfs", "target": mount.target}
    if mount.read_only:
        made["read_only"] = True
    if (size := mount.special.get("size")) is not None:
        made["size"] = size
    if (mode := mount.special.get("mode")) is not None:
        made["mode"] = f"{int(mode):04o}"
    return [made]


def _bind(mount: _Mount) -> list[Any]:
    mount.ignore_all_but("propagation", "create_host_path", "selinux")
    place = mount.item.get("source")
    if not place:
        raise mount.source.error(f"{mount.label}: the source of a bind is missing", mount.path)
    flags = ["ro"] if mount.read_only else []
    propagation = mount.special.get("propagation")
    if propagation and propagation not in PROPAGATIONS:
        raise mount.source.error(f"{mount.label}: {propagation!r} is not one of {', '.join(PROPAGATIONS)}", mount.path)
    flags += [str(mount.special[key]) for key in ("selinux", "propagation") if mount.special.get(key)]
    create = mount.special.get("create_host_path") is not False
    relative = place if place.startswith((".", "/", "~")) else f"./{place}"
    return _place(mount.source, relative, [mount.target, *_mode(flags)], mount.path, create)


def _place(source: Source, place: str, rest: list[str], path: Path, create: bool) -> list[Any]:
    """The volumes of a source: relative to the file, in the user's home, or a path of the host."""
    if place.startswith(".") or source.holds(place):
        return host_volumes.relative_mounts(source, place, rest, path, source.folder, create)
    if place.startswith("~") and place[1:2] not in ("", "/"):
        why = "the home of another user is not known here: write the path itself"
        raise source.error(f"{place!r}: {why}", path)
    if place == "~" or place.startswith("~/"):
        place = host_volumes.expand(source, f"$HOME{place[1:].replace('$', '$$')}", {}, path)
    return [host_volumes.mount(source, place, rest[0], ",".join(rest[1:]), path, create)]


def _volume(mount: _Mount) -> list[Any]:
    if mount.special.get("subpath"):
        raise mount.source.error(f"{mount.label}: a profile cannot mount a part of a volume (subpath)", mount.path)
    mount.ignore_all_but("nocopy")
    place = mount.item.get("source")
    if not place:
        return _anonymous(mount)
    # SELinux and propagation stand under "bind" in Compose's reading of the short form.
    bind = mount.item.get("bind") or {}
    flags = ["ro"] if mount.read_only else []
    flags += [str(bind[key]) for key in ("selinux", "propagation") if bind.get(key)]
    flags += ["nocopy"] if mount.special.get("nocopy") is True else []
    return [":".join([str(place), mount.target, *_mode(flags)])]


def _anonymous(mount: _Mount) -> list[Any]:
    if mount.target == X11:
        mount.source.warn(f"{X11} names no target: it is bound to itself", mount.path)
        return [host_volumes.mount(mount.source, X11, X11, "", mount.path)]
    name = anonymous_name(mount.service, mount.target)
    mount.source.warn(f"{mount.label}: the volume of {mount.target} has no name: it is called {name} here", mount.path)
    return [f"{name}:{mount.target}"]


def anonymous_name(service: str, target: str) -> str:
    """A name for a volume that has none."""
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", f"{service}{target}").strip("-.")


_OF_TYPE: Mapping[str, Callable[[_Mount], list[Any]]] = {"tmpfs": _tmpfs, "bind": _bind, "volume": _volume}


def _mode(flags: Sequence[str]) -> list[str]:
    """The last part of SOURCE:TARGET[:MODE], if there is one."""
    return [",".join(flags)] if flags else []


def named(source: Source, value: Any, made: list[str]) -> dict[str, Any] | None:
    """Top-level ``volumes``. ``made``: names of volumes that the file does not list. None where all are plain."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        volume, path = item or {}, ("volumes", name)
        known: dict[str, Any] = {}
        for key, given in volume.items():
            if key == "driver" and given:
                known["driver"] = given
            elif key == "driver_opts" and given:
                _check_device(source, name, given)
                known["driver_options"] = dict(given)
            elif key == "external":
                known["external"] = bool(given)
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


def _check_device(source: Source, name: str, options: Mapping[str, Any]) -> None:
    """ProfileError for a volume that is a folder beside the file: hosts do not have it."""
    device = options.get("device")
    if "bind" in str(options.get("o", "")).split(",") and not str(device).startswith("/"):
        raise source.error(
            f"volumes.{name}.driver_opts.device: {device!r} is not an absolute path of the hosts: give one, or mount "
            "the folder itself where the volume is mounted",
            ("volumes", name, "driver_opts"),
        )


def real_name(name: str, declared: Mapping[str, Any] | None) -> str:
    """The name of a volume or network on the hosts: that of an external one may be another than the file's."""
    return str((declared or {}).get("name") or name)
