# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: ``summary.csv`` with the row names that people's tools know, and a table for the terminal."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    CPU,
    DROPPED,
    ERRORS,
    FIRST_TOKEN,
    FPS,
    GOODPUT,
    INTER_TOKEN,
    LATE,
    LATENCY,
    MEMORY,
    OFFERED,
    OUTPUT_TOKEN,
    TOKENS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import DEVICE_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import UNITLESS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import CPUS, Metric, SummaryRow
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_text, density_upstream
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run
from ansible_collections.retail.profiles.plugins.plugin_utils.text.aligned import aligned
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import one_line

MISSING = "NA"
MOST_ROWS = 40
"""A terminal is shown at most so many replicas."""
MOST_WIDTH = 130
"""And lines of so many characters, where that can be done."""
BOTTLENECK_ROW = "Bottleneck"
"""What limited the run, in a sentence: a row of ours."""
LATENCY_ROW = "Overall Latency (ms)"
"""Over pipelines, the median of each one's median: upstream's definition since February 2026."""
MEAN_LATENCY_ROW = "Overall Latency, mean over all frames (ms)"
"""A row of ours: of all frames of all of them together."""
NUMBER = "{n}"
# The rows that people's tools know, after those of the cameras; NA where no metric of the catalogue has that row. One
# with a number is there for each device, one of devices without is the mean over all.
ROWS = (
    "CPU Utilization %",
    "NPU Utilization %",
    "Memory Utilization %",
    "Disk Read MB/s",
    "Disk Write MB/s",
    "S{n} Memory Bandwidth Usage MB/s",
    "S{n} Power Draw W",
    "GPU_{n} GPU Utilization %",
    "GPU_{n} Compute[CCS] Utilization %",
    "GPU_{n} Render/3D[RCS] Utilization %",
    "GPU_{n} Video[VCS] Utilization %",
    "GPU_{n} VideoEnhance[VECS] Utilization %",
    "GPU_{n} Blitter Copy Engine %",
    "GPU_{n} GPU Power (W)",
    LATENCY_ROW,
    MEAN_LATENCY_ROW,
    "Total Text count",
    "Total Barcode count",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) or cell.startswith(_FORMULA_STARTS) else cell


def _figure(value: float | None) -> str:
    return MISSING if value is None else f"{value:.6g}"


def _told(metrics: Mapping[str, Any], name: str, statistic: str) -> float | None:
    value = (metrics.get(name) or {}).get(statistic)
    return None if value is None else float(value)


def _mean(metrics: Mapping[str, Any], name: str) -> float | None:
    return _told(metrics, name, "mean")


def _total(values: Iterable[float | None]) -> float | None:
    """The sum, or ``None`` where one is missing: a part is not the whole."""
    known = list(values)
    return (
        None
        if not known or any(value is None for value in known)
        else sum(value for value in known if value is not None)
    )


def _of_fleet(final: Mapping[str, Any], run: Run, name: str) -> float | None:
    """The sum of the hosts' means of a metric, or of their CPUs."""
    if name == CPUS:
        return _total(_cpus(run, host) for host in run.plan.hosts)
    return _total(_mean(final["host_metrics"].get(host, {}), name) for host in run.plan.hosts)


def _cpus(run: Run, host: str) -> float | None:
    value = (run.snapshot.get(host) or {}).get("cpus")
    return float(value) if isinstance(value, (int, float)) else None


def _fleet_figure(final: Mapping[str, Any], run: Run, name: str, row: SummaryRow) -> float | None:
    part = _of_fleet(final, run, name)
    if part is None or not row.percent_of:
        return None if part is None else part / row.divisor
    whole = _total(_of_fleet(final, run, other) for other in row.percent_of)
    return 100.0 * part / whole if whole else None


def _devices(final: Mapping[str, Any], label: str) -> list[tuple[str, str]]:
    """The devices that rows with such a label number, as host and device: one number for what all these rows tell."""
    alike = {m.name for m in DEVICE_METRICS if m.row and m.row.label.partition(NUMBER)[0] == label.partition(NUMBER)[0]}
    found: list[tuple[str, str]] = []
    for host in final["hosts"]:
        told = final["device_metrics"].get(host, {})
        names = {device for metric in alike for device in told.get(metric, {})}
        found.extend((host, device) for device in sorted(names, key=natural))
    return found


def _device_rows(final: Mapping[str, Any], label: str) -> list[tuple[str, str]]:
    """A row with a number, for each device of the fleet; the one with 0 where there is none."""
    metric = next((metric for metric in DEVICE_METRICS if metric.row and metric.row.label == label), None)
    found = []
    for number, (host, device) in enumerate(_devices(final, label) or [("", "")]):
        told = final["device_metrics"].get(host, {}).get(metric.name, {}) if metric else {}
        mean = _mean(told, device)
        divisor = metric.row.divisor if metric and metric.row else 1.0
        found.append((label.replace(NUMBER, str(number)), _figure(None if mean is None else mean / divisor)))
    return found


def _over_devices(final: Mapping[str, Any], metric: Metric) -> float | None:
    """The mean over all devices of the fleet; ``None`` where there is none."""
    told = (final["device_metrics"].get(host, {}).get(metric.name, {}) for host in final["hosts"])
    means = [mean for devices in told for device in devices if (mean := _mean(devices, device)) is not None]
    return statistics.fmean(means) if means else None


def _milliseconds(metrics: Mapping[str, Any], statistic: str) -> float | None:
    seconds = _told(metrics, LATENCY.name, statistic)
    return None if seconds is None else seconds * 1000.0


def _median_of_medians(final: Mapping[str, Any], run: Run) -> float | None:
    """Over the measured replicas that tell of latencies; ``None`` where the median of one is missing."""
    named = [replica.name for replica in run.plan.measured]
    told = [metrics for name in named if LATENCY.name in (metrics := final["metrics"].get(name, {}))]
    medians = [_milliseconds(metrics, "p50") for metrics in told]
    known = [median for median in medians if median is not None]
    return statistics.median(known) if known and len(known) == len(medians) else None


def _pipeline_rows(number: int, name: str, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Latencies of a stream's only channel, which bears its name. Of a sketch there is no standard deviation."""
    told = (("", _milliseconds(metrics, "p50")), (" Average", _milliseconds(metrics, "mean")), (" Stddev", None))
    return [
        (
            f"For Pipeline_{number} run per frame{word} Latency (ms) for Channel(source_sink)",
            MISSING if value is None else f"{name}: {_figure(value)}",
        )
        for word, value in told
    ]


def rows(final: Mapping[str, Any], run: Run) -> list[tuple[str, str]]:
    """The two columns. A stream is a camera and a pipeline: measured replicas with frames per second, in natural order,
    from 1."""
    found: list[tuple[str, str]] = []
    latencies: list[tuple[str, str]] = []
    streams = [replica for replica in run.plan.measured if replica.is_stream]
    for number, replica in enumerate(sorted(streams, key=lambda r: natural(r.name)), start=1):
        last, metrics = run.seen.last_lines.get(replica.name), final["metrics"].get(replica.name, {})
        found.append((f"Camera_{number} FPS", _figure(_mean(metrics, FPS.name))))
        found.append((f"Camera_{number} Last log update", MISSING if last is None else iso(last)))
        latencies.extend(_pipeline_rows(number, replica.name, metrics))
    known = {m.row.label: _fleet_figure(final, run, m.name, m.row) for m in HOST_METRICS if m.row is not None}
    known.update({m.row.label: _over_devices(final, m) for m in DEVICE_METRICS if m.row and NUMBER not in m.row.label})
    known[LATENCY_ROW] = _median_of_medians(final, run)
    known[MEAN_LATENCY_ROW] = _milliseconds(final.get("totals", {}), "mean")
    rest = [_device_rows(final, label) if NUMBER in label else [(label, _figure(known.get(label)))] for label in ROWS]
    density = density_upstream.rows(density_upstream.data(run, run.searches)) if run.searches is not None else ()
    first = [*density_text.answers(final), *_objective_rows(final)]
    return [*first, *found, *latencies, *(row for one in rest for row in one), *density]


def objective_text(found: Mapping[str, Any]) -> str:
    """An objective of ``run.json`` in words, without what became of it."""
    side = "at_least" if found.get("at_least") is not None else "at_most"
    slack = f" within {100.0 * found['tolerance']:.3g} %" if found["tolerance"] else ""
    who = "all of" if found["over"] == "all" else "each"
    bound = f"{side.replace('_', ' ')} {found[side]:g}{slack}"
    return f"{one_line(found['metric'])} {found['statistic']}, {who} {one_line(found['container'])}: {bound}"


def _outcome_text(found: Mapping[str, Any]) -> str:
    """What became of an objective."""
    worst = found.get("worst")
    where = (
        f", worst {one_line(worst['replica'])} on {one_line(worst['host'])}"
        if worst and found["over"] == "each"
        else ""
    )
    if found["value"] is None:
        return f"{found['state']}: {one_line(found['why'])}{where}"
    margin = "" if found["margin"] is None else f" ({100.0 * found['margin']:+.1f} %)"
    told = f"{found['value']:.4g} {one_line(found['unit'])}{margin}"
    if found.get("mean") is not None:  # of a search: it counts, and the worst may lie a little beyond the limit
        return f"{found['state']}: {found['mean']:.4g} {one_line(found['unit'])} in the mean{where} {told}"
    return f"{found['state']}: {told}{where}"


def _objective_rows(final: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f"Objective {objective_text(found)}", _outcome_text(found)) for found in final.get("objectives") or ()]


def csv_text(final: Mapping[str, Any], run: Run) -> str:
    """``summary.csv``: two columns, no header, ``NA`` where there is no figure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    limited = (BOTTLENECK_ROW, (final.get("bottleneck") or {}).get("conclusion", MISSING))
    writer.writerows((neutral(name), neutral(value)) for name, value in [*rows(final, run), limited])
    return out.getvalue()


def shown(value: float | None, text: str, factor: float = 1.0) -> str:
    return "-" if value is None else text.format(value * factor)


@dataclass(frozen=True)
class Column:
    """A column of figures of the table; a ``folded`` one is shown only where a replica tells of its metric."""

    heading: str
    metric: str
    figure: Callable[[Mapping[str, Any]], float | None]
    text: str
    factor: float = 1.0
    folded: bool = False

    def cell(self, metrics: Mapping[str, Any]) -> str:
        return shown(self.figure(metrics.get(self.metric) or {}), self.text, self.factor)


@dataclass(frozen=True)
class ReadyMade(Column):
    """A column of percentiles that came ready-made: of several the smallest and the largest, never an average."""

    def cell(self, metrics: Mapping[str, Any]) -> str:
        figures = metrics.get(self.metric) or {}
        least, most = (shown(figures.get(key), self.text, self.factor) for key in ("min", "max"))
        return least if least == most else f"{least}…{most}"


def _of(key: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda figures: figures.get(key)


def _count(figures: Mapping[str, Any]) -> float | None:
    if not figures:
        return None
    total = figures.get("total")
    return total if total is not None else (figures.get("mean") or 0.0) * (figures.get("n") or 0)


COLUMNS = (
    Column("fps", FPS.name, _of("mean"), "{:.1f}", folded=True),
    Column("done/s", ACHIEVED.name, _of("mean"), "{:.1f}", folded=True),
    Column("asked/s", OFFERED.name, _of("mean"), "{:.1f}", folded=True),
    Column("p50 ms", LATENCY.name, _of("p50"), "{:.1f}", 1000.0),
    Column("p99 ms", LATENCY.name, _of("p99"), "{:.1f}", 1000.0),
    Column("ttft p50 ms", FIRST_TOKEN.name, _of("p50"), "{:.1f}", 1000.0, folded=True),
    Column("ttft p99 ms", FIRST_TOKEN.name, _of("p99"), "{:.1f}", 1000.0, folded=True),
    Column("tpot p50 ms", OUTPUT_TOKEN.name, _of("p50"), "{:.1f}", 1000.0, folded=True),
    Column("itl p50 ms", INTER_TOKEN.name, _of("p50"), "{:.1f}", 1000.0, folded=True),
    Column("itl p99 ms", INTER_TOKEN.name, _of("p99"), "{:.1f}", 1000.0, folded=True),
    Column("tokens/s", TOKENS.name, _of("mean"), "{:.1f}", folded=True),
    Column("good/s", GOODPUT.name, _of("mean"), "{:.2f}", folded=True),
    Column("errors", ERRORS.name, _count, "{:.0f}"),
    Column("late", LATE.name, _count, "{:.0f}", folded=True),
    Column("dropped", DROPPED.name, _count, "{:.0f}", folded=True),
    Column("cpu cores", CPU.name, _of("mean"), "{:.2f}"),
    Column("memory MiB", MEMORY.name, _of("mean"), "{:.0f}", 1.0 / 1024**2),
)


def _measured(final: Mapping[str, Any]) -> list[str]:
    return [name for name, container in final["containers"].items() if container.get("measured", True)]


def _columns(final: Mapping[str, Any]) -> list[Column]:
    told: dict[str, Mapping[str, Any]] = {}
    for name in _measured(final):
        told.update(final["metrics"].get(name, {}))
    ready_made = sorted(metric for metric, figures in told.items() if figures.get("ready_made"))
    return [
        *(column for column in COLUMNS if not column.folded or column.metric in told),
        *(ReadyMade(with_unit(metric, told[metric]["unit"]), metric, _of("max"), "{:.4g}") for metric in ready_made),
    ]


def with_unit(metric: str, unit: str) -> str:
    """A metric and its unit, where its name does not say it."""
    return metric if unit in (UNITLESS, metric) or metric.endswith(f"_{unit}") else f"{metric} {unit}"


def headings(final: Mapping[str, Any]) -> tuple[str, ...]:
    """The headings of `table_rows`."""
    return ("replica", "host", *(column.heading for column in _columns(final)))


def table_rows(final: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each measured replica, and one for all of them if they are several."""
    columns = _columns(final)

    def row(name: str, host: str, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        return (one_line(name), one_line(host), *(column.cell(metrics) for column in columns))

    found = [row(name, final["containers"][name]["host"], final["metrics"].get(name, {})) for name in _measured(final)]
    if len(found) > 1:
        found.append(row("all", "", final.get("totals", {})))
    return found


@dataclass(frozen=True)
class Pace:
    """How fast a stream is, and the share of what is due of it; ``words`` say what that is."""

    fps: float
    share: float
    words: str


def paces(final: Mapping[str, Any]) -> dict[str, Pace]:
    """Of each stream; due is what it was asked, or, where it asks for no rate, the median of its container's."""
    rates = {
        name: fps for name in _measured(final) if (fps := _mean(final["metrics"].get(name, {}), FPS.name)) is not None
    }
    by_container: dict[str, list[float]] = {}
    for name, fps in rates.items():
        by_container.setdefault(final["containers"][name]["container"], []).append(fps)

    def pace(name: str, fps: float) -> Pace:
        due = _mean(final["metrics"][name], OFFERED.name)
        words = f"the {due:.1f} asked" if due else ""
        if not due:
            due = statistics.median(by_container[final["containers"][name]["container"]])
            words = f"its container's median, {due:.1f}"
        return Pace(fps, fps / due if due > 0.0 else 1.0, words)

    return {name: pace(name, fps) for name, fps in rates.items()}


def worst_stream(final: Mapping[str, Any]) -> str | None:
    """The stream that is furthest behind what it was asked, or behind the median of its container's; of several."""
    told = paces(final)
    if len(told) < 2:
        return None
    worst = min(told, key=lambda name: (told[name].share, natural(name)))
    where, pace = one_line(final["containers"][worst]["host"]), told[worst]
    return f"{one_line(worst)} on {where}: {pace.fps:.1f} fps, {pace.share:.0%} of {pace.words}"


def _slowest(final: Mapping[str, Any], body: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows that a terminal shows of very many: those with the lowest frames per second, in their order."""

    def pace(row: tuple[str, ...]) -> float:
        value = _mean(final["metrics"].get(row[0], {}), FPS.name)
        return -1.0 if value is None else value

    kept = set(sorted(body[:-1], key=pace)[:MOST_ROWS])
    return [row for row in body[:-1] if row in kept] + [body[-1]]


def _lines(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """A table; one that is too wide has a line for each figure where that is less wide."""
    wide = _columned([head, *body], above=1, texts=2)
    if _width(wide) <= MOST_WIDTH:
        return wide
    return min(wide, _columned(list(zip(head, *body, strict=True)), above=2, texts=1), key=_width)


def _width(lines: Sequence[str]) -> int:
    return max(map(len, lines))


def _columned(rows: Sequence[Sequence[str]], above: int, texts: int) -> list[str]:
    """Rows in columns, a rule under the first ones; the first columns hold text, the others figures."""
    rule = ["-" * max(map(len, column)) for column in zip(*rows, strict=True)]
    return list(aligned([*rows[:above], rule, *rows[above:]], texts))


def besides(bottleneck: Mapping[str, Any]) -> list[str]:
    """The caveats of a bottleneck that its conclusion does not say itself."""
    return [caveat for caveat in bottleneck.get("caveats", ()) if caveat not in bottleneck["conclusion"]]


def table(final: Mapping[str, Any]) -> str:
    """The summary for a terminal; of more than `MOST_ROWS` replicas the slowest."""
    body = table_rows(final)
    left_out = len(body) - 1 - MOST_ROWS
    if left_out > 0:
        body = _slowest(final, body)
    parts = [
        f"Run {one_line(final['run_id'])}",
        *(f"{one_line(title)}: {one_line(answer)}" for title, answer in density_text.answers(final)),
        *(f"{label}: {outcome}" for label, outcome in _objective_rows(final)),
        *_lines(headings(final), body),
    ]
    if left_out > 0:
        parts.append(f"{left_out} more replicas, none of them slower than these, are in the report")
    worst = worst_stream(final)
    if worst is not None:
        parts.append(f"Worst stream: {worst}")
    found = final.get("bottleneck")
    if found is not None:
        parts.append(one_line(f"{found['conclusion'][:1].upper()}{found['conclusion'][1:]}"))
        parts.extend(f"  besides: {one_line(caveat)}" for caveat in besides(found))
    parts.extend(f"Warning: {one_line(text)}" for text in final.get("warnings", ()))
    if final.get("stand_ins"):
        parts.append(f"Made with stand-ins: {', '.join(one_line(name) for name in final['stand_ins'])}")
    return "\n".join(parts)
