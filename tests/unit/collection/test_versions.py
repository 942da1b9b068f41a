# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/versions.md names what tests/controllers tests, and the oldest of it is what the collection is declared for."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.controllers import environments


def test_the_page_names_what_is_tested(checkout: Path) -> None:
    page = (checkout / "docs" / "versions.md").read_text(encoding="utf-8")
    for core, pythons in environments.CONTROLLERS.items():
        assert f"| {core} | {', '.join(pythons)} |" in page
    assert f"| Python | {', '.join(environments.HOSTS)} |" in page
    [package] = environments.ON_HOSTS
    assert f"| {package.removeprefix('docker==')}; of Debian in the labs |" in page


def test_the_oldest_controller_is_the_declared_and_the_pinned_one(checkout: Path) -> None:
    declared = yaml.safe_load((checkout / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    oldest = next(iter(environments.CONTROLLERS))
    assert declared == f">={oldest.rpartition('.')[0]}.0"
    assert environments.pins("requirements.txt")["ansible-core"] == oldest
