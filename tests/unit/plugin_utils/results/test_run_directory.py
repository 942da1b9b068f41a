# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_directory
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory


def line(number: int, kind: str = "log") -> str:
    return run_directory.dumps({"t": number, "type": kind, "line": "x" * 50 + str(number)})


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path / "run-1")
    made.create({"plan": 1}, {"verdict": "aborted"})
    return made


def test_it_has_its_plan_and_record_from_the_start(directory: RunDirectory) -> None:
    assert directory.read_json("plan.json") == {"plan": 1}
    assert directory.read_json("run.json") == {"verdict": "aborted"}


def test_latest_is_the_newest(directory: RunDirectory) -> None:
    latest = directory.path.parent / "latest"
    assert latest.resolve() == directory.path
    newer = RunDirectory(directory.path.parent / "run-2")
    newer.create({}, {})
    assert latest.resolve() == newer.path
    assert latest.is_symlink()
    assert sorted(path.name for path in directory.path.parent.iterdir()) == ["latest", "run-1", "run-2"]


def test_latest_does_not_replace_a_real_folder(directory: RunDirectory) -> None:
    latest = directory.path.parent / "latest"
    latest.unlink()
    latest.mkdir()
    with pytest.raises(ProfileError, match="latest: cannot be pointed to run-1"):
        directory.link_latest()
    assert latest.is_dir()


def test_replacing_leaves_no_other_file_behind(directory: RunDirectory) -> None:
    directory.write_record({"verdict": "ok"})
    assert sorted(path.name for path in directory.path.iterdir()) == ["plan.json", "run.json"]


def test_a_record_that_is_no_json_leaves_the_old_one(directory: RunDirectory) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        directory.write_record({"x": float("nan")})
    assert directory.read_json("run.json") == {"verdict": "aborted"}


def test_samples_are_read_in_the_order_of_their_coming(directory: RunDirectory) -> None:
    for first in range(0, 100, 10):
        directory.append_samples([line(number) for number in range(first, first + 10)])
    assert [sample["t"] for sample in directory.samples()] == list(range(100))


def test_samples_can_be_chosen_by_type(directory: RunDirectory) -> None:
    directory.append_samples(
        [line(1, "host"), line(2, "log"), run_directory.dumps({"t": 3, "type": "log", "line": '"type":"host"'})]
    )
    assert [sample["t"] for sample in directory.samples(["host"])] == [1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 5000))
def test_an_interruption_costs_only_what_was_being_written(directory: RunDirectory, cut: int) -> None:
    path = directory.path / run_directory.SAMPLES
    path.unlink(missing_ok=True)
    directory.append_samples([line(number) for number in range(100)])
    whole = path.stat().st_size
    directory.append_samples([line(number) for number in range(100, 200)])
    data = path.read_bytes()
    cut = min(whole + cut, len(data) - 1)
    path.write_bytes(data[:cut])
    directory.append_samples([line(number) for number in range(200, 300)])
    times = [sample["t"] for sample in directory.samples()]
    assert times[:100] == list(range(100))
    assert times == sorted(times)
    assert times[-100:] == list(range(200, 300))


def test_damage_does_not_take_the_rest_away(directory: RunDirectory) -> None:
    directory.append_samples([line(number) for number in range(50)])
    first = (directory.path / run_directory.SAMPLES).stat().st_size
    directory.append_samples([line(number) for number in range(50, 100)])
    path = directory.path / run_directory.SAMPLES
    data = bytearray(path.read_bytes())
    data[first // 2 : first // 2 + 8] = b"\xff" * 8
    path.write_bytes(bytes(data))
    assert {sample["t"] for sample in directory.samples()} >= set(range(50, 100))


def test_events_are_read_back_without_the_line_that_was_cut_off(directory: RunDirectory) -> None:
    directory.append_event({"text": "a\u2028b\x85c\nd"})
    with (directory.path / run_directory.EVENTS).open("a") as handle:
        handle.write('{"text": "half')
    assert directory.events() == [{"text": "a\u2028b\x85c\nd"}]


def test_there_may_be_nothing_yet(directory: RunDirectory) -> None:
    assert directory.events() == []
    assert list(directory.samples()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("../../etc", "_.._etc"), ("a/b", "a_b"), ("..", "_"), ("host-1.lan", "host-1.lan"), ("", "_"), ("x\ny", "x_y")],
)
def test_names_stay_in_the_directory(name: str, expected: str) -> None:
    assert run_directory.safe_name(name) == expected


def test_logs_are_kept_by_host_and_replica(directory: RunDirectory) -> None:
    directory.append_log("h1", "ovms-client-1", ["one"])
    directory.append_log("h1", "ovms-client-1", ["two"])
    assert (directory.path / "logs" / "h1" / "ovms-client-1.log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("text", "message"), [(None, "No such file"), ("{", "is no JSON"), ("[]", "not a JSON mapping")]
)
def test_a_file_that_cannot_be_read_is_named(directory: RunDirectory, text: str | None, message: str) -> None:
    path = directory.path / "other.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ProfileError, match=rf"other\.json: .*{message}"):
        directory.read_json("other.json")


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfileError, match="run-1: cannot be made"):
        RunDirectory(tmp_path / "file" / "run-1").create({}, {})


def test_json_lines_are_strict() -> None:
    assert json.loads(run_directory.dumps({"a": "ü"})) == {"a": "ü"}
    with pytest.raises(ValueError, match="Out of range"):
        run_directory.dumps({"a": float("inf")})
    foreign = {"a": [float("inf"), 1], "b": {"c": float("nan")}}
    assert json.loads(run_directory.dumps_finite(foreign)) == {"a": [None, 1], "b": {"c": None}}
