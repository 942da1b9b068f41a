# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources


@pytest.mark.parametrize(
    ("rule", "source", "kind"),
    [
        ({"log": "fps"}, "log", "gauge"),
        ({"log": "fps", "regex": None}, "log", "gauge"),
        ({"log": "latency", "kind": "sketch"}, "log", "sketch"),
        ({"regex": "(a)", "kind": "counter"}, "regex", "counter"),
        ({"prometheus": "m", "kind": None}, "prometheus", "gauge"),
        ({"log": "latency.p99", "kind": "quantile"}, "log", "quantile"),
        ({"file": "/results/a.json", "json": "a.b"}, "file json", "gauge"),
        ({"file": "/results/a.csv", "csv": "p99", "kind": "quantile"}, "file csv", "quantile"),
        ({"file": "/results/*.log", "regex": "(a)", "kind": "sketch"}, "file regex", "sketch"),
    ],
)
def test_a_rule_has_one_source_and_a_kind(rule: dict[str, Any], source: str, kind: str) -> None:
    assert metric_sources.source_of(rule).name == source
    assert metric_sources.kind_of(rule) == kind


ONE_OF = "expected exactly one of log, regex, prometheus, or file"
ONE_OF_FILE = "expected exactly one of json, csv, regex beside file"
FILE = {"file": "/results/a.json"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, ONE_OF),
        ({"log": "a", "regex": "(b)"}, ONE_OF),
        ({"json": "a"}, ONE_OF),
        ({"csv": "a"}, ONE_OF),
        (FILE, ONE_OF_FILE),
        ({**FILE, "log": "a"}, ONE_OF_FILE),
        ({**FILE, "json": "a", "csv": "b"}, ONE_OF_FILE),
        ({**FILE, "json": "a", "kind": "counter"}, "a file is read once: there is no counter of it"),
        ({"log": "a", "kind": "histogram"}, "kind 'histogram' is not one of gauge, counter, sketch, quantile"),
        ({"regex": "(a)", "kind": "sketch"}, "a sketch is a JSON object in a log line: its source is log"),
        ({"prometheus": "a", "kind": "sketch"}, "a sketch is a JSON object in a log line: its source is log"),
    ],
)
def test_what_is_no_rule_is_said(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        metric_sources.source_of(rule)
    assert str(caught.value) == message


def test_sources_name_kinds_that_there_are() -> None:
    assert {kind for source in metric_sources.SOURCES for kind in source.kinds} == set(metric_sources.KIND_NAMES)
