# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import (
    at_least_zero,
    difference,
    number,
    over_devices,
    value_at,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        ("2.5", 2.5),
        (True, None),
        (None, None),
        ("x", None),
        ("nan", None),
        (float("inf"), None),
        ([], None),
        (10**400, None),
        ("1e101", None),
    ],
)
def test_a_number_is_finite(value: object, expected: float | None) -> None:
    assert number(value) == expected


def test_a_field_is_read_at_its_path() -> None:
    sample = {"cpu": {"busy": 2}, "psi": {"io": [0.5]}, "mem": None}
    assert value_at("cpu", "busy")(sample) == 2.0
    assert value_at("cpu", "busy", scale=0.5)(sample) == 1.0
    assert value_at("psi", "io", 0)(sample) == 0.5
    for path in (("cpu", "steal"), ("psi", "io", 1), ("mem", "total"), ("disk", "sda"), ("cpu",)):
        assert value_at(*path)(sample) is None


def test_a_difference_needs_both() -> None:
    used = difference(value_at("total"), value_at("available"))
    assert used({"total": 10, "available": 4}) == 6.0
    assert used({"total": 10}) is None
    assert at_least_zero(used)({"total": 1, "available": 4}) == 0.0
    assert at_least_zero(used)({"available": 4}) is None


def test_devices_that_carry_what_others_carry_are_left_out() -> None:
    read = over_devices("net", 1, re.compile("^lo$"))
    assert read({"net": {"eth0": [1, 2], "eth1": [3, 4], "lo": [9, 9], "odd": [7]}}) == 6.0
    assert read({"net": {"lo": [9, 9]}}) is None
    assert read({"net": {"eth0": 7, "eth1": ["x", "y"], "eth2": {}}}) is None
    assert read({"net": None}) is None
