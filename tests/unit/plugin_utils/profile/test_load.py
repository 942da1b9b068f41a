# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear error each, that says what, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import search
from ansible_collections.retail.profiles.plugins.plugin_utils.text import yaml_document

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
    with pytest.raises(ProfileError, match=r"profile_replicas names 'clinet', but the profile has server, client"):
        world.plan("ovms", replicas={"clinet": 2})


def test_a_bad_ovms_configuration_is_named(world: World) -> None:
    (world.root / "ovms" / "config.json").write_text('{"model_config_list": [{"name": "x"}]}', encoding="utf-8")
    with pytest.raises(
        ProfileError, match=r"container server, field volumes: config.json is not an OVMS configuration"
    ):
        world.plan("ovms")


@pytest.mark.parametrize(
    "profile,message",
    [
        ("ovmss", r"there is no profile 'ovmss': did you mean 'ovms'\? profiles that exist: ovms"),
        ("zzz", r"there is no profile 'zzz': profiles that exist: ovms"),
        ("", r"no profile is named"),
        ("../ovms", r"must not contain '\.\.'"),
        ("/etc/cron.d", r"folder of the operating system"),
        ("/", r"folder of the operating system"),
        ("/nowhere/at/all", r"profile.yml is missing"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(world: World, profile: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        search.find_profile(profile, [world.root])


def test_a_profile_is_found_by_name_and_by_path(world: World) -> None:
    assert search.find_profile("ovms", [world.root]) == world.root / "ovms" / "profile.yml"
    assert search.find_profile(str(world.root / "ovms"), []) == world.root / "ovms" / "profile.yml"


def test_a_link_out_of_the_profile_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("A=1", encoding="utf-8")
    world.write("bad", ONE + "    env_file: link.env\n")
    (world.root / "bad" / "link.env").symlink_to(tmp_path / "secret")
    with pytest.raises(ProfileError, match="leads out of the profile's folder"):
        world.plan("bad")


def test_merged_keys_stand_below_a_mappings_own() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  x: 3\nc: {<<: [*b, *a], z: 4}\n"
    value = yaml_document.parse(text, "x.yml").value
    assert (value["b"], value["c"]) == ({"x": 3, "y": 2}, {"x": 3, "y": 2, "z": 4})
    with pytest.raises(ProfileError, match=r"x.yml:1: the key 'x' stands here twice"):
        yaml_document.parse("{<<: {x: 1}, x: 2, x: 3}", "x.yml")


@pytest.mark.parametrize("text", ["a: &a [*a]", "[" * 5000])
def test_yaml_without_an_end_is_one_error(text: str) -> None:
    with pytest.raises(ProfileError, match=r"x.yml: this YAML is nested too deeply"):
        yaml_document.parse(text, "x.yml")


def test_plain_scalars_are_text_but_for_json_s_own() -> None:
    text = "[on, 22:22, 012, 1.10, 2024-01-01, 0x1f, ~, true, -7]"
    value = yaml_document.parse(text, "x.yml", plain_scalars=True).value
    assert value == ["on", "22:22", "012", "1.10", "2024-01-01", "0x1f", None, True, -7]


@given(st.text(alphabet="ab:-[]{}\n \"'#&*!|>%@`,?", max_size=40))
def test_any_text_parses_or_gives_a_profile_error(text: str) -> None:
    try:
        document = yaml_document.parse(text, "x.yml")
    except ProfileError as error:
        assert str(error).startswith("x.yml")
    else:
        assert document.line(()) is None or document.lines[()] >= 1
