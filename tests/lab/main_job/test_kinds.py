# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of several kinds of hosts: each is of the kind that the inventory says."""

from __future__ import annotations

import json
from typing import Any

from ..over_ssh import kinds
from .conftest import Fleet

#: the least version of Docker Engine of a release of Debian
ENGINES = {"bookworm": (20, 10), "trixie": (26, 1), "sid": (28, 0)}
INFO = "docker info --format '{{json .}}' 2>/dev/null"


def test_every_host_is_of_its_kind(fleet: Fleet) -> None:
    told: dict[str, Any] = {host: json.loads(text) for host, text in fleet.shells("all", INFO).items()}
    expected = kinds(fleet.inventory)
    assert set(told) == set(expected)
    for host, info in told.items():
        release, _hyphen, store = expected[host].partition("-")
        major, minor = (int(part) for part in info["ServerVersion"].split(".")[:2])
        assert (major, minor) >= ENGINES[release]
        assert (major, minor) < min((least for least in ENGINES.values() if least > ENGINES[release]), default=(99, 0))
        assert info["Driver"] == ("overlayfs" if store else "overlay2")
