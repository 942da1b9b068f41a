# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes known by a pid file: which still runs, and how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.processes import running, start_time, stop

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def stat_file(proc: Path, text: bytes) -> str:
    """A ``/proc`` with one process, 71."""
    (proc / "71").mkdir(parents=True)
    (proc / "71" / "stat").write_bytes(text)
    return str(proc)


def test_start_times() -> None:
    assert str(start_time(os.getpid())).isdigit()
    assert start_time(2**22 + 1) is None


def test_start_time_is_found_behind_any_name(tmp_path: Path) -> None:
    rest = " ".join(["S", *(str(n) for n in range(4, 30))])
    assert start_time(71, stat_file(tmp_path / "named", f"71 (a b) ) c) {rest}".encode())) == "22"
    assert start_time(71, stat_file(tmp_path / "short", b"71 (x) S 1")) is None
    assert start_time(71, stat_file(tmp_path / "zombie", f"71 (x) {rest.replace('S', 'Z')}".encode())) is None


@given(st.binary(max_size=300))
def test_no_text_makes_it_fail(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as proc:
        found = start_time(71, stat_file(Path(proc), data))
    assert found is None or found.encode("ascii", "replace") in data or "\ufffd" in found


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as started:
        try:
            yield started
        finally:
            started.kill()


def test_a_process_that_was_not_yet_reaped_is_gone(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(child.pid) is None


def test_a_process_is_ended_only_if_it_is_the_one(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    path = tmp_path / "sampler.pid"
    assert not stop(str(path), 10)
    path.write_text("rubbish")
    assert not stop(str(path), 10)
    path.write_text(f"{child.pid} 1")  # the number was given to another process since
    assert running(str(path)) is None
    assert not stop(str(path), 10)
    assert child.poll() is None
    path.write_text(f"{child.pid} {start_time(child.pid)}")
    assert running(str(path)) == child.pid
    assert stop(str(path), 10)
    assert child.wait(10) == -signal.SIGTERM
    assert not stop(str(path), 10)


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"deaf\n"
        (tmp_path / "pid").write_text(f"{child.pid} {start_time(child.pid)}")
        assert stop(str(tmp_path / "pid"), 0.1)
        assert child.wait(10) == -signal.SIGKILL


def test_one_that_no_signal_ends_is_told(
    tmp_path: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    (tmp_path / "pid").write_text(f"{child.pid} {start_time(child.pid)}")
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    with pytest.raises(TimeoutError, match=f"process {child.pid} does not end"):
        stop(str(tmp_path / "pid"), 0.0)
    assert sent == [(child.pid, signal.SIGTERM), (child.pid, signal.SIGKILL)]
    monkeypatch.undo()


def test_one_that_may_not_be_signalled_is_told(
    tmp_path: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int, _number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "pid").write_text(f"{child.pid} {start_time(child.pid)}")
    monkeypatch.setattr(os, "kill", refuse)
    with pytest.raises(PermissionError):
        stop(str(tmp_path / "pid"), 10)
    monkeypatch.undo()
