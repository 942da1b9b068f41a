# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep-alives for tasks of other collections, with Ansible's own plugin of connections and the real ssh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.lookup.keep_alive import LookupModule
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import keep_alive as module
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.keep_alive import KEEP_ALIVE


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of ssh that sets something for one host."""
    monkeypatch.setattr(module.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    path = tmp_path / "ssh_config"
    path.write_text("Host 192.0.2.7\n  ServerAliveInterval 77\n")
    return path


def looked_up(configuration: Path, **inventory: Any) -> str:
    host = {"inventory_hostname": "h1", "ansible_ssh_args": f"-F {configuration}", **inventory}
    # As in a play, whose own value is the lookup itself.
    variables = {**host, "ansible_ssh_common_args": "of the play", "hostvars": {"h1": host}}
    (found,) = LookupModule().run([], variables)
    return found


def test_what_the_inventory_says_stays_and_keep_alives_come_to_it(configuration: Path) -> None:
    assert looked_up(configuration) == KEEP_ALIVE
    assert looked_up(configuration, ansible_ssh_common_args="-o ProxyJump=gate") == f"-o ProxyJump=gate {KEEP_ALIVE}"


@pytest.mark.parametrize("name", ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"])
def test_who_has_some_keeps_them(configuration: Path, name: str) -> None:
    given = f"-F {configuration} -o ServerAliveInterval=5"
    expected = given if name == "ansible_ssh_common_args" else ""
    assert looked_up(configuration, **{name: given}) == expected


def test_who_has_some_in_the_configuration_of_ssh_keeps_them(configuration: Path) -> None:
    assert looked_up(configuration, ansible_host="192.0.2.7") == ""
    assert looked_up(configuration, ansible_host="192.0.2.8") == KEEP_ALIVE
