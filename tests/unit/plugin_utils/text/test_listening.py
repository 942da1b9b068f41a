# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import listening
from ansible_collections.retail.profiles.plugins.plugin_utils.text.listening import Listening


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9464", Listening("127.0.0.1", 9464)),
        ("0.0.0.0:9464", Listening("0.0.0.0", 9464)),
        ("localhost:80", Listening("localhost", 80)),
        ("[::1]:9464", Listening("::1", 9464)),
        (" 10.0.0.1:1 ", Listening("10.0.0.1", 1)),
    ],
)
def test_addresses(text: str, expected: Listening) -> None:
    assert listening.parse(text, "measure_live") == expected
    assert listening.parse(str(expected), "measure_live") == expected


@pytest.mark.parametrize("text", ["", "host", ":9464", "::1:9464", "1.2.3.4:", "9464/metrics", "1.2.3.4:65536", "-1"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ProfileError, match="is no ADDRESS:PORT") as caught:
        listening.parse(text, "measure_live")
    assert "measure_live" in str(caught.value)


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        where = Listening("127.0.0.1", other.getsockname()[1])
        with pytest.raises(ProfileError, match=rf"{where} cannot be listened on: Address already in use"):
            where.bound("measure_live")


@pytest.mark.parametrize("address", ["203.0.113.7", "no.such.host.invalid", "x" * 70, "a..b"])
def test_an_address_of_another_machine_is_told(address: str) -> None:
    with pytest.raises(ProfileError, match=f"{address}:9464"):
        Listening(address, 9464).bound("measure_live")


def test_a_bound_socket_listens() -> None:
    with Listening("127.0.0.1", 0).bound("measure_live") as bound, socket.create_connection(bound.getsockname()):
        accepted, _peer = bound.accept()
        accepted.close()
