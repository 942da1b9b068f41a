# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest values while a run goes on: what is served, by whom, and a real Prometheus that scrapes it."""

from __future__ import annotations

import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import parser

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, measured_plan, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window, WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import live_server, openmetrics
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_metrics import LiveMetrics
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_server import LiveServer
from ansible_collections.retail.profiles.plugins.plugin_utils.text.listening import Listening

from ..synthetic import Fleet, Play, make_plan
from .conftest import serving

ANY = Listening("127.0.0.1", 0)
IDENTITY = {"run_id": "r-1", "plan_id": "p", "profile": 'a "b"', "deployment": "ovms", "verdict": "running"}
Labels = frozenset[tuple[str, str]]


@pytest.fixture
def server() -> Iterator[LiveServer]:
    made = LiveServer(ANY)
    yield made
    made.close()


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text: str = answer.read().decode()
        return text


def series(text: str) -> dict[tuple[str, Labels], float]:
    found = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def fed(seconds: int, plan: dict[str, Any]) -> tuple[LiveMetrics, list[dict[str, Any]]]:
    """The latest values after so many seconds, collected every five, and all samples."""
    metrics, fleet, samples = LiveMetrics(measured_plan.of_plan(plan)), Fleet(plan), []
    for second in range(seconds):
        if second % 5 == 0:
            metrics.next_round()
        for host in plan["hosts"]:
            for sample in fleet.second(host, float(second)):
                samples.append({**sample, "host": host})
                metrics.feed(samples[-1])
    return metrics, samples


def served(metrics: LiveMetrics) -> str:
    windows = [Window("warmup", Span(0.0, 10.0)), Window("measure", Span(10.0, 40.0))]
    return openmetrics.latest(IDENTITY, windows, 12.0, metrics.latest())


def test_windows_are_told_while_they_go_on() -> None:
    told = series(served(LiveMetrics(measured_plan.of_plan(make_plan()))))
    windows = {dict(labels)["phase"]: value for (name, labels), value in told.items() if name.endswith("_window")}
    assert windows == {"warmup": 0.0, "measure": 1.0}


def test_values_are_of_the_last_seconds() -> None:
    plan = make_plan(hosts=3, clients=3)
    metrics, samples = fed(60, plan)
    told = series(served(metrics))
    seen = observations.observe(measured_plan.of_plan(plan), samples, {})
    for replica in measured_plan.of_plan(plan).replicas:
        own = frozenset({"host": replica.host, "container": replica.container, "replica": replica.name}.items())
        memory = [point.value for point in seen.replicas[replica.name]["memory_working_set_bytes"].points]
        assert told["retail_profiles_memory_working_set_bytes", own] == pytest.approx(sum(memory[-10:]) / 10)
        sketches = seen.replicas[replica.name].get("latency_seconds")
        if sketches is not None:
            last = ddsketch.merge(sketch for _t, sketch in sketches.sketches[-10:])
            quantile = own | {("quantile", "0.99")}
            assert told["retail_profiles_latency_seconds", quantile] == pytest.approx(last.quantile(0.99))
            counted = seen.replicas[replica.name]["errors"].raw[-1].value
            assert told["retail_profiles_errors_total", own] == counted


def test_names_and_labels_are_those_of_the_file(ready_run: Play) -> None:
    text = (ready_run.path / "metrics.prom").read_text()
    of_file = {line.rpartition(" ")[0].rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    metrics, _samples = fed(60, ready_run.plan)
    lines = served(metrics).splitlines()
    told = {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}
    told = {line for line in told if "_run_info" not in line and "_window{" not in line}
    assert len(told) > 50
    assert told <= of_file
    # All else of the file is of the windows and the run, whose labels are known when they have ended.
    assert {name.partition("{")[0] for name in of_file - told} == {
        "retail_profiles_run_info",
        "retail_profiles_window",
    }


def test_what_a_host_does_not_tell_any_more_goes() -> None:
    plan = make_plan(hosts=2, clients=1)
    metrics, _samples = fed(20, plan)
    fleet = Fleet(plan)
    for second in range(20, 40):
        if second % 5 == 0:
            metrics.next_round()
        for sample in fleet.second("server", float(second)):
            metrics.feed({**sample, "host": "server"})
    hosts = {dict(labels).get("host") for _name, labels in series(served(metrics))}
    assert hosts == {None, "server"}


def test_promtool_accepts_it(promtool_check: Callable[[str], str]) -> None:
    metrics, _samples = fed(20, make_plan(hosts=3, clients=2))
    assert promtool_check(served(metrics)) == ""
    assert promtool_check(openmetrics.latest(IDENTITY, (), 0.0, [])) == ""


def test_a_prometheus_scrapes_it(server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, _samples = fed(20, make_plan(hosts=3, clients=2))
    text = served(metrics)
    server.publish(text)
    scraped = threading.Semaphore(0)
    answer = live_server._Handler.do_GET

    def counted(handler: Any) -> None:
        answer(handler)
        scraped.release()

    monkeypatch.setattr(live_server._Handler, "do_GET", counted)
    target = server.url.removeprefix("http://").removesuffix("/metrics")
    scrape = (
        f"scrape_configs: [{{job_name: run, scrape_interval: 200ms, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with serving(tmp_path / "blocks", tmp_path / "prometheus.yml", scrape) as prometheus:
        for _scrape in range(3):  # when it asks again, it has stored what it was given
            assert scraped.acquire(timeout=60)
        (up,) = prometheus.get("query", query="up")["result"]
        assert up["value"][1] == "1"
        expected = {
            dict(labels)["replica"]: value
            for (name, labels), value in series(text).items()
            if name == "retail_profiles_memory_working_set_bytes"
        }
        found = prometheus.get("query", query="retail_profiles_memory_working_set_bytes")["result"]
        assert {one["metric"]["replica"]: float(one["value"][1]) for one in found} == expected
        (identity,) = prometheus.get("query", query="retail_profiles_run_info")["result"]
        assert identity["metric"].items() >= IDENTITY.items()


def test_there_is_nothing_but_get_metrics(server: LiveServer) -> None:
    server.publish("a 1\n")
    assert fetched(server.url) == "a 1\n"
    for path, method, status in (("", "GET", 404), ("/../metrics", "GET", 404), ("/metrics", "POST", 501)):
        request = urllib.request.Request(server.url.replace("/metrics", path), method=method)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        assert caught.value.code == status


def test_silent_clients_cost_little(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond the bound are sent away at once; one that is silent for long is not waited for."""
    server.publish("a 1\n")
    monkeypatch.setattr(live_server._Handler, "timeout", 0.5)
    where = ("127.0.0.1", int(server.url.rpartition(":")[2].partition("/")[0]))
    silent = [socket.create_connection(where, timeout=30) for _number in range(live_server.MOST_CONNECTIONS + 1)]
    assert silent[-1].recv(1) == b""
    for connection in silent:
        assert connection.recv(1) == b""
        connection.close()
    assert fetched(server.url) == "a 1\n"


def test_a_fork_does_not_keep_the_port() -> None:
    server = LiveServer(ANY)
    where = Listening("127.0.0.1", int(server.url.rpartition(":")[2].partition("/")[0]))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # until the test has ended
        os._exit(0)
    os.close(reader)
    try:
        server.close()
        where.bound("measure_live").close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", where.port))
    finally:
        os.close(writer)
        os.waitpid(child, 0)


def test_a_run_is_served_while_it_goes_on(play_of: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    publish = LiveServer.publish

    def looked_at(server: LiveServer, text: str) -> None:
        publish(server, text)
        texts.append(fetched(server.url))

    monkeypatch.setattr(LiveServer, "publish", looked_at)
    play = play_of()
    play.live = "127.0.0.1:0"
    play.whole(WindowSettings(15.0, 10.0))
    (shown,) = [line for line in play.screen.lines if line.startswith("Live metrics: http://127.0.0.1:")]
    assert len(texts) > 3
    assert ("retail_profiles_run_info", frozenset({**IDENTITY, **identity_of(play)}.items())) in series(texts[0])
    assert any(name == "retail_profiles_fps" for name, _labels in series(texts[-1]))
    with pytest.raises(urllib.error.URLError):
        fetched(shown.removeprefix("Live metrics: "))
    assert play.record()["verdict"] == "ok"


def identity_of(play: Play) -> dict[str, str]:
    return {"run_id": play.run_id, **{key: play.plan[key] for key in ("plan_id", "profile", "deployment")}}


def test_a_port_that_was_taken_meanwhile_costs_the_run_nothing(play_of: Callable[..., Play]) -> None:
    with Listening("127.0.0.1", 0).bound("test") as other:
        play = play_of()
        play.live = f"127.0.0.1:{other.getsockname()[1]}"
        play.whole(WindowSettings(15.0, 10.0))
    assert play.record()["verdict"] == "ok"
    (warning,) = play.screen.warnings
    assert "cannot be listened on: Address already in use; no live metrics are served" in warning


def test_the_socket_of_a_server_is_its_own() -> None:
    first = LiveServer(ANY)
    try:
        with pytest.raises(ProfileError, match="Address already in use"):
            LiveServer(Listening("127.0.0.1", int(first.url.rpartition(":")[2].partition("/")[0])))
    finally:
        first.close()
