# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A language model on one host, asked by others over ``/v3/chat/completions``, streamed, with a secret key."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import SHORT, Done, Fleet

pytestmark = pytest.mark.measures

KEY = "the-key-of-the-lab"
MODEL = "org/tiny"
TOKENS = 16
# A client of the tests' own, for an image that the lab has anyway: a JSON line for each answer.
CHAT = """
import json, os, signal, time, urllib.request

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
url = f"http://{os.environ['ADDRESS']}:{os.environ['PORT']}/v3/chat/completions"
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['API_KEY']}"}
asked = {"model": os.environ["MODEL"], "stream": True, "stream_options": {"include_usage": True}, "max_tokens": TOKENS,
         "messages": [{"role": "user", "content": "Say something."}]}
while True:
    begun = time.perf_counter()
    times, usage = [], None
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(asked).encode(), headers), timeout=30) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                piece = json.loads(line[6:])
                usage = piece.get("usage") or usage
                times += [time.perf_counter() for choice in piece["choices"] if choice["delta"].get("content")]
    print(json.dumps({
        "first": times[0] - begun,
        "between": [b - a for a, b in zip(times, times[1:])],
        "whole": times[-1] - begun,
        "tokens": usage["completion_tokens"],
    }), flush=True)
    time.sleep(max(0.0, 0.2 - (time.perf_counter() - begun)))
""".replace("TOKENS", str(TOKENS))
PROFILE = """
models:
  image: openvino/model_server:2026.4
  command: [--pull, --source_model, "{{ llm_model }}", --model_repository_path, /models, --task, text_generation]
  names: ["{{ llm_model }}"]
containers:
  - use: ovms-llm/llm-server
  - name: chat
    image: retail/kserve-client:1
    entrypoint: [python3, /chat.py]
    volumes: [./chat.py:/chat.py:ro]
    env:
      ADDRESS: "{{ peers['llm-server'].address }}"
      PORT: "{{ peers['llm-server'].ports.rest }}"
      MODEL: "{{ llm_model }}"
    secret_env: {API_KEY: "{{ llm_api_key }}"}
    networks: [inference]
    hosts: ovms_clients
    replicas: 2
    depends_on: [llm-server]
    metrics:
      time_to_first_token_seconds: {log: first, kind: sketch, unit: seconds}
      inter_token_latency_seconds: {log: between, kind: sketch, unit: seconds}
      latency_seconds: {log: whole, kind: sketch, unit: seconds}
      tokens: {log: tokens, unit: tokens}
"""
GIVEN = {"llm_model": MODEL, "llm_api_key": KEY}


@pytest.fixture(scope="module")
def talked(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Done]]:
    """A user with that profile, whose hosts have the model, and a run of it whose deployment stays."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("talk"))
    user.profile("talk", PROFILE, chat__py=CHAT)
    user.well("prepare_hosts", profile="talk", **GIVEN)
    done = user.well("run_profile", profile="talk", profile_keep=True, **GIVEN, **SHORT)
    yield user, done
    user.tidy()


def test_a_model_is_pulled_once_served_and_asked_by_clients_on_other_hosts(talked: tuple[Fleet, Done]) -> None:
    talking, done = talked
    files = talking.shell("h1", f"ls /var/lib/retail-profiles/models/{MODEL}").split()
    assert {"openvino_model.xml", "openvino_model.bin", "tokenizer.json", "tokenizer_config.json"} <= set(files)

    run = talking.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert run["containers"]["talk-llm-server-1"]["host"] == "h1"
    assert "Made with stand-ins" in done.output
    assert "openvino/model_server" in " ".join(run["stand_ins"])

    clients = [run["metrics"][f"talk-chat-{number}"] for number in (1, 2)]
    for told in clients:
        assert told["tokens"]["mean"] == TOKENS
        assert told["time_to_first_token_seconds"]["p50"] > 0.0
        assert told["latency_seconds"]["min"] >= told["time_to_first_token_seconds"]["min"]
    # Of all clients together, from what each of them told; never a mean of percentiles.
    together = run["totals"]["time_to_first_token_seconds"]
    assert together["n"] == sum(told["time_to_first_token_seconds"]["n"] for told in clients)
    between = run["totals"]["inter_token_latency_seconds"]
    assert between["n"] == (TOKENS - 1) * together["n"]

    server = run["metrics"]["talk-llm-server-1"]
    assert server["graph_requests_per_second"]["mean"] > 0.0
    assert server["graph_responses_per_second"]["mean"] > server["graph_requests_per_second"]["mean"]
    assert not with_key(talking, run)


def with_key(fleet: Fleet, run: dict[str, Any]) -> list[str]:
    """The files of a run in which the key stands."""
    files = [file for file in (fleet.home / "results" / run["run_id"]).rglob("*") if file.is_file()]
    return [file.name for file in files if KEY.encode() in content(file)]


def content(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_a_client_with_a_wrong_key_is_told_so(talked: tuple[Fleet, Done]) -> None:
    talking, _done = talked
    place = talking.shell("h2", "docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' talk-chat-1")
    env = dict(line.partition("=")[::2] for line in place.splitlines() if "=" in line)

    def status(key: str) -> str:
        ask = (
            f"import http.client; to = http.client.HTTPConnection('{env['ADDRESS']}', {env['PORT']}); "
            f"to.request('GET', '/v3/models', headers={{'Authorization': 'Bearer {key}'}}); "
            "print(to.getresponse().status)"
        )
        return talking.shell("h2", f'docker exec talk-chat-1 python3 -c "{ask}"').strip()

    assert (status("wrong"), status(KEY)) == ("401", "200")


@pytest.mark.long
@pytest.mark.parametrize("profile", ["ovms-llm", "ovms-llm-guidellm"])
def test_load_tools_measure_a_stream_and_their_exports_are_read(fleet: Fleet, profile: str) -> None:
    given = {**GIVEN, "profile_env": {"LOAD_SECONDS": 15, "REQUEST_RATE": 2, "INPUT_TOKENS": 64, "OUTPUT_TOKENS": 16}}
    fleet.well("prepare_hosts", profile=profile, **given)
    done = fleet.well("run_profile", profile=profile, measure_warmup_max=0, measure_duration=90, **given)
    run = fleet.latest()
    assert "ttft p50 ms" in done.output
    assert not with_key(fleet, run)
    assert run["verdict"] in ("ok", "degraded"), run["reasons"]
    clients = {name: run["metrics"][name] for name, one in run["containers"].items() if "llm-server" not in name}
    for told in clients.values():
        assert told["time_to_first_token_seconds"]["n"] >= 15
        assert told["time_per_output_token_seconds"]["p50"] > 0.0
        assert told["latency_seconds"]["p50"] > told["time_to_first_token_seconds"]["p50"]
        assert told["offered_per_second"]["mean"] == 2.0
        assert told["achieved_per_second"]["mean"] == pytest.approx(2.0, rel=0.2)
        assert told["output_tokens_per_second"]["mean"] == pytest.approx(32.0, rel=0.2)
        assert told["goodput_per_second"]["mean"] > 0.0
        assert told["errors"]["mean"] == 0.0
        assert told["time_to_first_token_p99_seconds"]["max"] > 0.0
    totals = run["totals"]
    first = "time_to_first_token_seconds"
    assert totals[first]["n"] == sum(told[first]["n"] for told in clients.values())
    assert totals["time_to_first_token_p99_seconds"]["mean"] is None
