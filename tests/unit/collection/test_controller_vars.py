# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that work on the controller take nothing of how to connect from the inventory, whatever it says."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible import constants

from .playbook import CHECKOUT, play

PLAYBOOKS = CHECKOUT / "playbooks"
CONNECTING = sorted({name for names in constants.MAGIC_VARIABLE_MAPPING.values() for name in names})


def test_everything_that_says_how_to_connect_is_set() -> None:
    own = yaml.safe_load((PLAYBOOKS / "vars" / "controller.yml").read_text(encoding="utf-8"))
    assert set(CONNECTING) - {"ansible_connection"} <= set(own)


def test_every_play_on_localhost_has_them() -> None:
    plays = [play for file in PLAYBOOKS.glob("*.yml") for play in yaml.safe_load(file.read_text(encoding="utf-8"))]
    on_localhost = [play for play in plays if isinstance(play, dict) and play.get("hosts") == "localhost"]
    assert len(on_localhost) >= 4
    assert all(play["vars_files"] == ["vars/controller.yml"] for play in on_localhost)


def test_a_profile_is_converted_whatever_the_inventory_says_of_connections(collections: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    unknown = dict.fromkeys(CONNECTING, "{{ inventory_dir }}/{{ nowhere }}")
    inventory.write_text(yaml.safe_dump({"all": {"vars": unknown, "hosts": {"h1": None}}}), encoding="utf-8")
    (tmp_path / "compose.yml").write_text("services: {a: {image: 'debian:12'}}\n", encoding="utf-8")
    extra = ["-e", f"from={tmp_path}/compose.yml", "-e", f"to={tmp_path}/new"]
    ended = play("convert_profile", inventory, collections, *extra)
    assert ended.returncode == 0, ended.stdout
    assert (tmp_path / "new" / "profile.yml").is_file()
