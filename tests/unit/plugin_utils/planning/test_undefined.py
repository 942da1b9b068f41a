# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All variables that a profile lacks are told in one error, each with its place."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World

PROFILE = """containers:
  - name: server
    image: "{{ registry }}/a:{{ tag }}"
    env:
      KNOWN: "{{ replica.name }} {{ optional | default('') }}"
      LACKING: "{{ size }}"
    args: [--n, "{{ size }}"]
    ports: {grpc: 9000}
    replicas: 2
  - name: client
    image: b:1
    depends_on: [server]
    env:
      SERVER: "{{ peers.server.address }}"
      RATE: "{{ rate }}-{{ replica.index }}"
"""


def test_all_are_told_at_once(world: World) -> None:
    file = world.write("p", PROFILE)
    with pytest.raises(ProfileError) as caught:
        world.plan("p")
    assert str(caught.value) == (
        "variables are undefined: give them in the inventory or with -e: "
        f"{file}:3, container server, field image: 'registry'; {file}:3, container server, field image: 'tag'; "
        f"{file}:6, container server, field env: 'size'; {file}:7, container server, field args: 'size'; "
        f"{file}:15, container client, field env: 'rate'"
    )


def test_one_is_told_as_it_is(world: World) -> None:
    given = {"{{ registry }}/": "", "{{ tag }}": "1", "{{ size }}": "1"}
    text = PROFILE
    for wanted, value in given.items():
        text = text.replace(wanted, value)
    file = world.write("p", text)
    with pytest.raises(ProfileError) as caught:
        world.plan("p")
    assert str(caught.value) == (
        f"{file}:13, container client, field env: cannot be rendered: 'rate' is undefined: "
        "give it in the inventory or with -e"
    )


def test_what_is_wrong_besides_is_told_when_all_are_there(world: World) -> None:
    world.write("p", PROFILE.replace("{{ rate }}", "{{ replica.nothing }}{{ rate }}"))
    with pytest.raises(ProfileError, match=r"field args: 'size'$"):
        world.plan("p")
