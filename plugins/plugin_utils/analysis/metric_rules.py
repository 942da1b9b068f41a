# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metric rules: a profile's own metrics, extracted from log lines (JMESPath, regular expressions) and scrapes.

``log`` is a JMESPath over a line that is JSON, ``regex`` the first group of the first match in a line, ``prometheus``
a metric name with optional labels, ``name{label="value"}``, summed over what matches. Files are read by `result_files`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    ddsketch,
    expressions,
    prometheus_text,
    result_files,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.expressions import Search
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.log_losses import Unreadable, unreadable
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Rule
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.prometheus_text import Scrape, Selector
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources

Value = float | Sketch


def _scaled(value: object, scale: float) -> float | None:
    found = number(value)
    return None if found is None else number(found * scale)


def sketch_of(value: object, scale: float = 1.0) -> Sketch | None:
    """A sketch from what a rule of kind ``sketch`` found: bins as logged, one value, or a list of values.

    Values are multiplied by ``scale``; bins cannot be.
    """
    try:
        if isinstance(value, Mapping):
            return ddsketch.parse(value) if scale == 1.0 else None
        values = [_scaled(item, scale) for item in (value if isinstance(value, list) else [value])]
        if any(item is None for item in values):
            return None
        return ddsketch.of_values(item for item in values if item is not None)
    except ValueError:
        return None


@dataclass(frozen=True)
class MetricReader:
    """How a source is read: ``key`` of a sample holds its text, which `parse` reads once for all `compile`d rules."""

    key: str
    compile: Callable[[str], Search]
    parse: Callable[[str, Sequence[Search]], Any]


def _json(line: str, searches: Sequence[Search]) -> Any:
    text = line.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _line(line: str, searches: Sequence[Search]) -> str:
    return line


def _scrape(text: str, searches: Sequence[Search]) -> Scrape:
    return prometheus_text.scrape(text, {one.name for one in searches if isinstance(one, Selector)})


READERS: Mapping[str, MetricReader] = {
    "log": MetricReader("line", expressions.jmespath_search, _json),
    "regex": MetricReader("line", expressions.first_group, _line),
    "prometheus": MetricReader("text", prometheus_text.selector, _scrape),
}
"""By the name of the source, see `metric_sources`."""


class Extractor:
    """The rules of one replica, compiled once. Raises ProfileError for a rule that does not compile."""

    def __init__(self, rules: Sequence[Rule], container: str = "") -> None:
        self._rules: dict[str, list[tuple[Rule, Search]]] = {}
        self._files: list[tuple[Rule, result_files.Reader]] = []
        for rule in rules:
            try:
                if rule.file:
                    self._files.append((rule, result_files.reader(rule)))
                    continue
                search = READERS[rule.source].compile(rule.expression)
            except (ValueError, re.error) as error:
                where = f"metrics.{rule.metric}.{rule.source}"
                raise ProfileError(str(error), container=container or None, field=where) from error
            self._rules.setdefault(rule.source, []).append((rule, search))

    def read_file(self, sample: Mapping[str, Any]) -> list[tuple[Rule, list[Value] | str]]:
        """What the text of a file tells the rules that name it: values, or the reason why there are none."""
        text = str(sample.get("text", ""))
        return [(rule, _told(rule, read, text)) for rule, read in self._files if rule.file == sample.get("path")]

    def read(self, sample: Mapping[str, Any]) -> list[tuple[Rule, Value]]:
        """What one sample tells; nothing where it is not for these rules."""
        return [(rule, value) for rule, value in self.told(sample) if not isinstance(value, Unreadable)]

    def told(self, sample: Mapping[str, Any]) -> list[tuple[Rule, Value | Unreadable]]:
        """The same, with what the rules found that is no value."""
        found = []
        for source in metric_sources.SOURCES:
            rules = self._rules.get(source.name, ())
            if rules and source.sample == sample.get("type"):
                reader = READERS[source.name]
                data = reader.parse(str(sample.get(reader.key, "")), [search for _dummy, search in rules])
                told = [(rule, _value(rule, search(data))) for rule, search in rules] if data is not None else []
                found += [(rule, value) for rule, value in told if value is not None]
        return found


def _value(rule: Rule, raw: object) -> Value | Unreadable | None:
    if raw is None:
        return None
    value = sketch_of(raw, rule.scale) if rule.kind == "sketch" else _scaled(raw, rule.scale)
    return unreadable(raw) if value is None else value


def _told(rule: Rule, read: result_files.Reader, text: str) -> list[Value] | str:
    """The values of a file; of a sketch all of them in one."""
    try:
        raw = read(text)
    except ValueError as error:
        return str(error)
    if rule.kind == "sketch":
        # What one document holds may be the bins of a sketch; else these are single values, and a bad one costs itself.
        bins = len(raw) == 1 and isinstance(raw[0], Mapping)
        numbers: list[object] = [one for item in raw if (one := number(item)) is not None and one >= 0.0]
        raw = raw if bins else [numbers] if numbers else []
    found = [_value(rule, item) for item in raw]
    values = [value for value in found if value is not None and not isinstance(value, Unreadable)]
    return values or "what it has there is no number"
