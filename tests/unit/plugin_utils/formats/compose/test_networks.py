# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and ports of a Compose file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    canonical,
    networks,
)

from ...world import World
from .shop import shop, task


def test_a_service_joins_the_network_of_another(world: World) -> None:
    text = "services: {a: {image: i}, b: {image: i, network_mode: 'service:a', pid: 'service:a'}}"
    joined = task(world.plan_foreign(shop(world, text)), "b")
    assert (joined["network_mode"], joined["pid_mode"]) == ("container:d-a-1", "container:d-a-1")


def test_a_mode_of_another_name_is_a_network_of_the_hosts(world: World) -> None:
    text = "services: {a: {image: i, network_mode: plant}, b: {image: i}}"
    made = world.plan_foreign(shop(world, text))
    assert task(made, "a")["networks"] == [{"name": "plant", "aliases": ["a"]}]
    assert not any("network_mode" in warning for warning in made["warnings"])
    with pytest.raises(ProfileError, match=r"'plant' is a network of the hosts, .* write networks: .plant."):
        world.plan_foreign(shop(world, f"{text}\nnetworks: {{plant: }}\n"))


@given(st.integers(1, 65000), st.integers(0, 5), st.sampled_from(["", "10.0.0.1:", "[::1]:", "0.0.0.0:"]))
def test_ranges_of_ports_are_published_one_to_one(first: int, more: int, address: str) -> None:
    written = f"{address}{first}-{first + more}:{first}-{first + more}/udp"
    made = [port.as_option() for port in networks.ports(canonical.port_specs(written))]
    shown = address if address not in ("", "0.0.0.0:") else "127.0.0.1:"
    assert made == [f"{shown}{first + n}:{first + n}/udp" for n in range(more + 1)]
