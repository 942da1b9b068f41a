# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of image_transfer: a receiver that waits, a sender, and how the receiver fared."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import image_transfer
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.images import inventory, receiver, sender

from .arguments import completed

RAW: dict[str, Any] = {"Id": "sha256:1", "RootFS": {"Layers": ["sha256:a"]}, "Config": {}}
ROOT = {"name": "h1", "address": "192.0.2.1", "port": 7}
TRANSFER = {"images": [{"names": ["i:1"], "id": "sha256:1"}], "root": ROOT}


class Engine:
    def image(self, name: str) -> Optional[dict[str, Any]]:
        return RAW if name == "i:1" else None


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the engine was connected with."""
    asked: list[tuple[Any, ...]] = []

    def connect(*more: Any) -> Engine:
        asked.append(more)
        return Engine()

    monkeypatch.setattr(image_transfer, "connect", connect)
    return asked


def call(tmp_path: Path, state: str, **more: Any) -> dict[str, Any]:
    params = completed(image_transfer.argument_spec(), state=state, name="t", state_dir=str(tmp_path), **more)
    return image_transfer.answer(params, False, False)


# -- awaited


class Started:
    """What the receiver's process would do."""

    def __init__(self) -> None:
        self.folder: Optional[receiver.Folder] = None
        self.work: Callable[[], Mapping[str, Any]] = dict
        self.port = 0

    def start(self, folder: receiver.Folder, work: Callable[[], Mapping[str, Any]], listener: socket.socket) -> None:
        self.folder, self.work, self.port = folder, work, listener.getsockname()[1]
        listener.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    made = Started()
    monkeypatch.setattr(receiver, "start", made.start)
    monkeypatch.setattr(receiver, "addresses", lambda: ["192.0.2.7"])
    return made


def test_a_receiver_waits_at_the_address_that_it_tells(
    tmp_path: Path, started: Started, dialled: list[tuple[Any, ...]]
) -> None:
    told = call(tmp_path, "awaited", token="t", addresses=["127.0.0.1"])
    assert told == {"failed": False, "changed": True, "address": "127.0.0.1", "port": started.port}
    assert started.folder is not None and started.folder.path == f"{tmp_path}/transfers/t"
    assert dialled == [(None,)]


def test_what_was_received_is_verified(
    tmp_path: Path, started: Started, dialled: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def receive(
        _listener: Any, token: str, _deadline: float, _engine: Any, begun: Callable[[], None]
    ) -> dict[str, Any]:
        begun()
        return {"bytes": 3, "lost": {}, "token": token}

    monkeypatch.setattr(receiver, "receive", receive)
    expected = {"i:1": inventory.described(RAW)}
    call(tmp_path, "awaited", token="t", addresses=["127.0.0.1"], images=expected, timeout=60, docker_host="unix:///x")
    assert started.folder is not None
    Path(started.folder.path).mkdir(parents=True)
    assert started.work() == {"bytes": 3, "lost": {}, "token": "t", "ids": {"i:1": "sha256:1"}}
    assert Path(started.folder.begun).exists()
    assert dialled == [("unix:///x",), ("unix:///x", 60)]


def test_where_no_address_is_the_hosts_nothing_is_started(
    tmp_path: Path, started: Started, dialled: list[tuple[Any, ...]]
) -> None:
    told = call(tmp_path, "awaited", token="t", addresses=["192.0.2.9"])
    assert told["failed"] and "set the host variable profile_address" in told["msg"]
    assert started.folder is None


def test_a_missing_engine_is_told_before_the_stream_comes(
    tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_more: Any) -> Engine:
        raise EngineError("there is no Docker Engine")

    monkeypatch.setattr(image_transfer, "connect", connect)
    told = call(tmp_path, "awaited", token="t", addresses=["127.0.0.1"])
    assert told == {"failed": True, "msg": "there is no Docker Engine"}
    assert started.folder is None


# -- sent


def test_transfers_are_sent_from_the_engine(
    tmp_path: Path, dialled: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def send(_engine: Any, transfers: Any, secret: str, folder: str, dial: bool) -> list[sender.Sent]:
        asked.append((transfers, secret, folder, dial))
        return [sender.Sent("h1", 9, {"h2": "away"})]

    @contextlib.contextmanager
    def spool(path: str) -> Iterator[str]:
        yield path

    monkeypatch.setattr(sender, "send", send)
    monkeypatch.setattr(sender, "spool", spool)
    told = call(tmp_path, "sent", secret="s", transfers=[TRANSFER], dial=False, timeout=60)
    assert told == {
        "failed": False,
        "changed": True,
        "sent": [{"root": "h1", "bytes": 9, "lost": {"h2": "away"}, "file": None}],
    }
    ((transfers, secret, folder, dial),) = asked
    assert (secret, folder, dial) == ("s", f"{tmp_path}/sending-t", False)
    assert transfers[0].images[0].names == ("i:1",) and transfers[0].root.address == "192.0.2.1"
    assert dialled == [(None, 60)]


def test_what_was_kept_in_a_file_is_sent_from_there(
    tmp_path: Path, dialled: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "resend", lambda path, root, secret: sender.Sent(root.name, len(path + secret)))
    told = call(tmp_path, "sent", secret="s", transfers=[TRANSFER], path="/kept")
    assert told["sent"] == [{"root": "h1", "bytes": 6, "lost": {}, "file": None}]
    assert dialled == []


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = call(tmp_path, "sent", secret="s", transfers=[TRANSFER], path=f"{tmp_path}/none")
    assert told == {"failed": True, "msg": f"{tmp_path}/none cannot be read: No such file or directory"}


# -- received


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ({"bytes": 7, "error": None}, {"failed": False, "changed": True, "bytes": 7}),
        ({"error": "no room"}, {"failed": True, "msg": "the images were not received: no room"}),
        (None, {"failed": True, "msg": "there is no receiver t on this host: state=awaited comes first"}),
    ],
)
def test_how_a_receiver_fared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Optional[dict[str, Any]], told: dict[str, Any]
) -> None:
    asked: list[tuple[str, float]] = []

    def collect(folder: receiver.Folder, timeout: float) -> Optional[dict[str, Any]]:
        asked.append((folder.path, timeout))
        return outcome

    monkeypatch.setattr(receiver, "collect", collect)
    assert call(tmp_path, "received", timeout=60) == told
    assert asked == [(f"{tmp_path}/transfers/t", 60)]


def test_secrets_are_masked_and_needed_where_they_are_used() -> None:
    spec = image_transfer.argument_spec()
    assert all(spec[name]["no_log"] for name in ("secret", "token"))
    assert set(image_transfer.REQUIRED_IF) == {("state", "awaited", ("token",)), ("state", "sent", ("secret",))}


def test_a_state_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_params: Mapping[str, Any]) -> dict[str, Any]:
        raise ProfileError("odd")

    monkeypatch.setitem(image_transfer._STATES, "received", fail)
    assert call(tmp_path, "received") == {"failed": True, "msg": "odd"}
