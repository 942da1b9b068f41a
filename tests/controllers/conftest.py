# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was tested with what, and where it is tested."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for each controller and host: what each step took, or why there was none."""
    lines: dict[str, dict[str, None]] = defaultdict(dict)
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            test, _bracket, about = report.nodeid.rpartition("::")[2].rstrip("]").partition("[")
            told = [f"{step} {seconds:.1f} s" for step, seconds in report.user_properties]
            told = told or [f"{test.removeprefix('test_').replace('_', ' ')} {report.duration:.1f} s"]
            if outcome == "failed":
                told.append(f"{test} FAILED")
            elif outcome == "skipped":
                told = [str(report.longrepr[2]).removeprefix("Skipped: ")]
            lines[about].update(dict.fromkeys(told))
    terminalreporter.section("tested with")
    for about, told in sorted(lines.items()):
        terminalreporter.write_line(f"{about}: {', '.join(told)}")


@pytest.fixture
def took(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Takes what a step took, for the lines at the end."""
    return record_property


@pytest.fixture(scope="session")
def lab() -> Path:
    """The inventory of a lab, of which h1 is used."""
    named = os.environ.get("RETAIL_PROFILES_LAB_INVENTORY", "")
    if not Path(named).is_file():
        pytest.fail("no lab: run these tests by make test-long, or set RETAIL_PROFILES_LAB_INVENTORY to an inventory")
    return Path(named).resolve()
