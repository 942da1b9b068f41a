# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of containers: out of the engine's archive of one path, bounded, at the end of a container and of the run."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import file_reads, files, loop
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.files import Archive, Pattern

from .world import EPOCH, World, of

LATER = int(EPOCH) + 10_000


def packed(*entries: tuple[str, Any], mtime: int = LATER, **more: Any) -> bytes:
    """An archive: an entry with text is a file, one with None a folder, one with a list a link."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", **more) as archive:
        for name, what in entries:
            info = tarfile.TarInfo(name)
            info.mtime = mtime
            body = what.encode() if isinstance(what, str) else b""
            info.size = len(body)
            if what is None:
                info.type = tarfile.DIRTYPE
            elif not isinstance(what, str):
                info.type, info.linkname = tarfile.SYMTYPE, str(what[0])
            archive.addfile(info, io.BytesIO(body))
    return data.getvalue()


def read(pattern: str, data: bytes, piece: int = 10_000, since: float = 0.0) -> Archive:
    archive = Archive(Pattern(pattern), since)
    for at in range(0, len(data), piece):
        archive.feed(data[at : at + piece])
    return archive


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        ("/results/a.json", "/results/a.json"),
        ("/tmp/results/*.log", "/tmp/results/."),
        ("/tmp/run-*/out/[ab].log", "/tmp/."),
    ],
)
def test_the_engine_is_asked_for_the_file_or_the_nearest_folder(pattern: str, asked: str) -> None:
    assert Pattern(pattern).asked == asked


@pytest.mark.parametrize("piece", [1, 511, 512, 513, 100_000])
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_what_matches_is_found_however_the_archive_comes(piece: int, format: int) -> None:
    long = f"pipeline{'9' * 120}.log"
    data = packed(
        ("./", None),
        ("./video.bin", "x" * 1300),
        ("./pipeline1.log", "15\n"),
        (f"./{long}", "16\n"),
        ("./below", None),
        ("./below/pipeline2.log", "no"),
        format=format,
    )
    found = read("/tmp/results/pipeline*.log", data, piece)
    assert found.found == {"/tmp/results/pipeline1.log": b"15\n", f"/tmp/results/{long}": b"16\n"}
    assert found.refused == {}


def test_one_file_by_its_path() -> None:
    assert read("/results/a.json", packed(("a.json", "{}"))).found == {"/results/a.json": b"{}"}
    deep = packed(("./", None), ("./x1", None), ("./x1/a", "1"), ("./y/a", "2"), ("./x1/z/a", "3"))
    assert read("/r/x*/a", deep).found == {"/r/x1/a": b"1"}


def test_links_folders_old_and_large_files_are_refused_with_the_reason() -> None:
    data = packed(("./l", ["/etc/shadow"]), ("./d", None), ("./big", "x" * (files.FILE_BYTES + 1)), ("./ok", "1"))
    found = read("/r/*", data)
    assert found.found == {"/r/ok": b"1"}
    assert found.refused == {
        "/r/l": "is a link, and links are not followed",
        "/r/d": "is no file",
        "/r/big": "has 2097153 bytes; a file of at most 2 MiB is read",
    }
    old = read("/r/*", packed(("./ok", "1"), mtime=99), since=100.5)
    assert (old.found, old.refused) == ({}, {"/r/ok": "was not written since the container started"})
    assert read("/r/*", packed(("./ok", "1"), mtime=100), since=100.5).found == {"/r/ok": b"1"}


def test_what_one_pattern_takes_is_bounded() -> None:
    with pytest.raises(HttpError, match="there are more than 64 such files"):
        read("/r/*", packed(*((f"./{n}", "1") for n in range(files.MOST_FILES + 1))))
    with pytest.raises(HttpError, match="its files have more than 8 MiB together"):
        read("/r/*", packed(*((f"./{n}", "x" * files.FILE_BYTES) for n in range(5))))


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_no_archive_breaks_the_reader(data: bytes, piece: int) -> None:
    for begin in (b"", packed(("./a", "1"))[:1024]):
        try:
            found = read("/r/*", begin + data, piece).found
        except HttpError as error:
            assert str(error).startswith("the engine's archive ")
        else:
            assert all(len(body) <= files.FILE_BYTES for body in found.values())


PATH = "/results/*.json"


def test_files_of_one_that_runs_are_read_at_the_end(world: World) -> None:
    made = world.run("a", env={"TOKEN": "very secret"})
    made.archives["/results/."] = packed(("./x.json", '{"token": "very secret", "fps": 15}'))
    records = world.sampled(Watched("a", files=(PATH, "/none")), seconds=3.0)
    (told,) = of(records, "file")
    assert (told["replica"], told["path"], told["file"], world.seconds(told)) == ("a", PATH, "/results/x.json", 3.0)
    assert told["text"] == '{"token": "********", "fps": 15}'
    assert [(one["metric"], one["reason"]) for one in of(records, "absent") if "file" in one["metric"]] == [
        ("file /none", "no such file")
    ]


def test_nothing_of_a_container_is_recorded_before_its_secret_files_are_known(world: World) -> None:
    made = world.run("a", env={"/run/secrets/token": "", "/run/secrets/gone": ""})
    made.archives["/run/secrets/token"] = packed(("token", "correct horse\n"))
    made.archives["/results/."] = packed(("./x.json", "correct horse"))
    world.engine.say(made, "token=correct%20horse")
    world.engine.refusals["/archive"] = (500, b'{"message": "busy with correct"}')
    world.at(2.5, world.engine.refusals.clear)
    records = world.sampled(Watched("a", files=(PATH,)), seconds=8.0)
    (why,) = of(records, "absent", subject="a", metric="container")
    assert why["reason"].startswith("its secret file /run/secrets/token cannot be read, to be kept out of records: ")
    (up,) = of(records, "state")
    assert world.seconds(up) >= 2.5
    assert [record["line"] for record in of(records, "log")] == ["token=********"]
    assert [record["text"] for record in of(records, "file")] == ["********"]
    assert "horse" not in (world.folder / "samples").read_text()


def test_files_of_one_that_ended_are_read_at_once_and_not_again(world: World) -> None:
    made = world.run("a")
    made.archives["/results/."] = packed(("./x.json", "{}"))
    world.at(1.5, lambda: world.exit(made))
    records = world.sampled(Watched("a", files=(PATH,)), seconds=6.0)
    (told,) = of(records, "file")
    assert world.seconds(told) == 2.0
    assert len([path for path in world.engine.asked if "/archive" in path]) == 1


def test_one_that_was_removed_before_its_files_were_read_is_told(world: World) -> None:
    made = world.run("a")

    def remove() -> None:
        world.exit(made)
        del world.engine.containers[made.id]

    world.at(1.5, remove)
    records = world.sampled(Watched("a", files=(PATH,)), seconds=4.0)
    assert [one["reason"] for one in of(records, "absent") if one["metric"] == f"file {PATH}"] == [file_reads.REMOVED]
    assert of(records, "file") == []


def test_what_could_not_be_read_at_its_end_is_tried_again(world: World) -> None:
    made = world.run("a")
    made.archives["/results/."] = packed(("./x.json", "{}"))
    world.engine.refusals["/archive"] = (500, b'{"message": "boom"}')
    world.at(1.5, lambda: world.exit(made))
    world.at(3.5, world.engine.refusals.clear)
    (told,) = of(world.sampled(Watched("a", files=(PATH,)), seconds=6.0), "file")
    assert world.seconds(told) == 4.0


def test_an_engine_that_does_not_answer_is_given_up(world: World) -> None:
    world.run("a")
    world.engine.refusals["/archive"] = (500, b'{"message": "boom"}')
    records = world.sampled(Watched("a", files=(PATH,)), seconds=2.0)
    assert "the engine answered 500: boom" in [one["reason"] for one in of(records, "absent")]
    world.engine.refusals.clear()
    world.at(4.5, lambda: setattr(world.engine, "silent", True))
    records = world.sampled(Watched("a", files=(PATH,)), seconds=3.0)
    assert "no answer in time" in [one["reason"] for one in of(records, "absent")]


def test_of_many_containers_a_few_are_read_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MOST_READS", 1)
    names = [f"a{number}" for number in range(10)]
    for name in names:
        world.run(name).archives["/results/."] = packed(("./x.json", "{}"), ("./y.json", "{}"))
    records = world.sampled(*(Watched(name, files=(PATH,)) for name in names), seconds=2.0)
    told = of(records, "file")
    assert sorted((one["replica"], one["file"]) for one in told) == sorted(
        (name, f"/results/{letter}.json") for name in names for letter in "xy"
    )
