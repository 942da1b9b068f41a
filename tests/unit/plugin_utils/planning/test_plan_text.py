# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The printed plan: equal replicas share an entry, which names them all and what differs between them."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text

from ..world import World, expanded, write_files

COLUMNS, LINES = 160, 50
PLAIN: dict[str, Any] = {"name": "client", "image": "example/client:1", "hosts": "clients", "depends_on": ["server"]}
SERVER: dict[str, Any] = {
    "name": "server",
    "image": "example/server:1",
    "hosts": "servers",
    "networks": ["inference"],
    "ports": {"grpc": 9000, "rest": 8000},
    "ready": {"tcp": "grpc"},
}
#: fields of 200 clients, by what differs between them
DIFFERENT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "args": {"args": ["--camera", "{{ replica.index }}", "--loop", "--name", "{{ replica.name }}"]},
    "two kinds of args": {"args": ["--model", "model-{{ replica.index % 2 }}"]},
    "images": {"image": "example/client:{{ replica.index % 5 }}.0"},
    "volumes": {"volumes": ["/data/{{ replica.index }}:/data"]},
    "host network": {"networks": "host", "ports": {"http": "{{ 10000 + replica.index }}"}},
    "cpus": {"cpuset": "auto", "cpus": 1},
    "variables": {
        "env": {
            "INDEX": "{{ replica.index }}",
            "LONG": "{{ 'a text that goes on and on ' * 9 }}{{ replica.index }}{{ ' and further on' * 9 }}",
            "WORD": "{{ 'a-word-that-goes-on-' * 9 }}{{ replica.index }}{{ '-and-further-on' * 9 }}",
            "HOST": "{{ replica.host }}",
            "SERVER": "{{ peers['server'].address }}:{{ peers['server'].ports.grpc }}",
            "ODD": "{{ replica.index % 2 }}",
            "LINES": "one\ntwo\n{{ replica.index }}",
        }
    },
    "probes": {"ready": {"log": "{{ 'ready ' * 20 }}{{ replica.index }}", "exec": ["true", "{{ replica.index }}"]}},
}
EVERYTHING: dict[str, Any] = {}
for _fields in (*DIFFERENT.values(), DIFFERENT["args"]):
    EVERYTHING.update(_fields)
HOSTS = {
    "one": ["edge"],
    "numbered": [f"edge{number}" for number in range(1, 101)],
    "domains": [f"edge{number:03}.site{number % 4}.example.com" for number in range(1, 101)],
    "words": sorted(f"{first}{second}-{first * 9}" for first in "abcdefghij" for second in "klmnopqrst"),
}


def plan_of(world: World, hosts: list[str], replicas: int, servers: int = 7, **fields: Any) -> dict[str, Any]:
    world.groups = {"servers": hosts[:servers], "clients": hosts}
    world.snapshot = {host: {"cpus": 512} for host in hosts}
    client = {**PLAIN, "networks": ["inference"], "replicas": replicas, **fields}
    world.write("big", json.dumps({"containers": [{**SERVER, "replicas": servers}, client]}))
    return world.plan("big")


def named(text: str) -> list[str]:
    """The replicas that the entries of a printed plan name, in the order in which they come."""
    joined = re.sub(r"\n {15}", " ", text)
    heads = re.findall(r"^  \+ (.*?) on ", joined, re.MULTILINE)
    return [name for head in heads for name in expanded(head)]


@pytest.mark.parametrize(
    ("different", "hosts"),
    [*((name, "numbered") for name in DIFFERENT), ("nothing", "one"), ("nothing", "words"), ("everything", "domains")],
)
def test_a_plan_of_200_clients_fits_on_a_screen_whatever_differs(world: World, different: str, hosts: str) -> None:
    fields = EVERYTHING if different == "everything" else DIFFERENT[different]
    plan = plan_of(world, HOSTS[hosts], 200, **fields)
    lines = plan_text.text(plan).splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    assert sorted(named("\n".join(lines))) == sorted(plan["replicas"])
    full = plan_text.text(plan, full=True)
    assert named(full) == [name for wave in plan["waves"] for name in wave]
    assert len(full.splitlines()) > 600


def test_an_entry_says_what_differs_and_for_whom(world: World) -> None:
    variables = {"GRPC": "{{ peers['server'].address }}", "NAME": "{{ replica.name }}", "N": "{{ replica.index }}"}
    text = plan_text.text(plan_of(world, ["h1", "h2", "h3", "h10"], 6, 2, networks="host", env=variables))
    assert "  + big-client-1…6 on h1, h2 (2 each), h3, h10 (1 each)\n" in text
    assert (
        "      host     h1 (10.0.0.1) [client-1, client-5]; h2 (10.0.0.2) [client-2, client-6]; "
        "h3 (10.0.0.3) [client-3]; h10 (10.0.0.4) [client-4]\n"
    ) in text
    assert "      env      GRPC=10.0.0.1 [client-1, 3, 5]; 10.0.0.2 [client-2, 4, 6]  (profile.yml:1)\n" in text
    assert "      env      NAME=<replica>  (profile.yml:1)\n" in text
    assert "      env      N=1 [client-1]; 2 [client-2]; … 6 [client-6] (6 values)  (profile.yml:1)\n" in text
    assert (
        "      dials    server (big-server-1) at 10.0.0.1 [client-1, 3, 5]; "
        "(big-server-2) at 10.0.0.2 [client-2, 4, 6]: grpc 9000, rest 8000\n"
    ) in text
    assert (
        "starts   when 10.0.0.1:9000 [client-1, 3, 5]; 10.0.0.2:9000 [client-2, 4, 6] accepts connections seen" in text
    )
    assert "  + big-server-1, big-server-2 on h1, h2 (1 each)\n" in text
    assert "      ready    when <replica>:9000 accepts connections, within 60 s\n" in text
    assert "Wave 2, when big-server-1, big-server-2 are ready\n" in text
    assert text.endswith("-v or -e profile_plan_full=true shows each by itself.")


def test_what_differs_in_image_arguments_or_volumes_has_an_entry_of_its_own(world: World) -> None:
    text = plan_text.text(plan_of(world, ["h1"], 7, 1, args=["--model", "m{{ replica.index % 2 }}"]))
    assert named(text) == ["big-server-1", *(f"big-client-{number}" for number in (1, 3, 5, 7, 2, 4, 6))]
    assert "  + big-client-1…7 by 2 on h1 (10.0.0.1)\n" in text
    assert "  + big-client-2, 4, 6 on h1 (10.0.0.1)\n" in text
    assert re.findall("      args     (.*)\n", text) == ["--model m1", "--model m0"]
    # What all have alike is not said, and many kinds share an entry.
    assert "  args " not in plan_text.text(plan_of(world, ["h1"], 7, 1, args=["--model", "m"]))
    text = plan_text.text(plan_of(world, ["h1"], 7, 1, args=["--model", "m{{ replica.index }}", "-v"]))
    assert "args     --model m1 [client-1]; m2 [client-2]; … m7 [client-7] (7 values) -v\n" in text


def test_of_long_values_the_part_that_differs_is_shown(world: World) -> None:
    url = "rtsp://a-host-with-a-long-name.example.com:8554/a/long/path/camera{{ replica.index }}"
    text = plan_text.text(plan_of(world, ["h1"], 3, 1, env={"URL": url, "TEXT": "a " * 40 + "{{ replica.index }}"}))
    assert "URL=…ath/camera1 [client-1]; …ath/camera2 [client-2]; …ath/camera3 [client-3]" in text
    assert re.search(r"TEXT=…[a ]{59}1 \[client-1\]; 2 \[client-2\]; 3 \[client-3\]", text)


def test_a_variable_that_some_do_not_have_is_told(world: World) -> None:
    plan = plan_of(world, ["h1"], 3, 1, env={"A": "1"})
    task = plan["replicas"]["big-client-2"]["task"]
    plan["replicas"]["big-client-2"] = {**plan["replicas"]["big-client-2"], "task": {**task, "env": {}}}
    assert "      env      A=1 [client-1, client-3]; (none) [client-2]  (profile.yml:1)\n" in plan_text.text(plan)


def test_entries_stay_apart_where_that_is_no_longer(world: World) -> None:
    world.write("small", json.dumps({"containers": [{"name": "one", "image": "i", "replicas": 2, "hosts": "clients"}]}))
    plan = world.plan("small")
    assert plan_text.text(plan) == plan_text.text(plan, full=True)
    assert "  + small-one-2 on h3 (10.0.0.3)\n" in plan_text.text(plan)


def test_hosts_left_out_for_reasons_that_differ_in_a_number_are_told_in_one_line(world: World) -> None:
    hosts = [f"h{number}" for number in range(1, 9)]
    plan = plan_of(world, hosts, 2, 1)
    plan["left_out"] = {
        "client": {
            **{f"require cpus 8: it has {1 + number % 5}": [f"h{number}"] for number in (1, 2, 3, 4, 5)},
            "require arch arm64: it is amd64": ["h6", "h7"],
        }
    }
    told = [line for line in plan_text.text(plan).splitlines() if line.startswith("Left out")]
    assert told == [
        "Left out for client: require cpus 8: it has 2 [h1]; 3 [h2]; … 1 [h5] (5 values)",
        "Left out for client: h6, h7: require arch arm64: it is amd64",
    ]
    assert len(re.findall("^Left out", plan_text.text(plan, full=True), re.MULTILINE)) == 6


def test_a_warning_of_many_replicas_is_told_once_with_all_of_their_names(world: World) -> None:
    plan = plan_of(world, ["h1", "h2", "h3"], 5, 2, networks="host", ports={"http": "{{ 8000 + replica.index }}"})
    plan["warnings"] = [*plan["warnings"], "big-client-2: something else", "of the profile", "h1 is h2"]
    told = [line for line in plan_text.text(plan).splitlines() if line.startswith("Warning: ")]
    assert told == [
        "Warning: big-client-1 is on the host network of h1: it binds its ports on every address it likes "
        "(likewise big-client-2…5)",
        "Warning: big-client-2: something else",
        "Warning: of the profile",
        "Warning: h1 is h2",
    ]
    full = plan_text.text(plan, full=True)
    assert [line for line in full.splitlines() if line.startswith("Warning: ")] == [
        f"Warning: {warning}" for warning in plan["warnings"]
    ]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hosts=st.integers(1, 12),
    replicas=st.integers(1, 40),
    servers=st.integers(1, 3),
    kinds=st.integers(1, 12),  # on a screen
    seed=st.integers(0, 1 << 20),
    on_host=st.booleans(),
)
def test_every_replica_is_in_one_entry_and_no_warning_is_hidden(
    world: World, hosts: int, replicas: int, servers: int, kinds: int, seed: int, on_host: bool
) -> None:
    number = random.Random(seed)
    kind = {index: number.randrange(kinds) for index in range(1, replicas + 1)}
    fields: dict[str, Any] = {"args": ["--kind", f"{{{{ {kind}[replica.index] }}}}"]}
    if on_host:
        fields |= {"networks": "host", "ports": {"http": "{{ 8000 + replica.index }}"}}
    plan = plan_of(world, [f"h{at}" for at in range(hosts)], replicas, min(servers, hosts), **fields)
    plan["warnings"] += [f"big-client-{index}: about kind {at}" for index, at in kind.items()]
    text = plan_text.text(plan)
    assert text == plan_text.text(json.loads(json.dumps(plan)))
    assert sorted(named(text)) == sorted(plan["replicas"])
    told: set[str] = set()
    for line in re.findall("^Warning: (.*)$", text.replace(f"\n{' ' * 15}", " "), re.MULTILINE):
        first, _likewise, others = line.removesuffix(")").partition(" (likewise ")
        told.add(first)
        [(name, host)] = [
            (at, plan["replicas"][at]["host"]) for at in plan["replicas"] if re.search(rf"\b{at}\b", first)
        ]
        for other in expanded(others):
            elsewhere = re.sub(rf"\b{host}\b", plan["replicas"][other]["host"], first)
            told.add(re.sub(rf"\b{name}\b", other, elsewhere))
    assert told == set(plan["warnings"])


def test_plans_of_the_shipped_profiles_are_short(world: World, checkout: Path) -> None:
    world.root = checkout / "profiles"
    hosts = [f"edge{number}" for number in range(1, 201)]
    world.groups = dict.fromkeys(("ovms_clients", "pipelines"), hosts) | {
        "ovms_servers": hosts[:4],
        "cameras": hosts[:1],
    }
    world.variables = {"camera_streams": 200}
    for name in sorted(folder.parent.name for folder in world.root.glob("*/profile.yml")):
        replicas = {"ovms-server": 4, "client": 200} if name == "ovms" else {}
        plan = world.plan(name, replicas=replicas)
        text = plan_text.text(plan)
        assert sorted(named(text)) == sorted(plan["replicas"])
        assert len(text.splitlines()) <= LINES
        assert len(plan_text.text(plan, full=True).splitlines()) >= len(text.splitlines())


def test_warnings_of_a_file_keep_its_order_and_equal_ones_are_one(world: World) -> None:
    services = [f"  s{at}:\n    image: i\n    credential_spec: {{file: x}}\n" for at in range(12)]
    text = "services:\n" + "".join(services) + "    isolation: default\n"
    file = write_files(world.root, {"p/compose.yml": text})
    plan = world.plan_foreign(file)
    lines = [int(warning.split(":")[1]) for warning in plan["warnings"]]
    assert lines == sorted(lines)
    told = [line for line in plan_text.text(plan).replace(f"\n{' ' * 9}", " ").splitlines() if "Warning" in line]
    assert told[0].startswith("Warning: compose.yml:4: services.s0.credential_spec is ignored")
    assert re.sub(r"\s+", " ", plan_text.text(plan)).count("credential_spec") == 1
    assert "(likewise in line 7, 10, 13," in re.sub(r"\s+", " ", plan_text.text(plan))


def test_there_is_a_screen_of_warnings_at_most_unless_all_is_asked_for(world: World) -> None:
    world.write(
        "p",
        json.dumps({"containers": [PLAIN | {"depends_on": []}], "warnings": [f"w{chr(97 + at)}" for at in range(26)]}),
    )
    plan = world.plan("p")
    told = [line for line in plan_text.text(plan).splitlines() if line.startswith("Warning: ")]
    assert told[:2] == ["Warning: wa", "Warning: wb"]
    assert told[-1] == "Warning: there are more, 26 in all; -v or -e profile_plan_full=true shows each."
    assert len(told) == 20
    assert plan_text.text(plan, full=True).count("Warning: ") == 26
