# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stream density, where the truth is known: a server on h1 whose CPU quota was measured directly, clients elsewhere.

RETAIL_PROFILES_DENSITY is how many searches are made for a number of replicas (make test-long: 10),
RETAIL_PROFILES_DENSITY_SEED from which their truths are drawn.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from . import served
from .conftest import SHORT, Done, Fleet

pytestmark = pytest.mark.measures

SEARCHES = int(os.environ.get("RETAIL_PROFILES_DENSITY", "1"))
SEED = int(os.environ.get("RETAIL_PROFILES_DENSITY_SEED", "20261130"))
QUOTA = 0.3
DENSITY = "density: {container: client}\n"
QUICK: dict[str, Any] = {"density_hold": 20, "density_warmup_max": 30}


@pytest.fixture(scope="module")
def lab(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A user for all searches: each cleans up, and whatever one leaves is stopped at the end."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("density"))
    yield user
    user.tidy()


def write(lab: Fleet, load: str, client: float = 2, server: float = QUOTA) -> None:
    text = served.profile(load, server_cpus=server, client_cpus=client, clients="h2,h3,h4")
    lab.profile("many", DENSITY + text)


def at(fps: float) -> str:
    """A load of so many frames a second."""
    return f"--streams, 1, --fps, {fps:.4f}"


def capacity(lab: Fleet, streams: int) -> float:
    """Frames a second that the server does now for so many clients that always have requests on their way."""
    write(lab, "--concurrency, 2")
    lab.well("run_profile", profile="many", profile_streams=streams, **{**SHORT, "measure_duration": 20})
    found: float = lab.latest()["totals"]["fps"]["mean"]
    print(f"capacity: {found:.2f} frames/s for {streams} clients at a quota of {QUOTA} processors")
    return found


def search(lab: Fleet, status: int = 0, **more: Any) -> tuple[Done, dict[str, Any]]:
    """A search that ends with an exit status, and what its record says of it."""
    done = lab.play("stream_density", profile="many", **{**QUICK, **more})
    assert (done.status == 0) == (status == 0), done.output
    (found,) = lab.latest()["search"]["searches"]
    print(f"{found['ending']}: [{found['streams']}, {found['first_fail']}) in {found['seconds']:.0f} s")
    for line in re.findall(r"^density .*$", done.output, re.M):
        print(f"  {line}")
    return done, found


def truths() -> Iterator[float]:
    """How many streams the server is to carry: near the middle between two whole numbers, where it is known."""
    drawn = random.Random(SEED)
    for _try in range(2 * SEARCHES):
        yield drawn.randint(2, 4) + drawn.uniform(0.4, 0.6)


def started(lab: Fleet) -> dict[str, str]:
    """When each client that runs was started, by its name."""
    ask = "docker ps --filter name=many-client --format '{{.Names}} {{.CreatedAt}}'"
    return dict(line.split(" ", 1) for text in lab.shells("all", ask).values() for line in text.splitlines())


@pytest.mark.long
def test_the_interval_holds_the_truth(lab: Fleet) -> None:
    """Measured before each search and after it: where the machine became another one meanwhile, no truth is known."""
    known: list[bool] = []
    for drawn in truths():
        before = capacity(lab, math.ceil(drawn))
        target = before / drawn
        write(lab, at(1.05 * target))
        done, found = search(lab, target_fps=target)
        verdict, results = lab.latest()["verdict"], (lab.home / "results" / "latest").resolve()
        after = capacity(lab, math.ceil(drawn)) / target
        carried = f"the server carries {drawn:.2f} streams before, {after:.2f} after"
        if math.floor(drawn) != math.floor(after):
            print(f"not known: {carried}")
            continue
        known.append((found["streams"], found["first_fail"]) == (math.floor(drawn), math.ceil(drawn)))
        print(f"{'right' if known[-1] else 'WRONG'}: {carried}")
        assert found["ending"] == "found"
        assert re.search(rf"Stream density: {found['streams']} streams? hold", done.output)
        assert verdict in ("ok", "degraded")
        if len(known) == SEARCHES:
            break
    assert len(known) == SEARCHES
    assert sum(known) >= SEARCHES - SEARCHES // 10
    assert lab.leftovers() == {}
    upstream = json.loads((results / "stream_density.json").read_text(encoding="utf-8"))
    assert (upstream["max"], upstream["met_target"]) == (found["streams"], True)
    assert (results / "density.csv").read_text(encoding="utf-8").count("\n") > len(found["steps"])


@pytest.mark.long
def test_streams_that_are_there_go_on_and_what_was_interrupted_too(lab: Fleet) -> None:
    """Interrupted in its second step or later, with the clients of the first still those that were started in it."""
    write(lab, at(1))
    more: dict[str, Any] = {"target_fps": 0.95, "profile_density": {"container": "client", "least": 2, "most": 4}}
    with lab.start("stream_density", profile="many", **more, **QUICK) as playing:
        playing.until("density 1: 2 streams")
        first = started(lab)
        both = next((now for _ask in range(100) if len(now := started(lab)) > len(first)), {})
        assert first.items() < both.items()
        playing.signal(signal.SIGINT)
        assert playing.end().status != 0
    run = lab.latest()
    assert run["verdict"] != "ok"
    (interrupted,) = run["search"]["searches"]
    assert [step["streams"] for step in interrupted["steps"] if step["passed"] is not None] == [2]
    done, found = search(lab, resume=str(lab.home / "results" / run["run_id"]), **more)
    assert lab.latest()["run_id"] == run["run_id"]
    assert found["steps"][0] == interrupted["steps"][0]
    assert (found["ending"], found["streams"], found["first_fail"]) == ("bounds", 4, None)
    assert "4 streams" in done.output
    assert lab.leftovers() == {}


@pytest.mark.long
def test_the_interval_holds_the_truth_by_a_variable(lab: Fleet) -> None:
    """One client is told how many streams to make; only it is made anew."""
    target = capacity(lab, 5) / 4.5
    write(lab, f"--fps, {1.05 * target:.4f}, --streams, $(STREAMS)")
    text = (lab.home / "profiles" / "many" / "profile.yml").read_text(encoding="utf-8")
    shell = 'entrypoint: [sh, -c, \'exec python3 -m kserve_client "$@" --streams "$STREAMS"\', sh]'
    text = text.replace(", --streams, $(STREAMS)", "").replace("    cpus: 2\n", f"    cpus: 2\n    {shell}\n")
    lab.profile("many", text)
    density = {"container": "client", "env": "STREAMS"}
    _done, found = search(lab, target_fps=target, profile_density=density, profile_replicas={"client": 1})
    assert (found["ending"], found["streams"], found["first_fail"]) == ("found", 4, 5)


@pytest.mark.long
def test_the_interval_holds_the_truth_of_a_latency(lab: Fleet) -> None:
    """What so many streams wait was measured directly on either side of the truth; the bound lies between."""
    waited = {}
    write(lab, at(capacity(lab, 5) / 4.5))
    for streams in (4, 5):
        lab.play("run_profile", profile="many", profile_streams=streams, **{**SHORT, "measure_duration": 20})
        waited[streams] = lab.latest()["totals"]["latency_seconds"]["p95"]
    assert waited[5] > 2 * waited[4]
    bound = {"metric": "latency_seconds", "container": "client", "statistic": "p95", "over": "all"}
    _done, found = search(lab, profile_objectives=[{**bound, "at_most": math.sqrt(waited[4] * waited[5])}])
    assert (found["ending"], found["streams"], found["first_fail"]) == ("found", 4, 5)


EVERY_DAY = "bounds"
ENDINGS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "not even one": (at(20), 2, {"target_fps": 1000}),
    "guard": (at(1), 2, {"target_fps": 0.9, "density_memory_min": 99.9}),
    "bounds": (at(1), 0, {"target_fps": 0.9, "profile_density": {"container": "client", "most": 2}}),
    "no data": (at(1), 2, {"profile_objectives": [{"metric": "gpu_busy", "container": "client", "at_least": 1}]}),
    "failed": ("--no-such-option", 2, {"target_fps": 0.9}),
}


@pytest.mark.parametrize(
    "ending", [one if one == EVERY_DAY else pytest.param(one, marks=pytest.mark.long) for one in ENDINGS]
)
def test_each_ending_is_told_apart(lab: Fleet, ending: str) -> None:
    load, status, more = ENDINGS[ending]
    write(lab, load)
    if ending == "no data":  # a metric that its log never tells
        text = (lab.home / "profiles" / "many" / "profile.yml").read_text(encoding="utf-8")
        text = text.replace(
            "      dropped:", "      gpu_busy: {log: gpu, kind: gauge, required: false}\n      dropped:"
        )
        lab.profile("many", text)
    done, found = search(lab, status, **more)
    assert found["ending"] == ending, done.output
    verdict = lab.latest()["verdict"]
    expected = {"not even one": "missed", "guard": "missed", "bounds": "degraded"}
    assert verdict == expected.get(ending, "failed")
    assert lab.leftovers() == {}


@pytest.mark.long
def test_clients_that_can_make_no_more_are_told(lab: Fleet) -> None:
    write(lab, "--streams, 2, --fps, 60", client=0.05, server=2)
    _done, found = search(lab, 2, target_fps=60)
    assert found["ending"] == "limited by the clients"
    assert "limited by: CPU quota of many-client-1 on h2" in found["cause"]


# One container a host, whose variable says how many streams it infers.
BY_HOST = """
density: {{container: local-inference, env: STREAMS, per: host}}
models:
  image: retail/local-inference:1
  command: [make-models, face-detection]
  names: [face-detection]
containers:
  - name: local-inference
    use: capi/local-inference
    entrypoint: [sh, -c, 'exec local-inference --model /models/face-detection --threads 1 {load}']
    args: []
    cpus: 0.2
    hosts: h2,h3
    replicas_per_host: 1
    # With little of a processor it takes its time to start.
    ready: {{log: '"fps"', timeout: 120s}}
"""


@pytest.mark.long
def test_each_host_has_its_own_answer(lab: Fleet) -> None:
    """Measured directly on each host first: as many streams as that and not one more, at the same time."""
    lab.profile("many", BY_HOST.format(load=""))
    lab.well("run_profile", profile="many", **{**SHORT, "measure_duration": 20})
    direct = {name: replica["fps"]["mean"] for name, replica in lab.latest()["metrics"].items()}
    target = min(direct.values()) / 2.5
    lab.profile("many", BY_HOST.format(load=f"--fps $(expr $STREAMS \\* {math.ceil(1.05 * target)})"))
    done = lab.play("stream_density", profile="many", target_fps=target, **QUICK)
    searches = lab.latest()["search"]["searches"]
    for found in searches:
        print(f"{found['host']}: {found['ending']}, [{found['streams']}, {found['first_fail']})")
    print(f"measured directly: {direct}, a stream: {target:.2f}")
    assert done.status == 0, done.output
    assert [(found["ending"], found["streams"], found["first_fail"]) for found in searches] == [("found", 2, 3)] * 2
    assert lab.leftovers() == {}
