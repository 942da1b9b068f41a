# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network and the hosts of a lab on the lab engine: look at them, bring them up, take them down.

Usage: lab_hosts.py COMMAND DOCKER_HOST < JSON

One process does what a task for each host and network would: starting Ansible's modules took most of the time.

- ``ping`` waits for the engine's answer.
- ``look`` prints the network that the lab has (null: none) and the tags of all images, as JSON. It fails where the lab
  is another checkout's, or a name that the lab will use is taken.
- ``up`` brings network and hosts to what is asked for and removes hosts that are no longer part of the lab; it prints
  what it has changed, a line each.
- ``down`` removes both, and prints what it has removed and who still uses the engine, as JSON.
- ``users`` prints who uses the engine.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool, Mount

LABEL = "retail.profiles.lab"
LABEL_DIR = "retail.profiles.lab.dir"
# What a host's container was made from, as a digest: where that is another now, the container is made anew.
LABEL_MADE_FROM = "retail.profiles.lab.made_from"
SYS_RESOURCE = 24
AT_ONCE = 8


@dataclass(frozen=True)
class Lab:
    """The lab that is asked for; all but the first three only to bring it up.

    By host: its image, whether its engine keeps images in containerd's store, and its address.
    """

    name: str
    path: str
    hosts: list[str] = field(default_factory=list)
    bridge: str = ""
    subnet: str = ""
    gateway: str = ""
    images: dict[str, str] = field(default_factory=dict)
    containerd_stores: dict[str, bool] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def network(self) -> str:
        return f"lab-{self.name}"

    def container(self, host: str) -> str:
        """The name of a host's container."""
        return f"{self.name}-{host}"


def privileges() -> dict[str, Any]:
    """What a host in a container needs: --privileged, or the same taken apart where we lack CAP_SYS_RESOURCE."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    if int(bounding, 16) >> SYS_RESOURCE & 1:
        return {"privileged": True}
    return {
        "cap_add": ["ALL"],
        "cap_drop": ["SYS_RESOURCE"],
        "device_cgroup_rules": ["a *:* rwm"],
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    }


class Engine:
    """The lab engine."""

    def __init__(self, url: str) -> None:
        self.api = docker.APIClient(url, version="auto", timeout=120)

    def containers(self, **filters: str) -> list[dict[str, Any]]:
        """Containers, running or not, as the engine lists them."""
        found: list[dict[str, Any]] = self.api.containers(all=True, filters=filters)
        return found

    def hosts(self, lab: Lab) -> dict[str, dict[str, Any]]:
        """The lab's containers by their names."""
        return {name(found): found for found in self.containers(label=f"{LABEL}={lab.name}")}

    def network(self, lab: Lab) -> dict[str, Any] | None:
        """The lab's network; None: it has none."""
        found = self.api.networks(filters={"label": f"{LABEL}={lab.name}"})
        return found[0] if found else None

    def remove_hosts(self, names: Iterable[str]) -> list[str]:
        """Remove containers with their volumes, whatever state they are in."""
        chosen = sorted(names)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: self.api.remove_container(one, force=True, v=True), chosen))
        return [f"removed {one}" for one in chosen]

    def remove_network(self, network: str) -> list[str]:
        """Remove a network, and take from it what others have put on it."""
        for container in self.api.inspect_network(network)["Containers"]:
            self.api.disconnect_container_from_network(container, network, force=True)
        self.api.remove_network(network)
        return [f"removed {network}"]


def name(container: dict[str, Any]) -> str:
    """A listed container's name."""
    return str(container["Names"][0].lstrip("/"))


def check_owner(lab: Lab, network: dict[str, Any] | None) -> None:
    """Fail where the lab is another checkout's. One that is gone has nobody left who could take it down: so we may.

    Raises:
        SystemExit: it is.
    """
    owner = network["Labels"][LABEL_DIR] if network else lab.path
    if owner != lab.path and Path(owner, "inventory.yml").exists():
        sys.exit(
            f'There is a lab "{lab.name}" on this machine that another checkout made, in {owner}. '
            "Choose another name (LAB=... of make), or take that one down from there."
        )


def check_names(engine: Engine, lab: Lab, network: dict[str, Any] | None, url: str) -> None:
    """Fail where others have a name that the lab will use.

    Raises:
        SystemExit: they have.
    """
    others = {name(found) for found in engine.containers()} - set(engine.hosts(lab))
    others |= {found["Name"] for found in engine.api.networks()} - {network["Name"] if network else ""}
    taken = others & {lab.network, *map(lab.container, lab.hosts)}
    if taken:
        sys.exit(
            f'On the lab engine ({url}) there is {", ".join(sorted(taken))}, which lab "{lab.name}" has not made but '
            "would use. Choose another name (LAB=... of make), or remove that."
        )


def look(engine: Engine, lab: Lab, url: str) -> dict[str, Any]:
    """What there is."""
    network = engine.network(lab)
    check_owner(lab, network)
    check_names(engine, lab, network, url)
    tags = [tag for image in engine.api.images() for tag in image["RepoTags"] or ()]
    return {"subnet": network["IPAM"]["Config"][0]["Subnet"] if network else None, "images": tags}


def bring_network(engine: Engine, lab: Lab) -> list[str]:
    """Make the lab's network. One that a checkout that is gone has left is made anew, with all that is on it."""
    labels = {LABEL: lab.name, LABEL_DIR: lab.path}
    found = engine.network(lab)
    changes: list[str] = []
    if found and found["Labels"] != labels:
        changes = engine.remove_hosts(engine.hosts(lab)) + engine.remove_network(found["Name"])
        found = None
    if found:
        return changes
    engine.api.create_network(
        lab.network,
        driver="bridge",
        internal=True,
        check_duplicate=True,
        options={"com.docker.network.bridge.name": lab.bridge},
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=lab.subnet, gateway=lab.gateway)]),
        labels=labels,
    )
    return [*changes, f"made {lab.network}"]


def configuration(engine: Engine, lab: Lab, host: str) -> dict[str, Any]:
    """All that a host's container is made from."""
    api = engine.api
    made_of = {
        "image": lab.images[host],
        "hostname": host,
        "environment": {
            "LAB_GATEWAY": lab.gateway,
            "LAB_CONTAINERD_STORE": json.dumps(lab.containerd_stores[host]),
        },
        # The host's engine gives its containers ten seconds.
        "stop_timeout": 30,
        "host_config": api.create_host_config(
            init=True,
            cgroupns="private",
            network_mode=lab.network,
            dns=[lab.gateway],
            mounts=[Mount("/etc/lab", f"{lab.path}/hosts/{host}", type="bind", read_only=True)],
            tmpfs={"/run": ""},
            **privileges(),
        ),
        "networking_config": api.create_networking_config(
            {lab.network: api.create_endpoint_config(ipv4_address=lab.addresses[host], aliases=[host])}
        ),
    }
    (image,) = api.images(lab.images[host], quiet=True)
    digest = hashlib.sha256(json.dumps([image, made_of], sort_keys=True).encode()).hexdigest()
    return {**made_of, "labels": {LABEL: lab.name, LABEL_MADE_FROM: digest}}


def bring_host(engine: Engine, lab: Lab, host: str, found: dict[str, Any] | None) -> list[str]:
    """Make a host, or have the one that there is run on the lab's network."""
    api, own = engine.api, lab.container(host)
    wanted = configuration(engine, lab, host)
    changes: list[str] = []
    if found and found["Labels"].get(LABEL_MADE_FROM) != wanted["labels"][LABEL_MADE_FROM]:
        changes = engine.remove_hosts([own])
        found = None
    if found is None:
        api.create_container(name=own, use_config_proxy=False, **wanted)
        api.start(own)
        return [*changes, f"made {own}"]
    if lab.network not in found["NetworkSettings"]["Networks"]:
        address = lab.addresses[host]
        api.connect_container_to_network(own, lab.network, ipv4_address=address, aliases=[host])
        changes.append(f"connected {own}")
    if found["State"] == "paused":
        api.unpause(own)
        changes.append(f"went on with {own}")
    elif found["State"] != "running":
        api.start(own)
        changes.append(f"started {own}")
    return changes


def up(engine: Engine, lab: Lab) -> list[str]:
    """Bring network and hosts to what is asked for; the hosts side by side."""
    wanted = {lab.container(host) for host in lab.hosts}
    changes = bring_network(engine, lab)
    found = engine.hosts(lab)
    changes += engine.remove_hosts(set(found) - wanted)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(lambda host: bring_host(engine, lab, host, found.get(lab.container(host))), lab.hosts)
        return changes + [line for lines in done for line in lines]


def users(engine: Engine) -> dict[str, list[str]]:
    """Who keeps the engine from being stopped: labs, and containers of anybody."""
    networks = engine.api.networks(filters={"label": LABEL})
    names = [found for container in engine.containers() for found in container["Names"]]
    return {"labs": sorted(network["Labels"][LABEL] for network in networks), "containers": sorted(names)}


def down(engine: Engine, lab: Lab) -> dict[str, list[str]]:
    """Remove hosts and network."""
    network = engine.network(lab)
    check_owner(lab, network)
    removed = engine.remove_hosts(engine.hosts(lab))
    if network:
        removed += engine.remove_network(network["Name"])
    return {"removed": removed, **users(engine)}


def main(command: str, url: str) -> None:
    """Do what is asked for."""
    engine = Engine(url)
    if command == "ping":
        engine.api.ping()
    elif command == "users":
        print(json.dumps(users(engine)))
    else:
        lab = Lab(**json.load(sys.stdin))
        if command == "up":
            print("\n".join(up(engine, lab)))
        else:
            print(json.dumps(look(engine, lab, url) if command == "look" else down(engine, lab)))


if __name__ == "__main__":
    main(*sys.argv[1:])
