# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
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
)
KIND_NAMES = tuple(kind.name for kind in KINDS)


@dataclass(frozen=True)
class MetricSource:
    """A key of a rule, whose value says where the metric is found. ``sample``: the type of the samples that hold it."""

    name: str
    sample: str
    kinds: tuple[str, ...]
    doc: str
    example: str


SOURCES = (
    MetricSource(
        "log",
        "log",
        ("gauge", "counter", "sketch"),
        "A [JMESPath](https://jmespath.org) over the JSON lines that the container logs.",
        "log: inference.fps",
    ),
    MetricSource(
        "regex",
        "log",
        ("gauge", "counter"),
        "A regular expression over the lines that it logs; its first group is the value.",
        'regex: "fps=([0-9.]+)"',
    ),
    MetricSource(
        "prometheus",
        "prometheus",
        ("gauge", "counter"),
        "A sample of its `/metrics`, at the port named `metrics`, or OVMS's REST port with `--metrics_enable`.",
        "prometheus: ovms_requests_success",
    ),
)
SOURCE_NAMES = tuple(source.name for source in SOURCES)
SAMPLES: Mapping[str, str] = {source.name: source.sample for source in SOURCES}


def source_of(rule: Mapping[str, Any]) -> MetricSource:
    """The one source that a rule names. Raises ValueError where it names none or several, or one not of its kind."""
    found = [source for source in SOURCES if rule.get(source.name) is not None]
    if len(found) != 1:
        raise ValueError(f"expected exactly one of {', '.join(SOURCE_NAMES)}")
    kind = next((kind for kind in KINDS if kind.name == kind_of(rule)), None)
    if kind is None:
        raise ValueError(f"kind '{kind_of(rule)}' is not one of {', '.join(KIND_NAMES)}")
    if kind.name not in found[0].kinds:
        able = " or ".join(source.name for source in SOURCES if kind.name in source.kinds)
        raise ValueError(f"a {kind.name} is {kind.form}: its source is {able}")
    return found[0]


def kind_of(rule: Mapping[str, Any]) -> str:
    """The kind that a rule names, or the one that goes without saying."""
    return str(rule.get("kind") or KINDS[0].name)
