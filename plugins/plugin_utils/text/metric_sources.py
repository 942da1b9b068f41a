# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metric sources and kinds: where the value of a rule of ``metrics`` comes from, and what it may be.

The one declaration: the fields of a profile, the rules of a plan and what reads the samples all look here. Its
sentences stand in docs/profile.md and docs/results.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MetricKind:
    """What a rule's values are, and which figures are made of them; ``form`` where not every source can give it."""

    name: str
    unit: str
    formula: str
    absent_when: str
    form: str = ""


KINDS = (
    MetricKind("gauge", "as the rule says", "the values in the window", "no value in the window"),
    MetricKind(
        "counter",
        "unit/s; `total`",
        "Δvalue / Δtime; the mean is growth / seconds seen",
        "fewer than two values",
    ),
    MetricKind(
        "sketch",
        "as the rule says",
        "the DDSketch bins of all lines in the window added up",
        "no value in the window",
        form="a JSON object in a log line",
    ),
    MetricKind(
        "quantile",
        "as the rule says",
        "a percentile that comes ready-made: each one as it was told, as `min` and `max`; never a mean",
        "no value in the window",
    ),
)
KIND_NAMES = tuple(kind.name for kind in KINDS)


FILE = "file"
"""The key of a rule that names a file, and the type of the samples that hold its text."""


@dataclass(frozen=True)
class MetricSource:
    """Where a rule finds its metric: its ``key`` says what to look for, in samples of the type ``sample``.

    ``in_file``: in a file of the container, which the rule's `FILE` names.
    """

    name: str
    key: str
    sample: str
    kinds: tuple[str, ...]
    doc: str
    example: str

    @property
    def in_file(self) -> bool:
        return self.sample == FILE


SOURCES = (
    MetricSource(
        "log",
        "log",
        "log",
        ("gauge", "counter", "sketch", "quantile"),
        "A [JMESPath](https://jmespath.org) over the JSON lines that the container logs.",
        "log: inference.fps",
    ),
    MetricSource(
        "regex",
        "regex",
        "log",
        ("gauge", "counter", "quantile"),
        "A regular expression over the lines that it logs, or those of `file`; its first group is the value.",
        'regex: "fps=([0-9.]+)"',
    ),
    MetricSource(
        "prometheus",
        "prometheus",
        "prometheus",
        ("gauge", "counter", "quantile"),
        "A sample of its `/metrics`, at the port named `metrics`, or OVMS's REST port where its metrics are on.",
        "prometheus: ovms_requests_success",
    ),
    MetricSource(
        "file json",
        "json",
        FILE,
        ("gauge", "sketch", "quantile"),
        "A JMESPath over the JSON document in `file`, or each of its JSON lines; a list gives each of its numbers.",
        "json: request_latency.p99",
    ),
    MetricSource(
        "file csv",
        "csv",
        FILE,
        ("gauge", "sketch", "quantile"),
        "A column of the table in `file`: its heading, or its number from 1.",
        "csv: p99",
    ),
    MetricSource(
        "file regex",
        "regex",
        FILE,
        ("gauge", "sketch", "quantile"),
        "As for log lines.",
        'regex: "fps=([0-9.]+)"',
    ),
)
SOURCE_NAMES = tuple(source.name for source in SOURCES)
KEYS = tuple(dict.fromkeys(source.key for source in SOURCES))
SAMPLES: Mapping[str, str] = {source.name: source.sample for source in SOURCES}


def source_of(rule: Mapping[str, Any]) -> MetricSource:
    """The one source that a rule names. Raises ValueError where it names none or several, or one not of its kind."""
    in_file = rule.get(FILE) is not None
    named = [key for key in KEYS if rule.get(key) is not None]
    found = [source for source in SOURCES if [source.key] == named and source.in_file == in_file]
    if len(found) != 1:
        able = ", ".join(source.key for source in SOURCES if source.in_file == in_file)
        raise ValueError(f"expected exactly one of {able}{' beside file' if in_file else ', or file'}")
    kind = next((kind for kind in KINDS if kind.name == kind_of(rule)), None)
    if kind is None:
        raise ValueError(f"kind '{kind_of(rule)}' is not one of {', '.join(KIND_NAMES)}")
    if kind.name not in found[0].kinds:
        if in_file:
            raise ValueError(f"a file is read once: there is no {kind.name} of it")
        able = " or ".join(source.key for source in SOURCES if kind.name in source.kinds and not source.in_file)
        raise ValueError(f"a {kind.name} is {kind.form}: its source is {able}")
    return found[0]


def kind_of(rule: Mapping[str, Any]) -> str:
    """The kind that a rule names, or the one that goes without saying."""
    return str(rule.get("kind") or KINDS[0].name)
