# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep-alives over SSH, with the real ssh to tell what its configuration is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import keep_alive as module
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.keep_alive import KEEP_ALIVE, keep_alive


class Connection:
    """What is asked of Ansible's plugin ``ssh``."""

    def __init__(self, transport: str = "ssh", **options: Any) -> None:
        self.transport = transport
        self.options: dict[str, Any] = {"ssh_executable": "ssh", "host": "192.0.2.1", "port": 2222, **options}

    def get_option(self, name: str) -> Any:
        return self.options.get(name)

    def set_option(self, name: str, value: Any) -> None:
        self.options[name] = value

    @property
    def common(self) -> Any:
        keep_alive(self)
        return self.options.get("ssh_common_args")


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of ssh that sets nothing."""
    monkeypatch.setattr(module.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    path = tmp_path / "ssh_config"
    path.write_text("")
    return path


def test_a_connection_without_any_gets_ours(configuration: Path) -> None:
    assert Connection(ssh_args=f"-F {configuration} -o ControlMaster=auto").common == KEEP_ALIVE
    given = Connection(ssh_args=f"-F {configuration}", ssh_common_args="-o ProxyJump=gate")
    assert given.common == f"-o ProxyJump=gate {KEEP_ALIVE}"
    assert given.common == f"-o ProxyJump=gate {KEEP_ALIVE}"


def test_ours_of_the_play_is_no_word_of_the_user(configuration: Path) -> None:
    """The play has them for tasks of other collections: ours keep a connection of their own all the same."""
    given = Connection(ssh_args=f"-F {configuration}", ssh_common_args=f"-o ProxyJump=gate {KEEP_ALIVE}")
    assert given.common == f"-o ProxyJump=gate {KEEP_ALIVE}"
    assert given.options["control_path"].endswith("-a")


@pytest.mark.parametrize("option", ["ssh_args", "ssh_common_args", "ssh_extra_args"])
def test_what_the_user_gave_to_ansible_stays(option: str, configuration: Path) -> None:
    options = {"ssh_args": f"-F {configuration}", "ssh_common_args": None, option: "-o serverAliveInterval=0"}
    assert KEEP_ALIVE not in (Connection(**options).common or "")


def test_what_the_user_gave_to_ssh_stays(configuration: Path) -> None:
    configuration.write_text("Host 192.0.2.1\n  ServerAliveInterval 77\n")
    assert Connection(ssh_args=f"-F {configuration}").common is None
    assert Connection(ssh_args=f"-F {configuration}", host="192.0.2.2").common == KEEP_ALIVE


def test_many_calls_of_a_task_use_one_connection(configuration: Path) -> None:
    made = Connection(ssh_args=f"-F {configuration}")
    paths = {(made.common, made.options["control_path"]) for _time in range(50)}
    assert len(paths) == 1
    made.set_option("control_path", "%(directory)s/other")  # as Ansible sets it for the next item of a loop
    assert (made.common, made.options["control_path"]) == (KEEP_ALIVE, "%(directory)s/other-a")


def test_it_is_a_connection_of_its_own(configuration: Path) -> None:
    """One that stands already was made without ours."""
    made = Connection(ssh_args=f"-F {configuration}")
    other = Connection(ssh_args=f"-F {configuration}", port=22)
    named = Connection(ssh_args=f"-F {configuration}", control_path="%(directory)s/%%h")
    assert (made.common, other.common, named.common) == (KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE)
    assert re.fullmatch(r"%\(directory\)s/[0-9a-f]{10}-a", made.options["control_path"])
    assert other.options["control_path"] != made.options["control_path"]
    assert named.options["control_path"] == "%(directory)s/%%h-a"


def test_ssh_is_asked_once_for_each_host(configuration: Path) -> None:
    for _task in range(2):
        assert Connection(ssh_args=f"-F {configuration}").common == KEEP_ALIVE
        configuration.write_text("ServerAliveInterval 77\n")
    assert len(list(configuration.parent.glob("keep-alive-*"))) == 1


def test_an_ssh_that_does_not_tell_is_given_ours() -> None:
    assert Connection(ssh_executable="/nonexistent/ssh").common == KEEP_ALIVE
    assert Connection(ssh_executable="false").common == KEEP_ALIVE


def test_other_connections_are_left_alone() -> None:
    assert Connection(transport="local").common is None
