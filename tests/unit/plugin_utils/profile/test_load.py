# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear error each, that says what, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World

ONE = "containers:\n  - name: one\n    image: i\n"


BAD = {
    "not YAML": ("containers: [", r"profile.yml:1: this is not valid YAML"),
    "a key twice": ("containers: []\ncontainers: []\n", r"profile.yml:2: the key 'containers' stands here twice"),
    "nothing": ("", r"profile.yml: a profile is a mapping"),
    "no containers": ("description: d\n", r"'containers' must be a list of at least one container"),
    "unknown field": (
        ONE + "    entrypiont: x\n",
        r"profile.yml:4, container one: unknown field 'entrypiont': did you mean 'entrypoint'",
    ),
    "unknown top field": (
        ONE + "build: {}\n",
        r"profile.yml:4, field build: unknown field 'build': did you mean 'builds'",
    ),
    "no image": ("containers:\n  - name: one\n", r"profile.yml:2, container one: the field 'image' is missing"),
    "bad name": (
        "containers:\n  - name: O/ne\n    image: i\n",
        r"profile.yml:2, container O/ne, field name: 'O/ne' may hold",
    ),
    "same name": (
        ONE + "  - name: one\n    image: i\n",
        r"profile.yml:4, container one, field name: another container",
    ),
    "bad type": (
        ONE + "    replicas: many\n",
        r"profile.yml:4, container one, field replicas: expected a whole number",
    ),
    "both counts": (
        ONE + "    replicas: 1\n    replicas_per_host: 1\n",
        r"give replicas or replicas_per_host, not both",
    ),
    "no room": (
        ONE + "    replicas: 9\n    max_per_host: 1\n",
        r"9 replicas do not fit on the hosts of 'all': h1, h2, h3, h10: max_per_host allows 1 on each",
    ),
    "no env file": (
        ONE + "    env_file: x.env\n",
        r"profile.yml:4, container one, field env_file: 'x.env' is not in the profile's",
    ),
    "env file outside": (ONE + "    env_file: ../x.env\n", r"'../x.env' leads out of the profile's folder"),
    "no host": (ONE + "    hosts: nowhere\n", r"container one, field hosts: the pattern 'nowhere' matches no host"),
    "unknown dependency": (ONE + "    depends_on: [two]\n", r"depends on 'two', but the profile has one"),
    "bad volume": (ONE + "    volumes: [x]\n", r"container one, field volumes: 'x' is not SOURCE:TARGET"),
    "volume outside": (ONE + "    volumes: ['./../x:/x']\n", r"leads out of the profile's folder"),
    "bad port": (ONE + "    ports: {grpc: 70000}\n", r"field ports: grpc: 70000 is not a port"),
    "bad metric": (
        ONE + "    metrics: {fps: {log: a, regex: (b)}}\n",
        r"field metrics: fps: expected exactly one of log",
    ),
    "a bad value far inside": (
        ONE + "    ready:\n      tcp: 1\n      http:\n        path: /\n        status: many\n",
        r"profile.yml:8, container one, field ready: http: status: expected a whole number",
    ),
    "an unknown field far inside": (
        ONE + "    metrics:\n      fps:\n        log: a\n        knid: gauge\n",
        r"profile.yml:7, container one, field metrics: fps: unknown field 'knid': did you mean 'kind'",
    ),
    "a bad item of a list": (
        ONE + "    args:\n      - a\n      - {b: c}\n",
        r"profile.yml:6, container one, field args",
    ),
    "a variable without a name": (ONE + "    env: {'': b}\n", r"field env: : the name of a variable is not empty"),
    "a passed option by its other name": (
        ONE + "    docker:\n      init: true\n      image: x\n",
        r"profile.yml:6, .*docker.image cannot be given",
    ),
    "regex without group": (ONE + "    metrics: {fps: {regex: b}}\n", r"needs a group"),
    "bad probe": (ONE + "    ready: {tpc: 1}\n", r"unknown field 'tpc': did you mean 'tcp'"),
    "probe without port": (
        ONE + "    ready: {tcp: web}\n",
        r"field ready: there is no port named 'web': 'ports' is empty",
    ),
    "docker option of ours": (ONE + "    docker: {image: j}\n", r"docker.image cannot be given: use the field 'image'"),
    "undefined variable": (ONE + "    args: ['{{ nothing }}']\n", r"field args: cannot be rendered: .*nothing"),
    "host with others": (ONE + "    networks: [host, a]\n", r"field networks: host stands alone"),
    "use nothing": (
        "containers:\n  - {name: a, use: nosuch/b}\n",
        r"profile.yml:2, field use: there is no profile 'nosuch'",
    ),
    "use no entry": (
        "containers:\n  - {name: a, use: ovms/b}\n",
        r"profile 'ovms' has no container 'b'; it has server, client",
    ),
}


@pytest.mark.parametrize("text,message", BAD.values(), ids=BAD)
def test_a_bad_profile_gives_one_clear_error(world: World, text: str, message: str) -> None:
    world.write("bad", text)
    with pytest.raises(ProfileError, match=message):
        world.plan("bad")


def test_a_cycle_is_shown(world: World) -> None:
    world.write(
        "bad",
        "containers:\n  - {name: a, image: i, depends_on: [b]}\n  - {name: b, image: i, depends_on: [c]}\n"
        "  - {name: c, image: i, depends_on: [a]}\n",
    )
    with pytest.raises(ProfileError, match=r"in a circle: a -> b -> c -> a"):
        world.plan("bad")


def test_a_setting_for_no_container_is_named(world: World) -> None:
    with pytest.raises(
        ProfileError,
        match=r"profile_replicas names 'clinet', but the profile has server, client: did you mean 'client'\?",
    ):
        world.plan("ovms", replicas={"clinet": 2})


def test_a_bad_ovms_configuration_is_named(world: World) -> None:
    (world.root / "ovms" / "config.json").write_text('{"model_config_list": [{"name": "x"}]}', encoding="utf-8")
    with pytest.raises(
        ProfileError, match=r"container server, field volumes: config.json is not an OVMS configuration"
    ):
        world.plan("ovms")


def test_a_link_out_of_the_profile_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("A=1", encoding="utf-8")
    world.write("bad", ONE + "    env_file: link.env\n")
    (world.root / "bad" / "link.env").symlink_to(tmp_path / "secret")
    with pytest.raises(ProfileError, match="leads out of the profile's folder"):
        world.plan("bad")
