# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of hosts while they were measured: a sampler that died, a full disk, a clock that was set, an engine gone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.run_events import Event
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso


def _last_sign(host: str, seen: Observations, events: Sequence[Event]) -> float | None:
    """When a sampler that died told something last, unix seconds; ``None`` for one that lived."""
    if not any(run_events.answers(events, host, "died")):
        return None
    return max(seen.host_times.get(host, ()), default=-math.inf)


def out_of_reach(plan: MeasuredPlan, events: Sequence[Event], span: Span | None, for_good: bool) -> list[str]:
    """The hosts that did not answer while they were measured: for good, or for a while; ``span`` as below, if any."""
    found = []
    for host in plan.hosts:
        silence = run_events.silence(events, host)
        if silence is None or silence.for_good != for_good:
            continue
        if span is None:
            when = f"at {iso(silence.since)}"
        elif silence.since < span.start:
            when = "before the window"
        else:
            when = f"at second {silence.since - span.start:.0f} of the measurement"
        how = "any more: it answered last" if for_good else "for a while, after it had answered"
        found.append(f"host {host} could not be reached {how} {when} ({silence.why})")
    return found


def dead_samplers(plan: MeasuredPlan, seen: Observations, events: Sequence[Event], span: Span) -> list[str]:
    """The samplers that died before the windows were over; ``span`` is from the first one's start to the last's end."""
    found = []
    for host in plan.hosts:
        last = _last_sign(host, seen, events)
        if last is not None and last < span.end:
            when = (
                f"at second {last - span.start:.0f} of the measurement" if last >= span.start else "before the window"
            )
            found.append(f"host {host}: its sampler died {when}")
    return found


def _disk(host: str, seen: Observations, events: Sequence[Event]) -> str | None:
    """What the sampler told of lost samples; a disk that stays full it cannot tell of, but a call sees it."""
    told = seen.absent.get(host, {}).get("samples")
    if told:
        return told
    return "the disk of its samples was full" if any(run_events.answers(events, host, "disk_full")) else None


def _died_late(host: str, seen: Observations, events: Sequence[Event], span: Span) -> str | None:
    last = _last_sign(host, seen, events)
    return "its sampler died after the last window" if last is not None and last >= span.end else None


def _clock(host: str, seen: Observations, until: float) -> str | None:
    jumps = [jump for jump in seen.conditions[host].clock_jumps if jump.t <= until]
    if not jumps:
        return None
    largest = max(jumps, key=lambda jump: abs(jump.seconds))
    times = f", {len(jumps)} times" if len(jumps) > 1 else ""
    return f"its clock jumped by {largest.seconds:+.1f} s{times}"


def problems(plan: MeasuredPlan, seen: Observations, events: Sequence[Event], span: Span) -> list[str]:
    """What else befell hosts up to the end of the windows, whether or not it cost samples; ``span`` as above."""
    found: list[str] = []
    for host in plan.hosts:
        said = (
            _disk(host, seen, events),
            f"its engine was gone: {gone}" if (gone := seen.conditions[host].engine_gone) else None,
            _clock(host, seen, span.end),
            _died_late(host, seen, events, span),
        )
        found.extend(f"host {host}: {words}" for words in said if words)
    return found
