# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs of a host: whose, from where, until when, how much, and without what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.logs import host_logs
from ansible_collections.retail.profiles.plugins.module_utils.logs.host_logs import Place, Wanted

NOW = 1_767_268_800_000_000_000
SECOND = 1_000_000_000


def stamp(t_ns: int) -> str:
    seconds = (t_ns - NOW) // SECOND
    return f"2026-01-01T12:{seconds // 60:02d}:{seconds % 60:02d}.{t_ns % SECOND:09d}Z"


def frame(t_ns: int, text: str, stream: int = 1) -> bytes:
    data = f"{stamp(t_ns)} {text}\n".encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class Container:
    """A container of the engine below; its log is a list of times, texts and streams."""

    def __init__(self, name: str, container: str, *log: tuple[Any, ...], **more: Any) -> None:
        self.name, self.id = name, f"id-{name}"
        self.log = [(*entry, 1)[:3] for entry in log]
        self.state = more.get("state", "running")
        self.secrets: Mapping[str, str] = more.get("secrets", {})
        self.refusal: str | None = more.get("refusal")
        ours = {"retail.profiles.deployment": more.get("deployment", "d"), "retail.profiles.container": container}
        secret = {"retail.profiles.secrets": " ".join(self.secrets)} if self.secrets else {}
        self.labels: dict[str, str] = more.get("labels", {**ours, **secret})


class Engine:
    """Gives logs as Docker does: from ``since`` on, that time included, and the last ``tail`` lines."""

    def __init__(self, *containers: Container) -> None:
        self.all = {item.id: item for item in containers}
        self.asked: list[dict[str, Any]] = []

    def containers(self) -> list[dict[str, Any]]:
        return [
            {"Names": [f"/{item.name}"], "Id": item.id, "Labels": item.labels, "State": item.state}
            for item in self.all.values()
        ]

    def inspect(self, name: str) -> dict[str, Any] | None:
        if name not in self.all:
            return None
        env = [f"{key}={value}" for key, value in self.all[name].secrets.items()]
        return {"Id": name, "Config": {"Tty": False, "Env": env, "Labels": self.all[name].labels}}

    def read(self, name: str, path: str) -> str | None:
        return self.all[name].secrets[path] or None

    def log(self, name: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        self.asked.append(dict(query))
        if self.all[name].refusal:
            raise EngineError(str(self.all[name].refusal), 501)
        seconds, _dot, rest = str(query.get("since", "0")).partition(".")
        since = int(seconds) * SECOND + int((rest or "0").ljust(9, "0"))
        found = self.all[name].log[-query["tail"] :] if "tail" in query else self.all[name].log
        for t_ns, text, stream in found:
            if t_ns >= since:
                yield frame(t_ns, text, stream)


def texts(answer: Mapping[str, Any]) -> list[str]:
    return [line[3] for line in answer["lines"]]


def read(engine: Engine, now: int = NOW + 60 * SECOND, **wanted: Any) -> dict[str, Any]:
    return host_logs.read(engine, Wanted(**wanted), now)  # type: ignore[arg-type]


def again(answer: Mapping[str, Any]) -> dict[str, Place]:
    return {name: Place(*place) for name, place in answer["places"].items()}


def test_lines_have_their_time_replica_and_stream() -> None:
    answer = read(Engine(Container("d-a-1", "a", (NOW, "one"), (NOW + 5, "two", 2))))
    assert answer["lines"] == [[NOW, "d-a-1", "stdout", "one", 0], [NOW + 5, "d-a-1", "stderr", "two", 0]]
    assert json.loads(json.dumps(answer)) == answer
    assert (answer["replicas"], answer["alive"], answer["more"], answer["unread"]) == (["d-a-1"], 1, False, {})


def test_only_ours_and_what_is_asked_for_is_read() -> None:
    engine = Engine(
        Container("web", "web", (NOW, "foreign"), labels={}),
        Container("d-a-1", "a", (NOW, "a1")),
        Container("d-a-2", "a", (NOW, "a2")),
        Container("d-b-1", "b", (NOW, "b1")),
        Container("e-a-1", "a", (NOW, "e"), deployment="e"),
    )
    assert texts(read(engine)) == ["a1", "a2", "b1", "e"]
    assert texts(read(engine, deployment="d")) == ["a1", "a2", "b1"]
    assert texts(read(engine, deployment="d", containers=("a",))) == ["a1", "a2"]
    assert texts(read(engine, containers=("d-a-2", "b"))) == ["a2", "b1"]
    assert read(engine, deployment="none")["replicas"] == []


def test_the_next_call_goes_on_where_this_one_ended_and_takes_nothing_twice() -> None:
    item = Container("d-a-1", "a", (NOW, "one"), (NOW + 7, "two"), (NOW + 7, "three"))
    engine = Engine(item)
    first = read(engine)
    # Two more with the very time of the last one: journald gives microseconds only.
    item.log += [(NOW + 7, "four", 1), (NOW + 8, "five", 1)]
    second = read(engine, places=again(first))
    third = read(engine, places=again(second))
    assert [texts(answer) for answer in (first, second, third)] == [["one", "two", "three"], ["four", "five"], []]


def test_the_last_lines_are_meant_for_the_beginning_only() -> None:
    item = Container("d-a-1", "a")
    engine = Engine(item)
    first = read(engine, tail=1)
    item.log += [(NOW, "one", 1), (NOW + 1, "two", 1)]
    assert texts(read(engine, tail=1)) == ["two"]
    assert texts(read(engine, tail=1, places=again(first))) == ["one", "two"]


def test_since_and_until() -> None:
    engine = Engine(Container("d-a-1", "a", (NOW, "one"), (NOW + SECOND, "two"), (NOW + 2 * SECOND, "three")))
    answer = read(engine, since_ns=NOW + SECOND, until_ns=NOW + SECOND)
    assert texts(answer) == ["two"]
    assert engine.asked[0]["since"] == f"{(NOW + SECOND) // SECOND}.000000000"


def test_much_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_logs, "CALL_BYTES", 0)
    monkeypatch.setattr(host_logs, "LEAST_BYTES", 100)
    engine = Engine(Container("d-a-1", "a", *((NOW + number * SECOND, str(number)) for number in range(10))))
    found, places, pieces = [], {}, 0
    while True:
        answer = read(engine, places=places)
        found += texts(answer)
        places, pieces = again(answer), pieces + 1
        if not answer["more"]:
            break
        # What is left has a time from here on.
        assert answer["all_until"] == answer["lines"][-1][0]
    assert found == [str(number) for number in range(10)]
    assert pieces == 5
    assert answer["all_until"] == NOW + 60 * SECOND - host_logs.LATE_NS


def test_secrets_are_replaced_before_lines_are_searched() -> None:
    engine = Engine(
        Container("d-a-1", "a", (NOW, "password is geheim99"), (NOW, "nothing")),
        Container("d-b-1", "b", (NOW, "b has geheim99, too"), secrets={"PASSWORD": "geheim99"}),
    )
    assert texts(read(engine)) == ["password is ********", "nothing", "b has ********, too"]
    assert texts(read(engine, containers=("a",))) == ["password is ********", "nothing"]
    assert texts(read(engine, pattern=host_logs.pattern_of("geheim"))) == []
    assert texts(read(engine, pattern=host_logs.pattern_of("(?i)NOTH"))) == ["nothing"]


def test_what_is_in_secret_files_is_replaced_too() -> None:
    secrets = {"/run/secrets/a": "geheim99\n", "/run/secrets/gone": ""}
    engine = Engine(Container("d-a-1", "a", (NOW, "password is geheim99"), (NOW, "nothing"), secrets=secrets))
    assert texts(read(engine)) == ["password is ********", "nothing"]


def test_a_log_that_cannot_be_read_is_told_and_the_others_are_read() -> None:
    engine = Engine(
        Container("d-a-1", "a", refusal="configured logging driver does not support reading"),
        Container("d-b-1", "b", (NOW, "b"), state="exited"),
    )
    answer = read(engine)
    assert texts(answer) == ["b"]
    assert answer["unread"] == {"d-a-1": "configured logging driver does not support reading"}
    assert answer["alive"] == 1


def test_a_container_that_is_removed_meanwhile_is_no_error() -> None:
    engine = Engine(Container("d-a-1", "a", (NOW, "a")))
    engine.inspect = lambda _name: None  # type: ignore[method-assign]
    assert (texts(read(engine)), read(engine)["unread"]) == ([], {})


def test_a_wrong_expression_is_an_error() -> None:
    with pytest.raises(ProfileError, match=r"field grep: [(] is no regular expression: missing"):
        host_logs.pattern_of("(")
