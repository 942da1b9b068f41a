# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What limited a run, where the limit was set by the test: each time a server on h1 and a client on h2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from . import served
from .conftest import SHORT, Fleet

pytestmark = pytest.mark.measures

# Two streams of inference, so that one infer request leaves a processor idle.
OPTIONS = """, --nireq, %d, --plugin_config, '{"NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2}'"""
# Bytes a second that the slow network lets pass: about four frames.
RATE = 4_500_000


@dataclass(frozen=True)
class Limit:
    """What is set, and what the run is to say of it."""

    cause: str
    side: str
    confidence: str
    host: str | None
    load: str
    server_cpus: float = 2
    client_cpus: float = 2
    nireq: int = 2
    slow_network: bool = False

    @property
    def inferred(self) -> bool:
        """Whether it is told by processors that are idle."""
        return self.cause in ("network", "infer_requests")


LIMITS = {
    "the quota of the server": Limit("cpu_quota", "server", "clear", "h1", "--streams, 2, --fps, 30", server_cpus=0.3),
    "the quota of the client": Limit("cpu_quota", "client", "clear", "h2", "--streams, 2, --fps, 60", client_cpus=0.05),
    "the network": Limit("network", "network", "likely", "h2", "--streams, 1, --fps, 30", slow_network=True),
    "one infer request": Limit("infer_requests", "server", "clear", "h1", "--concurrency, 4", nireq=1),
    "the load": Limit("load", "load", "clear", None, "--streams, 1, --fps, 2"),
}
EVERY_DAY = ("the quota of the server", "the load")


@pytest.fixture(scope="module")
def limited(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A user for all of these runs: each takes its containers away, and whatever one leaves is stopped at the end."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("limited"))
    yield user
    user.well("stop_profile")


@contextmanager
def network(fleet: Fleet, slow: bool) -> Iterator[None]:
    """A network of h2 that lets only so much pass, where it is to be slow."""
    if not slow:
        yield
        return
    rate = f"tc qdisc add dev eth0 root tbf rate {8 * RATE}bit burst 64kb latency 400ms"
    fleet.shell("h2", rate)
    try:
        yield
    finally:
        fleet.shell("h2", "tc qdisc del dev eth0 root")


def figure(told: dict[str, Any], metric: str) -> dict[str, Any]:
    """The evidence of a metric."""
    found: dict[str, Any] = next(one for one in told["evidence"] if one["metric"] == metric)
    return found


@pytest.mark.parametrize(
    "what", [one if one in EVERY_DAY else pytest.param(one, marks=pytest.mark.long) for one in LIMITS]
)
def test_a_limit_that_was_set_is_named(limited: Fleet, what: str) -> None:
    limit = LIMITS[what]
    text = served.profile(
        limit.load, server_cpus=limit.server_cpus, client_cpus=limit.client_cpus, options=OPTIONS % limit.nireq
    )
    limited.profile("limited", text)
    with network(limited, limit.slow_network):
        done = limited.well("run_profile", profile="limited", **SHORT)
    told = limited.latest()["bottleneck"]
    print(f"{what}: {told['conclusion']}")
    for caveat in told["caveats"]:
        print(f"  besides: {caveat}")
    assert told["conclusion"][1:] in done.output
    if told["caveats"] and limit.inferred:
        # Others took the processors: then it is not clear, and the first of the weak signs is the right one.
        assert told["confidence"] == "not clear"
        told = {**told["others"][0], "confidence": limit.confidence}
    found = (told["cause"], told["side"], told["confidence"], told["where"] and told["where"]["host"])
    assert found == (limit.cause, limit.side, limit.confidence, limit.host), told
    if limit.cause == "cpu_quota":
        quota = limit.server_cpus if limit.side == "server" else limit.client_cpus
        used = figure(told, "cpu_cores")
        assert used["limit"] == quota and used["value"] == pytest.approx(quota, rel=0.1)
        assert figure(told, "cpu_throttled_ratio")["value"] > 0.5
    elif limit.cause == "network":
        # Between two frames nothing is on its way for a moment.
        assert 0.6 * RATE < figure(told, "network_tx_bytes_per_second")["value"] < 1.05 * RATE
    elif limit.cause == "infer_requests":
        assert figure(told, "requests_per_second × inference_seconds")["value"] == pytest.approx(1.0, abs=0.15)
    else:
        assert figure(told, "achieved_per_second")["value"] == pytest.approx(2.0, rel=0.1)
