# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs as a daemon: detached by a double fork, heard of once, alone by its lock."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common import daemon
from ansible_collections.retail.profiles.plugins.module_utils.common.daemon import Answer, detach, is_locked, take_lock


def test_it_is_in_a_session_of_its_own_and_no_child_of_ours(tmp_path: Path) -> None:
    def work(tell: Answer) -> None:
        words = f"{os.getpid()} {os.getsid(0)} {os.getppid()} {os.getcwd()} {os.umask(0)}"
        tell(words)
        tell("and this is not heard")

    pid, session, parent, folder, umask = detach(work).split()
    assert pid != session != str(os.getsid(0))
    assert parent != str(os.getpid())
    assert (folder, umask) == ("/", str(0o007))
    with pytest.raises(ChildProcessError):
        os.waitpid(int(pid), os.WNOHANG)


def test_it_keeps_what_it_is_to_keep_and_nothing_else(tmp_path: Path) -> None:
    kept, writer = os.pipe()
    other, held = os.pipe()
    os.set_inheritable(held, True)

    def work(tell: Answer) -> None:
        tell("here")
        os.read(kept, 1)  # until its starter has looked
        os.write(2, " ".join(sorted(os.listdir("/proc/self/fd"))).encode())

    log = tmp_path / "log"
    lock = take_lock(str(tmp_path / "lock"))
    assert lock is not None
    assert detach(work, str(log), (kept, lock)) == "here"
    os.close(held)
    assert os.read(other, 1) == b""  # the end of file: nobody else has the writing end
    os.close(lock)
    assert is_locked(str(tmp_path / "lock"))
    os.write(writer, b".")
    with open(tmp_path / "lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)  # it has ended
    # Its standard streams, what it keeps, and the one with which it looks.
    assert {str(number) for number in (0, 1, 2, kept, lock)} <= set(log.read_text().split())
    assert len(log.read_text().split()) == 6
    for descriptor in (kept, writer, other):
        os.close(descriptor)


def test_a_failure_is_answered_and_logged(tmp_path: Path) -> None:
    def work(_tell: Answer) -> None:
        raise OSError("the first\nreason")

    log, lock = tmp_path / "log", tmp_path / "lock"
    handle = take_lock(str(lock))
    assert handle is not None
    assert detach(work, str(log), (handle,)) == "the first reason"
    os.close(handle)
    with lock.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)  # it has ended
    assert "Traceback" in log.read_text() and "OSError" in log.read_text()
    assert log.stat().st_mode & 0o007 == 0


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert "No such file or directory" in detach(lambda tell: tell("started"), str(tmp_path / "none" / "log"))


def test_one_that_is_killed_before_it_answers_has_said_nothing() -> None:
    assert detach(lambda _tell: os.kill(os.getpid(), signal.SIGKILL)) == ""


def test_one_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "START_SECONDS", 0.0)
    reader, writer = os.pipe()
    assert detach(lambda _tell: bool(os.read(reader, 1)) and None, keep=(reader,)) == "nothing heard of it for 0 s"
    os.close(writer)
    os.close(reader)


def test_signals_for_a_terminal_do_not_end_it() -> None:
    def work(tell: Answer) -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGALRM):
            os.kill(os.getpid(), number)
        tell(f"lives, {signal.getsignal(signal.SIGTERM).name}")  # type: ignore[union-attr]

    assert detach(work) == "lives, SIG_DFL"


def test_a_lock_is_had_once_and_free_where_nobody_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(str(path)) and not path.exists()
    handle = take_lock(str(path))
    assert handle is not None
    assert is_locked(str(path))
    assert take_lock(str(path)) is None
    os.close(handle)
    assert not is_locked(str(path)) and path.exists()


def test_a_lock_that_cannot_be_looked_at_is_not_free(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(NotADirectoryError):
        is_locked(str(tmp_path / "f" / "lock"))
