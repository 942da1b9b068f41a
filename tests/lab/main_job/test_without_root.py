# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who is no more on the hosts than a member of the group docker."""

from __future__ import annotations

import pytest

from .conftest import SHORT, Fleet

pytestmark = pytest.mark.measures

USER = {"ansible_user": "lab", "ansible_become": False}


def test_the_main_job_needs_no_root(fleet: Fleet) -> None:
    assert set(fleet.shells("all", "id -nG lab | grep -ow docker").values()) == {"docker"}
    fleet.well("deploy_profile", profile="ovms", **USER)
    assert fleet.well("deploy_profile", profile="ovms", **USER).changed == 0
    assert "ovms-ovms-server-1" in fleet.well("status_profile", **USER).output
    fleet.well("run_profile", profile="ovms", **USER, **SHORT)
    run = fleet.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert all(run["host_metrics"][host]["cpu_cores"]["mean"] > 0 for host in run["hosts"])
    for metrics in run["absent"].values():
        assert all(metrics.values()), "a metric is absent without a reason"
    assert fleet.leftovers() == {}
