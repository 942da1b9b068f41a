# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that go straight to a host's Python: what they bring along, what they answer, and when they are taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.retail.profiles.plugins.action import (
    image_facts,
    image_transfer,
    profile_apply,
    profile_measure,
    profile_status,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import argument_spec
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import direct_call
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import DirectAction

MODULES = (image_facts, image_transfer, profile_apply, profile_measure, profile_status)
ACTIONS = [module.ActionModule for module in MODULES]


def called(script: bytes, socket: Path) -> dict[str, Any]:
    """What a Python that has nothing but its standard library makes of a script, on a host without an engine."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S"],
        input=script,
        env={"DOCKER_HOST": f"unix://{socket}"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return direct_call.result("profile_apply", ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def params(**given: Any) -> dict[str, Any]:
    checked = ArgumentSpecValidator(argument_spec()).validate(given)
    assert not checked.error_messages
    return checked.validated_parameters


@pytest.mark.parametrize("compiled", [True, False])
def test_a_call_brings_all_that_it_needs_and_answers_as_the_module_does(compiled: bool, tmp_path: Path) -> None:
    given = {"deployment": "x", "state_dir": str(tmp_path)}
    socket = tmp_path / "no.sock"
    released = called(
        direct_call.script("calls.apply", params(state="released", **given), False, False, compiled), socket
    )
    assert (released["failed"], released["changed"], "diff" in released) == (False, False, False)
    assert released["invocation"]["module_args"]["state"] == "released"
    assert "share" not in released["invocation"]["module_args"]
    absent = called(direct_call.script("calls.apply", params(state="absent", **given), True, True, compiled), socket)
    assert absent["failed"] and str(socket) in absent["msg"]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.call.module))
def test_all_that_travels_can_be_imported_from_what_travels(action: type[DirectAction], compiled: bool) -> None:
    entry = action.call.entry
    names = [name for name, source in direct_call.sources(entry).items() if source is not None]
    assert any(name.endswith(f".{entry}") for name in names)
    assert len(names) > (20 if action is profile_apply.ActionModule else 3)
    head = direct_call.script(entry, {}, True, False, compiled).decode().partition("\nfrom ansible_collections")[0]
    imports = "\n".join(f"import {name}" for name in names)
    python = [sys.executable, "-I", "-S"]
    ended = subprocess.run(
        python, input=f"{head}\n{imports}\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.call.module))
def test_an_action_calls_the_module_of_its_name(action: type[DirectAction]) -> None:
    assert action.__module__.rpartition(".")[2] == action.call.module


def test_arguments_that_do_not_go_together_are_told_of() -> None:
    action = asking(image_transfer.ActionModule)
    with pytest.raises(AnsibleActionFail, match="state is awaited but all of the following are missing: token"):
        action._direct(sys.executable, {"state": "awaited", "name": "x"})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What an action sends to a host whose Python is of another version."""
    scripts: list[bytes] = []
    magic = repr(direct_call.MAGIC_NUMBER)

    def executed(_action: DirectAction, command: str, in_data: bytes) -> dict[str, Any]:
        scripts.append(in_data.replace(magic.encode(), b"b'other'"))
        ended = subprocess.run(command.split(), input=scripts[-1], capture_output=True, check=False, timeout=60)
        return {"rc": ended.returncode, "stdout": ended.stdout.decode(), "stderr": ended.stderr.decode()}

    monkeypatch.setattr(DirectAction, "_compute_environment_string", lambda _action: "")
    monkeypatch.setattr(DirectAction, "_low_level_execute_command", executed)
    return scripts


def asking(action: type[DirectAction]) -> Any:
    made = object.__new__(action)
    made._task = SimpleNamespace(check_mode=False, diff=False)
    return made


def test_a_host_with_another_python_is_sent_the_source_text(sent: list[bytes], tmp_path: Path) -> None:
    given = {"state": "released", "deployment": "x", "state_dir": str(tmp_path)}
    answer = asking(profile_apply.ActionModule)._direct(sys.executable, given)
    assert (answer["failed"], len(sent)) == (False, 2)
    assert b"b'other'" in sent[0] and b"b'other'" not in sent[1]


def test_an_answer_says_what_was_asked_but_not_what_is_secret(sent: list[bytes], tmp_path: Path) -> None:
    given = {"state": "received", "name": "x", "token": "very-secret", "state_dir": str(tmp_path)}
    answer = asking(image_transfer.ActionModule)._direct(sys.executable, given)
    assert answer["failed"] and "there is no receiver x on this host" in answer["msg"]
    assert answer["invocation"]["module_args"]["state"] == "received"
    assert "very-secret" not in str(answer)


def test_what_a_login_shell_says_before_the_answer_is_not_the_answer() -> None:
    assert direct_call.result("profile_apply", 0, 'Welcome {you}\n{"failed": false, "msg": "ok"}\n', "") == {
        "failed": False,
        "msg": "ok",
    }


@pytest.mark.parametrize(
    ("status", "output", "errors", "told"),
    [
        (127, "", "/bin/sh: 1: /opt/python: not found\n", "status 127: /bin/sh: 1: /opt/python: not found"),
        (1, "", "Traceback (most recent call last):\n  File ...\nValueError: odd\n", "status 1: ValueError: odd"),
        (137, "", "", "status 137: it said nothing"),
        (137, '{"failed": false, "repl', "Killed\n", "status 137: Killed"),
    ],
)
def test_a_call_without_an_answer_says_how_it_ended(status: int, output: str, errors: str, told: str) -> None:
    answer = direct_call.result("profile_apply", status, output, errors)
    assert answer["failed"] and answer["msg"].endswith(told)
    assert "\n" not in answer["msg"]


@pytest.mark.parametrize(
    ("interpreter", "facts", "more", "python"),
    [
        ("/usr/bin/python3", {}, {}, "/usr/bin/python3"),
        ("/usr/bin/env python3", {}, {}, "/usr/bin/env python3"),
        ("auto_silent", {}, {}, None),
        ("auto_silent", {"discovered_interpreter_python": "/usr/bin/python3.12"}, {}, "/usr/bin/python3.12"),
        ("python3", {}, {}, None),
        ("/usr/bin/python3", {}, {"secrets": {"x": {"TOKEN": "t"}}}, None),
        ("/usr/bin/python3", {}, {"state_dir": "~/state"}, None),
        ("/usr/bin/python3", {}, {"pipelined": False}, None),
        ("/usr/bin/python3", {}, {"async_val": 60}, None),
        ("/usr/bin/python3", {}, {"delegate_to": "other"}, "/opt/python"),
        ("/usr/bin/python3", {}, {"delegate_to": "unknown"}, None),
    ],
)
def test_only_a_call_with_nothing_special_goes_straight(
    interpreter: str, facts: dict[str, str], more: dict[str, Any], python: str | None
) -> None:
    action = object.__new__(profile_apply.ActionModule)
    action._task = SimpleNamespace(async_val=more.get("async_val", 0), delegate_to=more.get("delegate_to"))
    action._connection = SimpleNamespace(is_pipelining_enabled=lambda: more.get("pipelined", True))
    action._templar = SimpleNamespace(template=lambda value: value)
    args = {name: more[name] for name in ("secrets", "state_dir") if name in more}
    other = {"ansible_python_interpreter": "/opt/python"}
    variables = {
        "ansible_python_interpreter": interpreter,
        "ansible_facts": facts,
        "ansible_delegated_vars": {"other": other},
    }
    assert action._python(args, variables) == python
