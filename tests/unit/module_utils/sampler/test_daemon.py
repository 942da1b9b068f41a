# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The detached process: started once, ended cleanly, found dead, started again. No engine is there; the host is."""

from __future__ import annotations

import base64
import fcntl
import gc
import json
import os
import signal
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import start_time
from ansible_collections.retail.profiles.plugins.module_utils.sampler import control, daemon
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles, run_files, watched


def unpack(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in zlib.decompress(base64.b64decode(result["data"])).splitlines()]


def config(tmp_path: Path, *names: str, interval: float = 0.05, deadline: float = 300.0) -> Config:
    return Config(interval, deadline, str(tmp_path / "no.sock"), watched([{"name": name} for name in names]))


def wait_for_end(files: RunFiles) -> None:
    """Block until no sampler holds the lock."""
    with open(files.lock, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RunFiles]:
    found = run_files(str(tmp_path), "run-1")
    yield found
    control.stopped(found, 0, check=False)


def test_it_runs_once_and_ends_cleanly(tmp_path: Path, files: RunFiles) -> None:
    first = control.started(files, config(tmp_path, "a"), check=False)
    assert first["changed"] and first["pid"] == daemon.recorded_pid(files)
    assert Path(files.pid).read_text() == f"{first['pid']} {start_time(first['pid'])}\n"
    assert os.getsid(first["pid"]) != os.getsid(0)
    assert {"changed": False, "pid": first["pid"]} == control.started(files, config(tmp_path, "a"), check=False)
    assert control.collected(files, 0)["alive"]

    ended = control.stopped(files, 0, check=False)
    assert ended["changed"] and not ended["alive"] and not ended["more"]
    records = unpack(ended)
    assert records[0]["type"] == "observer" and records[0]["event"] == "start"
    assert records[-1]["event"] == "end" and records[-1]["reason"] == "stopped"
    assert records[-1]["cpu_seconds"] > 0 and records[-1]["rss_bytes"] > 0
    assert any(r["type"] == "host" and r["cpu"]["total"] > 0 and r["mem"]["total"] > 0 for r in records)
    assert any(r["type"] == "absent" and r["subject"] == "a" and "no.sock" in r["reason"] for r in records)
    assert not Path(files.pid).exists()
    again = control.stopped(files, ended["offset"], check=False)
    assert not again["changed"] and unpack(again) == []
    assert not ended["died"] and not again["died"]


def test_its_lock_is_free_when_it_has_ended_even_if_its_process_cannot(
    tmp_path: Path, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended:
        def run(self) -> str:
            assert daemon.is_alive(files)
            return "stopped"

    os.makedirs(files.directory)
    monkeypatch.setattr(daemon, "_prepare", lambda _files: Ended())
    told: list[str] = []
    daemon._live(files, told.append)
    gc.unfreeze()
    assert told == [f"pid {os.getpid()}"]
    assert not daemon.is_alive(files)


def test_it_holds_nothing_of_whoever_started_it(tmp_path: Path, files: RunFiles) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    pid = control.started(files, config(tmp_path), check=False)["pid"]
    os.close(writer)
    assert os.read(reader, 1) == b""  # the end of file: nobody else has the other end
    os.close(reader)
    held = {os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 2)}
    assert held == {"/dev/null", files.log}
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


def test_after_a_kill_it_goes_on_and_tells_the_gap(tmp_path: Path, files: RunFiles) -> None:
    first = control.started(files, config(tmp_path), check=False)
    os.kill(first["pid"], signal.SIGKILL)
    wait_for_end(files)
    found = control.collected(files, 0)
    assert (found["alive"], found["died"]) == (False, True)
    with open(files.samples, "ab") as file:
        file.write(b'{"t":1,"ty')
    second = control.started(files, config(tmp_path), check=False)
    assert second["changed"] and second["pid"] != first["pid"]
    records = unpack(control.stopped(files, 0, check=False))
    gaps = [r for r in records if r["type"] == "absent" and r["metric"] == "samples"]
    assert len(gaps) == 1 and gaps[0]["subject"] is None
    before = records[: records.index(gaps[0])]
    assert before[0]["event"] == "start" and gaps[0]["since"] == before[-1]["t"] <= gaps[0]["t"]
    assert [r["event"] for r in records if "event" in r] == ["start", "start", "end"]


def test_it_ends_by_itself_at_its_deadline(tmp_path: Path, files: RunFiles) -> None:
    control.started(files, config(tmp_path, deadline=0.1), check=False)
    wait_for_end(files)
    found = control.collected(files, 0)
    records = unpack(found)
    assert records[-1]["event"] == "end" and records[-1]["reason"] == "deadline"
    assert (found["alive"], found["died"]) == (False, False)
    assert records[0]["machine"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_it_takes_a_new_configuration_while_it_runs(tmp_path: Path, files: RunFiles) -> None:
    first = control.started(files, config(tmp_path, "a"), check=False)
    second = control.started(files, config(tmp_path, "a", "b"), check=False)
    assert second == {"changed": True, "pid": first["pid"]}
    end = time.monotonic() + 20
    while not any(r.get("subject") == "b" for r in unpack(control.collected(files, 0))):
        assert time.monotonic() < end
        assert daemon.recorded_pid(files) == first["pid"]


def test_check_mode_starts_and_ends_nothing(tmp_path: Path, files: RunFiles) -> None:
    assert control.started(files, config(tmp_path), check=True) == {"changed": True, "pid": None}
    assert not Path(files.directory).exists()
    pid = control.started(files, config(tmp_path), check=False)["pid"]
    assert control.started(files, config(tmp_path), check=True) == {"changed": False, "pid": pid}
    told = control.stopped(files, 0, check=True)
    assert told["changed"] and told["alive"] and daemon.recorded_pid(files) == pid


def test_a_wrong_offset_ends_nothing(tmp_path: Path, files: RunFiles) -> None:
    pid = control.started(files, config(tmp_path), check=False)["pid"]
    with pytest.raises(ProfileError, match="field offset"):
        control.stopped(files, 10**9, check=False)
    assert daemon.recorded_pid(files) == pid


def test_a_pid_of_another_process_is_not_taken_for_the_sampler(files: RunFiles) -> None:
    os.makedirs(files.directory)
    Path(files.pid).write_text(f"{os.getpid()} 1\n")
    assert daemon.recorded_pid(files) is None
    assert not control.stopped(files, 0, check=False)["changed"]


def test_collecting_before_starting_is_an_error(files: RunFiles) -> None:
    with pytest.raises(ProfileError, match="state=started comes first"):
        control.collected(files, 0)
    assert control.stopped(files, 0, check=False)["changed"] is False


def test_without_a_state_directory_it_says_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"prepare_hosts\.yml"):
        control.started(run_files(str(tmp_path / "none"), "run-1"), config(tmp_path), check=False)


def test_a_sampler_that_cannot_come_up_says_why(tmp_path: Path, files: RunFiles) -> None:
    os.makedirs(files.samples)  # a directory where the file should be
    with pytest.raises(ProfileError, match=r"did not start: .*samples\.jsonl"):
        control.started(files, config(tmp_path), check=False)
    os.rmdir(files.samples)
