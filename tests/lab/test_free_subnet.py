# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network a new lab gets. Hypothesis looks for routing tables that lead to an overlap."""

from __future__ import annotations

import ipaddress
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "lab" / "files" / "free_subnet.py"
free_subnet: Any = runpy.run_path(str(PROGRAM))["free_subnet"]

POOL = "10.213.0.0/16"
ROUTES = """\
default via 192.0.2.1 dev eth0
0.0.0.0/0 via 192.0.2.1 dev tun0
10.213.0.0/17 dev vpn proto kernel scope link src 10.213.0.1
local 10.213.128.7 dev lo table local
"""


def networks(pool: str) -> st.SearchStrategy[str]:
    """Networks in or around a pool, in CIDR form."""
    base = ipaddress.IPv4Network(pool)
    address = st.integers(int(base.network_address), int(base.broadcast_address))
    return st.builds(lambda a, p: str(ipaddress.IPv4Network((a, p), strict=False)), address, st.integers(17, 32))


@given(st.text(min_size=1), st.lists(networks(POOL), max_size=20))
def test_is_a_24_of_the_pool_that_overlaps_nothing(name: str, used: list[str]) -> None:
    taken = [ipaddress.IPv4Network(text) for text in used]
    free = [net for net in ipaddress.IPv4Network(POOL).subnets(new_prefix=24) if not any(map(net.overlaps, taken))]
    if free:
        assert ipaddress.IPv4Network(free_subnet(POOL, name, " ".join(used))) in free
    else:
        with pytest.raises(ValueError, match="overlaps a route"):
            free_subnet(POOL, name, " ".join(used))


def test_reads_routes_and_is_not_hindered_by_the_default_one() -> None:
    found = {ipaddress.IPv4Network(free_subnet(POOL, str(number), ROUTES)) for number in range(2000)}
    everything = set(ipaddress.IPv4Network("10.213.128.0/17").subnets(new_prefix=24))
    assert found == everything - {ipaddress.IPv4Network("10.213.128.0/24")}


def test_a_name_comes_back_to_its_network() -> None:
    assert free_subnet(POOL, "default", "") == free_subnet(POOL, "default", "10.212.0.0/16")
    assert free_subnet(POOL, "default", "") != free_subnet(POOL, "other", "")


@pytest.mark.parametrize("pool", ["10.213.0.0/25", "10.213.0.1/16", "fd00::/48", "the usual"])
def test_pool_that_cannot_be(pool: str) -> None:
    with pytest.raises(ValueError, match="set lab_network_pool"):
        free_subnet(pool, "default", "")
