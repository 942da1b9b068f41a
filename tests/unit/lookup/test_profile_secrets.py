# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profile whose secrets are looked up is read as it was planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.lookup.profile_secrets import LookupModule
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.secrets import Secrets, of_host

from ..plugin_utils.world import render

FILE = "services: {a: {image: i, secrets: [key]}}\nsecrets: {key: {environment: API_KEY}}\n"
PATH = "/run/secrets/key"


def test_secrets_of_several_compose_files_are_those_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yml").write_text(FILE, encoding="utf-8")
    (tmp_path / "over.yml").write_text("services: {a: {tty: true}}\n", encoding="utf-8")
    lookup = LookupModule()
    files = [str(tmp_path / "compose.yml"), str(tmp_path / "over.yml")]
    monkeypatch.setattr(lookup, "get_option", {"file": files, "search": []}.get)
    variables: dict[str, Any] = {"playbook_dir": str(tmp_path), "profile_variables": {"API_KEY": "of the caller"}}
    profile = lookup._profile(render, variables)
    assert profile is not None and list(map(str, profile.over)) == files[1:]
    plan = {"replicas": {"d-a-1": {"host": "h", "container": "a", "index": 1, "secrets": [PATH]}}}
    known = Secrets(profile, {"h": variables}, render)
    assert of_host(plan, known, ["d-a-1"]) == {"d-a-1": {PATH: "of the caller"}}
