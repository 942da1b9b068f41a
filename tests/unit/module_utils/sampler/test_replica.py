# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One watched container: its counters, restarts and ends, its log, and its Prometheus endpoint."""

from __future__ import annotations

from typing import Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.sampler import replica
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Before

from .world import COUNTED, NET, V2, Container, World, answer, of, scraped, stamp

METRICS = b'# HELP ovms_a of it\novms_a{m="1"} 3\nother 4\novms_b 5\n'


def reason(world: World, metric: str, name: str = "a") -> str:
    """Why a replica has no such metric: told once."""
    (found,) = of(world.records(), "absent", subject=name, metric=metric)
    return str(found["reason"])


# -- counters


def test_counters_are_read_from_either_version_of_control_groups(any_world: World) -> None:
    made = any_world.run("a")
    records = any_world.sampled("a", seconds=2.0)
    found = of(records, "container")
    assert [any_world.seconds(record) for record in found] == [1.0, 2.0]
    assert found[0] == {"t": found[0]["t"], "type": "container", "replica": "a", "id": made.id, **COUNTED}
    assert of(records, "absent", subject="a") == []
    (up,) = of(records, "state")
    assert (up["event"], up["started_at"], up["exit_code"]) == ("up", made.started_at, None)
    assert len([path for path in any_world.engine.asked if path.endswith("/json")]) == 1  # the engine is left alone


def test_counters_go_on_as_the_kernel_counts(world: World) -> None:
    made = world.run("a")
    path = world.cgroup / f"system.slice/docker-{made.id}.scope/cpu.stat"
    world.at(1.5, lambda: world.write(path, "usage_usec 2000000\nnr_periods 41\nnr_throttled 8\n"))
    found = of(world.sampled("a", seconds=2.0), "container")
    assert [(record["cpu_ns"], record["throttled"]) for record in found] == [(1234567000, 7), (2000000000, 8)]


def test_what_the_kernel_does_not_count_is_absent_with_its_file(any_world: World) -> None:
    made = any_world.create("a")
    any_world.start(made, {path: text for path, text in V2.items() if "io.stat" not in path and any_world.version == 2})
    records = any_world.sampled("a", seconds=2.0)
    absent = {record["metric"]: record["reason"] for record in of(records, "absent", subject="a")}
    if any_world.version == 2:
        assert list(absent) == ["block_io"] and "io.stat: No such file" in absent["block_io"]
    else:
        assert set(absent) == {"cpu", "cpu_throttled", "memory", "memory_stat", "oom", "block_io"}
        assert absent["cpu"].startswith("no control group of the container below")
    assert of(records, "container")[0]["blk"] is None


def test_block_io_that_is_not_counted_is_absent_until_a_container_shows_that_it_is(world: World) -> None:
    quiet = {**V2, "system.slice/docker-{id}.scope/io.stat": ""}
    made = world.create("a")
    world.start(made, quiet)
    path = world.cgroup / f"system.slice/docker-{made.id}.scope/io.stat"
    other = world.create("b")
    world.start(other, quiet)
    world.at(2.5, lambda: world.write(path, "254:0 rbytes=5 wbytes=6\n"))
    records = world.sampled("a", "b", seconds=4.0)
    assert reason(world, "block_io") == "the kernel counts no block I/O by control group on this host"
    assert [record["blk"] for record in of(records, "container", replica="a")] == [
        None,
        None,
        {"read": 5, "write": 6},
        {"read": 5, "write": 6},
    ]
    # One that has done none, on a host that counts it.
    assert [record["blk"] for record in of(records, "container", replica="b")][2:] == [{"read": 0, "write": 0}] * 2


def test_the_end_of_one_without_a_readable_group_is_told_by_its_process(world: World) -> None:
    made = world.create("a")
    world.start(made, {})
    world.at(2.5, lambda: (world.proc / str(made.pid) / "stat").write_text("701 (other) S " + "9 " * 30))
    records = world.sampled("a", seconds=5.0)
    # The engine was asked at once, and says that it runs.
    assert [world.seconds(record) for record in of(records, "container")] == [1.0, 2.0, 4.0, 5.0]
    assert len([path for path in world.engine.asked if path.endswith("/json")]) == 2


# -- networks


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("host", "is on the host's network: the host's own counters have its traffic"),
        ("none", "has no network"),
    ],
)
def test_a_network_that_is_not_its_own_is_not_counted(world: World, mode: str, told: str) -> None:
    world.run("a", network_mode=mode)
    assert of(world.sampled("a", seconds=1.0), "container")[0]["net"] is None
    assert reason(world, "network") == told


def test_the_network_that_was_asked_for_goes_before_the_engines(world: World) -> None:
    world.run("a", network_mode="none")
    assert of(world.sampled(Watched("a", network="host"), seconds=1.0), "container")[0]["net"] is None
    assert "host's own counters" in reason(world, "network")


def test_one_with_the_loopback_alone_has_no_network(world: World) -> None:
    made = world.create("a")
    world.start(made, net="\n".join(NET.splitlines()[:3]) + "\n")
    assert of(world.sampled("a", seconds=1.0), "container")[0]["net"] is None
    assert reason(world, "network") == "has no network interface but the loopback"


# -- found, lost and found again


def test_one_that_is_not_there_is_told_once_and_looked_for_every_two_seconds(world: World) -> None:
    world.at(4.5, lambda: world.run("a") and None)
    records = world.sampled("a", seconds=8.0)
    assert reason(world, "container") == "no such container on this host"
    assert [world.seconds(record) for record in of(records, "state")] == [6.0]
    assert len([path for path in world.engine.asked if path.endswith("a/json")]) == 4


def test_one_that_was_created_and_not_started_is_waited_for(world: World) -> None:
    made = world.create("a")
    world.at(2.5, lambda: world.start(made))
    records = world.sampled("a", seconds=5.0)
    assert reason(world, "container") == "was created, and not yet started"
    assert [record["event"] for record in of(records, "state")] == ["up"]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b'{"message": "the disk\\nis broken"}', "the engine answered 500: the disk is broken"),
        (200, b'{"Id": "x"}', "the engine's description of the container lacks 'State'"),
        (200, b"[]", "the engine's description of the container lacks"),
        (200, b"{", "Expecting property name"),
    ],
)
def test_an_engine_that_cannot_describe_it_is_told(world: World, status: int, body: bytes, told: str) -> None:
    world.run("a")
    world.engine.refusals["/json"] = (status, body)
    assert of(world.sampled("a", seconds=5.0), "container") == []
    assert told in reason(world, "container")


def test_a_restart_is_seen_at_once_with_no_line_lost_or_twice(any_world: World) -> None:
    made = any_world.run("a")

    def restart() -> None:
        any_world.engine.say(made, "the last of the first")
        any_world.exit(made, 1)
        any_world.clock.now += 0.125
        any_world.start(made)
        any_world.engine.say(made, "the first of the second")

    any_world.at(2.5, restart)
    any_world.at(4.5, lambda: any_world.engine.say(made, "and more"))
    records = any_world.sampled("a", seconds=6.0)
    assert [(record["event"], any_world.seconds(record)) for record in of(records, "state")] == [
        ("up", 0.0),
        ("restarted", 3.0),
    ]
    assert of(records, "state")[1]["started_at"] == made.started_at
    assert [any_world.seconds(record) for record in of(records, "container")] == [1.0, 2.0, 4.0, 5.0, 6.0]
    lines = [record["line"] for record in of(records, "log")]
    assert lines == ["the last of the first", "the first of the second", "and more"]


def test_a_restart_soon_after_the_start_is_asked_about_at_once(world: World) -> None:
    made = world.run("a")

    def restart() -> None:
        world.exit(made, 1)
        world.start(made)

    world.at(0.5, restart)
    records = world.sampled("a", seconds=2.0)
    assert [(record["event"], world.seconds(record)) for record in of(records, "state")] == [
        ("up", 0.0),
        ("restarted", 1.0),
    ]


def test_an_end_is_seen_with_its_exit_code_and_its_last_lines(world: World) -> None:
    made = world.run("a")

    def end() -> None:
        world.engine.say(made, "farewell", stream=2)
        world.exit(made, 137)

    world.at(1.5, end)
    records = world.sampled("a", seconds=8.0)
    (gone,) = of(records, "state", event="gone")
    assert (gone["exit_code"], gone["started_at"], world.seconds(gone)) == (137, made.started_at, 2.0)
    (said,) = of(records, "log")
    assert (said["line"], said["stream"], world.seconds(said)) == ("farewell", "stderr", 1.5)
    assert [world.seconds(record) for record in of(records, "container")] == [1.0]


def test_one_that_ran_and_ended_unseen_is_told_with_its_log(world: World) -> None:
    made = world.run("a")
    world.engine.say(made, "short")
    world.exit(made, 2)
    records = world.sampled("a", seconds=8.0)
    (gone,) = of(records, "state")
    assert (gone["event"], gone["exit_code"]) == ("gone", 2)
    assert [record["line"] for record in of(records, "log")] == ["short"]
    assert len([path for path in world.engine.asked if "/logs" in path]) == 1  # read once, to its end


def test_one_that_was_removed_is_gone_without_exit_code(world: World) -> None:
    made = world.run("a")

    def remove() -> None:
        world.exit(made)
        del world.engine.containers[made.id]

    world.at(1.5, remove)
    records = world.sampled("a", seconds=4.0)
    (gone,) = of(records, "state", event="gone")
    assert (gone["exit_code"], gone["started_at"]) == (None, made.started_at)
    assert reason(world, "container") == "no such container on this host"


def test_another_container_of_the_same_name_is_followed_from_its_beginning(world: World) -> None:
    first = world.run("a")
    world.engine.say(first, "old")
    second: list[Container] = []

    def replace() -> None:
        world.exit(first)
        first.name = "a_old"
        second.append(world.run("a"))
        world.engine.say(second[0], "new")

    world.at(1.5, replace)
    records = world.sampled("a", seconds=4.0)
    assert [record["event"] for record in of(records, "state")] == ["up", "restarted"]
    assert {record["id"] for record in of(records, "container")} == {first.id, second[0].id}
    assert [record["line"] for record in of(records, "log")] == ["old", "new"]
    assert "tail=2000" in next(path for path in world.engine.asked if f"{second[0].id}/logs" in path)


# -- a sampler after another


@pytest.mark.parametrize(("same", "event"), [(True, "up"), (False, "restarted")])
def test_a_new_sampler_goes_on_where_the_one_before_it_was(world: World, same: bool, event: str) -> None:
    made = world.run("a")
    world.engine.say(made, "seen by the one before")
    last = world.clock.time()
    world.clock.now += 0.25
    world.engine.say(made, "not yet seen")
    before = {"a": Before(last, made.started_at if same else stamp(1))}
    records = world.sampled("a", seconds=3.0, before=before)
    assert [record["event"] for record in of(records, "state")] == [event]
    assert [record["line"] for record in of(records, "log")] == ["not yet seen"]


# -- the log


@pytest.mark.parametrize("tty", [False, True])
def test_lines_come_with_the_engines_time(world: World, tty: bool) -> None:
    made = world.run("a", tty=tty)
    world.at(1.125, lambda: world.engine.say(made, "one"))
    world.at(1.75, lambda: world.engine.say(made, "x" * 20000))
    found = of(world.sampled("a", seconds=4.0), "log")
    assert [world.seconds(record) for record in found] == [1.125, 1.75]
    assert (found[0]["line"], found[0]["stream"]) == ("one", "stdout")
    assert (found[1]["line"], found[1]["truncated"]) == ("x" * 16384, True)
    assert found[1]["cut_bytes"] == 20000 - 16384
    assert "truncated" not in found[0]


def test_lines_that_come_too_fast_are_dropped_and_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "LOG_BURST_LINES", 3)
    monkeypatch.setattr(replica, "LOG_LINES_PER_SECOND", 1)
    made = world.run("a")
    for number in range(10):
        world.engine.say(made, f"line {number}")
    records = world.sampled("a", seconds=2.0)
    assert [record["line"] for record in of(records, "log")] == ["line 0", "line 1", "line 2"]
    (dropped,) = [record for record in of(records, "absent", metric="log") if "dropped_lines" in record]
    assert (dropped["dropped_lines"], dropped["dropped_bytes"]) == (7, 42)
    assert dropped["reason"].startswith("7 log lines dropped: faster than")


def test_a_log_that_is_written_faster_than_it_is_read_is_told_with_how_late_it_is(world: World) -> None:
    made = world.run("a")

    def flood() -> None:
        for _line in range(100):
            world.engine.say(made, "x" * 16000)

    for second in range(1, 7):
        world.at(second - 0.5, flood)
    records = world.sampled("a", seconds=8.0)
    late = [(world.seconds(record), record["lag"]) for record in of(records, "absent", metric="log") if "lag" in record]
    assert len(late) >= 3
    # So long ago was the last line read logged; the lines after it are missing at the end.
    last = max(world.seconds(record) for record in of(records, "log"))
    assert late[-1][0] == 8.0
    assert late[-1][1] == pytest.approx(8.0 - last, abs=1.0)
    reasons = {record["reason"].partition(": ")[2] for record in of(records, "absent", metric="log") if "lag" in record}
    assert reasons == {"it is written faster than the sampler reads"}


def test_a_log_that_was_late_and_is_caught_up_with_is_late_no_more(world: World) -> None:
    made = world.run("a")

    def flood() -> None:
        for _line in range(200):
            world.engine.say(made, "x" * 16000)

    world.at(0.5, flood)
    world.at(15.5, lambda: world.engine.say(made, "at last"))
    records = world.sampled("a", seconds=20.0)
    late = [world.seconds(record) for record in of(records, "absent", metric="log") if "lag" in record]
    assert late and max(late) < 15.0
    assert of(records, "log")[-1]["line"] == "at last"


def test_a_log_that_the_engine_refuses_is_told_and_asked_for_half_a_minute_later(world: World) -> None:
    made = world.run("a")
    world.engine.say(made, "late")
    world.engine.refusals["/logs"] = (501, b'{"message": "configured logging driver does not support reading"}')
    world.at(20.0, world.engine.refusals.clear)
    records = world.sampled("a", seconds=40.0)
    assert reason(world, "log") == "the engine answered 501: configured logging driver does not support reading"
    assert len([path for path in world.engine.asked if "/logs" in path]) == 2
    assert [record["line"] for record in of(records, "log")] == ["late"]


def test_what_the_engine_says_in_the_log_itself_is_no_line(world: World) -> None:
    made = world.run("a")
    world.at(1.5, lambda: world.engine.say(made, "error grabbing logs: EOF", stream=3))
    assert of(world.sampled("a", seconds=3.0), "log") == []
    assert reason(world, "log") == "the engine ended the log: error grabbing logs: EOF"


# -- the Prometheus endpoint


def test_samples_are_kept_by_the_prefix_of_their_name(world: World) -> None:
    asked: list[str] = []

    def respond(path: str) -> bytes:
        asked.append(path)
        return answer(200, METRICS)

    world.run("a")
    records = world.sampled(scraped("a", world.endpoint(respond)), seconds=4.0)
    found = of(records, "prometheus")
    assert found[0]["text"] == 'ovms_a{m="1"} 3\novms_b 5\n'
    assert len(found) == len(asked) >= 3
    assert set(asked) == {"/metrics"}
    assert of(records, "absent", subject="a") == []


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (answer(503, b"starting"), "the endpoint answered 503"),
        (answer(200, b"other 1\n"), "the endpoint has no sample whose name is asked for"),
        (answer(200, b"ovms_a 1\n" * 60000), "the endpoint has more than 512 KiB of samples"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"),
        (b"", "the connection was closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\novms_a 1\n", "the connection was closed in the middle"),
        (None, "no answer in time"),
    ],
)
def test_a_scrape_that_fails_is_told_once_with_its_reason(world: World, response: Optional[bytes], told: str) -> None:
    world.run("a")
    port = world.endpoint(lambda _path: response)
    records = world.sampled(scraped("a", port), seconds=13.0)
    assert of(records, "prometheus") == []
    assert told in reason(world, "prometheus")
    assert len(of(records, "container")) == 13  # it delays nothing


def test_an_endpoint_that_is_not_there_yet_is_asked_until_it_is(world: World) -> None:
    world.run("a")
    port = world.endpoint(lambda _path: answer(200, METRICS))
    server = world.endpoints.pop()
    server.close()
    records = world.sampled(scraped("a", port), seconds=3.0)
    assert of(records, "prometheus") == []
    assert "Connection refused" in reason(world, "prometheus")


@pytest.mark.parametrize(
    ("mode", "address", "told"),
    [
        ("host", "192.0.2.1", None),
        ("container:owner", "", None),
        ("bridge", "", "the container has no address that the host could ask"),
    ],
)
def test_where_the_endpoint_of_a_container_is(world: World, mode: str, address: str, told: Optional[str]) -> None:
    port = world.endpoint(lambda _path: answer(200, METRICS))
    world.run("owner")
    world.run("a", network_mode=mode, address=address)
    records = world.sampled("owner", scraped("a", port), seconds=3.0)
    assert bool(of(records, "prometheus", replica="a")) == (told is None)
    assert told is None or reason(world, "prometheus") == told


def test_what_is_under_way_at_the_end_is_let_go(world: World) -> None:
    made = world.run("a")
    port = world.endpoint(lambda _path: None)
    world.at(1.75, lambda: world.engine.say(made, "the last words"))
    records = world.sampled(scraped("a", port), seconds=2.0)
    assert [record["line"] for record in of(records, "log")] == ["the last words"]
    assert records[-1]["event"] == "end"
    (asking,) = world.endpoints[0].held
    assert asking.recv(1) == b""  # closed by who asked
