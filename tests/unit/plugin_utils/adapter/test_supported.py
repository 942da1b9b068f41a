# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One error where ansible-core is too old."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing import vault

from ansible_collections.retail.profiles.plugins.action import profile_convert, profile_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import supported
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import Call, DirectAction


@pytest.mark.parametrize("version", ["2.16.14", "2.17.0", "2.18.19", "2.9.27"])
def test_an_older_one_is_named_with_what_to_do(version: str) -> None:
    with pytest.raises(AnsibleError, match=f"needs ansible-core 2.19 or newer, and this is {version}: install one"):
        supported.require(version)


@pytest.mark.parametrize("version", ["2.19.0", "2.19.0b5", "2.22.0rc1", "3.0.0"])
def test_newer_ones_are_taken(version: str) -> None:
    supported.require(version)


def test_it_is_told_when_an_action_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AnsibleError("too old")

    monkeypatch.setattr(supported, "require", refuse)
    with pytest.raises(AnsibleError, match="too old"):
        type("Action", (DirectAction,), {"call": Call("profile_status", "calls.status", {})})


@pytest.mark.parametrize("action", [profile_plan, profile_convert])
def test_it_is_told_before_what_is_missed(action: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AnsibleError("too old")

    monkeypatch.setattr(supported, "require", refuse)
    # What an older one does not have.
    monkeypatch.delattr(vault, "EncryptedString")
    with pytest.raises(AnsibleError, match="too old"):
        importlib.reload(action)


def test_it_is_what_the_collection_declares(checkout: Path) -> None:
    declared = yaml.safe_load((checkout / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    assert declared == f">={'.'.join(map(str, supported.LEAST))}.0"
