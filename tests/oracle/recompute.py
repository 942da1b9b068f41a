# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recompute every figure of a run from its samples, with numpy and the formulas of docs/results.md, and compare.

    python tests/oracle/recompute.py results/<run id>

Nothing of the collection is imported: what it says is held against arithmetic that is not its own. Compared are
``metrics``, ``host_metrics``, ``totals``, ``windows`` and ``search`` of run.json, summary.csv, metrics.csv and
metrics.prom. A metric for which there is no formula here is a disagreement, too. Exit status 1 where anything differs.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from figures import QUANTILES, Figures, Series, Spans, figures, grid, merged, of_sketch, quantile
from samples import Run, unix

RELATIVE = 1e-6
FIGURES = ("n", "mean", "p50", "p95", "p99", "min", "max", "total")


class Comparison:
    """What was compared, and what differs."""

    def __init__(self) -> None:
        self.compared = 0
        self.differences: list[str] = []

    def same(self, what: str, said: float | None, found: float | None) -> None:
        self.compared += 1
        if said is None or found is None:
            if said is not found:
                self.differences.append(f"{what}: the run says {said}, recomputed {found}")
        elif not math.isclose(said, found, rel_tol=RELATIVE, abs_tol=1e-9):
            self.differences.append(f"{what}: the run says {said!r}, recomputed {found!r}")

    def figures(self, where: str, said: Mapping[str, Mapping[str, Any]], found: Mapping[str, Figures | None]) -> None:
        for metric in sorted(set(said) | {metric for metric, value in found.items() if value is not None}):
            mine = found.get(metric)
            if metric not in said or mine is None:
                self.differences.append(f"{where} {metric}: {'no formula for it' if mine is None else 'missing'}")
                continue
            for name in FIGURES:
                if name in said[metric] or name in mine:
                    self.same(f"{where} {metric} {name}", said[metric].get(name), mine.get(name))


def totals(run: Run, spans: Spans) -> dict[str, Figures | None]:
    """The figures of all measured replicas together."""
    mine = [run.series[name] for name, planned in run.plan["replicas"].items() if planned.get("measured", True)]
    found: dict[str, Figures | None] = {}
    for metric in ("fps", "achieved_per_second"):
        streams = [one[metric] for one in mine if metric in one]
        parts = [part for one in streams if (part := figures(one, spans)) is not None]
        if streams and parts:
            values = np.concatenate([grid(streams, span) for span in spans])
            found[metric] = {
                "n": len(values),
                "mean": math.fsum(part["mean"] or 0.0 for part in parts),
                **{name: quantile(values, name) for name in QUANTILES},
                "min": float(values.min()),
                "max": float(values.max()),
            }
    for metric in sorted({name for one in mine for name, series in one.items() if series.kind == "sketch"}):
        together = [sketch for one in mine if metric in one for sketch in one[metric].sketches]
        found[metric] = figures(Series("sketch", sketches=together), spans)
    for metric in ("offered_per_second", "output_tokens_per_second", "goodput_per_second"):
        told = [part["mean"] for one in mine if metric in one and (part := figures(one[metric], spans))]
        if told:
            found[metric] = {"n": len(told), "mean": math.fsum(value or 0.0 for value in told)}
    seconds = math.fsum(high - low for low, high in spans)
    for metric in ("errors", "late", "dropped"):
        counted = [number for one in mine if (number := counted_in(one.get(metric), spans)) is not None]
        if counted and seconds > 0.0:
            found[metric] = {"n": len(counted), "total": math.fsum(counted), "mean": math.fsum(counted) / seconds}
    return found


def counted_in(series: Series | None, spans: Spans) -> float | None:
    told_of = figures(series, spans) if series is not None else None
    if series is None or told_of is None:
        return None
    if told_of.get("total") is not None:
        return told_of["total"]
    ends = series.points[:, 1]
    return math.fsum(series.points[np.logical_or.reduce([(a < ends) & (ends <= b) for a, b in spans]), 2])


Key = tuple[str, str, str, str]
"""Replica or host, metric, device, quantile."""


def exported(run: Run) -> dict[Key, dict[float, float]]:
    """What metrics.prom has to hold: values by millisecond."""
    found: dict[Key, dict[float, float]] = {}
    for subject, metrics in run.devices.items():
        for metric, devices in metrics.items():
            for device, one in devices.items():
                found[subject, metric, device, ""] = ascending((end, value) for _start, end, value, _w in one.points)
    for subject, made in run.series.items():
        for metric, series in made.items():
            if series.kind == "sketch":
                for p in QUANTILES.values():
                    values = [(t, of_sketch(merged([one]), p)) for t, one in series.sketches]
                    found[subject, metric, "", f"{p:g}"] = ascending(values)
            elif series.kind == "counter":
                found[subject, metric, "", ""] = ascending(series.raw)
            elif len(series.points):
                found[subject, metric, "", ""] = ascending(
                    (end, value) for _start, end, value, _weight in series.points
                )
    return found


def ascending(values: Iterable[tuple[float, float | None]]) -> dict[float, float]:
    found: dict[float, float] = {}
    for t, value in values:
        stamp = round(1000.0 * float(t)) / 1000.0  # half a millisecond goes the same way as in the file
        if value is not None and (not found or stamp > next(reversed(found))):
            found[stamp] = float(value)
    return found


def compare_prometheus(run: Run, seen: Comparison) -> None:
    """Every sample of metrics.prom against the series."""
    wanted = exported(run)
    names = {re.sub(r"[^a-zA-Z0-9_]", "_", metric): metric for _subject, metric, *_labels in wanted}
    reserved = ("_total", "_created", "_count", "_sum", "_bucket", "_info", "_gcount", "_gsum")
    for name, metric in list(names.items()):
        for ending in reserved:
            name = name.removesuffix(ending)
        names[name] = metric
    said: dict[Key, dict[float, float]] = defaultdict(dict)
    for line in (run.folder / "metrics.prom").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"retail_profiles_(\w+)\{(.*)\} (\S+) (\S+)", line)
        if line.startswith("#") or match is None or match.group(1) in ("run_info", "window"):
            continue
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2)))
        name = match.group(1).removesuffix("_total")
        if "replica" not in labels:
            name = name.removeprefix("host_")
        subject = labels.get("replica", labels["host"])
        key = (subject, names.get(name, name), labels.get("device", ""), labels.get("quantile", ""))
        said[key][float(match.group(4))] = float(match.group(3))
    for key in sorted(set(said) | {key for key, values in wanted.items() if values}):
        mine, theirs = wanted.get(key, {}), said.get(key, {})
        if set(mine) != set(theirs):
            seen.differences.append(f"metrics.prom {key}: {len(theirs)} samples, recomputed {len(mine)}")
        for stamp in sorted(set(mine) & set(theirs)):
            seen.same(f"metrics.prom {key} at {stamp}", theirs[stamp], mine[stamp])


def compare_tidy(run: Run, seen: Comparison) -> None:
    """metrics.csv holds what run.json does."""
    record, host_of = run.record, {name: told["host"] for name, told in run.record["containers"].items()}
    places = {(name, "", ""): found for name, found in record["host_metrics"].items()}
    places |= {(host_of[name], name, ""): found for name, found in record["metrics"].items()}
    places["", "", ""] = record["totals"]
    for name, metrics in record["device_metrics"].items():
        place = (host_of[name], name) if name in host_of else (name, "")
        for metric, devices in metrics.items():
            for device, found in devices.items():
                places.setdefault((*place, device), {})[metric] = found
    with (run.folder / "metrics.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["phase"] == "measure"]
    for row in rows:
        figure = places[row["host"], row["replica"], row["device"]][row["metric"]].get(row["statistic"])
        where = " ".join(row[key] for key in ("host", "replica", "device", "metric", "statistic"))
        seen.same(f"metrics.csv {where}", float(row["value"]), figure)
    every = [one for place in places.values() for one in place.values()]
    told = sum(value is not None for one in every for key, value in one.items() if key != "unit")
    seen.same("metrics.csv rows", len(rows), told)


def compare_summary(run: Run, seen: Comparison) -> None:
    """The rows of summary.csv that are made of the samples."""
    with (run.folder / "summary.csv").open(encoding="utf-8", newline="") as lines:
        said = {row[0]: row[1] for row in csv.reader(lines)}

    def row(label: str, value: float | None) -> None:
        told_value = None if said.get(label, "NA") == "NA" else float(said[label])
        seen.same(f"summary.csv {label}", told_value, None if value is None else float(f"{value:.6g}"))

    def host_sum(metric: str) -> float | None:
        means = [m["mean"] for h in run.plan["hosts"] if (m := figures(run.series[h][metric], run.spans)) is not None]
        return math.fsum(value or 0.0 for value in means) if len(means) == len(run.plan["hosts"]) else None

    planned = run.plan["replicas"]
    measured = [name for name in sorted(planned, key=natural) if planned[name].get("measured", True)]
    streams = [name for name in measured if "fps" in (planned[name].get("metrics") or {})]
    for index, name in enumerate(streams, start=1):
        found = figures(run.series[name]["fps"], run.spans) if "fps" in run.series[name] else None
        row(f"Camera_{index} FPS", found["mean"] if found else None)
    busy, cpus = host_sum("cpu_cores"), [(run.plan["snapshot"][h] or {}).get("cpus") for h in run.plan["hosts"]]
    row("CPU Utilization %", None if busy is None or None in cpus else 100.0 * busy / sum(cpus))
    used, free = host_sum("memory_used_bytes"), host_sum("memory_available_bytes")
    row("Memory Utilization %", None if used is None or free is None else 100.0 * used / (used + free))
    for label, metric in (
        ("Disk Read MB/s", "block_read_bytes_per_second"),
        ("Disk Write MB/s", "block_write_bytes_per_second"),
    ):
        value = host_sum(metric)
        row(label, None if value is None else value / 1e6)


def compare_search(run: Run, seen: Comparison) -> None:
    """What the step of a search that was measured last says of each stream, where that is a mean."""
    search = run.record.get("search") or {"searches": []}
    asked = {one["metric"]: one for one in run.plan.get("objectives") or ()}
    for one in search["searches"]:
        step = [step for step in one["steps"] if step["windows"]][-1:]
        if not step or (unix(step[0]["steady"]), unix(step[0]["end"])) not in run.spans:
            continue
        for told in step[0]["figures"]:
            objective = asked[told["metric"]]
            if told["replica"] is None or objective.get("statistic", "mean") != "mean":
                continue
            container = run.plan["replicas"][told["replica"]]["container"]
            values = []
            for name, planned in run.plan["replicas"].items():
                if planned["container"] == container and one["host"] in (None, planned["host"]):
                    mean = (figures(run.series[name][told["metric"]], run.spans) or {}).get("mean")
                    inside = search["env"] is not None and container in search["containers"]
                    values.append((mean or 0.0) / (step[0]["streams"] if inside else 1))
            seen.same(f"search {told['metric']} mean", told["mean"], math.fsum(values) / len(values))
            worst = min(values) if objective.get("at_least") is not None else max(values)
            seen.same(f"search {told['metric']} worst", told["worst"], worst)


def natural(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]


def compared(folder: Path) -> Comparison:
    """Everything of one run."""
    run, seen = Run(folder), Comparison()
    for name, said in {**run.record["metrics"], **run.record["host_metrics"]}.items():
        seen.figures(name, said, {metric: figures(one, run.spans) for metric, one in run.series[name].items()})
    for name in sorted(set(run.record["device_metrics"]) | set(run.devices)):
        said, mine = run.record["device_metrics"].get(name, {}), run.devices.get(name, {})
        for metric in sorted(set(said) | set(mine)):
            computed = {device: figures(one, run.spans) for device, one in mine.get(metric, {}).items()}
            seen.figures(f"{name} {metric} of", said.get(metric, {}), computed)
    seen.figures("totals", run.record["totals"], totals(run, run.spans))
    for index, window in enumerate(run.record["windows"]):
        found = totals(run, [(unix(window["start"]), unix(window["end"]))])
        seen.figures(f"window {index}", window["metrics"], found)
    compare_prometheus(run, seen)
    compare_tidy(run, seen)
    compare_summary(run, seen)
    compare_search(run, seen)
    return seen


def main() -> int:
    """Compare one run's directory."""
    if len(sys.argv) != 2:
        sys.exit("usage: recompute.py results/<run id>")
    seen = compared(Path(sys.argv[1]))
    for difference in seen.differences:
        print(difference)
    print(f"{seen.compared} figures compared, {len(seen.differences)} differ")
    return 1 if seen.differences or not seen.compared else 0


if __name__ == "__main__":
    sys.exit(main())
