# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What translators say with options of docker_container: never one that a profile says with a field.

An option that becomes a field may no longer stand under ``docker``; the profiles of other formats then use the field.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import read
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Container, Given
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import options as compose
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.upstream import host_config, launcher
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import docker_options, fields

from ..world import World, assert_equal_plan, write_files

# One of them is a value that each key of a table takes.
VALUES: tuple[Any, ...] = (
    "1",
    "64m",
    "on-failure",
    ["a=b"],
    {"a": "b"},
    {"nofile": 1},
    "1m30s",
    {"Name": "on-failure", "MaximumRetryCount": 3},
    {"Type": "local", "Config": {"a": "b"}},
    [{"PathOnHost": "/dev/x"}],
    [{"Driver": "nvidia", "Count": -1}],
    [{"Name": "nofile", "Soft": 1}],
    ["a:1.2.3.4"],
    True,
    "private",
)
#: keys of Compose beside the table's, that become options
SPECIAL = {
    "healthcheck": {"test": "true"},
    "restart": "on-failure:3",
    "logging": {"driver": "local", "options": {"max-size": "1m"}},
    "gpus": "all",
    "ports": ["80:80"],
    "deploy": {
        "restart_policy": {"condition": "on-failure", "max_attempts": 3},
        "resources": {
            "limits": {"memory": "1g", "pids": 3},
            "reservations": {"memory": "1g", "devices": [{"capabilities": ["gpu"]}]},
        },
    },
}
Translate = Callable[[Mapping[str, Any]], Container]


def translated(text: Mapping[str, Any], file: str) -> Container:
    """The first container of a file."""
    foreign = read.read(json.dumps(text), Path("/nowhere") / file, Given(image="i"), lambda name: None)
    assert foreign is not None
    return foreign.translation.containers[0]


def service(written: Mapping[str, Any]) -> Container:
    return translated({"services": {"a": {"image": "i", **written}}}, "compose.yaml")


def array(written: Mapping[str, Any]) -> Container:
    return translated({"Containers": [{"Name": "a", "HostConfig": written}]}, "x.yaml")


def server(written: Mapping[str, Any]) -> Container:
    return translated({"OvmsServer": written, "OvmsClient": {}}, "a_conf.yaml")


def client(written: Mapping[str, Any]) -> Container:
    return translated({"OvmsClient": written}, "a_conf.yaml")


def options_of(translate: Translate, written: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a translator has, before they are said by fields."""
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "of_options", lambda options: found.update(options) or {})
        translate(written)
    return found


def filled(translate: Translate, key: str) -> dict[str, Any]:
    """A key with the first of the values that it takes."""
    without = options_of(translate, {})
    for value in VALUES:
        try:
            if options_of(translate, {key: value}) != without:
                return {key: value}
        except ProfileError:
            continue
    raise AssertionError(f"{key} takes none of the values")


HOST_CONFIG = {*docker_options.HOST_CONFIG, *host_config._OWN} - {*host_config._FORCED, *host_config._ELSEWHERE}
CASES: dict[str, tuple[Translate, dict[str, Any]]] = {
    **{f"compose {key}": (service, filled(service, key)) for key in compose.TABLE},
    **{f"compose {key}": (service, {key: value}) for key, value in SPECIAL.items()},
    **{f"array {key}": (array, filled(array, key)) for key in sorted(HOST_CONFIG)},
    **{f"server {policy}": (server, {"StartUpPolicy": policy}) for policy in launcher._POLICIES},
    "client": (client, {}),
}
EACH = [
    pytest.param(translate, written, option, id=f"{name}: {option}")
    for name, (translate, written) in CASES.items()
    for option in options_of(translate, written)
]


def test_every_option_of_every_table_is_here() -> None:
    found = {translate: set() for translate in (service, array, server, client)}
    for translate, written in CASES.values():
        found[translate] |= set(options_of(translate, written))
    assert found[service] >= {option for option, _convert in compose.TABLE.values()}
    assert found[array] >= {option for key, option in docker_options.HOST_CONFIG.items() if key in HOST_CONFIG}
    assert found[server] == {"user", "ipc_mode", "restart_policy", "restart_retries"}
    assert found[client] == {"user", "ipc_mode"}


@pytest.mark.parametrize("translate,written", CASES.values(), ids=CASES)
def test_no_translator_gives_an_option_that_is_reserved(translate: Translate, written: Mapping[str, Any]) -> None:
    passed = translate(written).fields.get("docker", {})
    assert {docker_options.proper_name(option) for option in passed}.isdisjoint(fields.RESERVED)


@pytest.mark.parametrize("translate,written,option", EACH)
def test_an_option_that_becomes_a_field_is_said_by_it(
    monkeypatch: pytest.MonkeyPatch, translate: Translate, written: Mapping[str, Any], option: str
) -> None:
    value = options_of(translate, written)[option]
    monkeypatch.setitem(fields.RESERVED, option, "invented")
    monkeypatch.setitem(fields.FIELD_OF, option, "invented")
    made = translate(written)
    assert made.fields["invented"] == value
    assert made.paths["invented"]
    assert option not in made.fields.get("docker", {})


UNSAID = set(fields.RESERVED) - set(fields.FIELD_OF)


@pytest.mark.parametrize("option", sorted({*UNSAID, "nothing"}))
def test_what_no_field_takes_as_it_is_is_no_option_of_a_translator(option: str) -> None:
    with pytest.raises(ValueError, match=f"no field takes the value of the option '{option}'"):
        fields.of_options({"init": True, option: "x"})


@pytest.mark.parametrize("option", [option for option in docker_options.NAMES if option not in UNSAID])
def test_every_other_option_is_said_by_its_field_or_passed_through(option: str) -> None:
    said = fields.of_options({option: "x"})
    assert "x" in (said["docker"].get(option), said.get(fields.FIELD_OF.get(option, "")))
    assert set(said["docker"]).isdisjoint(fields.RESERVED)


def test_there_is_no_other_way_to_make_a_container(checkout: Path) -> None:
    folder = checkout / "plugins" / "plugin_utils" / "formats"
    calls = [
        f"{file.name}:{node.lineno}"
        for file in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Container")
    ]
    assert calls == []


def test_the_cpus_of_an_upstream_profile_are_the_field_cpuset(world: World) -> None:
    text = "Containers: [{{Name: a, DockerImage: i, HostConfig: {{CpusetCpus: {cpus}}}}}]"
    world.snapshot = {"h1": {"cpu_cores": [[0], [1], [2], [3]]}}
    for written, cpus in (("0-2", "0-2"), ("3", "3"), ("''", None)):
        file = write_files(world.root, {"p/x.yaml": text.format(cpus=written)})
        assert world.plan_foreign(file)["replicas"]["d-a-1"]["task"].get("cpuset_cpus") == cpus
        assert_equal_plan(world, file)
    for written in ("auto", "[1]", "{cpus: 2}", "4-"):
        file = write_files(world.root, {"p/x.yaml": text.format(cpus=written)})
        with pytest.raises(ProfileError, match=r"x.yaml:1: HostConfig.CpusetCpus is not as the engine takes it"):
            world.plan_foreign(file)
