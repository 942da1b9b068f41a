# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders on their way to a host: identity, packing, unpacking with checks, and what is seen as changed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment import files
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Archive, ShippedFile
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import archives

NAMES = st.text(alphabet="ab.-é ", min_size=1, max_size=4).filter(lambda name: name.strip(".") != "")
CONTENT = st.tuples(st.binary(max_size=40), st.booleans())
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), CONTENT, max_size=6)


def write(root: Path, content: dict[tuple[str, ...], tuple[bytes, bool]]) -> dict[tuple[str, ...], tuple[bytes, bool]]:
    """Write files by path, but for those whose folder is a file already; what was written."""
    root.mkdir()
    written = {}
    for path, (data, executable) in sorted(content.items()):
        if any(path[:length] in written for length in range(1, len(path))) or root.joinpath(*path).is_dir():
            continue
        file = root.joinpath(*path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(0o750 if executable else 0o640)
        written[path] = (data, executable)
    return written


def item_of(root: Path, home: Path, kind: str = "directory") -> ShippedFile:
    digest = file_tree.digest_of(str(root), kind)
    return ShippedFile(root.name, kind, digest, 0o644, str(home / digest / root.name))


def packed(root: Path, item: ShippedFile) -> bytes:
    stream = io.BytesIO()
    archives.pack({"kind": item.kind, "dest": item.dest, "mode": f"{item.mode:04o}"}, root, stream)
    return stream.getvalue()


def archive(data: bytes) -> Archive:
    return Archive(data=base64.b64encode(data).decode())


@settings(max_examples=40)
@given(TREES)
def test_a_folder_arrives_as_it_was_sent(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    base = tmp_path_factory.mktemp("tree")
    write(base / "sent", content)
    item = item_of(base / "sent", base)
    data = packed(base / "sent", item)
    assert data == packed(base / "sent", item)
    files.unpack(io.BytesIO(data), str(base / "arrived"), item)
    assert file_tree.nodes(str(base / "arrived")) == file_tree.nodes(str(base / "sent"))
    assert file_tree.digest_of(str(base / "arrived"), "directory") == item.sha256


@settings(max_examples=40)
@given(TREES, TREES)
def test_two_folders_have_one_digest_only_if_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: Any, other: Any
) -> None:
    base = tmp_path_factory.mktemp("tree")
    same = write(base / "one", one) == write(base / "other", other)
    digests = {file_tree.digest_of(str(base / name), "directory") for name in ("one", "other")}
    assert (len(digests) == 1) == same


@given(
    st.permutations(
        [file_tree.Node("a", "file", False, "1"), file_tree.Node("b", "link", False, "a"), file_tree.Node("c", "file")]
    )
)
def test_the_order_of_a_listing_does_not_count(found: list[file_tree.Node]) -> None:
    assert file_tree.digest(found) == file_tree.digest(sorted(found, key=lambda node: node.path))


CHANGES: dict[str, Callable[[Path], Any]] = {
    "content": lambda root: (root / "a.txt").write_text("B"),
    "executable bit": lambda root: (root / "a.txt").chmod(0o755),
    "name": lambda root: (root / "a.txt").rename(root / "b.txt"),
    "removed": lambda root: (root / "a.txt").unlink(),
    "empty folder": lambda root: (root / "empty").mkdir(),
    "link": lambda root: [(root / "link").unlink(), (root / "link").symlink_to("sub")],
    "file instead of link": lambda root: [(root / "link").unlink(), (root / "link").write_text("A")],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("A")
    (root / "link").symlink_to("a.txt")
    (root / "dangling").symlink_to("sub/nothing")
    return root


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_that_counts_gives_another_digest(folder: Path, change: str) -> None:
    before, seen = file_tree.digest_of(str(folder), "directory"), file_tree.fingerprint(str(folder))
    CHANGES[change](folder)
    assert file_tree.digest_of(str(folder), "directory") != before
    assert file_tree.fingerprint(str(folder)) != seen


def test_times_and_other_bits_do_not_count(folder: Path) -> None:
    before = file_tree.digest_of(str(folder), "directory")
    os.utime(folder / "a.txt", (1, 1))
    (folder / "a.txt").chmod(0o600)
    (folder / "sub").chmod(0o700)
    assert file_tree.digest_of(str(folder), "directory") == before


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "sub/../../outside", "self/../outside"])
def test_a_link_that_leads_out_cannot_be_shipped(folder: Path, target: str) -> None:
    (folder / "self").symlink_to(".")
    (folder / "bad").symlink_to(target)
    with pytest.raises(ProfileError, match=r"bad: the symbolic link leads out of the folder"):
        file_tree.nodes(str(folder))


def test_what_is_no_file_cannot_be_shipped(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ProfileError, match=r"pipe: it is neither a file, a folder nor a symbolic link"):
        file_tree.nodes(str(folder))


# -- what comes to a host


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    (tmp_path / "state").mkdir()
    return StateDir(str(tmp_path / "state"))


def home(state: StateDir) -> Path:
    return Path(state.files("d"))


def install(state: StateDir, item: ShippedFile, data: bytes) -> None:
    files.install([item], {item.dest: archive(data)}, state, "d")


def test_what_was_installed_is_found_again_without_reading_it(
    folder: Path, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = item_of(folder, home(state))
    assert files.stale([item]) == [item]
    install(state, item, packed(folder, item))
    assert Path(item.dest, "link").read_text() == "A"
    assert sorted(path.name for path in home(state).iterdir()) == [item.sha256, f"{item.sha256}.seal"]
    monkeypatch.setattr(file_tree, "digest_of", lambda path, kind: pytest.fail("it was read again"))
    assert files.stale([item]) == []


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_on_the_host_is_found_and_mended(folder: Path, state: StateDir, change: str) -> None:
    item = item_of(folder, home(state))
    install(state, item, packed(folder, item))
    CHANGES[change](Path(item.dest))
    assert files.examine([item]) == ([item], {})
    install(state, item, packed(folder, item))
    assert files.stale([item]) == []


def test_what_was_only_touched_is_read_once_more(
    folder: Path, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = item_of(folder, home(state))
    install(state, item, packed(folder, item))
    os.utime(Path(item.dest, "a.txt"), (1, 1))
    wrong, unsealed = files.examine([item])
    assert (wrong, list(unsealed)) == ([], [item.dest])
    files.seal(item.dest, unsealed[item.dest])
    monkeypatch.setattr(file_tree, "digest_of", lambda path, kind: pytest.fail("it was read again"))
    assert files.stale([item]) == []


def test_a_file_keeps_its_mode(tmp_path: Path, state: StateDir) -> None:
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\n")
    digest = hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    item = ShippedFile("run.sh", "file", digest, 0o755, str(home(state) / f"{digest}-x" / "run.sh"))
    install(state, item, packed(script, item))
    assert Path(item.dest).stat().st_mode & 0o777 == 0o755
    Path(item.dest).chmod(0o644)
    assert files.stale([item]) == [item]


def made(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as found:
        for member, data in members:
            member.size = len(data)
            found.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


EVIL = {
    "leads out": (made((member("../evil"), b"x")), "which leads out"),
    "absolute": (made((member("/tmp/evil"), b"x")), "which leads out"),
    "hard link": (made((member("a", tarfile.LNKTYPE, "/etc/passwd"), b"")), "which is no file"),
    "device": (made((member("a", tarfile.CHRTYPE), b"")), "which is no file"),
    "through a link": (
        made((member("d", tarfile.SYMTYPE, "/tmp"), b""), (member("d/evil"), b"x")),
        "cannot be written",
    ),
    "a link out": (made((member("d", tarfile.SYMTYPE, "/etc"), b"")), "arrived damaged"),
    "other content": (made((member("a.txt"), b"other")), "arrived with the digest"),
    "cut off": (gzip.compress(b"x" * 2000)[:20], "arrived damaged"),
    "no archive": (b"nonsense", "arrived damaged"),
}


@pytest.mark.parametrize("case", EVIL)
def test_an_archive_that_is_not_ours_is_refused_and_leaves_nothing(folder: Path, state: StateDir, case: str) -> None:
    data, message = EVIL[case]
    item = item_of(folder, home(state))
    with pytest.raises(ProfileError, match=message):
        install(state, item, data)
    assert [path.name for path in home(state).iterdir()] == [item.sha256]
    assert list((home(state) / item.sha256).iterdir()) == []
    assert not (folder.parent / "evil").exists()


def test_a_place_outside_of_the_deployments_folder_is_refused(folder: Path, state: StateDir) -> None:
    for dest in ("/tmp/x/y", f"{home(state)}/../other/x", f"{home(state)}/x", f"{home(state)}/a/b/c"):
        item = ShippedFile("x", "file", "0" * 64, 0o644, dest)
        with pytest.raises(ProfileError, match="is not in a folder of"):
            install(state, item, b"")


def test_what_nobody_uses_any_more(tmp_path: Path) -> None:
    for name in ("a", "a.seal", "b", "b.seal", "c", ".new-x"):
        (tmp_path / name).mkdir()
    kept, mounted = [f"{tmp_path}/a/one.sh"], [f"{tmp_path}/c/folder"]
    assert files.unused(str(tmp_path), kept, mounted) == [".new-x", "b", "b.seal"]
    assert files.unused(str(tmp_path / "none"), (), ()) == []
