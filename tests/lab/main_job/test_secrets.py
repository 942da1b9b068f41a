# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets end to end: the process has them, and nothing that is printed or written does."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import MASK, Redactor

from .conftest import TINY, Fleet

TOKEN = 'to"p\\se/cret 4711 é'
INLINE = "another-secret-0815"
PROFILE = """
containers:
  - name: one
    image: retail/kserve-client:1
    hosts: h2
    entrypoint: [sh, -c]
    args:
      - >-
        trap 'exit 0' TERM;
        printf %%s "$TOKEN" | sha256sum; printf %%s "$INLINE" | sha256sum; echo "raw $TOKEN, $INLINE.";
        while :; do echo '{"fps": 5, "said": "'"$INLINE"'"}'; sleep 1 & wait $!; done
    secret_env:
      TOKEN: "{{ vaulted_token }}"
      INLINE: %s
    metrics:
      fps: {log: fps}
"""


def encrypted(fleet: Fleet, value: str, indent: int) -> str:
    """A value as ansible-vault writes it inline, but for its name."""
    made = subprocess.run(
        ["ansible-vault", "encrypt_string", "--vault-password-file", "password", value],
        cwd=fleet.home,
        env=fleet.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    head, *lines = made.strip().splitlines()
    return "\n".join([head, *(" " * indent + line.strip() for line in lines)])


@pytest.fixture
def vault(fleet: Fleet) -> list[str]:
    """A profile with secrets; the options that open the vault."""
    (fleet.home / "password").write_text("open\n", encoding="utf-8")
    fleet.profile("secretive", PROFILE % encrypted(fleet, INLINE, 8))
    (fleet.home / "vars.yml").write_text(f"vaulted_token: {encrypted(fleet, TOKEN, 2)}\n", encoding="utf-8")
    return ["--vault-password-file", "password", "-e", "@vars.yml"]


def shows(text: str) -> bool:
    """Whether one of the secrets stands in a text, however it is escaped."""
    return Redactor([TOKEN, INLINE]).text(text) != text


def written(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
        for file in folder.rglob("*")
        if file.is_file()
        for data in [file.read_bytes()]
    }


def test_a_run_uses_secrets_and_shows_none(fleet: Fleet, vault: list[str]) -> None:
    done = fleet.well("run_profile", "-vvv", "--diff", *vault, profile="secretive", measure_repeat=1, **TINY)
    files = written(fleet.home / "results")
    [log] = [text for name, text in files.items() if name.endswith("secretive-one-1.log") and "latest" not in name]
    for secret in (TOKEN, INLINE):
        assert hashlib.sha256(secret.encode()).hexdigest() in log
    assert f"raw {MASK}, {MASK}." in log
    assert not shows(done.output)
    assert [name for name, text in files.items() if shows(text)] == []
    assert fleet.latest()["metrics"]["secretive-one-1"]["fps"]["mean"] == 5


def test_a_changed_secret_makes_the_container_anew_and_the_host_keeps_none(fleet: Fleet, vault: list[str]) -> None:
    first = fleet.well("deploy_profile", "-vvv", "--diff", *vault, profile="secretive")
    again = fleet.well("deploy_profile", *vault, profile="secretive")
    assert again.changed == 0
    other = {"profile_secrets": {"one": {"INLINE": "changed-secret-0816"}}}
    changed = fleet.well("deploy_profile", "-vvv", "--diff", *vault, profile="secretive", **other)
    assert "secret_env.INLINE" in changed.output
    assert not shows(first.output + changed.output)
    assert "changed-secret" not in changed.output
    held = fleet.shell("h2", "grep -rlE '4711|081[56]' /var/lib/retail-profiles/deployments || true")
    assert held == ""
    assert "changed-secret-0816" in fleet.shell("h2", "docker exec secretive-one-1 printenv INLINE")
    fleet.well("stop_profile", profile="secretive")


def test_the_stock_module_has_them_too(fleet: Fleet, vault: list[str]) -> None:
    done = fleet.well(
        "deploy_profile", "-vvv", "--diff", *vault, profile="secretive", profile_apply_with="docker_container"
    )
    assert not shows(done.output)
    assert fleet.shell("h2", "docker exec secretive-one-1 printenv INLINE") == INLINE
    assert fleet.well("deploy_profile", *vault, profile="secretive").changed <= 1  # the record alone
    fleet.well("stop_profile", profile="secretive")


def test_a_playbook_of_stock_tasks_asks_for_them(fleet: Fleet, vault: list[str]) -> None:
    file = fleet.home / "stock.yml"
    fleet.well("plan_profile", *vault, profile="secretive", as_playbook=str(file))
    text = file.read_text(encoding="utf-8")
    [_files, containers] = yaml.safe_load(text)
    task = containers["tasks"][-1]
    assert task["community.docker.docker_container"]["env"]["TOKEN"] == "{{ profile_secrets['one']['TOKEN'] }}"
    assert task["no_log"] is True
    assert not shows(text)


def test_without_the_vaults_password_nothing_is_started(fleet: Fleet, vault: list[str]) -> None:
    failed = fleet.play("deploy_profile", *vault[2:], profile="secretive")
    assert failed.status != 0
    assert "the secret" in failed.output
    assert fleet.shell("h2", "docker ps -aq --filter name=secretive") == ""
