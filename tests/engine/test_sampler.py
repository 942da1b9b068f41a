# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler on a real Docker Engine: counters, logs, ends and restarts, shared networks, Prometheus endpoints."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import socketserver
import tempfile
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.sampler import control
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, run_files, watched

from .conftest import IMAGE, Deployment

Record = dict[str, Any]
PATIENCE = 60.0
INTERVAL = 0.1
SERVE = """
use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { while (<$c>) { last if /^\\s*$/ }
  print $c "HTTP/1.1 200 OK\\r\\n\\r\\n# HELP x\\novms_a{m=\\"1\\"} 3\\nother 4\\novms_b 5\\n"; close $c }
"""


def engine_socket() -> str:
    return urlparse(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")).path


class Bench:
    """Containers of a test, and the sampler that watches them."""

    def __init__(self, deployment: Deployment, state_dir: Path) -> None:
        self.client = deployment.engine.client()
        self.deployment = deployment
        self.files = run_files(str(state_dir), "run-1")
        self._offset = 0
        self.records: list[Record] = []

    def run(self, name: str, script: str, tty: bool = False, command: list[str] | None = None, **host: Any) -> str:
        """Start a container; its name."""
        full = f"{self.deployment.name}-{name}"
        made = self.client.create_container(
            IMAGE,
            command or ["bash", "-c", script],
            name=full,
            tty=tty,
            labels=self.deployment.labels,
            host_config=self.client.create_host_config(**{"network_mode": "none", **host}),
        )
        self.client.start(made["Id"])
        return full

    def network(self) -> str:
        name = f"{self.deployment.name}-net"
        self.client.create_network(name, driver="bridge", labels=self.deployment.labels)
        return name

    def watch(self, *names: str | Record, interval: float = INTERVAL) -> None:
        items = [{"name": item} if isinstance(item, str) else item for item in names]
        config = Config(interval, 600.0, engine_socket(), watched(items))
        control.started(self.files, config, check=False)

    def collect(self, result: Record) -> list[Record]:
        lines = zlib.decompress(base64.b64decode(result["data"])).splitlines()
        self._offset = result["offset"]
        self.records += [json.loads(line) for line in lines]
        return self.records

    def until(self, found: Callable[[list[Record]], Any]) -> Any:
        """Collect until *found* is true of all records; what it gave."""
        end = time.monotonic() + PATIENCE
        while True:
            value = found(self.collect(control.collected(self.files, self._offset)))
            if value:
                return value
            assert time.monotonic() < end, self.records[-20:]
            time.sleep(INTERVAL / 2)

    def of(self, kind: str, replica: str) -> list[Record]:
        return [r for r in self.records if r["type"] == kind and r.get("replica", r.get("subject")) == replica]

    def reason(self, replica: str, metric: str) -> str:
        """Wait until the metric is absent; why it is."""
        told = self.until(lambda _r: [r["reason"] for r in self.of("absent", replica) if r["metric"] == metric])
        return str(told[0])

    def lines(self, replica: str, stream: str = "stdout") -> list[str]:
        return [r["line"] for r in self.of("log", replica) if r["stream"] == stream]

    def events(self, replica: str) -> list[str]:
        return [r["event"] for r in self.of("state", replica)]


@pytest.fixture
def bench(deployment: Deployment, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(deployment, tmp_path)
    yield made
    control.stopped(made.files, 0, check=False)


def test_counters_grow_with_the_work(bench: Bench) -> None:
    net = bench.network()
    busy = bench.run("busy", "while :; do :; done")
    idle = bench.run("idle", "sleep 1000")
    talks = bench.run(
        "talks",
        "while :; do : > /dev/udp/10.255.255.1/9 && echo x > /dev/udp/10.255.255.1/9; done",
        network_mode=net,
        cpu_quota=20000,
        cpu_period=100000,
    )
    bench.watch(busy, idle, talks)

    def enough(_records: list[Record]) -> bool:
        series = bench.of("container", talks)
        return len(series) > 12 and series[-1]["throttled"] > series[0]["throttled"]

    bench.until(enough)
    used = {}
    for name in (busy, idle):
        first, last = bench.of("container", name)[0], bench.of("container", name)[-1]
        used[name] = (last["cpu_ns"] - first["cpu_ns"]) / (last["t"] - first["t"]) / 1e9
        assert last["mem_usage"] > 0 and last["mem_anon"] >= 0 and last["mem_inactive_file"] >= 0 and last["oom"] == 0
    assert used[busy] > 10 * max(used[idle], 0.001)
    first, last = bench.of("container", talks)[0], bench.of("container", talks)[-1]
    assert last["net"]["tx"] > first["net"]["tx"]
    assert last["periods"] > first["periods"]
    assert bench.reason(busy, "network") == "has no network"
    times = [r["t"] for r in bench.records if r["type"] == "host"]
    assert times == sorted(times)


def test_block_io_that_is_not_counted_is_absent_and_never_zero(bench: Bench) -> None:
    writer = bench.run(
        "writer", "while :; do dd if=/dev/zero of=/f bs=1M count=1 oflag=direct 2>/dev/null; sleep 0.1; done"
    )
    bench.watch(writer)
    bench.until(lambda _r: len(bench.of("container", writer)) > 10)
    counted = [r["blk"] for r in bench.of("container", writer)]
    if any(counted):
        assert counted[-1]["write"] > 0
    else:
        assert "counts no block I/O" in bench.reason(writer, "block_io")


def test_lines_of_both_streams_come_with_the_engines_time(bench: Bench) -> None:
    name = bench.run("log", "printf '%s\\n' first; echo oops >&2; printf 'bad \\377 text\\nhalf'; exit 3")
    before = time.time()
    bench.watch(name)
    bench.until(lambda _r: "half" in bench.lines(name) and "gone" in bench.events(name))
    assert bench.lines(name) == ["first", "bad \ufffd text", "half"]
    assert bench.lines(name, "stderr") == ["oops"]
    assert all(abs(r["t"] - before) < PATIENCE for r in bench.of("log", name))
    assert [r["exit_code"] for r in bench.of("state", name) if r["event"] == "gone"] == [3]


def test_long_lines_are_cut_and_a_terminal_is_understood(bench: Bench) -> None:
    script = "head -c 50000 /dev/zero | tr '\\0' a; echo; echo after; sleep 1000"
    plain, tty = bench.run("plain", script), bench.run("tty", script, tty=True)
    bench.watch(plain, tty)
    bench.until(lambda _r: all("after" in bench.lines(name) for name in (plain, tty)))
    for name in (plain, tty):
        long = bench.of("log", name)[0]
        assert long["truncated"] and long["line"] == "a" * 16384


def test_a_flood_of_lines_is_capped_and_told_and_disturbs_nobody(bench: Bench) -> None:
    flood = bench.run("flood", "while :; do echo 0123456789; done")
    quiet = bench.run("quiet", "n=0; while :; do echo $((n++)); sleep 0.05; done")
    bench.watch(flood, quiet)
    # It also lags, and says so.
    told = bench.until(lambda _r: next((r for r in bench.of("absent", flood) if "dropped_lines" in r), None))
    assert (told["metric"], told["dropped_lines"] > 0, told["dropped_bytes"] > 0) == ("log", True, True)
    bench.until(lambda _r: len(bench.lines(quiet)) > 20)
    numbers = [int(line) for line in bench.lines(quiet)]
    assert numbers == list(range(len(numbers)))


def test_a_restart_is_seen_with_no_line_lost_or_twice(bench: Bench) -> None:
    script = "trap 'exit 0' TERM; for i in 1 2 3; do echo $(date +%s%N)-$i; done; while :; do sleep 0.05; done"
    name = bench.run("again", script)
    bench.watch(name)
    bench.until(lambda _r: len(bench.lines(name)) == 3)
    bench.client.restart(name, timeout=5)
    bench.until(lambda _r: "restarted" in bench.events(name) and len(bench.lines(name)) >= 6)
    bench.until(lambda _r: len({r["id"] for r in bench.of("container", name)[-3:]}) == 1)
    assert len(set(bench.lines(name))) == len(bench.lines(name)) == 6
    starts = [r["started_at"] for r in bench.of("state", name) if r["event"] in ("up", "restarted")]
    assert len(set(starts)) == 2


def test_the_end_and_a_new_container_of_the_same_name_are_seen(bench: Bench) -> None:
    name = bench.run("fate", "echo one; sleep 1000")
    bench.watch(name)
    bench.until(lambda _r: bench.of("container", name))
    bench.client.kill(name)
    bench.until(lambda _r: bench.events(name) == ["up", "gone"])
    assert bench.of("state", name)[-1]["exit_code"] == 137
    bench.client.remove_container(name)
    assert bench.reason(name, "container") == "no such container on this host"
    bench.run("fate", "echo two; sleep 1000")
    bench.until(lambda _r: bench.events(name) == ["up", "gone", "restarted"] and "two" in bench.lines(name))
    bench.until(lambda _r: len({r["id"] for r in bench.of("container", name)}) == 2)


def test_a_container_that_comes_later_is_waited_for(bench: Bench) -> None:
    name = f"{bench.deployment.name}-late"
    bench.watch(name)
    assert bench.reason(name, "container") == "no such container on this host"
    bench.run("late", "echo here; sleep 1000")
    bench.until(lambda _r: bench.of("container", name) and bench.lines(name) == ["here"])


def test_a_restarted_sampler_goes_on_where_the_log_was(bench: Bench) -> None:
    name = bench.run("log", "n=0; while :; do echo $((n++)); sleep 0.02; done")
    bench.watch(name)
    bench.until(lambda _r: len(bench.lines(name)) > 5)
    bench.collect(control.stopped(bench.files, bench._offset, check=False))
    seen = len(bench.lines(name))
    bench.watch(name)
    bench.until(lambda _r: len(bench.lines(name)) > seen + 10)
    numbers = [int(line) for line in bench.lines(name)]
    assert numbers == list(range(len(numbers)))
    assert bench.events(name) == ["up", "up"]


def test_a_shared_network_is_counted_once(bench: Bench) -> None:
    net = bench.network()
    owner = bench.run("owner", "sleep 1000", network_mode=net)
    guest = bench.run("guest", "sleep 1000", network_mode=f"container:{owner}")
    other = bench.run("other", "sleep 1000", network_mode="host")
    bench.watch(guest, owner, other)
    assert owner in bench.reason(guest, "network")
    assert "host's own counters" in bench.reason(other, "network")
    bench.until(lambda _r: all(len(bench.of("container", name)) > 3 for name in (owner, guest, other)))
    assert bench.of("container", owner)[-1]["net"] is not None
    assert bench.of("container", guest)[-1]["net"] is None
    assert bench.of("container", other)[-1]["net"] is None


def test_of_a_shared_network_whose_owner_is_not_measured_one_has_the_count(bench: Bench) -> None:
    owner = bench.run("owner", "sleep 1000", network_mode=bench.network())
    guests = [bench.run(f"guest{n}", "sleep 1000", network_mode=f"container:{owner}") for n in (1, 2)]
    bench.watch(*guests)
    bench.until(lambda _r: all(len(bench.of("container", name)) > 3 for name in guests))
    assert sorted(bench.of("container", name)[-1]["net"] is None for name in guests) == [False, True]


def test_samples_of_an_endpoint_in_a_container_are_kept_by_prefix(bench: Bench) -> None:
    serve = ["perl", "-e", SERVE]
    name = bench.run("serve", "", command=serve, network_mode=bench.network())
    bench.watch({"name": name, "prometheus": {"port": 8000}})
    text = bench.until(lambda _r: next((r["text"] for r in bench.of("prometheus", name)), ""))
    assert text == 'ovms_a{m="1"} 3\novms_b 5\n'


class _Held(socketserver.BaseRequestHandler):
    """Answers when it is let go."""

    go = threading.Event()
    asked = threading.Event()

    def handle(self) -> None:
        self.asked.set()
        self.go.wait(PATIENCE)
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\novms_x 1\n")


def test_a_slow_endpoint_delays_nothing(bench: Bench) -> None:
    _Held.go, _Held.asked = threading.Event(), threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Held) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = bench.run("host", "sleep 1000", network_mode="host")
        bench.watch({"name": name, "prometheus": {"port": server.server_address[1]}})
        assert _Held.asked.wait(PATIENCE)
        already = len(bench.of("container", name))
        bench.until(lambda _r: len(bench.of("container", name)) > already + 10)
        assert bench.of("prometheus", name) == []
        _Held.go.set()
        bench.until(lambda _r: bench.of("prometheus", name))
        server.shutdown()


def test_an_endpoint_that_is_not_there_is_absent_with_the_reason(bench: Bench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        name = bench.run("host", "sleep 1000", network_mode="host")
        bench.watch({"name": name, "prometheus": {"port": taken.getsockname()[1]}})
        assert "refused" in bench.reason(name, "prometheus")


def as_user(user: int, group: int, act: Callable[[], object]) -> int:
    """Do something in a process of this user and group, and no other group; 0 when it went well.

    A fork and no new program: the interpreter of a virtual environment may stand where that user cannot go.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_in_the_engines_group_can_measure(deployment: Deployment) -> None:
    group = os.stat(engine_socket()).st_gid
    state_dir = Path(tempfile.mkdtemp(prefix="rpt-sampler-"))
    state_dir.chmod(0o2770)
    os.chown(state_dir, 0, group)
    bench = Bench(deployment, state_dir)
    try:
        name = bench.run("log", "echo hello; sleep 1000")
        assert as_user(65534, group, lambda: bench.watch(name)) == 0
        bench.until(lambda _r: bench.lines(name) == ["hello"] and len(bench.of("container", name)) > 3)
        last = bench.of("container", name)[-1]
        told = {r["metric"] for r in bench.of("absent", name)}
        assert last["cpu_ns"] is not None or "cpu" in told
        assert last["mem_usage"] is not None or "memory" in told
        assert (Path(bench.files.directory).stat().st_mode & 0o777, os.stat(bench.files.samples).st_gid) == (
            0o770,
            group,
        )
    finally:
        control.stopped(bench.files, 0, check=False)
        shutil.rmtree(state_dir)


def test_files_are_read_of_one_that_runs_of_one_that_ended_and_in_a_volume(bench: Bench) -> None:
    runs = bench.run(
        "runs",
        "mkdir /results; echo '{\"fps\": 15}' > /results/a.json; ln -s /etc/passwd /results/b.json; "
        "touch -d 2001-01-01 /results/c.json; truncate -s 3M /results/d.json; echo up; sleep 1000",
    )
    ends = bench.run("ends", "mkdir /results; printf 'throughput;42.5\\n' > /results/report.csv; echo up")
    volume = f"{bench.deployment.name}-results"
    bench.client.create_volume(volume, labels=bench.deployment.labels)
    shares = bench.run(
        "shares",
        "for n in 1 2; do echo $n.5 > /tmp/results/pipeline$n.log; done; echo up; sleep 1000",
        binds=[f"{volume}:/tmp/results"],
    )
    bench.watch(
        {"name": runs, "files": ["/results/a.json", "/results/[bcd].json", "/results/e.json", "/none/*.json"]},
        {"name": ends, "files": ["/results/*.csv"]},
        {"name": shares, "files": ["/tmp/results/pipeline*.log"]},
    )
    [ended] = bench.until(lambda _records: bench.of("file", ends))
    assert (ended["path"], ended["file"]) == ("/results/*.csv", "/results/report.csv")
    assert ended["text"] == "throughput;42.5\n"
    bench.until(lambda _records: bench.lines(runs) and bench.lines(shares))
    bench.collect(control.stopped(bench.files, bench._offset, check=False))
    assert [(one["file"], one["text"]) for one in bench.of("file", runs)] == [("/results/a.json", '{"fps": 15}\n')]
    assert len(bench.of("file", ends)) == 1
    assert [(one["file"], one["text"]) for one in bench.of("file", shares)] == [
        ("/tmp/results/pipeline1.log", "1.5\n"),
        ("/tmp/results/pipeline2.log", "2.5\n"),
    ]
    refused = {one["metric"]: one["reason"] for one in bench.of("absent", runs) if one["metric"].startswith("file ")}
    assert refused["file /results/e.json"] == refused["file /none/*.json"] == "no such file"
    assert refused["file /results/[bcd].json"] == (
        "/results/b.json is a link, and links are not followed; /results/c.json was not written since the container"
        " started; /results/d.json has 3145728 bytes; a file of at most 2 MiB is read"
    )
