# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files load as they are, and convert."""

from __future__ import annotations

import re

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given

from ...world import World, assert_equal_plan, write_files
from .shop import shop, task

# Like those of the retail use cases.
LANES = """
services:
  LaneClient:
    image: ${REGISTRY-shop/}lanes:${TAG:-dev}
    network_mode: host
    privileged: true
    env_file: ${LANE_ENV:-lane.env}
    environment:
      - RENDER_MODE=${RENDER_MODE:-0}
      - LANES
    entrypoint: /script/run.sh --pipeline ${PIPELINE_SCRIPT:-lane.sh}
    deploy:
      replicas: ${PIPELINE_COUNT:-1}
    volumes:
      - ${RESULTS_DIR:-../results}:/tmp/results
      - ~/.Xauthority:/home/user/.Xauthority
      - /tmp/.X11-unix
      - ../models:/models:ro
    depends_on:
      - camera
  camera:
    image: shop/camera:1
    network_mode: host
    ports: ["8554:8554"]
"""


ALL = """
name: Shelf
x-common: &common {init: true, labels: {team: till}}
services:
  server:
    <<: *common
    image: openvino/model_server:2025.1
    command: --config_path /models/config.json --port 9000 --rest_port 8000
    container_name: ovms
    user: "1000:1000"
    working_dir: /srv
    shm_size: 64mb
    cap_add: [SYS_NICE]
    cap_drop: [NET_RAW]
    group_add: ["44"]
    ipc: shareable
    restart: on-failure:3
    extra_hosts: ["printer:10.9.9.9", "scale=10.9.9.8"]
    stop_grace_period: 1m30s
    stop_signal: SIGINT
    tmpfs: /run
    ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 65535}
    hostname: shelf
    devices: ["/dev/dri:/dev/dri", {source: /dev/accel, target: /dev/accel}]
    sysctls: [net.core.somaxconn=1024]
    logging: {driver: local, options: {max-size: 1m}}
    ports: ["9000:9000", "127.0.0.2:8000:8000/tcp", "5353/udp", {target: 7000, published: 7001, name: Web}]
    expose: [7100]
    networks:
      back: {aliases: [models], ipv4_address: 172.30.0.10, priority: 5}
      plant:
    healthcheck: {test: curl -f localhost, interval: 5s, timeout: 2s, retries: 4, start_period: 1m}
    deploy:
      resources:
        limits: {cpus: "1.5", memory: 512M, pids: 100}
        reservations: {memory: 256M, devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}
      placement: {max_replicas_per_node: 2, constraints: [node.hostname == h2, node.role == worker]}
      update_config: {parallelism: 2}
    volumes:
      - ./config.json:/models/config.json:ro
      - data:/data
      - stock:/stock:ro
      - {type: tmpfs, target: /scratch, tmpfs: {size: 64m, mode: 1023}}
      - {type: bind, source: ./out, target: /out, bind: {create_host_path: false}}
      - {type: volume, source: data, target: /data2, volume: {nocopy: true}}
      - /var/cache
    configs: [{source: motd, target: /etc/motd}]
    blkio_config: {weight: 300}
  init:
    image: shop/init:1
    command: ["sh", "-c", "echo '{{ not jinja }}' $$HOME"]
  client:
    build: ./client
    environment: {GRPC: "server:9000", ON: on, N: 1, EMPTY: , QUOTED: "'x'"}
    depends_on:
      server: {condition: service_healthy}
      init: {condition: service_completed_successfully, restart: true}
      debug: {condition: service_started, required: false}
    scale: 3
    networks: [back]
  debug:
    image: shop/debug:1
    profiles: [tools]
    network_mode: service:server
volumes:
  data: {driver: local, driver_opts: {type: tmpfs, device: tmpfs}}
  stock: {external: true, name: shop-stock}
networks:
  back:
    driver: bridge
    driver_opts: {com.docker.network.driver.mtu: 1400}
    ipam: {config: [{subnet: 172.30.0.0/24, gateway: 172.30.0.1}]}
    attachable: true
  plant: {external: true, name: plant-net}
configs:
  motd: {content: "Welcome to ${SHOP:-the shop}"}
secrets:
  key: {file: ./key}
"""


def test_a_file_like_those_of_the_retail_use_cases(world: World) -> None:
    file = shop(world, LANES, lane__env='A="quoted" # comment\nB=${A}-b\n', **{"__env": "TAG=7\nLANES=4"})
    made = world.plan_foreign(file)
    assert made["waves"] == [["d-camera-1"], ["d-laneclient-1"]]
    lane = task(made, "laneclient")
    assert lane["image"] == "shop/lanes:7"
    assert lane["env"] == {"A": "quoted", "B": "quoted-b", "RENDER_MODE": "0", "LANES": "4"}
    assert lane["entrypoint"] == ["/script/run.sh", "--pipeline", "lane.sh"]
    assert (lane["network_mode"], lane["privileged"]) == ("host", True)
    assert lane["volumes"] == [
        "/var/lib/retail-profiles/work/results:/tmp/results",
        "/root/.Xauthority:/home/user/.Xauthority",
        "/tmp/.X11-unix:/tmp/.X11-unix",
        "/models-of-the-host:/models:ro",
    ]
    assert "published_ports" not in task(made, "camera")
    assert made["replicas"]["d-camera-1"]["ports"] == {"8554": 8554}
    given = Given(env={"PIPELINE_COUNT": "3", "TAG": "8", "REGISTRY": "", "RENDER_MODE": "1"})
    more = world.plan_foreign(file, given)
    assert [task(more, "laneclient", n)["image"] for n in (1, 2, 3)] == ["lanes:8"] * 3
    assert_equal_plan(world, file)


def test_everything_that_a_profile_can_say_is_said(world: World) -> None:
    files = {"config.json": '{"model_config_list": []}', "client/Dockerfile": "FROM scratch\n"}
    file = write_files(
        world.root / "shop", {"src/compose.yaml": ALL, **{f"src/{name}": text for name, text in files.items()}}
    )
    made = world.plan_foreign(file)
    server, client, init = (task(made, name) for name in ("server", "client", "init"))
    expected = {
        "image": "openvino/model_server:2025.1",
        "command": ["--config_path", "/models/config.json", "--port", "9000", "--rest_port", "8000"],
        "init": True,
        "user": "1000:1000",
        "working_dir": "/srv",
        "shm_size": "64mb",
        "capabilities": ["SYS_NICE"],
        "cap_drop": ["NET_RAW"],
        "groups": ["44"],
        "ipc_mode": "shareable",
        "restart_policy": "on-failure",
        "restart_retries": 3,
        "stop_timeout": 90,
        "stop_signal": "SIGINT",
        "tmpfs": ["/run"],
        "ulimits": ["nofile:1024:2048", "nproc:65535:65535"],
        "hostname": "shelf",
        "devices": ["/dev/dri:/dev/dri", "/dev/accel:/dev/accel"],
        "sysctls": {"net.core.somaxconn": "1024"},
        "blkio_weight": 300,
        "log_driver": "local",
        "log_options": {"max-size": "1m"},
        "memory": "512M",
        "memory_reservation": "256M",
        "pids_limit": 100,
        "device_requests": [{"driver": "nvidia", "capabilities": [["gpu"]], "count": 1}],
        "etc_hosts": {"printer": "10.9.9.9", "scale": "10.9.9.8"},
    }
    assert {key: server[key] for key in expected} == expected
    assert server["healthcheck"] == {
        "test": ["CMD-SHELL", "curl -f localhost"],
        "interval": "5000ms",
        "timeout": "2000ms",
        "start_period": "60000ms",
        "retries": 4,
    }
    assert server["labels"]["team"] == "till"
    assert server["networks"] == [
        {"name": "d-back", "aliases": ["server", "models", "ovms"], "ipv4_address": "172.30.0.10"},
        {"name": "plant-net", "aliases": ["server", "ovms"]},
    ]
    own = [port for port in server["published_ports"] if not port.startswith("10.")]
    assert own == [
        "127.0.0.1:9000:9000/tcp",
        "127.0.0.2:8000:8000/tcp",
        "127.0.0.1::5353/udp",
        "127.0.0.1:7001:7000/tcp",
    ]
    assert [re.sub(r".*/files/[^/]*/", "", volume) for volume in server["volumes"]] == [
        "config.json:/models/config.json:ro",
        "shop-stock:/stock:ro",
        "/var/lib/retail-profiles/work/src/out:/out",
        "d-server-var-cache:/var/cache",
        "motd:/etc/motd:ro",
    ]
    assert [mount["target"] for mount in server["mounts"]] == ["/data", "/scratch", "/data2"]
    assert made["replicas"]["d-server-1"]["host"] == "h2"
    assert client["image"] == "shelf-client"
    assert client["env"] == {"GRPC": "server:9000", "ON": "on", "N": "1", "QUOTED": "'x'"}
    assert init["command"] == ["sh", "-c", "echo '{{ not jinja }}' $HOME"]
    assert made["waves"][1] == ["d-client-1", "d-client-2", "d-client-3"]
    probes = {name: made["replicas"][f"d-{name}-1"]["ready"][0] for name in ("server", "init")}
    assert (probes["server"]["kind"], probes["server"]["timeout"]) == ("healthy", 95.0)
    assert (probes["init"]["kind"], probes["init"]["timeout"]) == ("exited", 3600.0)
    warnings = {re.sub(r"^compose.yaml:\d+: ", "", warning) for warning in made["warnings"]}
    for ignored in (
        "services.server.networks.back.priority is ignored: a profile cannot say it",
        "services.server.deploy.update_config is ignored: a profile cannot say it",
        "services.server.deploy.placement.constraints node.role == worker is ignored: a profile cannot say it",
        "networks.back.attachable is ignored: a profile cannot say it",
        "services.debug is not started: COMPOSE_PROFILES has none of tools",
        "services.client.depends_on: debug is not started",
    ):
        assert ignored in warnings
    assert not any("0.0.0.0" in port for port in server["published_ports"])
    assert_equal_plan(world, file)
    assert_equal_plan(world, file, Given(env={"COMPOSE_PROFILES": "tools", "SHOP": "{{ x }}"}))


@pytest.mark.parametrize(
    "service,message",
    [
        ("image: 'i:${TAG}'", r"compose.yaml:1: variable TAG is not set: give it with"),
        ("image: i, deploy: {replicas: '${N}'}", r"variable N is not set: give it with"),
        ("image: i, ports: ['${PORT}:x']", r"variable PORT is not set: give it with"),
        ("image: '${TAG:?which one}'", r"variable TAG is not set: which one: give it with"),
        ("image: '${TAG'", r"the brace of '\$\{TAG' is not closed"),
        ("command: x", r"no image for container a: name one with -e profile_image="),
        ("image: i, extends: {service: b}", r"services.a.extends: there is no service 'b' in src/compose.yaml"),
        ("image: i, ports: [99999]", r"services.a.ports: '99999' is not a port"),
        ("image: i, ports: ['x:1:2']", r"services.a.ports: .* is not an IP address"),
        ("image: i, volumes: ['x:/x']", r"services.a.volumes: there is no volume 'x'"),
        ("image: i, volumes: ['../../../x:/x']", r"leads out of .*profile_root"),
        ("image: i, env_file: no.env", r"services.a.env_file: 'no.env' is not there"),
        ("image: i, depends_on: [b]", r"services.a.depends_on: there is no service 'b'"),
        ("image: i, ulimits: 3", r"services.a.ulimits: expected a mapping"),
        ("image: i, shm_size: much", r"services.a.shm_size: 'much' is not a size"),
        ("image: i, stop_grace_period: soon", r"services.a.stop_grace_period: 'soon' is not a duration"),
        ('image: i, command: "\'"', r"services.a.command: a quote, a bracket or a backslash is left open"),
        ("image: i, deploy: {replicas: few}", r"services.a.deploy.replicas: 'few' is not a whole number"),
        (f"image: i, deploy: {{replicas: '{'9' * 5000}'}}", r"services.a.deploy.replicas: '9+' is not a whole number"),
        ("image: i, scale: ²", r"services.a.scale: '²' is not a whole number"),
        ("image: i, profiles: [x]", r"no service is started: name one of their profiles in COMPOSE_PROFILES"),
        ("image: i, configs: [c]", r"services.a.configs: there is no config 'c'"),
    ],
)
def test_what_is_wrong_is_one_clear_error(world: World, service: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        world.plan_foreign(shop(world, f"services: {{a: {{{service}}}}}"))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("x", r"compose.yaml:1: networks.n: expected nothing or a mapping, not 'x'"),
        ("{driver_opts: x}", r"compose.yaml:1: networks.n.driver_opts: expected a mapping, not 'x'"),
        ("{ipam: x}", r"compose.yaml:1: networks.n.ipam: expected a mapping, not 'x'"),
        ("{ipam: {config: x}}", r"compose.yaml:1: networks.n.ipam.config: expected a list, not 'x'"),
        ("{ipam: {config: [x]}}", r"compose.yaml:1: networks.n.ipam.config.0: expected a mapping, not 'x'"),
    ],
)
def test_what_is_wrong_of_a_network_is_one_clear_error(world: World, network: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        world.plan_foreign(shop(world, f"{{services: {{a: {{image: i, networks: [n]}}}}, networks: {{n: {network}}}}}"))
