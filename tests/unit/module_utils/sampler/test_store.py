# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples file: whole lines whatever happens, and pieces of it by offset."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import control
from ansible_collections.retail.profiles.plugins.module_utils.sampler import store as sampler_store
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Before, Store

lines = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=20)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_a_record_is_one_line_whatever_text_it_holds(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s"))
    texts = ["a\nb", "\u2028 \x85 \x00", "ü😀", '"\\']
    for text in texts:
        store.add({"line": text})
    store.close()
    assert [record["line"] for record in records(tmp_path / "s")] == texts
    assert len((tmp_path / "s").read_text("utf-8").splitlines()) == len(texts)


@pytest.mark.parametrize("left", [b"", b'{"t":1}\n', b'{"t":1}\n{"t":2,"half', b"half"])
def test_the_half_line_of_a_killed_sampler_is_dropped(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "s"
    path.write_bytes(left)
    store = Store(str(path))
    store.add({"t": 3})
    store.close()
    assert path.read_bytes() == left[: left.rfind(b"\n") + 1] + b'{"t":3}\n'


@pytest.fixture
def file_limit() -> Iterator[int]:
    """Files of this process may not grow beyond 1000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield 1000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_whole_lines_and_loses_nothing_that_fits_in_memory(tmp_path: Path, file_limit: int) -> None:
    path = tmp_path / "s"
    store = Store(str(path))
    for number in range(100):
        store.add({"n": number, "pad": "x" * 20})
    store.flush()
    assert store.error is not None
    first = [record["n"] for record in records(path)]
    assert 0 < len(first) < 100 and path.stat().st_size <= file_limit
    store.flush()
    assert [record["n"] for record in records(path)] == first
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    store.close()
    assert [record["n"] for record in records(path)] == list(range(100))
    assert store.error is None and store.lost == 0


def test_what_does_not_fit_in_memory_is_counted(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s"), pending_bytes=50)
    for number in range(10):
        store.add({"n": number, "pad": "xxxxxxxx"})
    assert store.lost == 8
    store.close()
    assert len(records(tmp_path / "s")) == 2


def test_the_file_has_a_greatest_length(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "s"), file_bytes=10)
    assert not store.full
    store.add({"pad": "xxxxxxxx"})
    store.flush()
    assert store.full
    store.close()


def test_what_an_earlier_sampler_wrote_is_known(tmp_path: Path) -> None:
    path = tmp_path / "s"
    written = [
        {"t": 1.0, "type": "state", "replica": "a", "event": "up", "started_at": "then"},
        {"t": 0.5, "type": "log", "replica": "a", "line": "x"},
        {"t": 9.5, "type": "log", "replica": "a", "line": "y"},
        {"t": 3.0, "type": "host"},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in written) + "broken\n[1]\n")
    assert sampler_store.last_times(str(path)) == (3.0, {"a": Before(9.5, "then")})
    assert sampler_store.last_times(str(tmp_path / "none")) == (None, {})


@given(lines, st.binary(max_size=20).filter(lambda data: b"\n" not in data), st.integers(1, 80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_by_offset_are_the_whole_lines_in_order(
    tmp_path: Path, texts: list[str], half: bytes, limit: int
) -> None:
    path = tmp_path / "s"
    whole = [json.dumps(text).encode() + b"\n" for text in texts]
    path.write_bytes(b"".join(whole) + half)
    offset, got = 0, []
    while True:
        chunk = control.read_chunk(str(path), offset, limit)
        assert chunk is not None
        assert chunk.data == b"" or chunk.data.endswith(b"\n")
        assert chunk.offset == offset + len(chunk.data)
        got.append(chunk.data)
        if not chunk.data:
            break
        if chunk.offset < len(b"".join(whole)):
            assert chunk.more
        offset = chunk.offset
    assert b"".join(got) == b"".join(whole)
    path.write_bytes(b"".join(whole) + half + b"\n")
    rest = control.read_chunk(str(path), offset, 1000)
    assert rest is not None and rest.data == half + b"\n"


@pytest.mark.parametrize("offset", [-1, 1, 9, 10**9])
def test_an_offset_inside_a_line_or_beyond_the_end_is_an_error(tmp_path: Path, offset: int) -> None:
    (tmp_path / "s").write_bytes(b'{"t":1}\n{"t":2}\n')
    with pytest.raises(ProfileError, match="field offset"):
        control.read_chunk(str(tmp_path / "s"), offset, 100)


def test_without_a_file_there_is_no_piece(tmp_path: Path) -> None:
    assert control.read_chunk(os.fspath(tmp_path / "none"), 0, 100) is None
