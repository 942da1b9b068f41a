# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs of the fleet: lines of all hosts in order of time, followed to the end, searched and kept."""

from __future__ import annotations

import re
import signal
from datetime import datetime
from pathlib import Path

import pytest

from .conftest import Fleet

# Each says its own time, so that the order can be checked by what was written; those of the talkers end by themselves.
TALK = """
containers:
  - name: talker
    image: retail/kserve-client:1
    hosts: ovms_clients
    replicas_per_host: 1
    entrypoint: [python3, -u, -c]
    args:
      - |
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        end = time.time() + float(os.environ["SECONDS_TO_TALK"])
        print("begin", os.environ["TOKEN"], "\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07", "x" * 20000)
        while time.time() < end:
            print("said", time.time_ns(), file=sys.stderr)
            time.sleep(0.05)
        print("end")
    env: {SECONDS_TO_TALK: 600}
    secret_env: {TOKEN: '{{ token_of_talkers }}'}
    docker: {restart_policy: "no"}
"""
KEPT = re.compile(r"^(\S+) stderr said (\d+)$", re.MULTILINE)
LINE = re.compile(r"^(h\d)  talk-talker-(\d) +\| (.*)$", re.MULTILINE)


def said(output: str) -> list[tuple[str, int]]:
    """Host and time of the lines that say their time."""
    return [(host, int(text.split()[1])) for host, _number, text in LINE.findall(output) if text.startswith("said ")]


def deploy(talk: Fleet, seconds: int = 600) -> None:
    token = {"token_of_talkers": "geheim-4711"}
    talk.well("deploy_profile", profile="talk", profile_env={"SECONDS_TO_TALK": str(seconds)}, **token)


@pytest.fixture
def talk(fleet: Fleet) -> Fleet:
    fleet.profile("talk", TALK)
    return fleet


def test_lines_of_all_hosts_are_in_order_without_what_is_not_for_eyes(talk: Fleet, tmp_path: Path) -> None:
    deploy(talk)
    shown = talk.well("logs_profile", profile="talk", to=str(tmp_path / "kept")).output
    times = said(shown)
    assert {host for host, _time in times} == {"h2", "h3", "h4"}
    begin, *_more = [text for _host, _number, text in LINE.findall(shown) if text.startswith("begin")]
    assert begin.startswith("begin ******** red  xxx")
    assert re.search(r" … \(\d+ bytes more\)$", begin)
    assert "geheim" not in shown
    assert "\x1b" not in shown
    files = sorted((tmp_path / "kept").rglob("*.log"))
    assert [str(file.relative_to(tmp_path / "kept")) for file in files] == [
        f"h{number + 1}/talk-talker-{number}.log" for number in (1, 2, 3)
    ]
    kept = {int(number): moment for file in files for moment, number in KEPT.findall(file.read_text())}
    assert len(kept) == len(times)
    moments = [kept[time] for _host, time in times]
    assert moments == sorted(moments)
    # A line has its time from the engine, after it was written: how long after depends on what else the machine does.
    late = [datetime.fromisoformat(moment).timestamp() - number / 1e9 for number, moment in kept.items()]
    assert min(late) > -0.05 and max(late) < 5.0
    few = talk.well("logs_profile", container="talk-talker-2", grep="^said", tail=5).output
    assert [host for host, _number, _text in LINE.findall(few)] == ["h3"] * 5
    none = talk.play("logs_profile", profile="talk", container="nobody")
    assert none.status == 2
    assert "nothing of the container nobody of the deployment talk is on these hosts" in none.output


def test_following_ends_when_the_containers_end(talk: Fleet) -> None:
    deploy(talk, seconds=12)
    shown = talk.well("logs_profile", profile="talk", follow=True).output
    texts = [(host, text) for host, _number, text in LINE.findall(shown)]
    assert sorted(host for host, text in texts if text == "end") == ["h2", "h3", "h4"]
    times = said(shown)
    assert len(times) == len(set(times))  # nothing twice
    for host in ("h2", "h3", "h4"):
        on_host = [time for name, time in times if name == host]
        assert on_host == sorted(on_host)
        assert len(on_host) > 100


def test_ctrl_c_ends_following_and_nothing_else_is_said(talk: Fleet) -> None:
    deploy(talk)
    with talk.start("logs_profile", profile="talk", follow=True, since="1s") as playing:
        playing.until("| said ")
        playing.signal(signal.SIGINT)
        ended = playing.end()
    assert ended.status == 99
    after = [line for line in ended.output.splitlines() if not LINE.match(line)]
    assert after[-1] == "[ERROR]: User interrupted execution"
    assert "Traceback" not in ended.output


def test_a_host_that_does_not_answer_is_one_line_after_all_others(talk: Fleet, tmp_path: Path) -> None:
    deploy(talk)
    (tmp_path / "lost.ini").write_text("[ovms_clients]\nlost ansible_host=127.0.0.1 ansible_port=1\n", encoding="utf-8")
    both = ("-i", str(talk.inventory), "-i", str(tmp_path / "lost.ini"))
    done = talk.play("logs_profile", *both, profile="talk", tail=3)
    assert done.status == 2
    assert {host for host, _time in said(done.output)} == {"h2", "h3", "h4"}
    assert re.search(r'"msg": "lost did not answer: .*Connection refused', done.output)
    assert "UNREACHABLE" not in done.output
