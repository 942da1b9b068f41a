# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of upstream's first launchers load as they are; and what all of upstream's have in common."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load

from ...world import World, render, upstream_files, write_files

SCRIPT = """
OvmsClient:
  PipelineScript: run_lanes.sh
  PipelineInputArgs: "--lanes 2 --name till"
  PipelineStreamDensityRun: search_lanes.sh
  EnvironmentVariableFiles:
    - lanes.env
    - nowhere.env
"""


PAIR = """
OvmsSingleContainer: false
OvmsServer:
  ServerDockerScript: start_ovms_server.sh
  ServerDockerImage: openvino/model_server:2024.1
  ServerContainerName: Shelf-Server
  ServerConfig: /models/config.json
  StartupMessage: The shelf server starts
  InitWaitTime: 1m30s
  EnvironmentVariableFiles: [server.env]
  StartUpPolicy: remove-and-restart
OvmsClient:
  DockerLauncher:
    Script: docker-launcher.sh
    DockerImage: shelf/client:3
    ContainerName: shelf_client
    Volumes:
      - "${RESULTS_DIR}:/tmp/results"
      - $cl_cache_dir:/cache
      - ~/.Xauthority:/home/user/.Xauthority
      - /tmp/.X11-unix
      - "$RUN_PATH/models/:/models:ro"
      - notes:/notes
  PipelineScript: ./shelf/run.sh
  PipelineInputArgs: "-x 'a b'"
  EnvironmentVariableFiles: [client.env]
"""


CONFIG = {"model_config_list": [{"config": {"name": n, "base_path": f"/models/{n}"}} for n in ("faces", "shelves")]}


def task(made: dict[str, Any], container: str) -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][f"d-{container}-1"]["task"]
    return found


def pair(world: World, text: str = PAIR, **files: str) -> Path:
    beside = {"server.env": "TARGET_DEVICE=GPU\n", "client.env": 'Q="q"\nRENDER_MODE=0\n', **files}
    return write_files(
        world.root / "shop", {"shelf/res/shelf_conf.yaml": text} | {f"envs/{n}": t for n, t in beside.items()}
    )


def test_a_script_of_the_first_launcher_ships_with_its_arguments(world: World) -> None:
    file = write_files(
        world.root / "shop",
        {
            "profiles/lanes/configuration.yaml": SCRIPT,
            "scripts/run_lanes.sh": "#!/bin/sh\n",
            "envs/lanes.env": "A=1\nA=2",
        },
    )
    made = world.plan_foreign(file, Given(image="shop/lanes:1"))
    lanes = task(made, "ovms-client")
    assert (lanes["image"], lanes["entrypoint"]) == ("shop/lanes:1", ["/profile/scripts/run_lanes.sh"])
    assert lanes["command"] == ["--lanes", "2", "--name", "till"]
    assert (lanes["network_mode"], lanes["ipc_mode"], lanes["user"]) == ("host", "host", "root")
    assert lanes["env"] == {"A": "2"}
    assert made["warnings"] == ["configuration.yaml:6: the env file nowhere.env is not there: skipped, as upstream did"]
    assert [shipped["path"] for shipped in made["hosts"]["h1"]["files"]] == ["scripts/run_lanes.sh"]


def test_a_script_that_is_not_with_the_profile_is_looked_for_in_the_image(world: World) -> None:
    file = write_files(world.root / "lanes", {"configuration.yaml": SCRIPT})
    made = world.plan_foreign(file, Given(image="i"))
    assert task(made, "ovms-client")["command"] == ["bash", "-c", "./scripts/run_lanes.sh --lanes 2 --name till"]
    assert any("run_lanes.sh is not with the profile: the image must have it" in text for text in made["warnings"])
    density = world.plan_foreign(file, Given(image="i", env={"STREAM_DENSITY_MODE": "1"}))
    assert task(density, "ovms-client")["command"][2].startswith("./scripts/search_lanes.sh ")


def test_the_server_of_a_pair_is_ready_before_its_client(world: World) -> None:
    gpu = {"devices": {"render": ["/dev/dri/renderD128"], "gids": {"/dev/dri/renderD128": 44}}}
    world.snapshot = {"h1": gpu}
    made = world.plan_foreign(pair(world, **{"../ovms_server/config.json": json.dumps(CONFIG)}))
    assert made["waves"] == [["d-shelf-server-1"], ["d-shelf_client-1"]]
    server, client = made["replicas"]["d-shelf-server-1"], made["replicas"]["d-shelf_client-1"]
    assert server["ready"][0]["models"] == ["faces", "shelves"]
    # InitWaitTime, and the hundred tries after it.
    assert server["ready"][0]["timeout"] == 190.0
    assert client["task"]["env"] == {"Q": '"q"', "RENDER_MODE": "0", "GRPC_PORT": "9001"}
    assert client["reach"][0]["address"] == "127.0.0.1"
    assert (server["task"]["restart_policy"], server["task"]["restart_retries"]) == ("on-failure", 3)
    assert server["task"]["command"] == ["--config_path", "/config/config.json", "--port", "9001"]
    assert server["target_device"] == "GPU"


def test_without_its_configuration_the_server_is_asked_whether_it_is_ready(world: World) -> None:
    server = world.plan_foreign(pair(world, PAIR.replace("1m30s", "soon")))["replicas"]["d-shelf-server-1"]
    assert (server["ready"][0]["kind"], server["ready"][0]["timeout"]) == ("grpc", 110.0)
    assert server["task"]["command"][:2] == ["--config_path", "/models/config.json"]
    assert server["task"]["volumes"] == ["/models-of-the-host:/models"]


def test_each_pair_has_a_port_of_its_own(world: World) -> None:
    world.groups = {"all": ["solo"]}
    made = world.plan_foreign(pair(world), replicas={"shelf-server": 2, "shelf_client": 4})
    ports = [made["replicas"][f"d-shelf_client-{n}"]["task"]["env"]["GRPC_PORT"] for n in (1, 2, 3, 4)]
    assert ports == ["9001", "9002", "9001", "9002"]
    assert made["replicas"]["d-shelf-server-2"]["task"]["command"][-1] == "9002"
    first = world.plan_foreign(pair(world, PAIR.replace("StartUpPolicy: remove-and-restart", "GrpcPort: 9178")))
    assert first["replicas"]["d-shelf-server-1"]["ports"] == {"grpc": 9178}


@pytest.mark.parametrize("written", ["0", "70000", "²", "9" * 5000])
def test_what_is_no_port_is_an_error(world: World, written: str) -> None:
    with pytest.raises(ProfileError, match=f"GrpcPort: '{written}' is not a port"):
        world.plan_foreign(pair(world, PAIR.replace("StartUpPolicy: remove-and-restart", f"GrpcPort: '{written}'")))


def test_volumes_of_the_second_launcher_know_upstreams_variables(world: World) -> None:
    made = world.plan_foreign(pair(world))
    assert task(made, "shelf_client")["volumes"] == [
        "/var/lib/retail-profiles/work/results:/tmp/results",
        "/var/lib/retail-profiles/work/.cl-cache:/cache",
        "/root/.Xauthority:/home/user/.Xauthority",
        "/tmp/.X11-unix:/tmp/.X11-unix",
        "/models-of-the-host/:/models:ro",
        "d-notes:/notes",
    ]
    # Docker made what was missing; the host must have the models of the server.
    assert [item["path"] for item in made["hosts"]["h1"]["paths"]] == ["/models-of-the-host"]
    assert any("/tmp/.X11-unix names no target" in warning for warning in made["warnings"])
    given = Given(env={"RUN_PATH": "/run/here", "cl_cache_dir": "/c"})
    volumes = task(world.plan_foreign(pair(world), given), "shelf_client")["volumes"]
    assert volumes[:2] == ["/run/here/results:/tmp/results", "/c:/cache"]
    assert volumes[4] == "/run/here/models/:/models:ro"
    world.variables = {"RESULTS_DIR": "/of/the/inventory"}
    assert task(world.plan_foreign(pair(world)), "shelf_client")["volumes"][0] == "/of/the/inventory:/tmp/results"


def test_a_client_that_writes_results_is_measured_by_them(world: World) -> None:
    made = world.plan_foreign(pair(world))
    assert made["replicas"]["d-shelf_client-1"]["metrics"]["fps"]["file"] == "/tmp/results/pipeline*.log"
    assert made["replicas"]["d-shelf-server-1"]["metrics"] == {}
    without = PAIR.replace('"${RESULTS_DIR}:/tmp/results"', '"${RESULTS_DIR}:/elsewhere"')
    assert world.plan_foreign(pair(world, without))["replicas"]["d-shelf_client-1"]["metrics"] == {}


def test_an_unknown_variable_is_named_with_how_to_give_it(world: World) -> None:
    text = PAIR.replace("$cl_cache_dir", "$CACHE_HOME")
    with pytest.raises(ProfileError, match=r"shelf_conf.yaml:19: variable CACHE_HOME is not set: .*profile_variables"):
        world.plan_foreign(pair(world, text))
    made = world.plan_foreign(pair(world, text), Given(env={"CACHE_HOME": "/with space"}))
    assert task(made, "shelf_client")["volumes"][1] == "/with space:/cache"
    world.variables = {"CACHE_HOME": "/inventory"}
    assert task(world.plan_foreign(pair(world, text)), "shelf_client")["volumes"][1] == "/inventory:/cache"
    of_file = pair(world, text.replace("CACHE_HOME", "OF_FILE"), **{"client.env": "OF_FILE=/file"})
    assert task(world.plan_foreign(of_file), "shelf_client")["volumes"][1] == "/file:/cache"


def test_the_command_goes_through_bash_unless_no_bash_c(world: World) -> None:
    assert task(world.plan_foreign(pair(world)), "shelf_client")["command"] == ["bash", "-c", "./shelf/run.sh -x 'a b'"]
    plain = ["./shelf/run.sh", "-x", "'a", "b'"]
    by_file = world.plan_foreign(pair(world, **{"client.env": "NO_BASH_C=1"}))
    assert task(by_file, "shelf_client")["command"] == plain
    by_hand = world.plan_foreign(pair(world), Given(env={"NO_BASH_C": "1"}))
    assert task(by_hand, "shelf_client")["command"] == plain


def test_a_single_container_has_custom_nodes_merged_into_its_configuration(world: World) -> None:
    text = (
        PAIR.replace("OvmsSingleContainer: false", "OvmsSingleContainer: true") + "  OVMSCustomNodeJson: nodes.json\n"
    )
    nodes = {"custom_node_library_config_list": [{"name": "cut"}], "model_config_list": CONFIG["model_config_list"][:1]}
    file = pair(world, text)
    write_files(
        world.root / "shop", {"shelf/res/nodes.json": json.dumps(nodes), "models/config.json": json.dumps(CONFIG)}
    )
    made = world.plan_foreign(file)
    assert list(made["replicas"]) == ["d-shelf_client-1"]
    assert any("OvmsServer is not started" in warning for warning in made["warnings"])
    merged = load.load(file, [], render, {}).entries[0].generated("volumes", "./merged/config.json")
    assert merged
    assert json.loads(merged) == {**CONFIG, "custom_node_library_config_list": [{"name": "cut"}]}
    assert task(made, "shelf_client")["volumes"][-1].endswith("/config.json:/models/config.json:ro")


@pytest.mark.parametrize(
    "text",
    [
        "Containers: [{}]",
        "Containers: [{Name: A_b, Volumes: , Envs: [], Entrypoint: '', EnvironmentVariableFiles: [], HostConfig: {}}]",
        "containers: [{name: x, dockerimage: j, entrypoint: [/a, b c], volumes: '/a:/b', envs: A=1}]",
        "Containers: [{Name: server, DockerImage: s}, {Name: server, DockerImage: s}, {Name: c}]",
        "OvmsClient: {}",
        "OvmsClient:\nOvmsSingleContainer: false",
        "OvmsServer:",
        "OvmsServer: {EnvironmentVariableFiles: , InitWaitTime: , ServerConfig: ''}\nOvmsClient: {DockerLauncher: }",
        "ovmsclient: {pipelinescript: a.sh, environmentvariablefiles: x.env, Extra: {a: 1}}\nAnything: 1",
        "OvmsClient: {PipelineScript: a.sh, DockerLauncher: {Volumes: /a:/b}}\nOvmsServer: {StartUpPolicy: what}",
    ],
)
def test_what_is_left_out_or_written_otherwise_is_taken(world: World, text: str) -> None:
    made = world.plan_foreign(write_files(world.root, {"p/x_conf.yaml": text}), Given(image="i:1"))
    assert made["replicas"]
    assert all(replica["task"]["image"] for replica in made["replicas"].values())


@pytest.mark.parametrize("file", upstream_files(), ids=lambda file: "/".join(file.parts[-4:]))
def test_every_given_file_of_upstream_plans_or_says_what_it_needs(world: World, file: Path) -> None:
    try:
        made = world.plan_foreign(file)
    except ProfileError as error:
        assert re.search(r": (no image for container \S+: name one|variable \w+ is not set: give it) with ", str(error))
        made = world.plan_foreign(file, Given(image="given:1"))
    waves = [[made["replicas"][name]["container"] for name in names] for names in made["waves"]]
    servers = [name for names in waves for name in names if "server" in name]
    assert len(waves) == (2 if servers else 1)
    assert set(servers) == set(waves[0] if servers else [])
