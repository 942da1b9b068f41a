# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenMetrics exposition, ``metrics.prom``: the time series of a run as text, with times.

Counters that containers log stay counters (``_total``); everything else is a gauge, rates included. Percentiles of a
sketch carry the label ``quantile``. Within a label set times ascend, and every sample has one: ``promtool tsdb
create-blocks-from openmetrics`` takes no other.

Hand-written because prometheus_client exposes a registry as it is now, not time series.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import PERCENTILES
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window, unix
from ansible_collections.retail.profiles.plugins.plugin_utils.results.exported_series import Exported
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

PREFIX = "retail_profiles"
IDENTITY = ("run_id", "plan_id", "profile", "deployment", "verdict")
"""Labels of ``retail_profiles_run_info``, as ``run.json`` has them."""
REPEATED = 60.0
"""Seconds after which what stays as it is is said again: Prometheus looks back for 5 minutes."""
_RESERVED = ("_total", "_created", "_count", "_sum", "_bucket", "_info", "_gcount", "_gsum")

Labels = tuple[tuple[str, str], ...]


def family(metric: str, of_host: bool) -> str:
    """The name of a metric's family; hosts and containers have families of their own."""
    name = re.sub(r"[^a-zA-Z0-9_]", "_", metric)
    for ending in _RESERVED:
        # The format gives these endings a meaning of their own.
        name = name.removesuffix(ending) or "value"
    return f"{PREFIX}_host_{name}" if of_host else f"{PREFIX}_{name}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _sampled(name: str, labels: Labels) -> str:
    """What all samples of a series begin with."""
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{inside}}}"


def _lines(sampled: str, samples: Iterable[tuple[int, float]]) -> Iterator[str]:
    """A line for each time (unix milliseconds) and value."""
    return (f"{sampled} {value!r} {stamp / 1000.0:.3f}" for stamp, value in samples)


def _labels(series: Exported) -> Labels:
    subject = series.subject
    named = (
        ("host", subject.host),
        ("container", subject.container),
        ("replica", subject.replica),
        ("device", subject.device),
    )
    quantile = (("quantile", f"{PERCENTILES[series.percentile]:g}"),) if series.percentile else ()
    return (*((key, text) for key, text in named if text is not None), *quantile)


def _repeated(span: Span) -> Iterator[int]:
    """Times from the start of a span to before its end, in unix milliseconds."""
    first, last = round(span.start * 1000.0), round(span.end * 1000.0)
    return iter(range(first, max(last, first + 1), round(REPEATED * 1000.0)))


def _run(final: Mapping[str, Any], run: Run) -> Iterator[str]:
    """The run's identity, from its start to its last sample."""
    name, start = f"{PREFIX}_run", unix(final["started"])
    sampled = _sampled(f"{name}_info", tuple((key, str(final[key])) for key in IDENTITY))
    yield f"# TYPE {name} info"
    yield from _lines(sampled, ((stamp, 1.0) for stamp in _repeated(Span(start, run.seen.end or start))))


def _windows(run: Run) -> Iterator[str]:
    """The windows: 1 from the start of each, 0 at its end."""
    name = f"{PREFIX}_window"
    if run.windows:
        yield f"# TYPE {name} gauge"
    for number, judged in enumerate(run.windows, start=1):
        window = judged.window
        labels = (("number", str(number)), ("phase", window.phase), ("valid", str(judged.valid).lower()))
        inside = [(stamp, 1.0) for stamp in _repeated(window.span)]
        yield from _lines(
            _sampled(name, labels), [*inside, (max(round(window.span.end * 1000.0), inside[-1][0] + 1), 0.0)]
        )


def _families(exported: Sequence[Exported]) -> dict[tuple[str, str], list[Exported]]:
    """Series by (family, type)."""
    found: dict[tuple[str, str], list[Exported]] = {}
    for series in exported:
        if series.times:
            key = (family(series.metric, series.subject.replica is None), "counter" if series.is_counter else "gauge")
            found.setdefault(key, []).append(series)
    return found


def _named(exported: Sequence[Exported]) -> Iterator[tuple[str, str, list[Exported]]]:
    """Name, type and series of each family."""
    used: set[str] = {f"{PREFIX}_run", f"{PREFIX}_window"}
    for (wanted, kind), members in sorted(_families(exported).items()):
        # Two rules may have given one name different kinds: each kind needs a name of its own.
        name = wanted if wanted not in used else f"{wanted}_{kind}"
        used.add(name)
        yield name, kind, members


def text(final: Mapping[str, Any], run: Run, exported: Sequence[Exported]) -> str:
    """The whole file: the run's identity, its windows, and all series."""
    lines = [*_run(final, run), *_windows(run)]
    for name, kind, members in _named(exported):
        lines.append(f"# TYPE {name} {kind}")
        for series in members:
            sampled = _sampled(f"{name}_total" if series.is_counter else name, _labels(series))
            lines.extend(_lines(sampled, zip(series.times, series.values, strict=True)))
    return "\n".join([*lines, "# EOF", ""])


def latest(identity: Mapping[str, str], windows: Sequence[Window], now: float, exported: Sequence[Exported]) -> str:
    """What there is at ``now`` as a scrape takes it, without times: Prometheus's text format, in the names of the file.

    It has no info, and lets only a summary have the label ``quantile``.
    """
    name = f"{PREFIX}_run_info"
    lines = [f"# HELP {name} The run that is being measured.", f"# TYPE {name} gauge"]
    lines.append(f"{_sampled(name, tuple(identity.items()))} 1")
    if windows:
        name = f"{PREFIX}_window"
        lines += [f"# HELP {name} Whether a window goes on.", f"# TYPE {name} gauge"]
    for number, window in enumerate(windows, start=1):
        labels = (("number", str(number)), ("phase", window.phase), ("valid", ""))
        lines.append(f"{_sampled(name, labels)} {int(window.span.start <= now < window.span.end)}")
    for family_name, kind, members in _named(exported):
        first = members[0]
        shown = f"{family_name}_total" if first.is_counter else family_name
        lines.append(f"# HELP {shown} {_escaped(f'{first.metric} ({first.unit})')}")
        lines.append(f"# TYPE {shown} {'summary' if first.percentile else kind}")
        lines.extend(f"{_sampled(shown, _labels(series))} {series.values[-1]!r}" for series in members)
    return "\n".join([*lines, ""])
