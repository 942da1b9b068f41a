# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line a phase: which tasks are one, what is told of it, and what is not."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.text.phase_lines import PhaseLines


def test_a_phase_has_its_line_when_the_next_begins() -> None:
    lines = PhaseLines(100.0)
    assert lines.task(("Plan",), 100.0) is None
    lines.worked("h1", False)
    assert lines.task(("Plan",), 101.0) is None
    lines.worked("h2", False)
    assert lines.task(("Apply", "Apply wave by wave"), 102.5) == "    2.5 s  Plan"
    lines.worked("h1", True)
    lines.worked("h2", True)
    assert lines.end(112.5) == "   10.0 s  Apply wave by wave; changed on 2 hosts"
    assert lines.end(113.0) is None
    assert lines.total(3, 113.0) == "   13.0 s  in all, 3 hosts; changed on 2 hosts"


def test_tasks_around_an_inner_phase_belong_to_it_but_another_inner_one_does_not() -> None:
    lines = PhaseLines(0.0)
    lines.task(("Images", "Build"), 0.0)
    lines.worked("h1", True)
    assert lines.task(("Images",), 1.0) is None
    assert lines.task(("Images", "Seed"), 2.0) == "    2.0 s  Build; changed on 1 host"


def test_a_phase_that_was_skipped_has_no_line_and_its_time_is_the_next_ones() -> None:
    lines = PhaseLines(0.0)
    lines.task(("Install",), 0.0)
    assert lines.task(("Ask",), 2.0) is None
    lines.worked("h1", False)
    assert lines.end(5.0) == "    5.0 s  Ask"


def test_nothing_changed_is_nothing_said() -> None:
    assert PhaseLines(0.0).total(1, 61.23) == "   61.2 s  in all, 1 host"
