# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a search for stream density in a sentence, from the record of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_NAMED = 3
"""So many objectives are named in an answer."""


def answers(final: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of each search of a run what it is called, and its answer; nothing where there is none."""
    found = final.get("search")
    if found is None:
        return []
    asked, least = _asked(final), found["settings"]["least"]
    return [(title(one), answer(one, asked, least)) for one in found["searches"]]


def title(one: Mapping[str, Any]) -> str:
    return f"Stream density of {one['host']}" if one["host"] else "Stream density"


def _asked(final: Mapping[str, Any]) -> str:
    """What a stream must hold, shortly."""
    found = final.get("objectives") or ()
    several = len({one["container"] for one in found}) > 1
    if not found or len(found) > MOST_NAMED:
        return f"their {len(found)} objectives" if found else "their objectives"
    return " and ".join(_bound(one, several) for one in found)


def _bound(one: Mapping[str, Any], several: bool) -> str:
    sign, bound = (">=", one["at_least"]) if one.get("at_least") is not None else ("<=", one["at_most"])
    slack = f" within {100.0 * one['tolerance']:.3g} %" if one["tolerance"] else ""
    who = ("all of" if one["over"] == "all" else "each") if several else "in all" if one["over"] == "all" else "each"
    return (
        f"{one['statistic']} {one['metric']} {sign} {bound:g}{slack} {who}{' ' + one['container'] if several else ''}"
    )


def answer(one: Mapping[str, Any], asked: str, least: int) -> str:
    """The answer, how sure it is, and what it took."""
    count = len(one["steps"])
    took = f"{count} step{'' if count == 1 else 's'}, {duration(one['seconds'])}"
    parts = [f"found in {took}" if one["ending"] == "found" else took]
    if one["streams"]:
        held = one["hold_seconds"]
        sure = "not confirmed" if not one["confirmed"] else "confirmed" + (f" by {held:.0f} s" if held else "")
        parts.insert(0, sure)
    return f"{_said(one, asked, least)} ({'; '.join(parts)})"


def _said(one: Mapping[str, Any], asked: str, least: int) -> str:
    ending, why = one["ending"], one["cause"] or one["reason"]
    hold = _held(one["streams"], asked, "holds" if one["streams"] == 1 else "hold")
    if one["streams"]:
        more = f"; {one['first_fail']} do not" if one["first_fail"] else ""
        if ending == "found":
            return f"{hold}{more}"
        if ending == "limited by the clients":
            return f"{hold}{more}, but that is the clients' own limit: {why}"
        if ending == "guard":
            return f"{hold}; a host has no room for more: {why}"
        if ending == "bounds":
            return f"{hold}{more or ', and perhaps more'}: {why}"
        return f"no answer{_failing(one)}: {why}; {_held(one['streams'], asked, 'held')} before"
    none = "not even one stream holds" if least == 1 else f"not even {least} streams, the fewest to be tried, hold"
    if ending == "not even one":
        last = one["steps"][-1]["reason"] if one["steps"] else why
        return f"{none} {asked}: {last}"
    if ending == "limited by the clients":
        return f"{none} {asked}, but that is the clients' own limit: {why}"
    if ending == "guard":
        return f"{none} {asked}: a host has no room for them: {why}"
    return f"no answer{_failing(one)}: {why}"


def streams(number: int) -> str:
    """So many streams, in words."""
    return f"{number} stream{'' if number == 1 else 's'}"


def _held(number: int, asked: str, verb: str) -> str:
    return f"{streams(number)} {verb} {asked}"


def _failing(one: Mapping[str, Any]) -> str:
    """At which step a search came to no answer."""
    if one["ending"] not in ("no data", "failed") or not one["steps"]:
        return ""
    what = "no data" if one["ending"] == "no data" else "it failed"
    return f", {what} at {streams(one['steps'][-1]['streams'])}"


def named(objective: str, metric: str) -> str:
    """The statistic of an objective and its metric, by the objective's words."""
    head = objective.partition(" over ")[0]
    return head if head.endswith(f" {metric}") else metric


def duration(seconds: float) -> str:
    """As people say it: 45 s, 6 min 12 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
