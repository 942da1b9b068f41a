# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.objectives import OBJECTIVES

FPS = {"metric": "fps", "at_least": 14.95}


def test_one_objective_stands_for_a_list_and_gets_its_defaults() -> None:
    assert OBJECTIVES(FPS) == [{**FPS, "statistic": "mean", "over": "each", "tolerance": 0.0}]


def test_a_template_gives_text() -> None:
    assert OBJECTIVES([{"metric": "fps", "at_least": "14.95"}])[0]["at_least"] == 14.95


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"metric": "fps"}, "exactly one of at_least and at_most"),
        ({**FPS, "at_most": 20}, "exactly one of at_least and at_most"),
        ({"at_least": 1}, "metric"),
        ({**FPS, "at_least": "fast"}, "expected a number, not 'fast'"),
        ({**FPS, "at_least": 10**400}, "expected a number, not 10+"),
        ({**FPS, "at_least": True}, "expected a number"),
        ({**FPS, "at_least": float("nan")}, "expected a number"),
        ({**FPS, "tolerance": 1}, "from 0 to below 1"),
        ({**FPS, "tolerance": -0.1}, "from 0 to below 1"),
        ({**FPS, "at_least": -3, "tolerance": 0.1}, "must not be negative"),
        ({**FPS, "statistic": "p42"}, "'p42' is not one of mean, p50"),
        ({**FPS, "over": "some"}, "'some' is not one of each, all"),
        ({**FPS, "metrc": "fps"}, "unknown field 'metrc': did you mean 'metric'?"),
    ],
)
def test_what_is_wrong_is_said(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OBJECTIVES([written])


def test_the_json_schema_wants_one_bound() -> None:
    jsonschema.validate([FPS], OBJECTIVES.schema)
    for wrong in ({"metric": "fps"}, {**FPS, "at_most": 20}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([wrong], OBJECTIVES.schema)
