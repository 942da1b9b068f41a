# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a log line looks on a terminal and in a file, and what is said at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.logs import log_text
from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLine, HostEnd

NOON = 1_767_268_800_000_000_000


def line(text: str, replica: str = "d-a-1", host: str = "h1", cut: int = 0, stream: str = "stdout") -> FleetLine:
    return FleetLine(NOON, host, replica, stream, text, cut)


def shown(text: str, wide: int = 0, timestamps: bool = False, cut: int = 0) -> str:
    return log_text.shown(line(text, cut=cut), wide, timestamps, lambda text, _colour: text)


def test_the_host_and_the_replica_stand_in_front() -> None:
    assert shown("hello") == "h1  d-a-1 | hello"
    assert shown("hello", wide=12) == "h1  d-a-1    | hello"
    assert shown("hello", timestamps=True) == "h1  d-a-1 | 2026-01-01T12:00:00.000Z hello"
    assert log_text.width([("h1", "d-a-1"), ("h10", "d-a-1")]) == len("h10  d-a-1")
    assert log_text.width([]) == 0


def test_a_replica_has_its_colour_and_only_what_stands_in_front_is_painted() -> None:
    painted = log_text.shown(line("hello"), 0, False, lambda text, colour: f"<{colour}>{text}</>")
    assert painted == f"<{log_text.colour('d-a-1')}>h1  d-a-1 |</> hello"
    assert len({log_text.colour(f"d-a-{number}") for number in range(1, 20)}) > 5


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("a\tb", "a    b"),
        ("50%\r100%", "50%\N{REPLACEMENT CHARACTER}100%"),
        ("\x9b31mC1", "\N{REPLACEMENT CHARACTER}31mC1"),
        ("\x00\x07\x1b", "\N{REPLACEMENT CHARACTER}" * 3),
        ("größer ✓ 漢字", "größer ✓ 漢字"),
    ],
)
def test_nothing_steers_the_terminal(written: str, expected: str) -> None:
    assert shown(written) == f"h1  d-a-1 | {expected}"


def test_names_from_hosts_steer_it_no_more_than_lines() -> None:
    assert "\x1b" not in log_text.shown(line("x", replica="\x1b[31m", host="\x1b]0;h"), 0, False, lambda text, _: text)


def test_what_was_cut_off_is_told() -> None:
    assert shown("long", cut=295) == "h1  d-a-1 | long … (295 bytes more)"


def test_lines_are_kept_by_host_and_replica_and_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "h1").mkdir()
    (tmp_path / "h1" / "d-a-1.log").write_text("old\n")
    files = log_text.Files(tmp_path)
    files.write([line("one"), line("two", stream="stderr"), line("three", replica="../x", host="..")])
    files.write([line("\x1b[31mfour")])
    assert (tmp_path / "h1" / "d-a-1.log").read_text() == (
        "2026-01-01T12:00:00.000Z stdout one\n"
        "2026-01-01T12:00:00.000Z stderr two\n"
        "2026-01-01T12:00:00.000Z stdout four\n"
    )
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.log"))
    assert written == ["_/_x.log", "h1/d-a-1.log"]


def test_a_folder_that_cannot_be_written_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfileError, match=r"file/h1/d-a-1\.log: cannot be written"):
        log_text.Files(tmp_path / "file").write([line("x")])


def test_one_sentence_for_each_thing_that_went_wrong() -> None:
    ends = [HostEnd("h10", "no route\nmore", 0), HostEnd("h2", "timed out", 0), HostEnd("h1", None, 2)]
    assert log_text.problems(ends, [("h1", "d-a-1", "no driver")], None) == [
        "h2 did not answer: timed out",
        "h10 did not answer: no route",
        "the log of d-a-1 on h1 cannot be read: no driver",
    ]
    assert log_text.problems([HostEnd("h1", None, 2)], [], "the deployment d") == []


def test_nothing_there_is_a_problem_where_something_was_named() -> None:
    ends = [HostEnd("h1", None, 0)]
    assert log_text.problems(ends, [], None) == []
    assert log_text.problems(ends, [], "the deployment d") == ["nothing of the deployment d is on these hosts"]
