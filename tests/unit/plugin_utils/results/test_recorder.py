# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import judgement, live_progress, poll, recorder
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_progress import (
    Figures,
    Live,
    Pace,
    Standing,
    Stream,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.recorder import TaskResult
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory

from ..synthetic import MODELS, STAND_IN, T0, Play, pack

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)


@pytest.fixture(scope="session")
def schema(checkout: Path) -> jsonschema.Draft202012Validator:
    data = json.loads((checkout / "docs" / "run.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(data)
    return jsonschema.Draft202012Validator(data)


def test_the_record_keeps_its_contract(ready_run: Play, schema: jsonschema.Draft202012Validator) -> None:
    record = ready_run.record()
    schema.validate(record)
    assert record["plan_id"] == ready_run.plan["plan_id"]
    assert record["stand_ins"] == [STAND_IN]
    assert list(record["hosts"]) == ["client1", "client2", "client3", "server"]
    server = record["containers"]["ovms-ovms-server-1"]
    assert (server["address"], server["ports"]) == ("10.99.0.10", {"grpc": 9000, "rest": 8000})
    assert server["image_id"].startswith("sha256:")
    assert record["hosts"]["server"]["system"]["cpus"] == 2
    assert record["controller"]["ansible_core"]
    assert {host: known["models"] for host, known in record["hosts"].items() if known["models"]} == {"server": MODELS}


def test_the_record_says_what_shaped_the_run_from_its_start(
    play_of: PlayOf, schema: jsonschema.Draft202012Validator
) -> None:
    play = play_of()
    play.said = {"variables": {"profile_env": {"FPS": "30"}, "measure_duration": 20.0}, "notes": "the new kernel"}
    play.begin()
    record = play.record()
    schema.validate(record)
    assert (record["variables"], record["notes"]) == (play.said["variables"], "the new kernel")


def test_a_run_has_all_of_its_files(ready_run: Play) -> None:
    names = {str(path.relative_to(ready_run.path)) for path in ready_run.path.rglob("*") if path.is_file()}
    assert names >= {
        "run.json",
        "plan.json",
        "summary.csv",
        "samples.jsonl.gz",
        "metrics.csv",
        "metrics.prom",
        "metrics.lp",
        "report.html",
        "events.jsonl",
        "logs/client1/ovms-client-1.log",
    }
    assert not [name for name in names if Path(name).name.startswith(".")]
    assert (ready_run.path.parent / "latest").resolve() == ready_run.path


def test_every_sample_is_kept_once_with_its_host(ready_run: Play) -> None:
    samples = list(ready_run.directory.samples())
    hosts = [sample for sample in samples if sample["type"] == "host"]
    assert len({(sample["host"], sample["t"]) for sample in hosts}) == len(hosts)
    assert len(hosts) == sum(ready_run.sampled.values())


@pytest.mark.parametrize("steps", range(6))
def test_a_run_that_is_broken_off_is_aborted_with_all_that_came(
    play_of: PlayOf, schema: jsonschema.Draft202012Validator, steps: int
) -> None:
    """After Ctrl-C no further hook is called: what is on disk by then must do."""
    play = play_of()
    actions: list[Callable[[], Any]] = [
        play.begin,
        play.apply,
        play.start,
        lambda: setattr(play, "now", T0 + 20),
        play.collect,
        lambda: play.task("profile_window", "server", poll.look(play.directory, SHORT, play.now).as_dict()),
    ]
    for action in actions[: steps + 1]:
        action()
    record = play.record()
    schema.validate(record)
    assert record["verdict"] == "aborted"
    assert record["finished"] is None
    assert record["reasons"]
    if steps >= 4:
        assert sum(1 for sample in play.directory.samples(["host"])) == sum(play.sampled.values())
    if steps >= 5:
        assert [window["phase"] for window in record["windows"]] == ["warmup", "measure"]
        assert not record["windows"][1]["valid"]


def test_an_interruption_says_what_is_left_and_what_removes_it(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    for _time in range(2):
        play.recorder.interrupted()
    [told] = play.screen.warnings
    assert "was interrupted. What it has started may still be on client1, client2, server: stop_profile.yml" in told
    assert f" -e profile_deployment=ovms removes it. What it has recorded is in {play.path}" in told


def test_a_run_that_has_ended_was_not_interrupted(ready_run: Play) -> None:
    ready_run.recorder.interrupted()
    assert ready_run.screen.warnings == []


def test_a_play_that_ends_without_a_verdict_is_aborted_and_says_why(
    play_of: PlayOf, schema: jsonschema.Draft202012Validator
) -> None:
    play = play_of()
    play.begin()
    play.apply(failing={"ovms-client-2": "exit code 1"})
    play.recorder.close()
    record = play.record()
    schema.validate(record)
    assert record["verdict"] == "aborted"
    assert record["reasons"][0] == "the play ended before the run was judged"
    assert "exit code 1" in record["reasons"][1]
    assert (play.path / "report.html").exists()
    assert "Verdict: aborted" in play.screen.lines


def test_a_play_that_was_refused_says_why_in_its_record(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    for said in ("The profile was not started: c1: no such image", "for the reason given above"):
        play.task("fail", "server", {"msg": said}, status="failed")
    play.recorder.close()
    assert play.record()["reasons"][:2] == [
        "the play ended before the run was judged",
        "The profile was not started: c1: no such image",
    ]


def test_the_end_shows_table_verdict_and_report(ready_run: Play) -> None:
    lines = "\n".join(ready_run.screen.lines).splitlines()
    assert lines[-2:] == ["Verdict: ok", f"Report: {ready_run.path / 'report.html'}"]
    fps = ready_run.record()["metrics"]["ovms-client-1"]["fps"]["mean"]
    assert any(line.startswith("ovms-client-1 ") and f" {fps:.1f} " in line for line in lines)
    assert f"Made with stand-ins: {STAND_IN}" in lines
    assert ready_run.screen.warnings == []


def test_the_end_is_shown_once(play_of: PlayOf) -> None:
    play = play_of()
    play.whole(SHORT)
    before = len(play.screen.lines)
    play.recorder.close()
    assert len(play.screen.lines) == before


def test_a_repeated_collection_is_kept_once(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.start()
    play.now = T0 + 5
    raw = play.new_samples("server")
    half = raw.index(b"\n", len(raw) // 2) + 1
    for begin, end in ((0, half), (0, len(raw)), (half, len(raw))):
        result = {"data": pack(raw[begin:end]), "offset": end, "clock": play.now}
        play.task("profile_measure", "server", result, state="collected")
    assert len(list(play.directory.samples())) == len(raw.splitlines())
    assert play.screen.warnings == []


def test_samples_that_did_not_arrive_are_told_and_fail_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    result = {"data": pack(b'{"t": 1, "type": "host"}\n'), "offset": 1000, "clock": play.now}
    with_gap = {**result, "clock": play.now}
    play.task("profile_measure", "server", with_gap, state="collected")
    play.verdict()
    assert "host server: 975 bytes of samples did not arrive" in play.screen.warnings[0]
    assert any("975 bytes of samples did not arrive" in reason for reason in play.record()["reasons"])


@pytest.mark.parametrize("data", ["%%%", pack(b"x")[:-8], 17])
def test_samples_that_cannot_be_unpacked_are_an_error_not_a_crash(play_of: PlayOf, data: object) -> None:
    play = play_of()
    play.begin()
    with pytest.raises(ProfileError, match="host server: the collected samples cannot be unpacked"):
        play.task("profile_measure", "server", {"data": data, "offset": 1, "clock": 1.0}, state="collected")
    assert play.directory.events()[-1]["action"] == "profile_measure"


def test_lines_that_are_no_samples_are_kept_as_they_are(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    raw = b'{"t": 1, "type"\n[1]\n{"t": 1e30, "type": "log"}\n{"t": NaN}\n'
    play.task("profile_measure", "server", {"data": pack(raw), "offset": len(raw), "clock": 1.0}, state="collected")
    kept = list(play.directory.samples())
    assert [sample["type"] for sample in kept] == ["unreadable"] * 4
    assert kept[0]["line"] == '{"t": 1, "type"'


def test_trouble_is_warned_of_and_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.recorder.trouble(ValueError("boom"))
    play.verdict()
    assert "ValueError: boom" in play.screen.warnings[0]
    assert "the recorder failed: ValueError: boom" in play.record()["reasons"]


def test_trouble_before_a_run_is_only_warned_of(play_of: PlayOf) -> None:
    play = play_of()
    play.recorder.trouble(ValueError("boom"))
    assert len(play.screen.warnings) == 1
    assert not play.path.exists()


def test_a_report_that_cannot_be_written_fails_the_run(play_of: PlayOf, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_dummy: object) -> object:
        raise OSError(28, "No space left on device")

    play = play_of()
    monkeypatch.setattr(judgement.exports.html_report, "html", broken)
    record = play.whole(SHORT)
    assert record["verdict"] == "failed"
    assert "No space left on device" in record["reasons"][-1]
    assert "Verdict: failed" in play.screen.lines


def test_no_file_of_a_run_tells_of_another_verdict_than_the_last(
    play_of: PlayOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_dummy: object) -> str:
        raise TypeError("no such column")

    play = play_of()
    monkeypatch.setattr(judgement.exports.tidy_csv, "text", broken)
    record = play.whole(SHORT)
    reason = "the recorder failed: TypeError: no such column"
    assert (record["verdict"], record["reasons"]) == ("failed", [reason])
    assert not (play.path / "metrics.csv").exists()
    assert 'verdict="failed"' in (play.path / "metrics.prom").read_text()
    events = [(event["action"], event["status"]) for event in play.directory.events()[-2:]]
    assert events == [("recorder", "failed"), ("profile_verdict", "failed")]


@pytest.mark.parametrize("lacking", ["run.json", "events.jsonl"])
def test_a_disk_that_takes_nothing_at_the_end_fails_the_run(
    play_of: PlayOf, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    play = play_of()
    play.begin()
    full = ProfileError("cannot be written: No space left on device", file=lacking)

    def refuse(*_dummy: object) -> None:
        raise full

    monkeypatch.setattr(RunDirectory, "write_record" if lacking == "run.json" else "append_event", refuse)
    asked = {"t": play.now, "host": "server", "action": "profile_verdict"}
    judged = judgement.conclude(play.directory, play.now, asked)
    assert judged.verdict.verdict == "failed"
    assert f"the recorder failed: {full}" in judged.verdict.reasons
    assert str(full) in judged.troubles
    assert play.record()["verdict"] == ("aborted" if lacking == "run.json" else "failed")


def test_a_report_that_is_not_there_is_not_named(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.verdict()
    (play.path / "report.html").unlink()
    play.recorder.close()
    assert play.screen.lines[-1] == f"Results: {play.path}, without a report"


CENSORED = {"censored": "the output has been hidden", "changed": True}


def test_a_hidden_result_is_warned_of_and_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.task("profile_apply", "client1", CENSORED)
    play.verdict()
    assert "hidden by no_log" in play.screen.warnings[0]
    assert any("take no_log off the task 'Task profile_apply'" in reason for reason in play.record()["reasons"])


def test_a_hidden_plan_is_warned_of(play_of: PlayOf) -> None:
    play = play_of()
    play.task("profile_plan", "server", CENSORED)
    assert "no results can be recorded" in play.screen.warnings[0]


@pytest.mark.parametrize("result", [{}, {"plan": {}, "run_dir": None}, {"hosts": ["a"]}])
def test_where_no_run_begins_nothing_is_written(play_of: PlayOf, tmp_path: Path, result: dict[str, Any]) -> None:
    play = play_of()
    play.task("profile_plan", "server", result)
    play.apply()
    play.recorder.close()
    assert list(tmp_path.iterdir()) == []
    assert play.screen.lines == []


def test_packages_that_are_missing_are_named_at_once(play_of: PlayOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "NEEDED", ("json", "no_such_package"))
    play = play_of()
    with pytest.raises(ProfileError, match="pip install no_such_package"):
        play.begin()
    assert play.record()["verdict"] == "aborted"


def test_the_stock_module_tells_of_containers_too(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    container = {
        "Id": "f00",
        "Name": "/ovms-client-1",
        "Image": "sha256:1234",
        "State": {"Running": True, "StartedAt": "2026-02-02T02:39:40.123456789Z", "ExitCode": 0},
        "NetworkSettings": {"Networks": {"ovms-inference": {"IPAddress": "172.18.0.9"}}},
    }
    play.task("docker_container", "client1", {"container": container, "changed": True})
    known = play.record()["containers"]["ovms-client-1"]
    assert (known["image_id"], known["address"], known["exit_code"]) == ("sha256:1234", "172.18.0.9", None)
    assert known["started_at"] == "2026-02-02T02:39:40.123456789Z"


def test_whole_inspect_results_and_sample_data_are_not_kept_in_events(ready_run: Play) -> None:
    for event in ready_run.directory.events():
        assert not {"data", "invocation", "plan", "container"} & set(event["result"])


def test_state_of_an_outcome() -> None:
    def state(result: dict[str, Any]) -> str | None:
        return TaskResult("a", "h", "t", "ok", 0, 1, result).state

    assert state({"invocation": {"module_args": {"state": "absent"}}}) == "absent"
    assert state({"state": "present"}) == "present"
    assert state({"state": {"a": 1}}) is None
    assert state({}) is None


def test_progress_is_shown_with_its_figures(ready_run: Play) -> None:
    shown = [line for line in ready_run.screen.lines if line.startswith("measure ")]
    assert shown
    for line in shown:
        assert re.fullmatch(
            r"measure +\d+ s, \d+ s left \| window 1 of 1 \| 4 of 4 streams \| \d+\.\d fps"
            r" \| worst ovms-client-\d \d+\.\d fps \| latency p50 [\d.]+ ms, p99 [\d.]+ ms \| errors 0",
            line,
        )


def test_a_terminal_has_one_line_and_loses_it_at_the_end(play_of: PlayOf) -> None:
    plain, terminal = play_of(), play_of(terminal=True)
    terminal.path = terminal.path.with_name("other")
    plain.whole(SHORT)
    terminal.whole(SHORT)
    assert not [line for line in terminal.screen.lines if line.startswith(("warm-up", "measure "))]
    assert [line for line in plain.screen.lines if line.startswith(("warm-up", "measure "))]
    assert plain.screen.statuses == [None]
    *running, measured, ended = terminal.screen.statuses
    assert (measured, ended) == (None, None)
    assert len(running) > 3
    assert all(text is not None and 20 < len(text(40)) <= 40 for text in running)


def test_time_goes_on_between_two_looks() -> None:
    standing = Standing("measure", T0, 12.0, 40.0, (Span(T0 - 12, T0 + 8), Span(T0 + 8, T0 + 28)))
    assert live_progress.line(standing, Figures(), T0 + 3) == "measure   15 s, 25 s left | window 1 of 2"
    assert live_progress.line(standing, Figures(), T0 + 9) == "measure   21 s, 19 s left | window 2 of 2"
    assert live_progress.line(standing, Figures(), T0 + 99) == "measure   40 s | window 2 of 2"


STREAMS = (Stream("a-1", 15.0, 15.0, True), Stream("a-2", 9.5, 15.0, True), Stream("b-1", 12.0, 12.0, True))


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            None,
            "warm-up    3 s, at most 57 s left | 3 of 3 streams | 36.5 fps | worst a-2 9.5 of 15.0 fps | errors 2",
        ),
        (80, "warm-up    3 s, at most 57 s left | 3 of 3 streams | 36.5 fps"),
        (40, "warm-up    3 s, at most 57 s left"),
        (10, "warm-up   "),
    ],
)
def test_a_line_is_as_wide_as_there_is_room(columns: int | None, line: str) -> None:
    standing = Standing("warmup", T0, 3.0, 60.0)
    shown = live_progress.line(standing, Figures(STREAMS, errors=2.0), T0, columns)
    assert shown == line
    assert columns is None or len(shown) <= columns


def test_a_stream_that_tells_nothing_is_the_worst() -> None:
    silent = Stream("c-1", 30.0, 30.0, False)
    shown = live_progress.line(Standing("measure", T0, 1, 9), Figures((*STREAMS, silent)), T0)
    assert "| 3 of 4 streams |" in shown
    assert "| worst c-1 silent" in shown


def test_streams_die_by_the_clock_of_their_host(play_of: PlayOf) -> None:
    play = play_of()
    play.fleet.clock_offsets["client2"] = 100.0
    live = Live(measured_plan.of_plan(play.plan))

    def alive() -> dict[str, bool]:
        return {stream.name: stream.alive for stream in live.figures().streams}

    for second in range(30):
        for host in play.hosts:
            for sample in play.fleet.second(host, float(second)):
                if host != "client1" or second < 20 or sample["type"] == "host":
                    live.feed({**sample, "host": host})
        if second == 15:
            assert all(alive().values())
    assert alive() == {"ovms-client-1": False, "ovms-client-2": True}


def test_streams_of_a_host_that_does_not_answer_are_silent(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.start()
    play.now = T0 + 20
    play.collect()
    look = poll.look(play.directory, SHORT, play.now).as_dict()
    for answered, told in ((False, "1 of 2 streams"), (True, "2 of 2 streams")):
        if answered:
            play.collect()
        else:
            play.task("profile_measure", "client1", {"msg": "timed out"}, status="unreachable", state="collected")
        play.now += 20
        play.task("profile_window", "server", {**look, "looked": play.now})
        assert told in play.screen.lines[-1]


def test_without_a_terminal_lines_are_few() -> None:
    pace = Pace()
    shown = [pace.due(phase, t) for phase, t in (("warmup", 0), ("warmup", 5), ("warmup", 10), ("measure", 11))]
    assert shown == [True, False, True, True]


def test_looking_without_a_sampler_says_what_to_do(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    with pytest.raises(ProfileError, match="no sampler has been started"):
        poll.look(play.directory, SHORT, T0)


def test_looking_without_a_run_names_the_callback(play_of: PlayOf) -> None:
    with pytest.raises(ProfileError, match=r"plan\.json: cannot be read: .*profile_metrics enabled"):
        poll.look(play_of().directory, SHORT, T0)
