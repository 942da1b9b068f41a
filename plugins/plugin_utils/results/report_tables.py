# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the report, from a run's record: rows and columns that say nothing are left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    DROPPED,
    ERRORS,
    FIRST_TOKEN,
    FPS,
    GOODPUT,
    LATENCY,
    OFFERED,
    TOKENS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_text, summary
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

NOTHING = "–"
LONG_WORD = 24
"""Characters of a word that a cell does not break."""
_OWN = ("address", "hostname")
"""Properties in which hosts always differ."""
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def plain(value: object) -> str:
    """A value of a system description as text; what is absent says why."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if set(value) == {"absent"}:
            return f"not known: {value['absent']}"
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(item) for item in value) or NOTHING
    return str(value)


def moment(value: object, day: str = "") -> str:
    """A time of the record to the second, in UTC; its date only where it is not on ``day``."""
    found = _MOMENT.fullmatch(str(value))
    if found is None:
        return plain(value)
    return found[2] if found[1] == day else f"{found[1]} {found[2]}"


def figure(value: object, digits: int = 3) -> str:
    """A figure as people write it: 12345, 123, 1.23, 0.0123."""
    if not isinstance(value, (int, float)):
        return NOTHING
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def has_long_word(text: str) -> bool:
    """Whether a cell has to break within a word, so as not to be wider than a sheet of paper."""
    return any(len(word) > LONG_WORD for word in text.split())


@dataclass(frozen=True)
class Table:
    """Headings and rows of texts; a row begins with what it is about. ``words``: how many columns are no figures."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def without_empty(self) -> Table:
        """Without the columns in which no row says anything."""
        kept = [i for i in range(len(self.headings)) if not i or any(row[i] not in ("", NOTHING) for row in self.rows)]
        return Table(
            tuple(self.headings[i] for i in kept),
            tuple(tuple(row[i] for i in kept) for row in self.rows),
            sum(i < self.words for i in kept),
        )


@dataclass(frozen=True)
class Property:
    """A property of the hosts' systems: each of its values with the hosts that have it."""

    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ServerTime:
    """Where the time of a request goes in a model server, in milliseconds; ``None`` is not known."""

    replica: str
    host: str
    requests: float | None
    wait: float | None
    inference: float | None
    whole: float | None

    @property
    def rest(self) -> float | None:
        if self.whole is None or self.wait is None or self.inference is None:
            return None
        return max(0.0, self.whole - self.wait - self.inference)

    @property
    def parts(self) -> tuple[tuple[str, float | None], ...]:
        return ("wait", self.wait), ("inference", self.inference), ("rest", self.rest)

    @property
    def known(self) -> float:
        return sum(part or 0.0 for _name, part in self.parts)


def cards(final: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The few figures that people look for first: label, figure, unit. One that is not known has no card."""
    totals = final.get("totals", {})
    fps, done, latency, errors, offered, dropped, first, tokens, good = (
        totals.get(metric.name) or {}
        for metric in (FPS, ACHIEVED, LATENCY, ERRORS, OFFERED, DROPPED, FIRST_TOKEN, TOKENS, GOODPUT)
    )
    found = [
        ("All streams", fps.get("mean"), "{:.1f}", FPS.unit),
        ("Done", None if fps else done.get("mean"), "{:.1f}", done.get("unit", "")),
        ("Asked", offered.get("mean"), "{:.1f}", offered.get("unit", "")),
        ("Good", good.get("mean"), "{:.2f}", GOODPUT.unit),
        ("Tokens", tokens.get("mean"), "{:.1f}", TOKENS.unit),
        ("First token p50", _milliseconds(first.get("p50")), "{:.1f}", "ms"),
        *((f"Latency {name}", _milliseconds(latency.get(name)), "{:.1f}", "ms") for name in ("p50", "p95", "p99")),
        ("Errors", errors.get("total"), "{:.0f}", ""),
        ("Dropped", dropped.get("total"), "{:.0f}", ""),
    ]
    return [(label, text.format(value), unit) for label, value, text, unit in found if value is not None]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000.0


def streams(final: Mapping[str, Any]) -> Table:
    """The rows of the summary: all together first, then streams, the worst first, then what is no stream."""
    told = summary.paces(final)
    body = summary.table_rows(final)
    together = [row for row in body[-1:] if len(body) > 1]
    rows = body[: len(body) - len(together)]

    def place(row: Sequence[str]) -> tuple[Any, ...]:
        pace = told.get(row[0])
        return pace is None, pace.share if pace else 0.0, natural(row[0])

    ordered = [*together, *sorted(rows, key=place)]
    shares = [f"{told[row[0]].share:.0%}" if row[0] in told else NOTHING for row in ordered]
    head, tail = summary.headings(final)[:2], summary.headings(final)[2:]
    rows = [
        (*row[:2], share, *(NOTHING if cell == "-" else cell for cell in row[2:]))
        for row, share in zip(ordered, shares, strict=True)
    ]
    return Table((*head, "of what is due", *tail), tuple(rows), words=2).without_empty()


def hosts(final: Mapping[str, Any]) -> Table:
    """The hosts under one another: what they did in the measure windows, and what measuring knows of itself."""
    shown = [(metric, metric.charts[0]) for metric in HOST_METRICS if metric.charts]
    headings = [f"{chart.title}, {chart.unit}" for _metric, chart in shown]

    def row(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
        metrics = final["host_metrics"].get(name, {})
        clock, observer = entry.get("clock"), entry.get("observer") or {}
        return (
            name,
            plain(entry.get("address")),
            *(_scaled(metrics, metric, chart.factor) for metric, chart in shown),
            f"{clock['offset_low']:+.3f} to {clock['offset_high']:+.3f}" if clock else NOTHING,
            figure(observer.get("cpu_seconds")),
        )

    rows = tuple(row(name, final["hosts"][name]) for name in sorted(final["hosts"], key=natural))
    last = ("clock against the controller, s", "cost of measuring, CPU s")
    return Table(("host", "address", *headings, *last), rows, words=2).without_empty()


def devices(final: Mapping[str, Any]) -> Table:
    """A row for each metric of each device of a host, and of what replicas used of it; what is zero is left out."""
    rows = (
        *_device_rows(final, DEVICE_METRICS, final["hosts"]),
        *_device_rows(final, CONTAINER_DEVICE_METRICS, final["containers"]),
    )
    return Table(("metric", "of", "device", "mean", "highest"), rows, words=3).without_empty()


def _device_rows(
    final: Mapping[str, Any], metrics: Iterable[Metric], names: Iterable[str]
) -> Iterator[tuple[str, ...]]:
    told, ordered = final.get("device_metrics") or {}, sorted(names, key=natural)
    for metric in metrics:
        for chart in metric.charts[:1]:
            title = f"{chart.title}, {chart.unit or metric.unit}"
            for name in ordered:
                for device, figures in told.get(name, {}).get(metric.name, {}).items():
                    mean, highest = (figures[key] and figures[key] * chart.factor for key in ("mean", "max"))
                    if mean:
                        yield title, name, device, figure(mean), figure(highest)


def _scaled(metrics: Mapping[str, Any], metric: Metric, factor: float) -> str:
    mean = (metrics.get(metric.name) or {}).get("mean")
    return NOTHING if not mean else figure(mean * factor)


def server_times(final: Mapping[str, Any]) -> list[ServerTime]:
    """Of each replica that tells of its requests."""
    found = []
    for name in sorted(final["containers"], key=natural):
        metrics = final["metrics"].get(name, {})
        wait, inference, whole = (
            _milliseconds((metrics.get(metric) or {}).get("mean"))
            for metric in ("wait_seconds", "inference_seconds", "request_seconds")
        )
        if wait is not None or inference is not None or whole is not None:
            requests = (metrics.get("requests_per_second") or {}).get("mean")
            found.append(ServerTime(name, final["containers"][name]["host"], requests, wait, inference, whole))
    return found


def systems(final: Mapping[str, Any]) -> tuple[list[Property], list[Property]]:
    """What the hosts' systems differ in, and what is the same on all of them."""
    described = {host: _described(final["hosts"][host]) for host in sorted(final["hosts"], key=natural)}
    properties = dict.fromkeys(name for own in described.values() for name in own)
    found = []
    for name in properties:
        by_value: dict[str, list[str]] = {}
        for host, own in described.items():
            by_value.setdefault(plain(own.get(name)), []).append(host)
        found.append(Property(name.replace("_", " "), tuple((value, listed(on)) for value, on in by_value.items())))
    return [one for one in found if len(one.values) > 1], [one for one in found if len(one.values) == 1]


def _described(entry: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {f"engine: {key}": value for key, value in (entry.get("engine") or {}).items()}
    for key, value in entry.get("system", {}).items():
        if isinstance(value, Mapping) and set(value) != {"absent"}:
            found.update({f"{key}: {inner}": item for inner, item in value.items()})
        else:
            found[key] = value
    return {name: value for name, value in found.items() if name not in _OWN}


def containers(final: Mapping[str, Any]) -> Table:
    """A row for each container of the profile and image of it."""
    found: dict[tuple[str, str, str, str, str], list[str]] = {}
    hosts_of: dict[tuple[str, str, str, str, str], dict[str, None]] = {}
    for name, one in final["containers"].items():
        ports = ", ".join(f"{port} ({label})" for label, port in one["ports"].items()) or NOTHING
        measured = "yes" if one.get("measured", True) else "no"
        key = (one["container"], one["image"], short_id(one.get("image_id")), ports, measured)
        found.setdefault(key, []).append(name)
        hosts_of.setdefault(key, {})[one["host"]] = None
    rows = [
        (name, str(len(found[key])), listed(sorted(hosts_of[key], key=natural)), image, image_id, ports, measured)
        for key in sorted(found, key=lambda key: natural(key[0]))
        for name, image, image_id, ports, measured in (key,)
    ]
    headings = ("container", "replicas", "hosts", "image", "image id", "ports", "measured")
    return Table(headings, tuple(rows), words=len(headings)).without_empty()


def replicas(final: Mapping[str, Any]) -> Table:
    """A row for each replica."""
    day = final["started"][:10]
    rows = tuple(
        (name, one["host"], plain(one["address"]), moment(one["started_at"], day), plain(one["exit_code"]))
        for name, one in sorted(final["containers"].items(), key=lambda entry: natural(entry[0]))
    )
    headings = ("replica", "host", "address", "started, UTC", "exit code")
    return Table(headings, rows, words=len(headings)).without_empty()


def short_id(image_id: object) -> str:
    """The first 12 digits of an image id."""
    return str(image_id).removeprefix("sha256:")[:12] if image_id else NOTHING


def windows(final: Mapping[str, Any]) -> Table:
    """The windows with their frames per second."""
    day = final["started"][:10]
    rows = tuple(
        (
            {"warmup": "warm-up"}.get(one["phase"], one["phase"]),
            moment(one["start"], day),
            moment(one["end"], day),
            "yes" if one["valid"] else "no",
            "; ".join(one["reasons"]) or NOTHING,
            figure((one["metrics"].get(FPS.name) or {}).get("mean"), 4),
        )
        for one in final["windows"]
    )
    return Table(("phase", "from, UTC", "to, UTC", "valid", "remarks", "fps"), rows, words=5).without_empty()


def absent(final: Mapping[str, Any]) -> Table:
    """What could not be measured: each reason once, with all metrics and everything of which it is so."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for subject, metrics in final["absent"].items():
        for metric, reason in metrics.items():
            subjects.setdefault((metric, reason), []).append(subject)
    found: dict[tuple[str, str], list[str]] = {}
    for (metric, reason), of in subjects.items():
        found.setdefault((reason, listed(sorted(of, key=natural))), []).append(metric)
    rows = tuple((", ".join(metrics), reason, of) for (reason, of), metrics in found.items())
    return Table(("metric", "why there is none", "of"), rows, words=3)


def objectives(final: Mapping[str, Any]) -> Table:
    """What the profile asks of its metrics, and whether it was met."""
    marks = {"met": "✓ met", "missed": "✗ missed"}

    def row(one: Mapping[str, Any]) -> tuple[str, ...]:
        worst, value, margin, mean = one["worst"], one["value"], one["margin"], one.get("mean")
        return (
            summary.objective_text(one),
            marks.get(one["state"], f"? {one['state']}"),
            NOTHING if mean is None else f"{figure(mean, 4)} {one['unit']}",
            NOTHING if value is None else f"{figure(value, 4)} {one['unit']}",
            NOTHING if margin is None else f"{margin:+.1%}",
            f"{worst['replica']} on {worst['host']}" if worst and one["over"] == "each" else NOTHING,
            plain(one["why"]),
        )

    rows = tuple(row(one) for one in final.get("objectives") or ())
    headings = ("objective", "state", "mean", "value", "margin", "worst", "why")
    return Table(headings, rows, words=7).without_empty()


def search_steps(one: Mapping[str, Any]) -> Table:
    """The steps of a search for stream density: a row for each, in their order."""
    told = {found["objective"]: found for step in one["steps"] for found in step["figures"]}
    columns = [(said, key) for said, found in told.items() for key in ("mean", "worst")[: 2 if found["replica"] else 1]]
    marks = {True: "✓ passes", False: "✗ fails", None: "… on its way"}

    def heading(said: str, key: str) -> str:
        metric = told[said]["metric"]
        name = density_text.named(said, metric).removesuffix(metric) + summary.with_unit(metric, told[said]["unit"])
        return f"{name}, worst" if key == "worst" else name

    def row(step: Mapping[str, Any]) -> tuple[str, ...]:
        figures = {found["objective"]: found for found in step["figures"]}
        worst = (f"{found['replica']} on {found['host']}" for found in figures.values() if found["replica"])
        marginal = ", marginally" if step["marginal"] else ""
        reason = f": {step['reason']}" if step["reason"] else ""
        return (
            f"{step['streams']}{', held' if step['hold'] else ''}",
            f"{marks[step['passed']]}{marginal}{reason}",
            step["why"],
            ", ".join(dict.fromkeys(worst)) or NOTHING,
            *(figure((figures.get(said) or {}).get(key), 4) for said, key in columns),
            *(NOTHING if step[key] is None else f"{step[key]:+.1%}" for key in ("margin", "worst_margin")),
            figure(step["throughput"]),
            *(NOTHING if step[key] is None else f"{step[key]:.0f}" for key in ("warmup_seconds", "seconds")),
        )

    head = ("streams", "decision", "why so many", "worst stream", *(heading(*column) for column in columns))
    last = ("margin", "worst margin", "throughput, streams", "warm-up, s", "seconds")
    return Table((*head, *last), tuple(row(step) for step in one["steps"]), words=4).without_empty()


def evidence(told: Iterable[Mapping[str, Any]]) -> Table:
    """The figures that say what limited a run."""
    rows = tuple(
        (
            plain(one["says"]),
            f"{figure(one['value'])} {one['unit']}",
            figure(one["limit"]),
            plain(one["replica"] or one["host"]),
            plain(one["metric"]),
        )
        for one in told
    )
    return Table(("what it says", "value", "limit", "of", "metric"), rows, words=5).without_empty()
