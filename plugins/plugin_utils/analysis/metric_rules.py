# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Metric rules: a profile's own metrics, extracted from log lines (JMESPath, regular expressions) and scrapes.

``log`` is a JMESPath over a line that is JSON, ``regex`` the first group of the first match in a line, ``prometheus``
a metric name with optional labels, ``name{label="value"}``, summed over what matches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, prometheus_text
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.log_losses import Unreadable, unreadable
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Rule
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.prometheus_text import Scrape, Selector
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources

Value = float | Sketch
Search = Callable[[Any], object]
"""What a compiled rule finds in what its source is read as; ``None`` for nothing."""


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


@dataclass(frozen=True)
class MetricReader:
    """How a source is read: ``key`` of a sample holds its text, which `parse` reads once for all `compile`d rules."""

    key: str
    compile: Callable[[str], Search]
    parse: Callable[[str, Sequence[Search]], Any]


def _jmespath(expression: str) -> Search:
    import jmespath

    compiled = jmespath.compile(expression)

    def search(data: Any) -> object:
        try:
            return compiled.search(data)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            # A function applied to what it does not take says nothing of this line. JMESPath's errors are ValueErrors.
            return None

    return search


def _json(line: str, searches: Sequence[Search]) -> Any:
    text = line.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _first_group(expression: str) -> Search:
    pattern = re.compile(expression)
    if pattern.groups < 1:
        raise ValueError(f"{expression!r} has no group; the first group is the value")

    def search(line: str) -> object:
        match = pattern.search(line)
        return None if match is None else match.group(1)

    return search


def _line(line: str, searches: Sequence[Search]) -> str:
    return line


def _scrape(text: str, searches: Sequence[Search]) -> Scrape:
    return prometheus_text.scrape(text, {one.name for one in searches if isinstance(one, Selector)})


READERS: Mapping[str, MetricReader] = {
    "log": MetricReader("line", _jmespath, _json),
    "regex": MetricReader("line", _first_group, _line),
    "prometheus": MetricReader("text", prometheus_text.selector, _scrape),
}
"""By the name of the source, see `metric_sources`."""


class Extractor:
    """The rules of one replica, compiled once. Raises ProfileError for a rule that does not compile."""

    def __init__(self, rules: Sequence[Rule], container: str = "") -> None:
        self._rules: dict[str, list[tuple[Rule, Search]]] = {}
        for rule in rules:
            try:
                search = READERS[rule.source].compile(rule.expression)
            except (ValueError, re.error) as error:
                where = f"metrics.{rule.metric}.{rule.source}"
                raise ProfileError(str(error), container=container or None, field=where) from error
            self._rules.setdefault(rule.source, []).append((rule, search))

    def read(self, sample: Mapping[str, Any]) -> list[tuple[Rule, Value]]:
        """What one sample tells; nothing where it is not for these rules."""
        return [(rule, value) for rule, value in self.told(sample) if not isinstance(value, Unreadable)]

    def told(self, sample: Mapping[str, Any]) -> list[tuple[Rule, Value | Unreadable]]:
        """The same, with what the rules found that is no value."""
        found = []
        for source in metric_sources.SOURCES:
            rules = self._rules.get(source.name)
            if rules and source.sample == sample.get("type"):
                reader = READERS[source.name]
                data = reader.parse(str(sample.get(reader.key, "")), [search for _dummy, search in rules])
                told = [(rule, _value(rule, search(data))) for rule, search in rules] if data is not None else []
                found += [(rule, value) for rule, value in told if value is not None]
        return found


def _value(rule: Rule, raw: object) -> Value | Unreadable | None:
    if raw is None:
        return None
    value = sketch_of(raw) if rule.kind == "sketch" else number(raw)
    return unreadable(raw) if value is None else value
