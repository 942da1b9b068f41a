# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of several replicas together: sums of what they do, percentiles over everything that they counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary, ready_made
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, added, cut

SUMMED = ("flow", "rate", "counter", "gauge")
"""Kinds of metrics whose sum over replicas says something; a ratio or an average has none."""


def flow(streams: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """The sum over streams: percentiles, min and max are of the sum second by second, the mean is that of the parts.

    Where one of them is known for the whole run alone there is the mean, and ``n`` is the number of streams.
    """
    if not streams or not spans:
        return None
    name, unit = streams[0].name, streams[0].unit
    parts = [summary for series in streams if (summary := cut(series, spans)) is not None]
    mean = sum(part.mean or 0.0 for part in parts)
    if any(series.whole for series in streams):
        return Summary(unit=unit, n=len(parts), mean=mean)
    seconds = [point for span in spans for point in added(streams, name, unit, span).points]
    whole = cut(Series(name, unit, "flow", points=tuple(seconds)), spans)
    return None if whole is None else replace(whole, mean=mean)


def latency(series: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """Percentiles over everything that was counted: the bins of all sketches added up."""
    sketched = [one for one in series if one.kind == "sketch"]
    inside = [
        sketch for one in sketched for t, sketch in one.sketches if one.whole or any(span.holds(t) for span in spans)
    ]
    # Sketches of different accuracy cannot be added: then there is no figure for all of them together.
    if not inside or len({sketch.relative_accuracy for sketch in inside if sketch.count}) > 1:
        return None
    return ddsketch.merge(inside).summary(sketched[0].unit)


def extremes(series: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """The smallest and the largest of ready-made percentiles; ``n`` is the number of replicas that told one."""
    told = [summary for one in series if (summary := cut(one, spans)) is not None and summary.ready_made]
    values = [value for summary in told for value in (summary.min, summary.max) if value is not None]
    return replace(ready_made(values, series[0].unit), n=len(told)) if values else None


def total(series: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """The sum of the replicas' means and of what they counted; ``n`` is their number. None where one lacks a figure."""
    parts = [cut(one, spans) for one in series]
    means = [part.mean for part in parts if part is not None and part.mean is not None]
    if not means or len(means) < len(parts):
        return None
    counted = [part.total for part in parts if part is not None and part.total is not None]
    return Summary(
        unit=series[0].unit,
        n=len(means),
        mean=sum(means),
        total=sum(counted) if len(counted) == len(parts) else None,
    )


def together(series: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """What the series of one metric of several replicas say together; None where that says nothing."""
    kinds = {one.kind for one in series}
    if kinds == {"sketch"}:
        return latency(series, spans)
    if kinds == {"quantile"}:
        return extremes(series, spans)
    if kinds == {"flow"}:
        return flow(series, spans)
    return total(series, spans) if kinds and kinds.issubset(SUMMED) else None
