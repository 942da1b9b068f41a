# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the engine: what it makes of lists and names, and how it is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import (
    Listed,
    Published,
    Turnstile,
    connect,
    listed,
    split_image,
)


def test_a_list_of_containers() -> None:
    found = listed(
        [
            {
                "Id": "1",
                "Names": ["/other/alias", "/a"],
                "Image": "i",
                "Labels": None,
                "State": "running",
                "Ports": [
                    {"PrivatePort": 1, "Type": "tcp"},
                    {"IP": "10.0.0.1", "PrivatePort": 1, "PublicPort": 80, "Type": "tcp"},
                    {"IP": "10.0.0.1", "PrivatePort": 1, "PublicPort": 80, "Type": "tcp"},
                ],
            },
            {"Id": "2", "Names": None},
        ]
    )
    assert found == {"a": Listed("a", "1", {}, "i", "running", (Published("10.0.0.1", 80, "tcp", 1),))}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a", "latest")),
        ("a:1", ("a", "1")),
        ("r:5000/a", ("r:5000/a", "latest")),
        ("r:5000/a:1", ("r:5000/a", "1")),
        ("a@sha256:0", ("a", "sha256:0")),
    ],
)
def test_image_names(name: str, parts: tuple[str, str]) -> None:
    assert split_image(name) == parts


def test_a_turnstile_lets_so_many_through_and_more_for_the_slow() -> None:
    import threading

    turnstile = Turnstile(1, patience=0.05)
    inside, leave = threading.Event(), threading.Event()

    def slow() -> None:
        with turnstile.passing():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    with turnstile.passing():  # passes only because the slow one has used up its patience
        assert thread.is_alive()
    leave.set()
    thread.join()
    patient = Turnstile(1, patience=1000)
    for _turn in range(3):  # no place is given back twice, none is lost
        with patient.passing():
            assert not patient._places.acquire(blocking=False)


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"there is no Docker Engine at .*prepare_hosts\.yml"):
        connect(f"unix://{tmp_path}/docker.sock")
    (tmp_path / "docker.sock").write_text("")
    with pytest.raises(EngineError, match="does not answer"):
        connect(f"unix://{tmp_path}/docker.sock")
