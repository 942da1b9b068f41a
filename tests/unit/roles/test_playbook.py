# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback and both actions under ansible-playbook itself; what hosts answer is made up by the test's actions."""

from __future__ import annotations

import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..plugin_utils.results.conftest import free_port
from ..plugin_utils.synthetic import make_plan
from ..terminal import Screen, run_on_terminal

STUB = """\
from __future__ import annotations

import sys
from pathlib import Path

from ansible.plugins.action import ActionBase

sys.path.insert(0, {here!r})

from roles import stubs


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return stubs.{name}(self._task.args, task_vars["inventory_hostname"], Path({folder!r}))
"""
PLAYBOOK = """\
- name: Run
  hosts: all
  gather_facts: false
  tasks:
    - name: Plan
      profile_plan: {live: "{{ live | default(omit) }}", repeats: "{{ repeats | default(omit) }}"}
      run_once: true
      register: planned
    - name: Measured
      block:
        - name: Apply
          profile_apply: {state: present}
          failed_when: false
        - name: Start
          profile_measure: {state: started}
          no_log: "{{ hidden | default(false) }}"
        - name: Collect
          profile_measure: {state: collected}
          loop: [1, 2]
        - name: Look
          retail.profiles.profile_window:
            run_dir: "{{ planned.run_dir }}"
            warmup_max: 0
            duration: "{{ duration | default(5) }}"
          run_once: true
          register: looked
          until: looked.done
          retries: 30
          delay: 0
        - name: Wait
          ansible.builtin.command: "{{ wait | default('true') }}"
          delegate_to: localhost
          run_once: true
      always:
        - name: Remove
          profile_apply: {state: absent}
          failed_when: false
        - name: Judge
          retail.profiles.profile_verdict:
            run_dir: "{{ planned.run_dir }}"
          run_once: true
"""


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    """A playbook whose facts of hosts come from `stubs`."""
    plan = make_plan(hosts=2, clients=1)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    plugins = tmp_path / "action_plugins"
    plugins.mkdir()
    here = str(Path(__file__).parents[1])
    for name in ("profile_plan", "profile_apply", "profile_measure"):
        (plugins / f"{name}.py").write_text(STUB.format(here=here, name=name, folder=str(tmp_path)))
    (tmp_path / "hosts.ini").write_text("server\nclient1\n[all:vars]\nansible_connection=local\n")
    path = tmp_path / "play.yml"
    path.write_text(PLAYBOOK)
    return path


def environment(playbook: Path, collections: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CALLBACKS_ENABLED": "retail.profiles.profile_metrics",
        "ANSIBLE_CONFIG": str(playbook.parent / "none.cfg"),
        "ANSIBLE_HOME": str(playbook.parent / "home"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "1",
        "_ANSIBLE_CALLBACK_DISPATCH_ERROR_BEHAVIOR": "error",
    }


def command(playbook: Path, *extra: str) -> list[str]:
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, "-i", str(playbook.parent / "hosts.ini"), str(playbook), *extra]


def play(playbook: Path, collections: Path, *extra: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    done = subprocess.run(
        command(playbook, *extra),
        env=environment(playbook, collections),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    record = json.loads((playbook.parent / "results" / "latest" / "run.json").read_text())
    return done, record


def test_a_play_writes_its_results(playbook: Path, collections: Path) -> None:
    done, record = play(playbook, collections)
    run = playbook.parent / "results" / "run-1"
    assert done.returncode == 0, done.stdout + done.stderr
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert "Traceback" not in done.stdout + done.stderr
    assert f"Report: {run / 'report.html'}" in done.stdout.splitlines()[-1]
    assert "Verdict: ok" in done.stdout
    assert "measured " in done.stdout
    assert record["hosts"]["server"]["clock"]["calls"] == 3
    assert abs(record["hosts"]["server"]["clock"]["correction"] - 100.0) < 5.0
    assert {path.name for path in run.iterdir()} >= {"run.json", "report.html", "summary.csv", "metrics.prom", "logs"}


def test_a_terminal_has_a_line_of_progress_and_loses_it(playbook: Path, collections: Path) -> None:
    """The samples end before the windows do: all looks are while it runs."""
    environ = {**environment(playbook, collections), "TERM": "xterm"}
    output = run_on_terminal(command(playbook, "-e", "duration=20"), 60, environ)
    screen = Screen.of(output)
    assert "\x1b[Kmeasure " in output
    assert 20 < screen.widest_drawn < 60
    assert not [line for line in screen.lines if "measure  " in line]
    left = [line.removeprefix("FAILED - RETRYING: [server]: Look (") for line in screen.lines if "RETRYING" in line]
    # From 2.21 on ansible-core does not count the one that is about to begin.
    assert left in [[f"{count} retries left)." for count in range(last + 29, last - 1, -1)] for last in (1, 0)]
    tasks = [line.rstrip("*") for line in screen.lines if line.startswith("TASK [")]
    assert tasks == [f"TASK [{name}] " for name in ("Plan", "Apply", "Start", "Collect", "Look", "Remove", "Judge")]
    assert screen.lines[-2].startswith("Report: ")


def test_a_play_serves_what_it_measures(playbook: Path, collections: Path) -> None:
    port, taken = free_port(), playbook.parent / "scraped.prom"
    fetch = (
        f"import urllib.request as u; open('{taken}', 'wb').write(u.urlopen('http://127.0.0.1:{port}/metrics').read())"
    )
    wait = shlex.join([sys.executable, "-c", fetch])
    done, record = play(playbook, collections, "-e", json.dumps({"live": str(port), "wait": wait}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Live metrics: http://127.0.0.1:{port}/metrics" in done.stdout
    told = taken.read_text()
    assert f'retail_profiles_run_info{{run_id="{record["run_id"]}"' in told
    assert 'retail_profiles_fps{host="client1",container="client",replica="ovms-client-1"} ' in told


def test_a_run_that_is_made_again_ends_with_a_comparison(playbook: Path, collections: Path) -> None:
    _done, record = play(playbook, collections)
    run = playbook.parent / "results" / "run-1"
    before = run.rename(run.with_name("run-0"))
    (before / "run.json").write_text(json.dumps({**record, "run_id": "run-0"}))
    done, record = play(playbook, collections, "-e", f"repeats={before}")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "a: run-0" in lines and "b: run-1" in lines
    assert any(line.startswith("fps ") and "not judged" in line for line in lines)
    assert lines[-1] == f"Comparison: {run / 'comparison.html'}"
    assert {path.name for path in run.iterdir()} >= {"comparison.html", "comparison.csv", "comparison.json"}
    # A run that fails is held against the other one all the same.
    shutil.rmtree(run)
    (playbook.parent / "broken").touch()
    failed, record = play(playbook, collections, "-e", f"repeats={before}")
    assert (failed.returncode != 0, record["verdict"]) == (True, "failed")
    assert f"Comparison: {run / 'comparison.html'}" in failed.stdout
    shutil.rmtree(run)
    (playbook.parent / "broken").unlink()
    alone, record = play(playbook, collections, "-e", f"repeats={playbook.parent / 'gone'}")
    assert (alone.returncode, record["verdict"]) == (0, "ok")
    assert "no comparison with the run before" in alone.stdout + alone.stderr


def test_a_run_that_fails_fails_the_play(playbook: Path, collections: Path) -> None:
    (playbook.parent / "broken").touch()
    done, record = play(playbook, collections)
    assert done.returncode != 0
    assert record["verdict"] == "failed"
    assert "replica ovms-client-1 on client1: failed: no such image" in record["reasons"]
    assert "failed: replica ovms-client-1 on client1: failed: no such image" in done.stdout
    assert "Verdict: failed" in done.stdout


def test_the_exit_status_tells_what_could_not_be_written_at_the_end(playbook: Path, collections: Path) -> None:
    run = playbook.parent / "results" / "run-1"
    done, record = play(playbook, collections, "-e", f"wait='mkdir {run}/report.html'")
    reason = f"the recorder failed: {run}/report.html: cannot be written: Is a directory"
    assert done.returncode != 0
    assert (record["verdict"], record["reasons"][0]) == ("failed", reason)
    assert f"failed: {reason}" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["Verdict: failed", f"Results: {run}, without a report"]


def test_no_log_is_told_of(playbook: Path, collections: Path) -> None:
    done, record = play(playbook, collections, "-e", '{"hidden": true}')
    assert done.returncode != 0
    assert record["verdict"] == "failed"
    assert "take no_log off the task" in done.stderr + done.stdout


def test_ctrl_c_leaves_what_has_come(playbook: Path, collections: Path) -> None:
    environ = environment(playbook, collections)
    events = playbook.parent / "results" / "run-1" / "events.jsonl"
    # The task says by a pipe that it runs: a signal sent while Ansible forks for it may be lost.
    pipe = playbook.parent / "runs"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    waiting = command(playbook, "-e", json.dumps({"wait": f"sh -c 'echo > {pipe}; exec sleep 60'"}))
    with subprocess.Popen(
        waiting, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        runs, _writable, _errors = select.select([reader], [], [], 60)
        os.killpg(process.pid, signal.SIGINT)
        output, _none = process.communicate(timeout=30)
    os.close(reader)
    assert runs, output
    record = json.loads((events.parent / "run.json").read_text())
    assert record["verdict"] == "aborted"
    assert [window["phase"] for window in record["windows"]] == ["measure"]
    assert (events.parent / "samples.jsonl.gz").stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("profile_window: {run_dir: /nonexistent/run}", "plan.json: cannot be read: No such file"),
        ("profile_window: {run_dir: /nonexistent/run, duration: 0}", "duration: 0 is below the least, 1"),
        ("profile_window: {run_dir: /nonexistent/run, repeat: many}", "repeat"),
        ("profile_verdict: {run_dir: /nonexistent/run}", "plan.json: cannot be read: No such file"),
        ("profile_verdict: {}", "missing required arguments: run_dir"),
    ],
)
def test_bad_input_is_one_clear_error(playbook: Path, collections: Path, arguments: str, message: str) -> None:
    task = f"- hosts: server\n  gather_facts: false\n  tasks:\n    - retail.profiles.{arguments}\n"
    playbook.write_text(task)
    done = subprocess.run(
        command(playbook),
        env=environment(playbook, collections),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert message in " ".join(output.split())
    assert "Traceback" not in output
