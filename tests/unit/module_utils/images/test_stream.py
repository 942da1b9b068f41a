# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as a stream, over real connections: who may send, what is passed on, and all that can go wrong on the way."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import start_time
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.images import inventory, receiver, sender, stream

SECRET = "secret"
LAYERS = [b"lowest" * 100, os.urandom(3 * stream.CHUNK + 17), b""]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


CONFIG = json.dumps({"rootfs": {"diff_ids": [digest(layer) for layer in LAYERS]}}).encode()
IMAGE = stream.Image(("retail/x:1", "retail/x"), digest(CONFIG), tuple(digest(layer) for layer in LAYERS))


def tar_of(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return written.getvalue()


#: as `docker save` of 20.10 writes it: in no order, with names that say nothing, and with files that nobody needs
SAVED = tar_of(
    {
        "b/layer.tar": LAYERS[1],
        "b/VERSION": b"1.0",
        "config.json": CONFIG,
        "a/layer.tar": LAYERS[0],
        "c/layer.tar": LAYERS[2],
        "manifest.json": b"[]",
    }
)


class Engine:
    """Stands in for an engine: it saves what it is given, and keeps what it loads."""

    def __init__(self, fails: Optional[str] = None) -> None:
        self.fails = fails
        self.loaded = b""
        self.saves: list[list[str]] = []

    def save(self, names: list[str]) -> Iterator[bytes]:
        self.saves.append(list(names))
        if self.fails:
            raise EngineError(self.fails)
        for start in range(0, len(SAVED), 100_000):
            yield SAVED[start : start + 100_000]

    def load(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            assert piece, "an empty piece ends a chunked request"
            self.loaded += piece
            if self.fails:
                raise EngineError(self.fails)

    def info(self) -> dict[str, Any]:
        return {"DockerRootDir": "/"}

    def files(self) -> dict[str, bytes]:
        with tarfile.open(fileobj=io.BytesIO(self.loaded)) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


class Receiving:
    """A receiver in a thread, listening on loopback with the token of its place in the tree."""

    def __init__(self, pool: ThreadPoolExecutor, token: str, engine: Engine, seconds: float = 20) -> None:
        listener = stream.listen("127.0.0.1")
        self.port: int = listener.getsockname()[1]
        self.engine = engine
        self.begun = threading.Event()
        deadline = time.monotonic() + seconds
        work: Callable[..., dict[str, Any]] = receiver.receive
        self.future: Future[dict[str, Any]] = pool.submit(work, listener, token, deadline, engine, self.begun.set)

    def node(self, name: str, *forward: stream.Receiver) -> stream.Receiver:
        return stream.Receiver(name, "127.0.0.1", self.port, forward)

    def result(self) -> dict[str, Any]:
        return self.future.result(timeout=20)

    def error(self) -> str:
        with pytest.raises(ProfileError) as caught:
            self.result()
        return str(caught.value)

    def connect(self, token: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        stream.introduce(connection, token)
        return connection


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as made:
        yield made


def transfer(root: stream.Receiver, *, blobs: Optional[set[str]] = None, archive: bool = False) -> sender.Transfer:
    wanted = {IMAGE.id, *IMAGE.layers} if blobs is None else blobs
    return sender.Transfer((IMAGE,), frozenset() if archive else frozenset(wanted), archive, root)


def send(tmp_path: Path, *transfers: sender.Transfer, engine: Optional[Engine] = None, dial: bool = True) -> Any:
    return sender.send(engine or Engine(), transfers, SECRET, str(tmp_path), dial)  # type: ignore[arg-type]


# -- all goes well


def test_images_go_down_a_tree_and_are_loaded_everywhere(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    root_token = stream.derive(SECRET, "h1")
    tokens = {"h1": root_token, "h2": stream.derive(root_token, "h2"), "h3": stream.derive(root_token, "h3")}
    tokens["h4"] = stream.derive(tokens["h2"], "h4")
    hosts = {name: Receiving(pool, token, Engine()) for name, token in tokens.items()}
    below = hosts["h2"].node("h2", hosts["h4"].node("h4"))
    builder = Engine()
    (sent,) = send(tmp_path, transfer(hosts["h1"].node("h1", below, hosts["h3"].node("h3"))), engine=builder)

    assert (sent.root, sent.lost, sent.file) == ("h1", {}, None)
    assert builder.saves == [[IMAGE.id]]
    for host in hosts.values():
        assert host.result()["lost"] == {}
        files = host.engine.files()
        (manifest,) = json.loads(files.pop("manifest.json"))
        assert manifest["RepoTags"] == ["retail/x:1", "retail/x:latest"]
        assert files[manifest["Config"]] == CONFIG
        assert [files[layer] for layer in manifest["Layers"]] == LAYERS
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_missing_travels(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    send(tmp_path, transfer(host.node("h1"), blobs={IMAGE.id, digest(LAYERS[0])}))
    assert host.result()["bytes"] < 5000
    files = host.engine.files()
    assert sorted(files) == sorted(
        ["manifest.json", stream.file_name(IMAGE.id, True), stream.file_name(digest(LAYERS[0]), False)]
    )
    assert len(json.loads(files["manifest.json"])[0]["Layers"]) == 3


def test_two_trees_that_lack_different_things_need_one_save(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    one = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    two = Receiving(pool, stream.derive(SECRET, "h2"), Engine())
    builder = Engine()
    send(tmp_path, transfer(one.node("h1")), transfer(two.node("h2"), blobs={IMAGE.id}), engine=builder)
    assert len(builder.saves) == 1
    assert one.result()["bytes"] > len(LAYERS[1]) > two.result()["bytes"]


def test_an_archive_goes_as_it_is(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    builder = Engine()
    send(tmp_path, transfer(host.node("h1"), archive=True), engine=builder)
    host.result()
    assert host.engine.loaded == SAVED
    assert builder.saves == [["retail/x:1", "retail/x:latest"]]


@pytest.mark.parametrize("dial", [False, True])
def test_what_cannot_be_dialled_goes_to_a_file_and_from_there(
    pool: ThreadPoolExecutor, tmp_path: Path, dial: bool
) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    nobody = socket.create_server(("127.0.0.1", 0))
    unreachable = stream.Receiver("h1", "127.0.0.1", nobody.getsockname()[1])
    nobody.close()
    (sent,) = send(tmp_path, transfer(unreachable), dial=dial)
    assert sent.file == str(tmp_path / "h1.stream")
    assert sent.lost == {}

    resent = sender.resend(sent.file, host.node("h1"), SECRET)
    assert (resent.root, resent.lost) == ("h1", {})
    host.result()
    assert LAYERS[1] in host.engine.files().values()


def test_spool_stays_only_with_files_in_it(tmp_path: Path) -> None:
    for name, content, stays in (("empty", None, False), ("full", "x", True)):
        with sender.spool(str(tmp_path / name)) as folder:
            assert os.stat(folder).st_mode & 0o777 == 0o700
            if content:
                Path(folder, "h1.stream").write_text(content)
        assert (tmp_path / name).exists() == stays
    with pytest.raises(ProfileError, match="no"), sender.spool(str(tmp_path / "failed")) as folder:
        Path(folder, "h1.stream").write_text("x")
        raise ProfileError("no")
    assert not (tmp_path / "failed").exists()


# -- who may send


def test_wrong_token_is_refused_and_the_right_one_still_works(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    with pytest.raises(stream.StreamError, match="does not accept our token"):
        host.connect("guessed")
    assert not host.begun.is_set()
    (sent,) = send(tmp_path, transfer(host.node("h1")))
    assert sent.lost == {}
    host.result()


def test_a_token_works_once(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    connection = host.connect(stream.derive(SECRET, "h1"))
    assert host.begun.wait(20)
    with pytest.raises(OSError):
        host.connect(stream.derive(SECRET, "h1"))
    connection.close()
    assert "ended early" in host.error()


def test_token_does_not_travel(pool: ThreadPoolExecutor) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        admitted = pool.submit(stream.admit, theirs, "token")
        nonce = stream.Reader(ours).exactly(32)
        ours.sendall(stream._proof("token", nonce))
        assert admitted.result(timeout=20)
        assert b"token" not in stream._proof("token", nonce)
    assert stream._proof("token", nonce) != stream._proof("token", os.urandom(32))


def test_deadline(pool: ThreadPoolExecutor) -> None:
    host = Receiving(pool, "token", Engine(), seconds=0)
    assert "nothing came before the deadline" in host.error()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", host.port), timeout=20)


# -- what can go wrong on the way


def corrupted(data: bytes) -> bytes:
    begin = stream.frame({"blob": digest(data), "size": len(data)})
    return begin + data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "ended early"),
        (b"GET / HTTP/1.1", "not a stream of images"),
        (stream.frame({"images": []}), "does not begin with a header"),
        (stream.frame(stream.Header((IMAGE,)).as_dict()), "ended early"),
        (stream.frame(stream.Header((IMAGE,)).as_dict()) + corrupted(LAYERS[0]), "changed on its way"),
        (
            stream.frame(stream.Header((IMAGE,)).as_dict())
            + stream.frame({"blob": digest(LAYERS[0]), "size": len(LAYERS[0])})
            + LAYERS[0][:-1],
            "ended early",
        ),
        (
            stream.frame(stream.Header((IMAGE,)).as_dict()) + stream.frame({"blob": digest(b"x"), "size": 1}) + b"x",
            "belongs to none of the images",
        ),
        (
            stream.frame(stream.Header((IMAGE,)).as_dict()) + stream.frame({"error": "no room"}),
            "the sender failed: no room",
        ),
        (stream.frame(stream.Header((IMAGE,)).as_dict()) + stream.frame({"blob": 1}), "not a stream of images"),
    ],
    ids=["nothing", "http", "header", "truncated", "checksum", "short", "foreign", "sender", "frame"],
)
def test_a_stream_that_is_not_as_it_should_be(pool: ThreadPoolExecutor, sent: bytes, why: str) -> None:
    host = Receiving(pool, "token", Engine())
    with host.connect("token") as connection:
        connection.sendall(sent)
        with contextlib.suppress(OSError):  # it may have hung up already
            connection.shutdown(socket.SHUT_WR)
        assert why in host.error()


def test_the_end_of_what_was_changed_on_its_way_is_not_handed_on() -> None:
    saved = tar_of({"manifest.json": b"[]", "layer.tar": os.urandom(stream.CHUNK)})
    came = io.BytesIO(corrupted(saved) + stream.frame({"end": True}))
    header = stream.Header((), archive=True)
    handed = bytearray()
    with pytest.raises(stream.StreamError, match="changed on its way"):
        for piece in stream.archive(header, stream.relayed(stream.Reader(came), stream.Branches(header, ""))):
            handed += piece
    assert saved.startswith(handed)
    with pytest.raises(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(handed)) as tar:
        tar.extractfile("layer.tar").read()


def test_load_that_fails_is_told_and_the_others_get_theirs(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    token = stream.derive(SECRET, "h1")
    first = Receiving(pool, token, Engine(fails="no space left on device"))
    second = Receiving(pool, stream.derive(token, "h2"), Engine())
    (sent,) = send(tmp_path, transfer(first.node("h1", second.node("h2"))))
    assert sent.lost == {}
    assert "could not load the images: no space left on device (" in first.error()
    second.result()
    assert LAYERS[1] in second.engine.files().values()


def test_host_behind_one_that_is_gone_gets_its_images(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    token = stream.derive(SECRET, "h1")
    first = Receiving(pool, token, Engine())
    gone_token = stream.derive(token, "h2")
    behind = Receiving(pool, stream.derive(gone_token, "h3"), Engine())
    server = socket.create_server(("127.0.0.1", 0))
    gone = stream.Receiver("h2", "127.0.0.1", server.getsockname()[1], (behind.node("h3"),))
    server.close()
    send(tmp_path, transfer(first.node("h1", gone)))
    lost = first.result()["lost"]
    assert list(lost) == ["h2"]
    assert "cannot connect to 127.0.0.1" in lost["h2"]
    behind.result()
    assert LAYERS[1] in behind.engine.files().values()


def test_branch_that_breaks_off_is_given_up_with_all_behind_it(pool: ThreadPoolExecutor) -> None:
    token = stream.derive(SECRET, "h1")
    host = Receiving(pool, token, Engine())
    node = host.node("h1", stream.Receiver("h2", "127.0.0.1", 1))
    branches = stream.Branches(stream.Header((IMAGE,), forward=(node,)), SECRET)
    connection = next(iter(branches.connections.values()))
    connection.shutdown(socket.SHUT_WR)
    branches.write(b"x")
    assert set(branches.lost) == {"h1", "h2"}
    assert branches.connections == {}
    assert "ended early" in host.error()
    branches.write(b"x")


def test_engine_that_cannot_save(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    with pytest.raises(ProfileError, match="retail/x:1, retail/x cannot be sent: No such image"):
        send(tmp_path, transfer(host.node("h1")), engine=Engine(fails="No such image"))
    assert "the sender failed: No such image" in host.error()


def test_engine_that_does_not_save_a_layer_that_is_wanted(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    host = Receiving(pool, stream.derive(SECRET, "h1"), Engine())
    with pytest.raises(ProfileError, match="did not save 1 of the layers"):
        send(tmp_path, transfer(host.node("h1"), blobs={IMAGE.id, digest(b"other")}))
    assert "did not save 1 of the layers" in host.error()


class Store:
    """Stands in for an engine with one image."""

    def __init__(self, image: Optional[dict[str, Any]]) -> None:
        self.found = image

    def image(self, name: str) -> Optional[dict[str, Any]]:
        return self.found


def test_what_was_loaded_is_verified() -> None:
    raw = {"Id": "sha256:1", "Created": "x", "RootFS": {"Layers": ["sha256:a"]}}
    expected = [receiver.Expected("i:1", inventory.described(raw))]
    assert receiver.verify(Store(raw), expected) == {"i:1": "sha256:1"}  # type: ignore[arg-type]
    for found, has in (({**raw, "Id": "sha256:2", "Created": "y"}, "sha256:2"), (None, "nothing")):
        with pytest.raises(ProfileError, match=f"i:1 should be sha256:1, but the engine has {has}"):
            receiver.verify(Store(found), expected)  # type: ignore[arg-type]


# -- the process of a receiver


def test_receiver_process_leaves_its_outcome_and_then_nothing(tmp_path: Path) -> None:
    folder = receiver.Folder(str(tmp_path), "one")
    receiver.start(folder, lambda: {"bytes": 7, "lost": {}}, stream.listen("127.0.0.1"))
    folder.mark_begun()
    assert receiver.collect(folder, 20) == {"bytes": 7, "lost": {}, "error": None}
    assert list(tmp_path.iterdir()) == []
    assert receiver.collect(folder, 20) is None


@pytest.mark.parametrize(
    ("failure", "told"), [(ProfileError("no room"), "no room"), (KeyError("x"), "the receiver failed (KeyError: 'x')")]
)
def test_receiver_process_that_fails(tmp_path: Path, failure: Exception, told: str) -> None:
    def work() -> dict[str, Any]:
        raise failure

    folder = receiver.Folder(str(tmp_path), "one")
    receiver.start(folder, work, stream.listen("127.0.0.1"))
    folder.mark_begun()
    assert receiver.collect(folder, 20) == {"error": told}


@pytest.mark.parametrize(("begun", "why"), [(False, "no host connected"), (True, "it was not done after 0 s")])
def test_receiver_process_that_waits_in_vain_is_ended(tmp_path: Path, begun: bool, why: str) -> None:
    folder = receiver.Folder(str(tmp_path), "one")
    listener = stream.listen("127.0.0.1")
    port = listener.getsockname()[1]
    receiver.start(folder, lambda: {"peer": str(listener.accept())}, listener)
    pid = int(Path(folder.pid).read_text())
    with pytest.raises(ProfileError, match="runs already"):
        folder.make()
    if begun:
        folder.mark_begun()
    outcome = receiver.collect(folder, 0)
    assert start_time(pid) is None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=20)
    assert outcome is not None
    assert why in outcome["error"]
    assert list(tmp_path.iterdir()) == []


def test_receiver_process_holds_nothing_of_who_started_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    folder = receiver.Folder(str(tmp_path), "one")
    listener = stream.listen("127.0.0.1")
    receiver.start(folder, lambda: {"peer": str(listener.accept())}, listener)
    os.close(writer)
    assert os.read(reader, 1) == b"", "it has the pipe open"
    os.close(reader)
    assert receiver.collect(folder, 0) is not None


def test_what_dead_receivers_left_is_swept(tmp_path: Path) -> None:
    for name in ("dead", "killed"):
        (tmp_path / "transfers" / name).mkdir(parents=True)
    (tmp_path / "transfers" / "killed" / "lock").touch()
    assert receiver.sweep(str(tmp_path)) == ["dead", "killed"]
    assert list(tmp_path.iterdir()) == []
    assert receiver.sweep(str(tmp_path)) == []


def test_address_to_listen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "addresses", lambda: ["192.0.2.7", "fd00::7"])
    assert receiver.own_address(["127.0.1.1", "192.0.2.7"]) == "192.0.2.7"
    assert receiver.own_address(["127.0.0.1"]) == "127.0.0.1"
    for given in (["192.0.2.9"], []):
        with pytest.raises(ProfileError, match="set the host variable profile_address"):
            receiver.own_address(given)


def test_listening_where_it_cannot_be() -> None:
    with pytest.raises(ProfileError, match=r"cannot listen on 192\.0\.2\.1, port any"):
        stream.listen("192.0.2.1")


# -- what an engine has


def test_chains_tell_layers_apart_by_what_is_below_them() -> None:
    one, two = inventory.chains(["sha256:aa", "sha256:bb"]), inventory.chains(["sha256:cc", "sha256:bb"])
    assert one[0] == "aa"
    assert one[1] != two[1]
    whole = hashlib.sha256(b"sha256:aa sha256:bb").hexdigest()
    assert whole.startswith(one[1])
    assert len(one[1]) == 16


def test_described_images_are_compared_by_id_and_by_content() -> None:
    raw: dict[str, Any] = {
        "Id": "sha256:1",
        "Created": "2026-01-01T00:00:00Z",
        "RootFS": {"Layers": ["sha256:a"]},
        "Config": {"Cmd": ["x"], "Labels": {"retail.profiles.context": "d", "other": "x"}, "Env": None},
    }
    one = inventory.described(raw)
    assert one["labels"] == {"retail.profiles.context": "d"}
    # As an engine with the containerd image store has it; and it shows what is empty in another way.
    other = {**raw, "Id": "sha256:2", "Config": {**raw["Config"], "Env": [], "Entrypoint": None}}
    assert inventory.same(inventory.described(other), one)
    for change in ({"Created": "later"}, {"RootFS": {}}, {"Config": {**raw["Config"], "Cmd": ["y"]}}):
        assert not inventory.same(inventory.described({**raw, "Id": "sha256:2", **change}), one)
    assert inventory.same(inventory.described({**raw, "Created": "shown in another way"}), one)
    assert not inventory.same(None, one)


def test_containerd_store_is_known() -> None:
    assert inventory.uses_containerd({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]})
    assert not inventory.uses_containerd({"DriverStatus": [["Backing Filesystem", "extfs"]]})
