# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab, for real: hosts with their own engines, reached over SSH. The tests stand in the order of a lab's life."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from .over_ssh import addresses

BIN = Path(sys.executable).parent
LAB = f"test-{os.getpid()}"
# Addresses for documentation (RFC 5737) stand for the world outside of the lab, in a network namespace of the tests.
OUTSIDE, OUTSIDE_GATEWAY = "198.51.100.2", "198.51.100.1"
PORT = 8080
SERVE = f"""
import socket
server = socket.create_server(("", {PORT}))
print("ready", flush=True)
while True:
    server.accept()[0].close()
"""
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def run(*argv: str, **options: Any) -> str:
    output: str = subprocess.run(argv, check=True, text=True, capture_output=True, **options).stdout
    return output


def changed(output: str) -> int:
    """How much a playbook changed, over all hosts of its recap."""
    counts = re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", output, re.MULTILINE)
    assert counts, output
    return sum(int(count) for count in counts)


def as_ansible_reads(inventory: Path) -> dict[str, str]:
    hosts = json.loads(run(f"{BIN}/ansible-inventory", "-i", str(inventory), "--list"))["_meta"]["hostvars"]
    return {name: variables["ansible_host"] for name, variables in hosts.items()}


def groups(inventory: Path) -> dict[str, list[str]]:
    children = yaml.safe_load(inventory.read_text(encoding="utf-8"))["all"]["children"]
    return {name: list(group["hosts"]) for name, group in children.items()}


def ansible(inventory: Path, module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a module on every host, from a folder that has nothing to do with the checkout."""
    argv = [f"{BIN}/ansible", "-i", str(inventory), "all", "-m", f"ansible.builtin.{module}", "-o", *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return subprocess.run(argv, cwd="/", text=True, capture_output=True, check=False, env=environment)


def links_of(address: str) -> set[str]:
    """The machine's bridge to a host's address, and what is plugged into it."""
    bridge = json.loads(run("ip", "-json", "route", "get", address))[0]["dev"]
    links = json.loads(run("ip", "-json", "link", "show"))
    return {bridge} | {link["ifname"] for link in links if link.get("master") == bridge}


def traces(lab_engine: Any, links: set[str]) -> dict[str, set[str]]:
    """What the tests' lab engine and its labs have on this machine, by kind. What others have there does not count."""
    run_dir = str(lab_engine.engine_dir.parent)
    cgroup = f"retail-profiles-{lab_engine.engine_dir.name}"
    processes = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            cmdline = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            in_lab = f"/{cgroup}/" in (folder / "cgroup").read_text(encoding="utf-8")
        except OSError:  # ended meanwhile
            continue
        if in_lab or run_dir in cmdline:
            processes.add(cmdline)
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    places = (run_dir, str(lab_engine.cache_dir), str(lab_engine.lab_dir))
    files = [lab_engine.engine_dir, lab_engine.lab_dir]
    files += [Path(f"/{name}") for name in ("etc/docker/key.json", "opt/containerd", "run/containerd", "run/docker")]
    return {
        "processes": processes,
        "mounts": {line for line in mounts if any(place in line for place in places)},
        "cgroups": {str(path) for pattern in ("", "*/") for path in Path("/sys/fs/cgroup").glob(pattern + cgroup)},
        "links": {link["ifname"] for link in json.loads(run("ip", "-json", "link", "show"))} & links,
        "rules": {line for line in run("iptables-save").splitlines() if LAB in line},
        "ip_forward": {FORWARDING.read_text(encoding="utf-8")},
        "files": {str(path) for path in files if path.exists()},
    }


@pytest.fixture(scope="module")
def before(lab_engine: Any) -> dict[str, set[str]]:
    """The machine before the first lab."""
    return traces(lab_engine, set())


@pytest.fixture(scope="module")
def lab(lab_engine: Any, before: dict[str, set[str]]) -> Path:
    """A lab of two hosts; the inventory."""
    lab_engine.play("lab_up", LAB, lab_hosts=2)
    with closing(lab_engine.docker()) as engine:
        for item in engine.containers.list(all=True):
            if not item.name.startswith(f"{LAB}-"):  # of tests that were killed: the engine is the tests' own
                item.remove(force=True, v=True)
    inventory: Path = lab_engine.inventory(LAB)
    return inventory


def test_hosts_are_machines_of_their_own(lab_engine: Any, lab: Path) -> None:
    assert groups(lab) == {"ovms_servers": ["h1"], "ovms_clients": ["h2"], "cameras": ["h1"], "pipelines": ["h2"]}
    hosts = addresses(lab)
    assert hosts == as_ansible_reads(lab)
    names, engines = set(), set()
    for name, address in hosts.items():
        engine = "docker info --format '{{.ID}} {{.Driver}}'"
        answer = lab_engine.ssh(
            LAB, address, f"hostname; {engine}; ls /var/run/docker.sock; python3 -c 'import docker'"
        )
        assert answer.returncode == 0, answer.stderr
        hostname, engine, path = answer.stdout.splitlines()
        assert hostname == name
        assert path == "/var/run/docker.sock"
        # Not vfs: with that every container would copy its whole image.
        assert engine.split()[1] == "overlay2"
        names.add(hostname)
        engines.add(engine)
    assert len(names) == len(engines) == len(set(hosts.values())) == 2


def test_user_without_root_reaches_the_engine(lab_engine: Any, lab: Path) -> None:
    answer = lab_engine.ssh(LAB, addresses(lab)["h1"], "id -un; docker ps --quiet; sudo id -un", user="lab")
    assert (answer.returncode, answer.stdout.split()) == (0, ["lab", "root"]), answer.stderr


def test_state_directory_is_left_to_others(lab_engine: Any, lab: Path) -> None:
    assert lab_engine.ssh(LAB, addresses(lab)["h1"], "ls /var/lib/retail-profiles").returncode == 2


def test_inventory_works_from_anywhere_and_checks_host_keys(lab: Path, tmp_path: Path) -> None:
    copy = tmp_path / "moved away"
    shutil.copytree(lab.parent, copy)
    # Without this, Ansible would go on with the connection that it has open.
    own_connections = ("-e", f"ansible_control_path_dir={tmp_path}/cp")
    right = ansible(copy / "inventory.yml", "ping", *own_connections)
    assert right.returncode == 0, right.stdout + right.stderr
    assert right.stdout.count("pong") == 2

    known = (copy / "known_hosts").read_text(encoding="utf-8").split()
    known[2], known[5] = known[5], known[2]
    (copy / "known_hosts").write_text("{} {} {}\n{} {} {}\n".format(*known), encoding="utf-8")
    wrong = ansible(copy / "inventory.yml", "ping", "-e", f"ansible_control_path_dir={tmp_path}/cp2")
    assert wrong.returncode == 4, wrong.stdout
    assert wrong.stdout.count("UNREACHABLE") == 2
    assert "Host key verification failed" in wrong.stdout
    for path in tmp_path.glob("cp/*"):
        run("ssh", "-O", "exit", "-o", f"ControlPath={path}", "lab")


def test_private_keys_are_private(lab: Path) -> None:
    keys = [lab.parent / "id_ed25519", *lab.parent.glob("hosts/*/ssh_host_ed25519_key")]
    assert len(keys) == 3
    assert {path.stat().st_mode & 0o777 for path in [lab.parent, *keys]} == {0o600, 0o700}


def test_second_up_changes_nothing(lab_engine: Any, lab: Path) -> None:
    assert changed(lab_engine.play("lab_up", LAB, lab_hosts=2)) == 0


@pytest.fixture
def outside(lab: Path) -> Iterator[None]:
    """A server outside of the lab; this machine forwards packets to it, as where another Docker Engine runs."""
    forwarding = FORWARDING.read_text(encoding="utf-8")
    space, here, there = f"out-{os.getpid()}", f"vo{os.getpid()}", f"vi{os.getpid()}"
    inside = ["nsenter", f"--net=/run/netns/{space}"]
    run("ip", "netns", "add", space)
    try:
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
        run("ip", "address", "add", f"{OUTSIDE_GATEWAY}/30", "dev", here)
        run("ip", "link", "set", here, "up")
        run(*inside, "ip", "address", "add", f"{OUTSIDE}/30", "dev", there)
        run(*inside, "ip", "link", "set", there, "up")
        run(*inside, "ip", "route", "add", "default", "via", OUTSIDE_GATEWAY)
        FORWARDING.write_text("1", encoding="utf-8")
        with subprocess.Popen([*inside, sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield
            server.kill()
    finally:
        FORWARDING.write_text(forwarding, encoding="utf-8")
        run("ip", "netns", "delete", space)


def connects(lab_engine: Any, address: str, target: str, port: int, container: str = "", patience: int = 10) -> bool:
    """Whether a host, or a container on it, opens a TCP connection within `patience` seconds."""
    command = f"timeout {patience} bash -c '</dev/tcp/{target}/{port}'"
    answer = lab_engine.ssh(LAB, address, f"docker exec {container} {command}" if container else command)
    return bool(answer.returncode == 0)


def blocked(lab_engine: Any, address: str, target: str, port: int, container: str = "") -> bool:
    """Whether it does not. Where it does, it takes milliseconds: so a short wait is enough here."""
    return not connects(lab_engine, address, target, port, container, patience=2)


def test_no_way_out(lab_engine: Any, lab: Path, outside: None) -> None:
    hosts = addresses(lab)
    h1, gateway = hosts["h1"], hosts["h1"].rsplit(".", 1)[0] + ".1"
    # A container on the host, on Docker's default network.
    subprocess.run(
        f"docker -H {lab_engine.socket} save debian:bookworm-slim | "
        f"ssh -F none -i {lab.parent}/id_ed25519 -o UserKnownHostsFile={lab.parent}/known_hosts root@{h1} docker load",
        shell=True,
        check=True,
        capture_output=True,
    )
    started = lab_engine.ssh(LAB, h1, "docker run -d --name inner debian:bookworm-slim sleep infinity")
    assert started.returncode == 0, started.stderr

    # Between hosts, by address and by name, and from a container: open.
    assert connects(lab_engine, h1, hosts["h2"], 22)
    assert connects(lab_engine, h1, "h2", 22)
    assert connects(lab_engine, h1, hosts["h2"], 22, "inner")
    # This machine itself reaches the outside (so the server answers) ...
    socket.create_connection((OUTSIDE, PORT), timeout=5).close()
    # ... and hosts do not: there is no route, and with one the firewall stands in the way.
    assert blocked(lab_engine, h1, OUTSIDE, PORT)
    assert lab_engine.ssh(LAB, h1, f"ip route add default via {gateway}").returncode == 0
    assert blocked(lab_engine, h1, OUTSIDE, PORT)
    assert blocked(lab_engine, h1, OUTSIDE, PORT, "inner")
    # Nor do they reach what listens on this machine, nor a resolver.
    with socket.create_server((gateway, 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection((gateway, port), timeout=5).close()
        assert blocked(lab_engine, h1, gateway, port)
    assert lab_engine.ssh(LAB, h1, "getent hosts example.org").returncode == 2
    assert lab_engine.ssh(LAB, h1, "docker exec inner getent hosts example.org").returncode == 2

    # The proof that these were the rules: without them the same connection works. And lab_up puts them back.
    rules = [line for line in run("iptables-save").splitlines() if LAB in line and "FORWARD" in line]
    assert len(rules) == 3
    for rule in rules:
        subprocess.run(f"iptables -w {rule.replace('-A', '-D', 1)}", shell=True, check=True)
    assert connects(lab_engine, h1, OUTSIDE, PORT)
    assert connects(lab_engine, h1, OUTSIDE, PORT, "inner")
    with closing(lab_engine.docker()) as engine:
        engine.containers.get(f"{LAB}-h2").kill()
        engine.networks.get(f"lab-{LAB}").disconnect(f"{LAB}-h2")
    assert changed(lab_engine.play("lab_up", LAB, lab_hosts=2)) > 0
    assert blocked(lab_engine, h1, OUTSIDE, PORT)
    # lab_up also started the host that had gone down and lost its network; it has its address and its engine.
    assert lab_engine.ssh(LAB, hosts["h2"], "docker info").returncode == 0


def test_host_restarts_like_a_machine(lab_engine: Any, lab: Path) -> None:
    address = addresses(lab)["h1"]
    fault = "docker update --restart always inner && kill -9 $(cat /run/docker.pid)"
    assert lab_engine.ssh(LAB, address, fault).returncode == 0
    with closing(lab_engine.docker()) as engine:
        host = engine.containers.get(f"{LAB}-h1")
        host.restart()
    output = ansible(lab, "wait_for_connection", "-a", "timeout=60")
    assert output.returncode == 0, output.stdout
    wait = "timeout 60 sh -c 'until docker info; do sleep 0.2; done' > /dev/null 2>&1"
    status = lab_engine.ssh(LAB, address, f"{wait} && docker inspect --format '{{{{.State.Running}}}}' inner")
    assert status.stdout.strip() == "true", status.stderr


def test_services_are_kept_running_unless_held(lab_engine: Any, lab: Path) -> None:
    address = addresses(lab)["h1"]
    held = "touch /run/hold/dockerd && kill -9 $(cat /run/docker.pid) && ! docker info > /dev/null"
    assert lab_engine.ssh(LAB, address, held).returncode == 0
    released = "rm /run/hold/dockerd && timeout 60 sh -c 'until docker info; do sleep 0.2; done'"
    assert lab_engine.ssh(LAB, address, released).returncode == 0
    with closing(lab_engine.docker()) as engine:
        engine.containers.get(f"{LAB}-h1").exec_run("sh -c 'kill $(cat /run/sshd.pid)'")
    output = ansible(lab, "wait_for_connection", "-a", "timeout=60")
    assert output.returncode == 0, output.stdout


def test_another_size(lab_engine: Any, lab: Path) -> None:
    both = addresses(lab)
    with closing(lab_engine.docker()) as engine:
        engine.containers.get(f"{LAB}-h1").pause()
    lab_engine.play("lab_up", LAB, lab_hosts=1)
    assert groups(lab) == {"ovms_servers": ["h1"], "ovms_clients": ["h1"], "cameras": ["h1"], "pipelines": ["h1"]}
    assert addresses(lab) == {"h1": both["h1"]}
    assert [path.name for path in (lab.parent / "hosts").iterdir()] == ["h1"]
    with closing(lab_engine.docker()) as engine:
        assert [item.name for item in engine.containers.list(all=True)] == [f"{LAB}-h1"]
        assert len(engine.volumes.list()) == 1
    # The host that stayed goes on, with what it had.
    assert lab_engine.ssh(LAB, both["h1"], "docker inspect inner").returncode == 0


def test_lab_of_another_checkout_is_left_alone(lab_engine: Any, lab: Path, tmp_path: Path) -> None:
    for playbook in ("lab_up", "lab_down"):
        message = lab_engine.refuse(playbook, LAB, lab_dir=tmp_path)
        assert str(lab.parent) in message
        assert "LAB=" in message
    assert ansible(lab, "ping").returncode == 0


@pytest.mark.long
def test_two_at_once(lab_engine: Any, lab: Path) -> None:
    names = [f"{LAB}-a", f"{LAB}-b"]
    processes = [lab_engine.start("lab_up", name, lab_hosts=1) for name in names]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    hosts = [addresses(lab_engine.inventory(name))["h1"] for name in [LAB, *names]]
    assert len({address.rsplit(".", 1)[0] for address in hosts}) == 3
    # Labs do not see each other.
    assert blocked(lab_engine, hosts[0], hosts[1], 22)
    for name in names:
        assert "goes on: up are the labs" in lab_engine.play("lab_down", name)
        assert not lab_engine.inventory(name).parent.exists()
    assert ansible(lab, "ping").returncode == 0


def test_commands_wait_for_each_other(lab_engine: Any, lab: Path) -> None:
    with open_lock(lab_engine.engine_dir.parent):
        message = lab_engine.refuse("lab_up", LAB, lab_hosts=1, lab_lock_timeout=1)
    assert "Another lab command" in message
    # One that is killed leaves no lock: the next does not wait for it.
    killed = lab_engine.start("lab_up", LAB, lab_hosts=1)
    assert killed.stdout is not None
    for line in killed.stdout:
        if "Start the hosts" in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert changed(lab_engine.play("lab_up", LAB, lab_hosts=1, lab_lock_timeout=60)) == 0


class open_lock:
    """The lock of lab commands, held by this process."""

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder, os.O_RDONLY)

    def __enter__(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"lab_name": "No/../way"}, ["lab_name", "No/../way"]),
        ({"lab_hosts": 0}, ["lab_hosts", '\\"0\\"']),
        ({"lab_hosts": 201}, ["lab_hosts", "201"]),
        ({"lab_hosts": "many"}, ["lab_hosts", "many"]),
        ({"lab_host_prefix": "h 1"}, ["lab_host_prefix", "h 1"]),
        ({"lab_kinds": "bookworm, bookworm-containerd"}, ["lab_kinds", "KINDS", "bookworm,bookworm-containerd"]),
        ({"lab_kinds": ""}, ["lab_kinds", "trixie, trixie-containerd, sid"]),
        ({"lab_name": "poor", "lab_network_pool": "127.0.0.0/16"}, ["127.0.0.0/16", "lab_network_pool"]),
        ({"lab_name": "wrong", "lab_network_pool": "10.0.0.0/30"}, ["10.0.0.0/30", "lab_network_pool"]),
    ],
)
def test_bad_input(lab_engine: Any, lab: Path, variables: dict[str, object], words: list[str]) -> None:
    message = lab_engine.refuse("lab_up", **{"name": LAB, "lab_hosts": 1, **variables})
    for word in words:
        assert word in message


def test_images_that_cannot_be_made(lab_engine: Any, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    message = lab_engine.refuse("lab_up", f"{LAB}-x", lab_hosts=1, lab_base_repository="missing")
    assert "images could not be made" in message
    assert "apt-get update" in message


def test_engine_that_cannot_start(lab_engine: Any, tmp_path: Path) -> None:
    # A socket's path has at most 108 bytes; the message has what containerd says of it.
    folder = tmp_path / ("deep" * 30)
    message = lab_engine.refuse("lab_up", f"{LAB}-y", lab_engine_dir=folder, lab_cache_dir=tmp_path)
    assert str(folder) in message
    assert "containerd: failed to get listener" in message
    assert not folder.exists()

    message = lab_engine.refuse("lab_up", f"{LAB}-y", lab_engine_dir=tmp_path / "run", lab_engine_data_root="/proc/no")
    assert "/proc/no" in message
    assert not (tmp_path / "run").exists()


def test_cache_stays_while_a_lab_needs_it(lab_engine: Any, lab: Path) -> None:
    assert LAB in lab_engine.refuse("lab_clean", LAB)
    assert lab_engine.cache_dir.is_dir()


@pytest.fixture
def foreign(lab_engine: Any, lab: Path) -> Iterator[Callable[[], None]]:
    """Somebody else's container, network and volume on the lab engine; removed by a call, or after the test."""
    with closing(lab_engine.docker()) as engine:
        network = engine.networks.create("foreign")
        container = engine.containers.create(
            "debian:bookworm-slim", "sleep infinity", name="foreign", network="foreign", volumes=["foreign:/data"]
        )
        container.start()
        left = [lambda: container.remove(force=True), network.remove, engine.volumes.get("foreign").remove]

        def remove() -> None:
            while left:
                left.pop(0)()

        yield remove
        remove()


def test_down_leaves_nothing(
    lab_engine: Any, lab: Path, foreign: Callable[[], None], before: dict[str, set[str]]
) -> None:
    ansible(lab, "ping")  # leaves connections open, as people do
    links = links_of(addresses(lab)["h1"])
    during = traces(lab_engine, links)
    assert all(during[kind] for kind in ("processes", "mounts", "cgroups", "links", "rules", "files")), during

    assert "belong to no lab: /foreign" in lab_engine.play("lab_down", LAB)
    with closing(lab_engine.docker()) as engine:
        assert [(item.name, item.status) for item in engine.containers.list(all=True)] == [("foreign", "running")]
        assert {item.name for item in engine.networks.list()} == {"foreign", "host", "none"}
        assert [item.name for item in engine.volumes.list()] == ["foreign"]
        after = traces(lab_engine, links)
        assert (after["links"], after["rules"]) == (set(), set())
        assert not lab_engine.lab_dir.exists()

    # With nobody left on it the engine goes, though the lab is gone already.
    foreign()
    lab_engine.play("lab_down", LAB)
    assert traces(lab_engine, links) == before
    assert changed(lab_engine.play("lab_down", LAB)) == 0
    assert traces(lab_engine, links) == before


@pytest.mark.long
def test_engine_that_was_killed(lab_engine: Any, before: dict[str, set[str]]) -> None:
    name = f"{LAB}-crash"

    def kill(*programs: str) -> None:
        for program in programs:
            os.kill(int((lab_engine.engine_dir / f"{program}.pid").read_text(encoding="utf-8")), signal.SIGKILL)

    lab_engine.play("lab_up", name, lab_hosts=1)
    kill("dockerd")
    lab_engine.play("lab_up", name, lab_hosts=1)
    assert ansible(lab_engine.inventory(name), "ping").returncode == 0

    kill("dockerd", "containerd")
    lab_engine.play("lab_down", name)
    assert traces(lab_engine, set()) == before


def test_clean_removes_the_cache(lab_engine: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name in ("engine", "wheels"):
        (cache / name).mkdir(parents=True)
        (cache / name / "file").touch()
    other = tmp_path / "other"
    other.touch()
    lab_engine.play("lab_clean", LAB, lab_cache_dir=cache, lab_engine_dir=tmp_path / "engine")
    assert list(tmp_path.iterdir()) == [other]
