# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness of real containers, and facts of a host with a real engine."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.host.snapshot import snapshot

from .conftest import IMAGE, Deployment

#: a server in the Perl that every Debian has: listens on 9000 one second after its start, answers HTTP 200
SERVER = """
use IO::Socket::INET; sleep 1; $| = 1; $SIG{TERM} = sub { exit 0 };
my $s = IO::Socket::INET->new(LocalPort => 9000, Listen => 9, ReuseAddr => 1) or die "no port: $!";
print "serving\\n";
while (my $c = $s->accept) { my $l = <$c>; print $c "HTTP/1.0 200 OK\\r\\n\\r\\n" if defined $l; close $c }
"""


#: the same, which takes a whole request, and answers 200 to whoever has the key
KEYED = r"""
use IO::Socket::INET; $| = 1; $SIG{TERM} = sub { exit 0 };
my $s = IO::Socket::INET->new(LocalPort => 9000, Listen => 9, ReuseAddr => 1) or die "no port: $!";
while (my $c = $s->accept) {
  my ($length, $key, $body) = (0, "", "");
  while (my $l = <$c>) {
    last if $l eq "\r\n";
    $length = $1 if $l =~ /^Content-Length: (\d+)/i;
    $key = $1 if $l =~ /^Authorization: Bearer (\S+)/i;
  }
  read($c, $body, $length);
  print $c "HTTP/1.0 ", $key eq "k1" && $body =~ /max_tokens/ ? "200 OK" : "401 No", "\r\n\r\n";
  close $c;
}
"""


def only(result: dict[str, Any]) -> dict[str, Any]:
    (outcome,) = result["replicas"].values()
    found: dict[str, Any] = outcome
    return found


def present(deployment: Deployment, task: dict[str, Any], **probe: Any) -> dict[str, Any]:
    return deployment.call(
        "present",
        deployment.replica(task, ready=[{"replica": task["name"], "timeout": 20, **probe}]),
        networks=[deployment.network()],
    )


@pytest.fixture
def server(deployment: Deployment) -> dict[str, Any]:
    return deployment.task(command=["perl", "-e", SERVER], networks=[{"name": f"{deployment.name}-net"}])


@pytest.mark.parametrize(("key", "is_ready"), [("k1", True), ("k2", False)])
def test_one_token_is_asked_for_with_the_containers_own_key(deployment: Deployment, key: str, is_ready: bool) -> None:
    networks = [{"name": f"{deployment.name}-net"}]
    task = deployment.task(command=["perl", "-e", KEYED], networks=networks, env={"API_KEY": key})
    probe = {"kind": "generates", "port": 9000, "path": "/v3/chat/completions", "models": ["org/llm"]}
    made = only(present(deployment, task, **probe, body='{"max_tokens": 1}', timeout=20 if is_ready else 2))
    assert made["ready"] is is_ready, made["error"]
    assert is_ready or "a token of org/llm from http://" in made["error"]
    assert is_ready or "/v3/chat/completions: answered 401" in made["error"]


@pytest.mark.parametrize(
    "probe",
    [
        {"kind": "tcp", "port": 9000},
        {"kind": "http", "port": 9000, "path": "/v2/health/ready"},
        {"kind": "ovms_models", "port": 9000, "models": ["a", "b"], "protocol": "rest"},
        {"kind": "log", "pattern": "^serving$"},
    ],
    ids=lambda probe: probe["kind"],
)
def test_ready_when_it_serves_and_not_before(deployment: Deployment, server: dict[str, Any], probe: Any) -> None:
    made = only(present(deployment, server, **probe))
    assert (made["status"], made["ready"]) == ("created", True), made["error"]
    assert made["ready_after"] > 0.9  # it sleeps for a second
    again = only(present(deployment, server, **probe))
    assert (again["status"], again["ready"]) == ("unchanged", True)
    assert again["ready_after"] < made["ready_after"]


def test_a_health_check(deployment: Deployment) -> None:
    check = {"test": ["CMD", "test", "-e", "/up"], "interval": "200ms", "retries": 50}
    task = deployment.task(command=["sh", "-c", "sleep 1; touch /up; sleep 1000"], init=True, healthcheck=check)
    assert only(present(deployment, task, kind="healthy"))["ready"] is True
    without = deployment.task("b")
    assert "has no health check" in only(present(deployment, without, kind="healthy"))["error"]


def test_a_command_in_the_container(deployment: Deployment) -> None:
    task = deployment.task(command=["sh", "-c", "sleep 1; touch /up; exec sleep 1000"], init=True)
    made = only(present(deployment, task, kind="exec", command=["test", "-e", "/up"]))
    assert made["ready"] is True, made["error"]
    assert made["ready_after"] > 0.9
    command = ["sh", "-c", "echo not yet >&2; exit 3"]
    refused = only(present(deployment, task, kind="exec", timeout=0.3, command=command))
    assert "exit code 0 of sh -c echo not yet >&2; exit 3 in the container: exit code 3 (not yet)" in refused["error"]
    missing = only(present(deployment, task, kind="exec", timeout=0.3, command=["/not/there"]))
    assert "exit code 12" in missing["error"]


def test_exit_0_and_exit_3(deployment: Deployment) -> None:
    good = only(present(deployment, deployment.task(command=["true"]), kind="exited"))
    assert (good["ready"], good["exit_code"]) == (True, 0)
    task = deployment.task("b", command=["sh", "-c", "echo why; exit 3"])
    bad = only(present(deployment, task, kind="exited"))
    assert (bad["status"], bad["ready"], bad["exit_code"]) == ("not_ready", False, 3)
    assert "exited with code 3, not 0; its log ends:\n  why" in bad["error"]


def test_one_that_exits_fails_at_once_and_keeps_no_other_back(deployment: Deployment, server: dict[str, Any]) -> None:
    bad = deployment.task("b", command=["sh", "-c", "echo bad model; exit 64"])
    start = time.monotonic()
    result = deployment.call(
        "present",
        deployment.replica(server, ready=[{"kind": "tcp", "port": 9000, "replica": server["name"]}]),
        deployment.replica(bad, ready=[{"kind": "tcp", "port": 9000, "replica": bad["name"], "timeout": 300}]),
        networks=[deployment.network()],
    )
    assert time.monotonic() - start < 200  # nowhere near the time-out
    assert result["replicas"][server["name"]]["ready"] is True
    outcome = result["replicas"][bad["name"]]
    assert (outcome["status"], outcome["exit_code"]) == ("not_ready", 64)
    assert "exited with code 64 before it was ready; its log ends:\n  bad model" in outcome["error"]
    assert result["failed"]
    assert result["msg"] == outcome["error"]


def test_a_restart_loop_is_told(deployment: Deployment) -> None:
    task = deployment.task(command=["sh", "-c", "exit 7"], restart_policy="always")
    outcome = only(present(deployment, task, kind="log", pattern="never"))
    assert "restarts again and again, last with exit code 7" in outcome["error"]


def test_a_time_out_says_what_it_asked_and_what_was_logged(deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    outcome = only(present(deployment, task, kind="http", port=9000, path="/ready", timeout=0.5))
    assert outcome["status"] == "not_ready"
    for words in ("not ready after 0.", f"GET http://{task['name']}:9000/ready wants 200", "refused", "\n  up"):
        assert words in outcome["error"]


def test_a_line_of_an_earlier_start_is_not_enough(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(command=["sh", "-c", "test -e /was || echo ready; touch /was; exec sleep 1000"], init=True)
    assert only(present(deployment, task, kind="log", pattern="ready"))["ready"] is True
    engine.stop(task["name"])
    outcome = only(present(deployment, task, kind="log", pattern="ready", timeout=0.5))
    assert outcome["status"] == "not_ready"
    assert "no such line in its log" in outcome["error"]


def test_nothing_is_started_that_cannot_reach_what_it_needs(
    engine: Engine, deployment: Deployment, server: dict[str, Any]
) -> None:
    client = deployment.task("b")
    made = only(present(deployment, server, kind="tcp", port=9000))
    reach = {"kind": "tcp", "address": made["address"], "port": 9001, "timeout": 0.3}
    outcome = only(deployment.call("present", deployment.replica(client, reach=[reach])))
    assert outcome["status"] == "failed"
    assert (
        f"this host does not reach what it depends on: not ready after 0.3 s: connecting to {made['address']}:9001"
        in (outcome["error"])
    )
    assert engine.inspect(client["name"]) is None
    good = only(deployment.call("present", deployment.replica(client, reach=[{**reach, "port": 9000}])))
    assert good["status"] == "created"


def test_only_waiting(engine: Engine, deployment: Deployment, server: dict[str, Any]) -> None:
    probe = {"kind": "tcp", "port": 9000, "replica": server["name"]}
    missing = deployment.call("ready", deployment.replica(server, ready=[probe]))
    assert "there is no such container" in missing["msg"]
    deployment.present(server, networks=[deployment.network()])
    found = only(deployment.call("ready", deployment.replica(server, ready=[probe])))
    assert (found["status"], found["ready"]) == ("unchanged", True)
    assert found["address"]


def test_facts_of_a_real_host(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    deployment.present(task, networks=[deployment.network()])
    found = json.loads(json.dumps(snapshot(str(deployment.state_dir), engine)))
    version = engine.version()
    assert (found["engine"]["version"], found["engine"]["api"]) == (version["Version"], version["ApiVersion"])
    assert found["images"][IMAGE]["id"].startswith("sha256:")
    container = found["containers"][task["name"]]
    assert (container["image"], container["running"]) == (IMAGE, True)
    assert container["labels"]["retail.profiles.deployment"] == deployment.name
    labels = found["networks"][f"{deployment.name}-net"]["labels"]
    assert labels["retail.profiles.deployment"] == deployment.name
    assert abs(found["time"] - time.time()) < 60
