# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of probe is declared in full: its field, its words in the plan, how a host asks, and its documentation."""

from __future__ import annotations

import string
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import (
    KINDS,
    Probe,
    describe,
    parse_probe,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import (
    PROBE_FIELDS,
    PROBES,
    READY,
    ProbeField,
)

from ..world import World

EVERY_KIND = pytest.mark.parametrize("kind", PROBE_FIELDS, ids=lambda kind: kind.name)
#: of the examples: what a plan says, and an error
WORDS = {
    "http": ("http://p-a-1:8000/ answers 204", "GET http://p-a-1:8000/ wants 204"),
    "tcp": ("p-a-1:9000 accepts connections", "connecting to p-a-1:9000"),
    "grpc": ("p-a-1:9000 answers gRPC ServerReady", "gRPC ServerReady at p-a-1:9000"),
    "rtsp": ("rtsp://p-a-1:8554/camera1 describes a stream", "RTSP DESCRIBE rtsp://p-a-1:8554/camera1"),
    "ovms_models": ("p-a-1:9000 reports m ready", "models m ready (grpc) at p-a-1:9000"),
    "generates": (
        "http://p-a-1:8000/v3/completions answers m with one token",
        "a token of m from http://p-a-1:8000/v3/completions",
    ),
    "log": ("its log matches 'pipeline is PLAYING'", "a log line that matches 'pipeline is PLAYING'"),
    "exec": (
        "test -S /run/server.sock in it exits with code 0",
        "exit code 0 of test -S /run/server.sock in the container",
    ),
    "healthy": ("Docker reports it healthy", "Docker's health check"),
    "exited": ("it has exited with code 0", "exit code 0"),
}


def planned(world: World, kind: ProbeField) -> tuple[dict[str, Any], str]:
    """The example of a kind as a plan has it for the host, and the plan as a text."""
    container = {
        "name": "a",
        "image": "openvino/model_server:2025.4",
        "ports": {"grpc": 9000, "rest": 8000, "rtsp": 8554},
        "volumes": ["/srv/models:/models:ro"],
        "args": ["--model_name", "m", "--model_path", "/models/m", "--port", 9000, "--rest_port", 8000],
        "ready": yaml.safe_load(kind.example),
    }
    world.write("p", yaml.safe_dump({"containers": [container]}))
    plan = world.plan("p")
    (probe,) = plan["replicas"]["p-a-1"]["ready"]
    return probe, plan_text.text(plan)


def named(words: str) -> set[str]:
    """What a template of words takes."""
    return {name for _text, name, _format, _conversion in string.Formatter().parse(words) if name}


def test_a_host_knows_the_kinds_that_a_profile_may_have() -> None:
    assert list(KINDS) == list(PROBES) == [kind.name for kind in PROBE_FIELDS]


@EVERY_KIND
def test_what_is_planned_a_host_takes_and_both_have_words(world: World, kind: ProbeField) -> None:
    written, text = planned(world, kind)
    probe = parse_probe(written, "a")
    assert (probe.kind, probe.replica, probe.timeout) == (kind.name, "p-a-1", 60.0)
    assert kind.plan
    assert describe(probe)
    assert "      ready    when " in text


@pytest.mark.parametrize("name", WORDS)
def test_the_words_of_a_plan_and_of_an_error(world: World, name: str) -> None:
    written, text = planned(world, PROBES[name])
    told, asked = WORDS[name]
    assert f"      ready    when {told}, within 60 s" in text.splitlines()
    assert describe(parse_probe(written, "a")) == asked


@EVERY_KIND
def test_what_a_kind_needs_is_planned_and_in_its_words(world: World, kind: ProbeField) -> None:
    written, _text = planned(world, kind)
    host = KINDS[kind.name]
    known = {field.name for field in fields(Probe)} | {"at"}
    assert named(kind.plan) <= known
    assert named(host.words) <= known
    assert callable(host.ask)
    assert (host.needs == "port") == ("port" in written) == ("at" in named(kind.plan)) == ("at" in named(host.words))
    if host.needs:
        assert written[host.needs]
    assert {field.name for field in kind.fields} <= set(written)
    assert bool(kind.port) <= ("port" in written)


@EVERY_KIND
def test_the_reference_and_the_schema_have_it(checkout: Path, kind: ProbeField) -> None:
    reference = (checkout / "docs" / "profile.md").read_text(encoding="utf-8")
    assert f"\n| `{kind.name}` |  | {kind.doc} | `{kind.example}` |\n" in reference
    assert (f"\n`{kind.name}` in full:\n" in reference) == bool(kind.fields)
    jsonschema.validate(yaml.safe_load(kind.example), dict(READY.schema))


def test_a_host_says_what_a_probe_lacks() -> None:
    for name, kind in KINDS.items():
        if kind.needs:
            with pytest.raises(ProfileError, match=f"the {name} probe needs a {kind.needs}"):
                parse_probe({"kind": name}, "a")
        else:
            assert parse_probe({"kind": name, "port": None}, "a") == Probe(name)
