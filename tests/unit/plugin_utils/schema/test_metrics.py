# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of metrics as a profile writes them."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.metrics import METRIC_RULE

COMMON = {"kind": "gauge", "unit": "1", "required": True}


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ({"log": "fps"}, {"log": "fps"}),
        ({"file": "/results//a.json", "json": "a.b"}, {"file": "/results/a.json", "json": "a.b"}),
        ({"file": "/a.csv", "csv": 2, "row": "throughput"}, {"file": "/a.csv", "csv": "2", "row": "throughput"}),
        ({"file": "/r/*.log", "regex": "(a)", "scale": 0.5}, {"file": "/r/*.log", "regex": "(a)", "scale": 0.5}),
    ],
)
def test_rules_are_parsed(written: dict[str, Any], parsed: dict[str, Any]) -> None:
    assert METRIC_RULE(written) == {**COMMON, **parsed}
    jsonschema.validate(written, METRIC_RULE.schema)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"file": "results/a", "json": "a"}, "'results/a' is no absolute path in the container"),
        ({"file": "/r/../../etc/a", "json": "a"}, "is no absolute path in the container"),
        ({"file": "/", "json": "a"}, "'/' is no absolute path in the container"),
        ({"file": "/*/a", "json": "a"}, "would look through the whole container"),
        ({"file": "/r/a", "csv": 0}, "expected the heading of a column, or its number from 1, not 0"),
        ({"file": "/r/a", "json": "a", "scale": 0}, "expected a number above 0, not 0"),
        ({"file": "/r/a", "json": "a", "scale": "x"}, "expected a number above 0, not 'x'"),
        ({"file": "/r/a", "json": "a", "row": "b"}, "row chooses a row of a csv"),
        ({"file": "/r/a", "regex": "a"}, "needs a group"),
        ({"file": "/r/a"}, "expected exactly one of json, csv, regex beside file"),
        ({"json": "a"}, "expected exactly one of log, regex, prometheus, or file"),
    ],
)
def test_what_is_no_rule_is_said(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        METRIC_RULE(written)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [{"json": "a"}, {"file": "/r/a"}, {"file": "/r/a", "log": "a"}, {"file": "/r/a", "json": "a", "csv": "b"}],
)
def test_the_json_schema_refuses_the_same(written: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, METRIC_RULE.schema)
