# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a replica is given of its host's hardware: target device, input source, display.

A container that has the field ``target_device``, ``input_source`` or ``render`` is concerned by the variable
``profile_target_device``, ``profile_input_source`` or ``profile_render``, which beats the field's value; one that
serves OVMS is concerned by the first in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import X11
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import PlanSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.environment import FROM_RUN, Environment
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    input_source as inputs,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    target_device as devices,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices

_SOURCES = {
    "TARGET_DEVICE": "target_device",
    "INPUTSRC": "input_source",
    "RENDER_MODE": "render",
    "DISPLAY": "render",
}
FIELDS = ("target_device", "input_source", "render")


@dataclass(frozen=True)
class Wanted:
    """What a replica asks for; None where it is not concerned."""

    target_device: str | None = None
    input_source: str | None = None
    render: bool | None = None


@dataclass(frozen=True)
class Grant:
    """What a replica is given.

    ``env`` stands above the container's own variables, ``defaults`` below them. ``missing``: what its host lacks, as
    (field, text).
    """

    nodes: Sequence[str] = ()
    groups: Sequence[int] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    volumes: Sequence[str] = ()
    missing: Sequence[tuple[str, str]] = ()

    def options(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """The docker_container options for it, on top of what *task* has of them."""
        given = {
            "devices": [f"{node}:{node}:rw" for node in self.nodes],
            "groups": [str(group) for group in self.groups],
        }
        return {
            option: [*(task.get(option) or ()), *(item for item in items if item not in (task.get(option) or ()))]
            for option, items in given.items()
            if items
        }

    def over(self, env: Environment) -> Environment:
        """The environment of a container with the variables for its hardware; the run's own stand above them."""
        if not self.env:
            return env
        made = replace(env, values=dict(env.values), sources=dict(env.sources))
        for name, value in self.env.items():
            if made.sources.get(name) != FROM_RUN and name not in env.secrets:
                made.set(name, value, _SOURCES[name])
        for name, value in self.defaults.items():
            if name not in made.sources:
                made.set(name, value, _SOURCES[name])
        return made

    def path_checks(self, container: str) -> list[dict[str, Any]]:
        """The host paths that must be there before the container starts."""
        sources = (volume.partition(":")[0] for volume in self.volumes)
        return [{"path": path, "container": container, "field": "render", "model": None} for path in sources]


class Hardware:
    """The hardware of a fleet, from its snapshot. What is given is worked out once for replicas that ask the same."""

    def __init__(self, fleet: Fleet) -> None:
        self._snapshot = fleet.snapshot
        self._hosts: dict[str, HostDevices] = {}
        self._grants: dict[tuple[Wanted, tuple[str, ...], str], Grant] = {}

    def of(self, host: str) -> HostDevices:
        """The devices of a host."""
        if host not in self._hosts:
            self._hosts[host] = devices.of_snapshot(self._snapshot.get(host, {}))
        return self._hosts[host]

    def name_inside(self, target_device: str | None, host: str) -> str | None:
        """The target device as OpenVINO knows it in the container; unchanged where the host does not have it."""
        if target_device is None:
            return None
        try:
            return str(devices.inside(devices.parse(target_device), self.of(host)))
        except ValueError:
            return target_device

    def grant(self, asked: Wanted, models: tuple[str, ...], host: str) -> Grant:
        """What a replica is given. ``models``: the devices that its models name for themselves."""
        if asked == Wanted() and not models:
            return _NOTHING
        key = (asked, models, host)
        if key not in self._grants:
            self._grants[key] = grant(asked, models, self.of(host))
        return self._grants[key]


def wanted(entry: Entry, settings: PlanSettings, value: Callable[[str], Any], serves_ovms: bool) -> Wanted:
    """What the fields of a container ask for, with the variables of the run above them."""

    def chosen(name: str, setting: Any, concerned: bool = False) -> Any:
        concerned = concerned or name in entry.raw
        return setting if concerned and setting is not None else value(name)

    return Wanted(
        chosen("target_device", settings.target_device, serves_ovms),
        chosen("input_source", settings.input_source),
        chosen("render", settings.render),
    )


def own_devices(models: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """The devices that models (by name) are put on by their configuration, and a warning for each not known here."""
    known, warnings = set(), []
    for model, device in models.items():
        try:
            known.add(devices.name(device))
        except ValueError as error:
            warnings.append(f"model {model}: {error}: it is given no device node")
    return tuple(sorted(known)), warnings


def grant(asked: Wanted, models: Iterable[str], host: HostDevices) -> Grant:
    """What the replica is given. ``models``: the devices that models name for themselves, under the host's names."""
    nodes: list[str] = []
    missing: list[tuple[str, str]] = []
    needs: list[tuple[str, Callable[[], tuple[str, ...]]]] = [
        ("target_device", lambda: devices.nodes_by_name(map(devices.parse, models), host))
    ]
    if (device := asked.target_device) is not None:
        needs.append(("target_device", lambda: devices.nodes(devices.parse(device), host)))
    if (source := asked.input_source) is not None:
        needs.append(("input_source", lambda: inputs.nodes(source, host)))
    for name, need in needs:
        try:
            nodes += [node for node in need() if node not in nodes]
        except ValueError as error:
            missing.append((name, str(error)))
    env = {"TARGET_DEVICE": asked.target_device, "INPUTSRC": asked.input_source}
    if asked.render is not None:
        env["RENDER_MODE"] = "1" if asked.render else "0"
    return Grant(
        nodes=nodes,
        groups=host.groups(nodes),
        env={name: text for name, text in env.items() if text is not None},
        defaults={"DISPLAY": next(iter(host.displays), ":0")} if asked.render else {},
        volumes=[f"{X11}:{X11}:ro"] if asked.render else [],
        missing=missing,
    )


_NOTHING = Grant()


def check_settings(settings: PlanSettings, asked: Sequence[Wanted]) -> None:
    """ProfileError for a variable of the run that concerns no container of the profile."""
    for name in FIELDS:
        if getattr(settings, name) is not None and all(getattr(item, name) is None for item in asked):
            serves = ", and none serves OVMS" if name == "target_device" else ""
            raise ProfileError(
                f"it is given, but no container of the profile has the field {name!r}{serves}: "
                "add the field to the containers that it concerns",
                field=f"profile_{name}",
            )
