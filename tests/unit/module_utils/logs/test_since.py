# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A point in time, as a person gives it."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.logs.since import parse

NOW = 1_767_268_800.0  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, 0.0),
        ("", 0.0),
        ("90s", NOW - 90),
        ("10m", NOW - 600),
        ("1h30m", NOW - 5400),
        ("2d", NOW - 172800),
        ("99999d", 0.0),
        ("1767268700", NOW - 100),
        ("1767268700.25", NOW - 99.75),
        ("2026-01-01T11:59:00Z", NOW - 60),
        ("2026-01-01T12:59:00+01:00", NOW - 60),
        ("2026-01-01 11:59:00", NOW - 60),
        ("2026-01-01", NOW - 43200),
    ],
)
def test_ages_dates_and_seconds(given: str | None, expected: float) -> None:
    assert parse(given, NOW) == expected


@pytest.mark.parametrize("given", ["yesterday", "10", "10x", "m10", "2026-13-01", "-5m"])
def test_what_is_none_of_them_is_an_error_that_says_what_is(given: str) -> None:
    with pytest.raises(ProfileError, match=r"is no time: give an age \(90s, 10m, 1h30m, 2d\)"):
        parse(given, NOW)
