# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a consumer is told to dial is what it reaches: from its own container, wherever it and its server are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from .conftest import Fleet

# A name service of its own for what follows: nobody else sees it.
NAMED = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')

# Two servers on one host, and clients on it and on another.
# Without init, the first process of a container does not heed SIGTERM, and is waited for.
PROFILE = """
containers:
  - name: server
    image: retail/kserve-client:1
    entrypoint: [python3, -m, http.server, "8000"]
    docker: {{init: true}}
    networks: [inner]
    ports: {{web: 8000}}
    hosts: h1
    replicas: 2
    ready: {{tcp: web, timeout: 30s}}
  - name: client
    image: retail/kserve-client:1
    entrypoint: [sleep, "600"]
    docker: {{init: true}}
    env:
      SERVER: "{{{{ peers['server'].address }}}}"
      PORT: "{{{{ peers['server'].ports.web }}}}"
    networks: [{network}]
    hosts: [h1, h2]
    replicas_per_host: 2
    depends_on: [server]
"""
ASK = "import os, urllib.request as u; print(u.urlopen('http://%(SERVER)s:%(PORT)s/' % os.environ, timeout=10).status)"


def answers(fleet: Fleet, deployment: str) -> dict[str, list[str]]:
    """What each host's clients are answered by the server that they were told of."""
    ask = f"docker exec $id python3 -c {json.dumps(ASK)}"
    command = f"for id in $(docker ps -q --filter name={deployment}-client-); do {ask}; done"
    return {host: text.split() for host, text in fleet.shells("h1,h2", command).items()}


def test_clients_reach_their_server_on_its_host_and_on_another(fleet: Fleet) -> None:
    fleet.profile("spread", PROFILE.format(network="inner"))
    fleet.well("deploy_profile", profile="spread")
    assert answers(fleet, "spread") == {"h1": ["200", "200"], "h2": ["200", "200"]}


def test_clients_on_the_host_network_reach_their_server(fleet: Fleet) -> None:
    fleet.profile("outside", PROFILE.format(network="host"))
    fleet.well("deploy_profile", profile="outside")
    assert answers(fleet, "outside") == {"h1": ["200", "200"], "h2": ["200", "200"]}


def test_hosts_that_are_known_by_a_dns_name(fleet: Fleet, tmp_path: Path) -> None:
    names: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        name = names.setdefault(match[1], f"machine{len(names) + 1}.lab.test")
        return f"ansible_host: {name}, ansible_ssh_extra_args: -o HostKeyAlias={match[1]}"

    inventory = fleet.inventory.with_name("named.yml")
    text = re.sub(r"ansible_host: ([0-9.]+)", named, fleet.inventory.read_text(encoding="utf-8"))
    inventory.write_text(text, encoding="utf-8")
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for address, name in names.items()), encoding="utf-8")
    fleet.profile("dns", PROFILE.format(network="inner"))
    try:
        with fleet.start("deploy_profile", "-i", str(inventory), prefix=(*NAMED, str(hosts)), profile="dns") as playing:
            done = playing.end()
    finally:
        inventory.unlink()
    assert done.status == 0, done.output
    assert answers(fleet, "dns") == {"h1": ["200", "200"], "h2": ["200", "200"]}
