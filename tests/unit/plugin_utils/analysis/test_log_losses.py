# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of logs did not come, or could not be read, in made-up runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.log_losses import SHOWN, unreadable
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import html_report, run_record

from ..synthetic import Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)
CLIENT = "ovms-client-1"
WHERE = f"replica {CLIENT} on client1"
TOO_FAST = "faster than 200 lines or 64 KiB a second (after a burst of 5000 lines or 4 MiB)"


class Logging(Fleet):
    """The first client's sampler tells of its log: ``lost`` by second, and what it logs beside its own lines."""

    def lost(self, second: float) -> dict[str, Any] | None:
        return None

    def line(self, second: float, line: str) -> str | None:
        """What has become of its line of this second."""
        return line

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name != CLIENT:
            return found
        kept = []
        for sample in found:
            if sample["type"] == "log":
                line = self.line(second, sample["line"])
                if line is None:
                    continue
                sample["line"] = line
            kept.append(sample)
        told = self.lost(second)
        return kept if told is None else [*kept, {"t": t, "type": "absent", "subject": name, "metric": "log", **told}]


class Dropped(Logging):
    def lost(self, second: float) -> dict[str, Any] | None:
        reason = f"300 log lines dropped: {TOO_FAST}"
        return {"reason": reason, "dropped_lines": 300, "dropped_bytes": 150_000} if 18 <= second < 22 else None


def test_all_lines_and_bytes_that_were_dropped_are_counted(play_of: PlayOf) -> None:
    record = play_of(Dropped).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"] == [f"{WHERE}: 1,200 log lines (0.6 MB) dropped: {TOO_FAST}"]


class Late(Logging):
    """Its log is read ever later: from second 18 on each line comes half as late again, and the last ones never."""

    def lost(self, second: float) -> dict[str, Any] | None:
        if second < 18:
            return None
        lag = (second - 18) / 2 + 2.5
        why = f"the log is read {lag:.0f} s late: it is written faster than the sampler reads"
        return {"reason": why, "lag": lag}

    def line(self, second: float, line: str) -> str | None:
        return line if second < 21 else None


def test_a_log_that_was_not_read_to_its_end_says_so_and_so_do_its_metrics(play_of: PlayOf) -> None:
    record = play_of(Late).whole(SHORT)
    assert record["verdict"] == "failed"
    assert record["reasons"][0].startswith(f"{WHERE}: no value of its metrics for ")
    assert record["reasons"][0].endswith("s late: it is written faster than the sampler reads")
    assert any(
        reason.startswith(f"{WHERE}: its log was not read to the end of the window, the last ")
        for reason in record["reasons"]
    )


class LateWithoutMetrics(Late):
    def line(self, second: float, line: str) -> str | None:
        return None


def test_a_metric_of_a_log_that_is_not_read_is_absent_for_that_reason(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    plan["replicas"][CLIENT]["metrics"] = {
        name: {**rule, "required": False} for name, rule in plan["replicas"][CLIENT]["metrics"].items()
    }
    record = play_of(LateWithoutMetrics, plan).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["absent"][CLIENT]["fps"].endswith("s late: it is written faster than the sampler reads")


class CaughtUp(Late):
    def lost(self, second: float) -> dict[str, Any] | None:
        return super().lost(second) if second < 20 else None

    def line(self, second: float, line: str) -> str | None:
        return line


def test_a_log_that_was_caught_up_with_lost_nothing(play_of: PlayOf) -> None:
    assert play_of(CaughtUp).whole(SHORT)["verdict"] == "ok"


class Cut(Logging):
    """A line of 10 MB every five seconds, beside its own."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name == CLIENT and second % 5 == 0:
            long = {"line": "x" * 16384, "truncated": True, "cut_bytes": 10_000_000 - 16384}
            found.append({"t": t, "type": "log", "replica": name, "stream": "stdout", **long})
        return found


def test_lines_that_were_cut_are_counted_with_what_was_cut_off(play_of: PlayOf) -> None:
    record = play_of(Cut).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == (
        "degraded",
        [f"{WHERE}: 2 log lines were too long, 20.0 MB of them were cut off"],
    )


class Garbled(Logging):
    """Every fourth line has no number where one is asked for."""

    def line(self, second: float, line: str) -> str | None:
        return json.dumps({**json.loads(line), "fps": "\x1b[31m-"}) if second % 4 == 0 else line


def test_values_that_cannot_be_read_are_counted_and_the_first_is_shown(play_of: PlayOf) -> None:
    play = play_of(Garbled)
    record = play.whole(SHORT)
    assert record["verdict"] == "ok"
    assert record["warnings"] == [
        f'{WHERE}: metric fps: 3 of 10 values cannot be read; the first: "\\u001b[31m-"',
    ]
    assert f"Warning: {record['warnings'][0]}" in "\n".join(play.screen.lines)
    whole = run_record.load(play.plan, play.directory.events(), play.directory.samples())
    assert "values cannot be read" in html_report.html(record, whole)


class AllGarbled(Logging):
    def line(self, second: float, line: str) -> str | None:
        return json.dumps({**json.loads(line), "errors": "Infinity"})


def test_a_required_metric_of_which_nothing_can_be_read_says_why(play_of: PlayOf) -> None:
    record = play_of(AllGarbled).whole(SHORT)
    assert record["verdict"] == "failed"
    assert record["reasons"] == [
        f"{WHERE}: no value of its metric errors in the window (log: errors):"
        ' 10 of 10 values cannot be read; the first: "Infinity"'
    ]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)


@given(VALUES)
def test_what_is_shown_of_a_value_steers_no_terminal(value: object) -> None:
    text = unreadable(value).text
    assert len(text) <= SHOWN + 1
    assert text.rstrip("…").isascii() and text.rstrip("…").isprintable()


def test_a_value_that_cannot_be_written_is_shown_as_what_it_is() -> None:
    assert unreadable(10**5000).text == "a int"
    deep: list[Any] = []
    for _level in range(100_000):
        deep = [deep]
    assert unreadable(deep).text == "a list"


@pytest.mark.parametrize(("value", "shown"), [("-", '"-"'), (float("inf"), "Infinity"), ([1, "x"], '[1, "x"]')])
def test_a_value_is_shown_as_json(value: object, shown: str) -> None:
    assert unreadable(value).text == shown
