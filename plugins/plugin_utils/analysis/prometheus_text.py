# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus text exposition: samples out of a scrape of ``/metrics``, chosen by name and labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number

Labels = Mapping[str, str]
Scrape = Mapping[str, Sequence[tuple[Labels, float]]]
"""Labels and value of each sample, by the metric's name."""

_SELECTOR = re.compile(r"^\s*([a-zA-Z_:][\w:]*)\s*(?:\{(.*)\})?\s*$", re.DOTALL)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


@dataclass(frozen=True)
class Selector:
    """A Prometheus metric name, the labels that a sample must have, and values that a label of it must not have."""

    name: str
    labels: Labels = field(default_factory=dict)
    but: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def __call__(self, found: Scrape) -> float | None:
        """The sum over the samples of a scrape that match; ``None`` where none does."""
        values = [
            value
            for labels, value in found.get(self.name, ())
            if all(labels.get(key) == wanted for key, wanted in self.labels.items())
            and not any(labels.get(key) in unwanted for key, unwanted in self.but.items())
        ]
        return math.fsum(values) if values else None


@dataclass(frozen=True)
class SumOf:
    """Several metrics added up: those of them that a scrape has."""

    parts: tuple[Selector, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)

    def __call__(self, found: Scrape) -> float | None:
        values = [value for part in self.parts if (value := part(found)) is not None]
        return math.fsum(values) if values else None


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
                    value = number(sample.value)
                    if sample.name in found and value is not None:
                        found[sample.name].append((sample.labels, value))
        except (ValueError, LookupError, ArithmeticError):
            # The parser does not turn all that it meets into a ValueError.
            continue
    return found
