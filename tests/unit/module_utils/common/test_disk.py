# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a whole, and the room for them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import (
    free_bytes,
    replace_file,
    write_atomically,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors of which the disk was asked to keep the content."""
    asked: list[int] = []
    monkeypatch.setattr(os, "fsync", asked.append)
    return asked


def test_a_file_is_replaced_with_its_mode_whatever_the_umask(tmp_path: Path, synced: list[int]) -> None:
    path = tmp_path / "f"
    before = os.umask(0o077)
    try:
        replace_file(str(path), b"old")
        assert path.stat().st_mode & 0o7777 == 0o600
        replace_file(str(path), b"new", 0o664)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o7777 == 0o664
    assert len(synced) == 2
    replace_file(str(path), b"newer", 0o660, durable=False)
    assert (path.read_bytes(), len(synced)) == (b"newer", 2)
    assert os.listdir(tmp_path) == ["f"]


def test_who_has_the_old_file_open_reads_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with path.open("rb") as stream:
        replace_file(str(path), b"a longer new content")
        assert stream.read() == b"old"


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "f"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        replace_file(str(path), b"new", 0o660)
    assert raised.value.errno == errno.ENOSPC
    with pytest.raises(ProfileError, match=f"cannot write {path}: No space left on device"):
        write_atomically(str(path), b"new", 0o660)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file or directory"):
        write_atomically(str(tmp_path / "none" / "f"), b"", 0o660)


def test_free_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", {str(tmp_path): there}.__getitem__)
    assert free_bytes(str(tmp_path)) == there.f_bavail * there.f_frsize
    assert free_bytes(str(tmp_path)) == free_bytes(str(tmp_path / "not" / "there"))
    monkeypatch.undo()
    assert free_bytes("") is None
