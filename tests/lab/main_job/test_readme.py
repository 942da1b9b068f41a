# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's commands, as they stand there, in one shell and in their order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .. import over_ssh
from .conftest import TINY, Fleet

pytestmark = pytest.mark.measures

BLOCK = re.compile(r"^```sh\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
# Galaxy is not reached by tests, `make test` is what runs this one, and the last three have tests of their own.
LEFT_OUT = (
    "ansible-galaxy collection install",
    "make test",
    "ansible-playbook retail.profiles.",
    "ansible-playbook stream_density.yml",
    "ansible-playbook playbooks/compare_runs.yml",
    "ansible-playbook study_profile.yml",
)


def hosts_ini(inventory: Path) -> str:
    """The lab as an inventory of the README's form."""
    text = inventory.read_text(encoding="utf-8").replace("{{ inventory_dir }}", str(inventory.parent))
    variables = re.findall(r"^    (ansible_\w+|images_\w+): \"?(.*?)\"?$", text, flags=re.MULTILINE)
    image_map = re.search(r"profile_images:\n      (\S+): (\S+)\n", text)
    assert image_map
    hosts = list(over_ssh.addresses(inventory).items())
    unescaped = [(name, value.replace('\\"', '"')) for name, value in variables]
    return "\n".join(
        [
            "[ovms_servers]",
            *(f"{name} ansible_host={address}" for name, address in hosts[:1]),
            "[ovms_clients]",
            *(f"{name} ansible_host={address}" for name, address in hosts[1:]),
            "[all:vars]",
            *(f"{name}={value}" for name, value in unescaped),
            f"profile_images={{'{image_map[1]}': '{image_map[2]}'}}",
            *(f"{name}={value}" for name, value in TINY.items()),
            "",
        ]
    )


def test_every_command_of_the_readme_works(prepared: Fleet) -> None:
    checkout = prepared.checkout
    text = (checkout / "README.md").read_text(encoding="utf-8")
    commands = [line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()]
    indented = re.findall(r"^    ((?:make|ansible-\w+) .*)$", text, flags=re.MULTILINE)
    assert {"make run", "make lab-up HOSTS=4 LAB=default"} <= set(commands)
    assert all(command in commands or command.startswith(LEFT_OUT) for command in indented), indented
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "ANSIBLE_CONFIG")}
    # What the README does with the default lab is done here with the lab of the tests.
    environment |= {"LAB": prepared.inventory.parent.name, "ANSIBLE_INVENTORY": str(prepared.inventory)}
    environment["KINDS"] = ",".join(over_ssh.kinds(prepared.inventory).values())
    own = checkout / "hosts.ini"
    own.write_text(hosts_ini(prepared.inventory), encoding="utf-8")
    short = prepared.inventory.parent / "group_vars"
    short.mkdir(exist_ok=True)
    (short / "all.json").write_text(json.dumps(TINY), encoding="utf-8")
    try:
        ended = subprocess.run(
            ["bash", "-euxc", "\n".join(commands)],
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
            check=False,
        )
    finally:
        own.unlink()
        shutil.rmtree(short)
    assert ended.returncode == 0, ended.stdout[-20000:]
    reports = re.findall(r"^Report: (.*)$", ended.stdout, flags=re.MULTILINE)
    assert len(reports) == commands.count("make run") + sum("run_profile.yml" in command for command in commands)
    assert all(Path(report).is_file() for report in reports)
    shutil.rmtree(checkout / "results")
    assert prepared.leftovers() == {}
