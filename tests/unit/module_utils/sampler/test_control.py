# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a measurement, without a sampler: started twice, collected by offset, stopped."""

from __future__ import annotations

import base64
import os
import signal
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import control, daemon
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles, run_files, watched

LINES = b'{"t":1}\n{"t":2}\n{"t":3}\n'


def config(*names: str) -> Config:
    return Config(1.0, 60.0, "/run/docker.sock", watched([{"name": name} for name in names]))


def data(result: dict[str, Any]) -> bytes:
    return zlib.decompress(base64.b64decode(result["data"]))


@dataclass
class Process:
    """Stands in for the sampler's process."""

    alive: bool = False
    pid: Optional[int] = None
    comes_up_as: Optional[int] = 71
    signals: list[tuple[int, int]] = field(default_factory=list)
    fails: Optional[OSError] = None
    ends_after: int = 1  # that many attempts to end it

    def start(self, _files: RunFiles) -> Optional[int]:
        self.alive, self.pid = True, self.comes_up_as or self.pid
        return self.comes_up_as

    def kill(self, pid: int, number: int) -> None:
        self.signals.append((pid, number))
        if self.fails is not None:
            raise self.fails

    def stop(self, _pid_file: str, _grace: float) -> bool:
        self.kill(self.pid or 0, signal.SIGTERM)
        self.ends_after -= 1
        self.alive = self.ends_after > 0
        return True


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    made = Process()
    monkeypatch.setattr(daemon, "is_alive", lambda _files: made.alive)
    monkeypatch.setattr(daemon, "recorded_pid", lambda _files: made.pid)
    monkeypatch.setattr(daemon, "start", made.start)
    monkeypatch.setattr(control, "stop", made.stop)
    monkeypatch.setattr(os, "kill", made.kill)
    return made


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return run_files(str(tmp_path), "run-1")


@pytest.fixture
def samples(files: RunFiles) -> RunFiles:
    os.makedirs(files.directory)
    Path(files.samples).write_bytes(LINES + b'{"t":4')
    return files


# -- started


def test_started_once_it_is_configured_and_comes_up(files: RunFiles, process: Process) -> None:
    assert control.started(files, config("a"), check=False) == {"changed": True, "pid": 71}
    assert daemon.load_config(files) == config("a")
    assert os.listdir(files.directory) == ["config.json"]
    assert os.stat(files.config).st_mode & 0o777 == 0o660
    assert os.stat(files.directory).st_mode & 0o777 == 0o770


def test_started_twice_the_second_changes_nothing(files: RunFiles, process: Process) -> None:
    control.started(files, config("a"), check=False)
    process.comes_up_as = 72
    assert control.started(files, config("a"), check=False) == {"changed": False, "pid": 71}
    assert process.signals == []


def test_one_that_is_configured_otherwise_reads_its_configuration_again(files: RunFiles, process: Process) -> None:
    control.started(files, config("a"), check=False)
    process.comes_up_as = 72
    assert control.started(files, config("a", "b"), check=False) == {"changed": True, "pid": 71}
    assert daemon.load_config(files) == config("a", "b")
    assert process.signals == [(71, signal.SIGHUP)]


def test_one_that_has_just_ended_is_started_again(files: RunFiles, process: Process) -> None:
    control.started(files, config("a"), check=False)
    process.comes_up_as, process.fails = 72, ProcessLookupError()
    assert control.started(files, config("b"), check=False) == {"changed": True, "pid": 72}


def test_one_that_was_started_meanwhile_is_good_enough(files: RunFiles, process: Process) -> None:
    process.comes_up_as, process.pid = None, 99
    assert control.started(files, config("a"), check=False) == {"changed": False, "pid": 99}


def test_one_of_another_user_cannot_be_configured(files: RunFiles, process: Process) -> None:
    control.started(files, config("a"), check=False)
    process.fails = PermissionError()
    with pytest.raises(ProfileError, match="no permission to signal the sampler, process 71: it was started by"):
        control.started(files, config("b"), check=False)


def test_a_broken_configuration_is_replaced(files: RunFiles, process: Process) -> None:
    control.started(files, config("a"), check=False)
    Path(files.config).write_text("{")
    assert control.started(files, config("a"), check=False)["changed"]
    assert daemon.load_config(files) == config("a")


@pytest.mark.parametrize("alive", [False, True])
def test_check_mode_tells_and_does_nothing(files: RunFiles, process: Process, alive: bool) -> None:
    process.alive, process.pid = alive, 71 if alive else None
    assert control.started(files, config("a"), check=True) == {"changed": True, "pid": 71 if alive else None}
    assert not os.path.exists(files.directory) and process.signals == []


def test_without_a_state_directory_it_says_who_makes_it(tmp_path: Path, process: Process) -> None:
    with pytest.raises(ProfileError, match=r"run prepare_hosts\.yml, which makes it, or give another"):
        control.started(run_files(str(tmp_path / "none"), "run-1"), config("a"), check=False)
    assert not process.alive


def test_a_configuration_that_cannot_be_written_is_told_with_its_file(files: RunFiles, process: Process) -> None:
    os.makedirs(files.config)
    with pytest.raises(ProfileError, match=r"config\.json: cannot be written: Is a directory"):
        control.started(files, config("a"), check=False)
    assert not process.alive


# -- collected


def test_what_is_new_is_collected_by_offset(samples: RunFiles, process: Process) -> None:
    process.alive = True
    first = control.collected(samples, 0, limit=18)
    assert (data(first), first["offset"], first["more"], first["alive"]) == (LINES[:16], 16, True, True)
    second = control.collected(samples, 16, limit=18)
    assert (data(second), second["offset"], second["more"]) == (LINES[16:], 24, False)
    with open(samples.samples, "ab") as stream:
        stream.write(b"}\n")
    process.alive = False
    last = control.collected(samples, 24)
    assert (data(last), last["offset"], last["alive"], last["changed"]) == (b'{"t":4}\n', 32, False, False)


def test_a_sampler_that_has_written_nothing_yet_is_no_error(files: RunFiles, process: Process) -> None:
    process.alive = True
    os.makedirs(files.directory)
    found = control.collected(files, 0)
    assert (data(found), found["offset"], found["more"], found["alive"]) == (b"", 0, False, True)


def test_a_run_that_is_not_there_cannot_be_collected(files: RunFiles, process: Process) -> None:
    with pytest.raises(ProfileError, match=f"no samples of this run in {files.directory}: state=started comes first"):
        control.collected(files, 0)


def test_samples_that_cannot_be_read_are_told_with_their_file(files: RunFiles, process: Process) -> None:
    os.makedirs(files.samples)
    with pytest.raises(ProfileError, match=r"samples\.jsonl: cannot be read: Is a directory"):
        control.collected(files, 0)


@pytest.mark.parametrize(
    ("blocks", "free", "available", "root", "full"),
    [
        (9, 5, 5, True, False),
        (9, 0, 0, True, True),
        (9, 5, 0, True, False),
        (9, 5, 0, False, True),
        (0, 0, 0, True, False),
    ],
)
def test_a_full_disk_is_told_by_who_looks(
    samples: RunFiles,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
    blocks: int,
    free: int,
    available: int,
    root: bool,
    full: bool,
) -> None:
    """Some blocks are kept for root; a file system without any says nothing of being full."""
    disk = SimpleNamespace(f_blocks=blocks, f_bfree=free, f_bavail=available)
    monkeypatch.setattr(control.os, "statvfs", {samples.directory: disk}.__getitem__)
    monkeypatch.setattr(control.os, "geteuid", lambda: 0 if root else 1000)
    process.alive = True
    assert control.collected(samples, 0)["disk_full"] is full
    assert control.stopped(samples, 0, check=False)["disk_full"] is full


# -- stopped


def test_stopped_it_has_ended_and_the_rest_is_collected(samples: RunFiles, process: Process) -> None:
    process.alive, process.pid = True, 71
    found = control.stopped(samples, 8, check=False)
    assert process.signals == [(71, signal.SIGTERM)]
    assert (found["changed"], found["alive"], data(found), found["offset"]) == (True, False, LINES[8:], 24)
    again = control.stopped(samples, 24, check=False)
    assert (again["changed"], again["alive"], data(again)) == (False, False, b"")
    assert len(process.signals) == 1


def test_stopped_in_check_mode_it_lives_on(samples: RunFiles, process: Process) -> None:
    process.alive = True
    found = control.stopped(samples, 0, check=True)
    assert (found["changed"], found["alive"], data(found)) == (True, True, LINES)
    assert process.signals == []


def test_where_none_ever_ran_there_is_nothing_to_stop(files: RunFiles, process: Process) -> None:
    found = control.stopped(files, 5, check=False)
    assert (found["changed"], found["alive"], data(found), found["offset"]) == (False, False, b"", 5)


def test_a_wrong_offset_is_told_before_anything_is_ended(samples: RunFiles, process: Process) -> None:
    process.alive = True
    with pytest.raises(ProfileError, match=r"field offset: no line of .* begins at 3; give the offset that"):
        control.stopped(samples, 3, check=False)
    assert process.signals == []


def test_one_that_cannot_be_found_yet_is_asked_again(
    samples: RunFiles, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "POLL_SECONDS", 0.0)
    process.alive, process.ends_after = True, 3
    assert not control.stopped(samples, 0, check=False)["alive"]
    assert len(process.signals) == 3


@pytest.mark.parametrize("fails", [None, TimeoutError("process 71 does not end")])
def test_one_that_does_not_end_is_told(
    samples: RunFiles, process: Process, monkeypatch: pytest.MonkeyPatch, fails: Optional[OSError]
) -> None:
    monkeypatch.setattr(control, "END_SECONDS", 0.0)
    monkeypatch.setattr(control, "POLL_SECONDS", 0.0)
    process.alive, process.ends_after, process.fails = True, 1 << 30, fails
    with pytest.raises(ProfileError, match=f"the sampler of {samples.directory} does not end"):
        control.stopped(samples, 0, check=False)


def test_one_of_another_user_cannot_be_ended(samples: RunFiles, process: Process) -> None:
    process.alive, process.pid, process.fails = True, 71, PermissionError()
    with pytest.raises(ProfileError, match="no permission to signal the sampler, process 71"):
        control.stopped(samples, 0, check=False)
