# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Metric rules: values out of log lines and of Prometheus texts.

``log`` is a JMESPath over a line that is JSON, ``regex`` the first group of the first match in a line, ``prometheus``
a metric name with optional labels, ``name{label="value"}``, summed over what matches.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Rule

Value = float | Sketch
Labels = Mapping[str, str]

_SELECTOR = re.compile(r"^\s*([a-zA-Z_:][\w:]*)\s*(?:\{(.*)\})?\s*$", re.DOTALL)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


@dataclass(frozen=True)
class Selector:
    """A Prometheus metric name and the labels that a sample must have."""

    name: str
    labels: Labels = field(default_factory=dict)


def selector(expression: str) -> Selector:
    """Parse ``name{label="value", …}``. Raises ValueError that shows what does not parse."""
    match = _SELECTOR.match(expression)
    if match is None:
        raise ValueError(f'{expression!r} is not a metric name with optional labels, name{{label="value"}}')
    labels: dict[str, str] = {}
    rest = (match.group(2) or "").strip()
    while rest:
        part = _LABEL.match(rest)
        if part is None:
            raise ValueError(f'{expression!r}: {rest!r} is not label="value"')
        labels[part.group(1)] = part.group(2).replace('\\"', '"').replace("\\\\", "\\")
        rest = rest[part.end() :].strip()
    return Selector(match.group(1), labels)


def number(value: object) -> float | None:
    """A finite number, from a number or its text; ``None`` for anything else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def sketch_of(value: object) -> Sketch | None:
    """A sketch from what a rule of kind ``sketch`` found: bins as logged, one value, or a list of values."""
    try:
        if isinstance(value, Mapping):
            return ddsketch.parse(value)
        values = [number(item) for item in (value if isinstance(value, list) else [value])]
        if any(item is None for item in values):
            return None
        return ddsketch.of_values(item for item in values if item is not None)
    except ValueError:
        return None


def scrape(text: str, names: Iterable[str]) -> dict[str, list[tuple[Labels, float]]]:
    """Samples of the named metrics of a Prometheus text; lines that do not parse are left out."""
    from prometheus_client.parser import text_string_to_metric_families

    wanted = tuple(names)
    found: dict[str, list[tuple[Labels, float]]] = {name: [] for name in wanted}
    for line in text.splitlines():
        # Parsing is slow and a scrape long, mostly buckets: only lines of the metrics that are asked for.
        if not line.startswith(wanted):
            continue
        try:
            for family in text_string_to_metric_families(line + "\n"):
                for sample in family.samples:
                    if sample.name in found and math.isfinite(sample.value):
                        found[sample.name].append((sample.labels, float(sample.value)))
        except ValueError:
            continue
    return found


def pick(found: Mapping[str, Sequence[tuple[Labels, float]]], what: Selector) -> float | None:
    """The sum over the samples that match; ``None`` where none does."""
    values = [
        value
        for labels, value in found.get(what.name, ())
        if all(labels.get(key) == wanted for key, wanted in what.labels.items())
    ]
    return math.fsum(values) if values else None


class Extractor:
    """The rules of one replica, compiled once. Raises ProfileError for a rule that does not compile."""

    def __init__(self, rules: Sequence[Rule], container: str = "") -> None:
        self._log: list[tuple[Rule, Callable[[Any], Any]]] = []
        self._regex: list[tuple[Rule, re.Pattern[str]]] = []
        self._prometheus: list[tuple[Rule, Selector]] = []
        for rule in rules:
            try:
                self._add(rule)
            except (ValueError, re.error) as error:
                where = f"metrics.{rule.metric}.{rule.source}"
                raise ProfileError(str(error), container=container or None, field=where) from error

    def _add(self, rule: Rule) -> None:
        if rule.source == "log":
            import jmespath

            self._log.append((rule, jmespath.compile(rule.expression).search))
        elif rule.source == "regex":
            pattern = re.compile(rule.expression)
            if pattern.groups < 1:
                raise ValueError(f"{rule.expression!r} has no group; the first group is the value")
            self._regex.append((rule, pattern))
        else:
            if rule.kind == "sketch":
                raise ValueError("a sketch comes from logs; Prometheus' buckets are too coarse for percentiles")
            self._prometheus.append((rule, selector(rule.expression)))

    def from_line(self, line: str) -> list[tuple[Rule, Value]]:
        """What one log line tells; nothing where it is not for these rules."""
        found: list[tuple[Rule, Value]] = []
        text = line.strip()
        if self._log and text.startswith(("{", "[")):
            try:
                data = json.loads(text)
            except (ValueError, RecursionError):
                data = None
            if data is not None:
                for rule, search in self._log:
                    self._keep(found, rule, _searched(search, data))
        for rule, pattern in self._regex:
            match = pattern.search(line)
            if match is not None:
                self._keep(found, rule, match.group(1))
        return found

    def from_scrape(self, text: str) -> list[tuple[Rule, Value]]:
        """What one Prometheus text tells."""
        if not self._prometheus:
            return []
        found = scrape(text, {what.name for _dummy, what in self._prometheus})
        picked = [(rule, pick(found, what)) for rule, what in self._prometheus]
        return [(rule, value) for rule, value in picked if value is not None]

    @staticmethod
    def _keep(found: list[tuple[Rule, Value]], rule: Rule, raw: object) -> None:
        if raw is None:
            return
        value = sketch_of(raw) if rule.kind == "sketch" else number(raw)
        if value is not None:
            found.append((rule, value))


def _searched(search: Callable[[Any], Any], data: Any) -> object:
    """JMESPath's answer; a function applied to what it does not take says nothing of this line."""
    from jmespath.exceptions import JMESPathError

    try:
        return search(data)
    except JMESPathError:
        return None
