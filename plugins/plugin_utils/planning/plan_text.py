# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The plan in words: who runs where, in which order, at which address, and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import PROBES
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

Plan = Mapping[str, Any]
LONGEST_VALUE = 60


def text(plan: Plan) -> str:
    """The whole plan, for a terminal."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    replicas, waves = plan["replicas"], plan["waves"]
    yield (
        f"Plan {plan['plan_id'][:8]}: profile {plan['profile']}, deployment {plan['deployment']}, "
        f"{_count(len(replicas), 'replica')} on {_count(len(plan['hosts']), 'host')}, {_count(len(waves), 'wave')}"
    )
    for number, names in enumerate(waves, start=1):
        yield ""
        yield f"Wave {number}{_after(plan, names)}"
        for name in names:
            yield from _replica(name, replicas[name], plan["hosts"])
    if plan["left_out"]:
        yield ""
        for container, reasons in plan["left_out"].items():
            yield from (f"Left out for {container}: {listed(hosts)}: {reason}" for reason, hosts in reasons.items())
    if plan["stand_ins"]:
        yield ""
        yield from (
            f"Stand-in: {stand_in}; its numbers do not speak of the real one." for stand_in in plan["stand_ins"]
        )
    if plan["warnings"]:
        yield ""
        yield from (f"Warning: {warning}" for warning in plan["warnings"])


def _after(plan: Plan, names: list[str]) -> str:
    needed = sorted({other for name in names for other in plan["replicas"][name]["depends_on"]})
    return f", when {', '.join(needed)} {'is' if len(needed) == 1 else 'are'} ready" if needed else ""


def _replica(name: str, replica: Mapping[str, Any], hosts: Mapping[str, Any]) -> Iterator[str]:
    host = replica["host"]
    at = hosts[host]["address"]
    yield f"  + {name} on {host}{f' ({at})' if at else ''}"
    yield f"      why      {replica['why']}"
    if replica["shared"]:
        yield f"      shared   joins {name} if it runs; the last deployment that uses it stops it"
    image = replica["task"]["image"]
    if "cpuset_cpus" in replica["task"]:
        yield f"      cpus     {replica['task']['cpuset_cpus']}"
    yield f"      image    {image}{'' if image == replica['image'] else ' in place of ' + replica['image']}"
    for variable, value in sorted(replica["task"]["env"].items()):
        yield f"      env      {variable}={_shortened(value)}  ({replica['env_from'][variable]})"
    if replica["target_device"] or replica["task"].get("devices"):
        nodes = ", ".join(item.partition(":")[0] for item in replica["task"].get("devices", []))
        yield f"      device   {replica['target_device'] or 'as its models say'}{f': {nodes}' if nodes else ''}"
    if replica["input_source"]:
        yield f"      input    {replica['input_source']}"
    for secret in replica["secrets"]:
        yield f"      env      {secret} is a secret  ({replica['env_from'][secret]})"
    if replica["ports"]:
        listens = ", ".join(f"{label} {port}" for label, port in replica["ports"].items())
        yield f"      listens  {replica['address'] or 'every address'}: {listens}"
    for container, peer in replica["peers"].items():
        ports = ", ".join(f"{label} {port}" for label, port in peer["ports"].items())
        yield f"      dials    {container} ({peer['replica']}) at {peer['address']}{f': {ports}' if ports else ''}"
    for probe in replica["ready"]:
        yield f"      ready    when {_probe(probe)}, within {probe['timeout']:g} s"
    for probe in replica["reach"]:
        yield f"      starts   when {_probe(probe)} seen from {host}, within {probe['timeout']:g} s"


def _probe(probe: Mapping[str, Any]) -> str:
    at = f"{probe.get('address') or probe.get('replica')}:{probe.get('port')}"
    lists = {"models": ", ".join(probe.get("models", [])), "command": shlex.join(probe.get("command", []))}
    return PROBES[probe["kind"]].plan.format(**{**probe, **lists}, at=at)


def _shortened(value: str) -> str:
    """A value on one line, cut where it is long."""
    shown = "".join(character if character.isprintable() else repr(character)[1:-1] for character in value)
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 1]}…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
