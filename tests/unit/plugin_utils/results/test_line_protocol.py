# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""metrics.lp, read back by a parser that is not ours, against metrics.prom as its own parser reads it."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ansible_collections.retail.profiles.plugins.plugin_utils.results import line_protocol
from ansible_collections.retail.profiles.plugins.plugin_utils.results.exported_series import Exported, Subject

from ..synthetic import GPUS, NPU, Play

parser = pytest.importorskip("line_protocol_parser", reason="requirements-dev.txt has line-protocol-parser")
PERCENTILES = {"0.5": "p50", "0.95": "p95", "0.99": "p99"}


def read(text: str) -> list[dict[str, Any]]:
    assert text.endswith("\n")
    return [parser.parse_line(line) for line in text[:-1].split("\n")]


def one(subject: Subject, metric: str, *values: float) -> Exported:
    return Exported(subject, metric, "", False, None, array("q", range(1, len(values) + 1)), array("d", values))


def test_every_sample_of_the_openmetrics_is_a_field(ready_run: Play) -> None:
    found: dict[tuple[str, str, str, str, int], float] = {}
    devices = set()
    for point in read((ready_run.path / "metrics.lp").read_text()):
        assert point["tags"].pop("run") == ready_run.run_id
        of_host = point["measurement"] == "retail_profiles_host"
        device = point["tags"].pop("device", "")
        devices.add(device)
        assert set(point["tags"]) == ({"host"} if of_host else {"host", "container", "replica"})
        prefix = "host_" if of_host else ""
        for field, value in point["fields"].items():
            key = (point["tags"]["host"], point["tags"].get("replica", ""), device, prefix + field, point["time"])
            assert key not in found
            found[key] = value
    expected = {}
    for family in text_string_to_metric_families((ready_run.path / "metrics.prom").read_text()):
        name = family.name.removeprefix("retail_profiles_")
        if name in ("run", "window"):
            continue
        for sample in family.samples:
            labels = sample.labels
            field = f"{name}_{PERCENTILES[labels['quantile']]}" if "quantile" in labels else name
            nanoseconds = sample.timestamp.sec * 10**9 + sample.timestamp.nsec
            whose = (labels["host"], labels.get("replica", ""), labels.get("device", ""))
            expected[(*whose, field, nanoseconds)] = sample.value
    assert devices == {"", "package-0", "package-1", *GPUS, NPU}
    assert len(expected) > 1000
    assert found == expected


def test_what_was_told_at_one_time_is_one_line(ready_run: Play) -> None:
    points = read((ready_run.path / "metrics.lp").read_text())
    assert len({(*sorted(point["tags"].items()), point["time"]) for point in points}) == len(points)
    assert max(len(point["fields"]) for point in points if point["measurement"] == "retail_profiles_host") > 8


def test_special_characters_are_escaped() -> None:
    subject = Subject("h 1,a=b", "c", "r\\x")
    text = line_protocol.text("run", [one(subject, "odd metric,x=1", 1.5)])
    assert (
        text == "retail_profiles,container=c,host=h\\ 1\\,a\\=b,replica=r\\x,run=run odd\\ metric\\,x\\=1=1.5 1000000\n"
    )
    (point,) = read(text)
    assert point["tags"] == {"container": "c", "host": "h 1,a=b", "replica": "r\\x", "run": "run"}
    assert point["fields"] == {"odd metric,x=1": 1.5}


@example("h", "\\=")
@example("a\\", "\\\\ \n")
@given(st.text(min_size=1), st.text(min_size=1))
def test_any_name_is_one_line_that_can_be_read(host: str, metric: str) -> None:
    (point,) = read(line_protocol.text("run", [one(Subject(host), f"m{metric}", 2.0)]))
    assert list(point["fields"].values()) == [2.0]
    assert point["tags"]["run"] == "run"
    if host.isprintable() and "\\" not in host:
        assert point["tags"]["host"] == host


# The parser takes no subnormal numbers.
@given(st.lists(st.floats(allow_subnormal=False), min_size=1))
def test_numbers_read_back_and_what_is_not_finite_is_left_out(values: list[float]) -> None:
    text = line_protocol.text("run", [one(Subject("h"), "m", *values)])
    told = [point["fields"]["m"] for point in read(text)] if text else []
    assert told == [value for value in values if math.isfinite(value)]
