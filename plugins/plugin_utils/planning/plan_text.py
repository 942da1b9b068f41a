# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan in words: who runs where, in which order, at which address, and why."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.planning.plan import grouped
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.plan_folding import (
    Detail,
    Shown,
    alternatives,
    entries,
    wrapped,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.objectives import BOUNDS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import PROBES
from ansible_collections.retail.profiles.plugins.plugin_utils.text.name_ranges import ranges
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import LONGEST_MESSAGE, neutral, one_line

Plan = Mapping[str, Any]
#: in an entry of several replicas, what each calls by its own name, and its host
OWN_NAME, OWN_HOST = "<replica>", "<host>"
#: so many reasons why hosts are left out, equal but for their numbers, share a line
_MANY_REASONS = 5
#: so many lines of warnings are shown
_MOST_LINES = 20
#: options of a task that other lines show, or that are the planner's own
_SAID_OTHERWISE = frozenset(
    ("name", "state", "image", "env", "labels", "cpuset_cpus", "devices", "etc_hosts", "published_ports")
)
#: options that come from the hardware of the host
_OF_HOST = frozenset(("groups",))


def text(plan: Plan, full: bool = False) -> str:
    """The plan for a terminal; unless it is to be *full*, replicas of a container that are alike share an entry."""
    return "\n".join(neutral(line, LONGEST_MESSAGE) for line in _lines(plan, full))


def _lines(plan: Plan, full: bool) -> Iterator[str]:
    replicas, waves = plan["replicas"], plan["waves"]
    yield (
        f"Plan {plan['plan_id'][:8]}: profile {plan['profile']}, deployment {plan['deployment']}, "
        f"{_count(len(replicas), 'replica')} on {_count(len(plan['hosts']), 'host')}, {_count(len(waves), 'wave')}"
    )
    count = 0
    for number, names in enumerate(waves, start=1):
        yield ""
        yield f"Wave {number}{_after(plan, names, full)}"
        for line in _entries(plan, names, full):
            count += line.startswith("  + ")
            yield line
    if plan.get("objectives"):
        yield ""
        yield from (f"Objective: {_objective(objective)}" for objective in plan["objectives"])
    if plan["left_out"]:
        yield ""
        for container, reasons in plan["left_out"].items():
            yield from _left_out(container, reasons, full)
    if plan["stand_ins"]:
        yield ""
        yield from (
            f"Stand-in: {stand_in}; its numbers do not speak of the real one." for stand_in in plan["stand_ins"]
        )
    if plan["warnings"]:
        yield ""
        yield from (f"Warning: {one_line(warning)}" for warning in plan["warnings"]) if full else _warnings(plan)
    if count < len(replicas):
        yield ""
        yield "Replicas that are alike share an entry; -v or -e profile_plan_full=true shows each by itself."


def _objective(objective: Mapping[str, Any]) -> str:
    side = next(bound for bound in BOUNDS if objective.get(bound) is not None)
    container = objective.get("container")
    who = "" if container is None else f" over {objective['over']} {container}"
    slack = f", less {objective['tolerance']:.3g} of it" if objective["tolerance"] else ""
    return f"{objective['statistic']} {objective['metric']}{who} {side.replace('_', ' ')} {objective[side]:g}{slack}"


def _entries(plan: Plan, names: list[str], full: bool) -> Iterator[str]:
    """The entries of a wave."""
    replicas, hosts = plan["replicas"], plan["hosts"]
    if full:
        for name in names:
            yield from _entry(name, replicas[name], hosts)
        return
    for members in grouped(names, lambda name: replicas[name]["container"]).values():
        yield from entries([_shown(name, replicas[name], hosts) for name in members])


def _after(plan: Plan, names: list[str], full: bool) -> str:
    needed = sorted({other for name in names for other in plan["replicas"][name]["depends_on"]})
    if not needed:
        return ""
    return f", when {', '.join(needed) if full else ranges(needed, 4)} {'is' if len(needed) == 1 else 'are'} ready"


def _left_out(container: str, reasons: Mapping[str, list[str]], full: bool) -> Iterator[str]:
    """The hosts that a container does not run on, and why. Many reasons that differ in numbers alone are one."""
    alike = grouped(reasons, lambda reason: reason if full else re.sub("[0-9.]+", "0", reason))
    for same in alike.values():
        if len(same) < _MANY_REASONS:
            yield from (f"Left out for {container}: {listed(reasons[reason])}: {reason}" for reason in same)
        else:
            by_host = {host: reason for reason in same for host in reasons[reason]}
            yield from wrapped(f"Left out for {container}: {alternatives(by_host)}")


def _warnings(plan: Plan) -> Iterator[str]:
    """The warnings, on a screen at most; those that say the same of several replicas, or of several lines, once."""
    named = [(_first_replica(plan, warning), warning) for warning in plan["warnings"]]
    alike = grouped(named, lambda item: _unnamed(plan, *item))
    lines = [line for same in alike.values() for line in _warning(same)]
    yield from lines if len(lines) <= _MOST_LINES else lines[: _MOST_LINES - 1]
    if len(lines) > _MOST_LINES:
        yield f"Warning: there are more, {len(plan['warnings'])} in all; -v or -e profile_plan_full=true shows each."


def _warning(same: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What one warning says of all that it is said of: replicas by name, or lines of a file."""
    first = same[0][1]
    if len(same) == 1:
        yield f"Warning: {first}"
    elif same[0][0]:
        (_name, first), *others = sorted(same, key=lambda item: natural(item[0]))
        yield from wrapped(f"Warning: {first} (likewise {ranges(name for name, _warning in others)})")
    else:
        lines = [warning.split(":", 2)[1] for _name, warning in same[1:]]
        yield from wrapped(f"Warning: {first} (likewise in line {listed(list(dict.fromkeys(lines)))})")


def _first_replica(plan: Plan, warning: str) -> str:
    """The replica that a warning names first; empty where it names none."""
    return next((word for word in re.findall(r"[\w.-]+", warning) if word in plan["replicas"]), "")


def _unnamed(plan: Plan, name: str, warning: str) -> str:
    """The warning as it would be of any replica on any host, or of any line and service of its file."""
    if not name:
        return re.sub(r"^([^:]+):\d+: (?:services\.[\w-]+)?", r"\1 ", warning)
    return _without(_without(warning, name), plan["replicas"][name]["host"])


def _entry(name: str, replica: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    """The entry of one replica."""
    yield f"  + {name} on {_place(replica, hosts)}"
    yield from (detail.line for detail in _details(name, replica, replica["host"]))


def _place(replica: Mapping[str, Any], hosts: Mapping[str, Any]) -> str:
    host = replica["host"]
    at = hosts[host]["address"]
    return f"{host} ({at})" if at else host


def _shown(name: str, replica: Mapping[str, Any], hosts: Mapping[str, Any]) -> Shown:
    said = (*_details(name, replica, OWN_HOST), *_quiet(replica))
    return Shown(
        name=name,
        short_name=f"{replica['container']}-{replica['index']}",
        host=replica["host"],
        place=_place(replica, hosts),
        entry=list(_entry(name, replica, hosts)),
        details=[replace(d, value=_without(d.value, name, OWN_NAME)) if name in d.value else d for d in said],
    )


def _without(text: str, name: str, instead: str = "") -> str:
    """The text with something instead of a name, where that is a word of its own."""
    return re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", instead, text)


def _details(name: str, replica: Mapping[str, Any], host: str) -> Iterator[Detail]:
    """What an entry says of a replica."""
    task = replica["task"]
    yield Detail("why", replica["why"])
    if replica["shared"]:
        yield Detail("shared", f"joins {name} if it runs; the last deployment that uses it stops it", matters=True)
    image = task["image"]
    if "cpuset_cpus" in task:
        yield Detail("cpus", str(task["cpuset_cpus"]))
    other = "" if image == replica["image"] else f" in place of {replica['image']}"
    yield Detail("image", f"{image}{other}", matters=True)
    for variable, value in sorted(task["env"].items()):
        yield Detail("env", value, f"{variable}=", f"  ({replica['env_from'][variable]})")
    if replica["target_device"] or task.get("devices"):
        nodes = ", ".join(item.partition(":")[0] for item in task.get("devices", []))
        yield Detail("device", f"{replica['target_device'] or 'as its models say'}{f': {nodes}' if nodes else ''}")
    if replica["input_source"]:
        yield Detail("input", replica["input_source"])
    for secret in replica["secrets"]:
        yield Detail("env", "is a secret", f"{secret} ", f"  ({replica['env_from'][secret]})", matters=True)
    if replica["ports"]:
        listens = _ports(replica["ports"])
        yield Detail("listens", f"{replica['address'] or 'every address'}: {listens}")
    for container, peer in replica["peers"].items():
        ports = _ports(peer["ports"])
        at = f"({peer['replica']}) at {peer['address']}{f': {ports}' if ports else ''}"
        yield Detail("dials", at, f"{container} ")
    for probe in replica["ready"]:
        yield Detail("ready", f"when {_probe(probe)}, within {probe['timeout']:g} s")
    for probe in replica["reach"]:
        yield Detail("starts", f"when {_probe(probe)} seen from {host}, within {probe['timeout']:g} s")


def _ports(ports: Mapping[str, int]) -> str:
    """Ports by their names; one that has none but its number once."""
    return ", ".join(str(port) if label == str(port) else f"{label} {port}" for label, port in ports.items())


def _quiet(replica: Mapping[str, Any]) -> Iterator[Detail]:
    """What an entry does not say, but where replicas of a container differ in it."""
    for option, value in replica["task"].items():
        if option not in _SAID_OTHERWISE:
            label = "args" if option == "command" else option
            yield Detail(label, _words(value), matters=option not in _OF_HOST, quiet=True)
    for port in replica["task"].get("published_ports", ()):
        if not replica["address"] or replica["address"] not in str(port):
            yield Detail("publishes", str(port), quiet=True)
    for name in ("measured", "pull", "metrics", "prometheus"):
        yield Detail(name, _words(replica[name]), matters=True, quiet=True)


def _words(value: Any) -> str:
    """An option's value on one line."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int, float)) for item in value):
        return shlex.join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _probe(probe: Mapping[str, Any]) -> str:
    at = f"{probe.get('address') or probe.get('replica')}:{probe.get('port')}"
    lists = {"models": ", ".join(probe.get("models", [])), "command": shlex.join(probe.get("command", []))}
    return PROBES[probe["kind"]].plan.format(**{**probe, **lists}, at=at)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
