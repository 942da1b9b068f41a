# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a search for stream density as a figure that runs are compared by."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import figures
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import read

from ..synthetic import Play


def density(ready_run: Play, *searches: dict[str, Any]) -> dict[Figure, Told]:
    record = {**read(ready_run.path).record, "search": {"searches": list(searches)}}
    return {key: told for key, told in figures.of_record(record).items() if key.metric == figures.DENSITY}


@pytest.mark.parametrize(
    ("ending", "streams", "expected"),
    [("found", 7, 7.0), ("bounds", 4, 4.0), ("not even one", 0, 0.0), ("no data", 3, None), (None, 3, None)],
)
def test_the_density_is_what_a_search_answers(
    ready_run: Play, ending: str | None, streams: int, expected: float | None
) -> None:
    found = density(ready_run, {"host": None, "ending": ending, "streams": streams})
    assert found == ({} if expected is None else {Figure("density"): Told(expected, "streams")})
    assert figures.better(Figure("density"), ()) == "higher"


def test_of_each_host_where_it_was_sought_on_each(ready_run: Play) -> None:
    found = density(ready_run, *({"host": host, "ending": "found", "streams": 2} for host in ("h1", "h2")))
    assert [key.key for key in found] == ["h1:density", "h2:density"]


def test_a_run_that_sought_none_has_none(ready_run: Play) -> None:
    assert not [key for key in figures.of_record(read(ready_run.path).record) if key.metric == figures.DENSITY]
