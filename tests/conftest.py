# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: where things are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does: that is no property of the code.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def collections(checkout: Path) -> Path:
    """The folder that holds ``ansible_collections``, as ``make setup`` lays it out."""
    return checkout / ".collections"


@pytest.fixture(scope="session")
def lab_inventory(checkout: Path) -> Path:
    """The inventory of the lab that ``make test`` brings up; ``RETAIL_PROFILES_LAB_INVENTORY`` names another."""
    named = os.environ.get("RETAIL_PROFILES_LAB_INVENTORY")
    if named is None:
        pytest.skip("no lab to test on: make e2e brings one up, or RETAIL_PROFILES_LAB_INVENTORY names its inventory")
    path = checkout / named
    assert path.is_file(), f"there is no inventory {path}"
    return path
