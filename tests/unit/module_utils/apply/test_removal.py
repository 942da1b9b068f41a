# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found of deployments on a host, and removed."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import (
    deployments_on,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Listed

from .stand_in import Host

LABELS = {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": "d"}


def test_a_label_is_no_path(tmp_path: Path) -> None:
    """Labels may be anybody's: they must never lead to a directory elsewhere."""
    evil = {**LABELS, "retail.profiles.deployment": "../../etc"}
    containers = {"x": Listed("x", "1", evil, "i", "running", ()), "y": Listed("y", "2", LABELS, "i", "running", ())}
    assert deployments_on(StateDir(str(tmp_path)), containers, [{"Name": "n", "Labels": None}]) == ["d"]


# -- on an engine in memory


def test_check_mode_tells_what_is_removed(host: Host) -> None:
    host.call(
        "present", host.task(volumes=["d-v:/v"]), host.task(index=2), networks=[{"name": "d-n", "labels": LABELS}]
    )
    (host.state_dir / "runs" / "d-20260131T100000Z-0123abcd").mkdir(parents=True)
    kept = host.files()
    told = host.call("absent", check=True)
    assert (host.engine.writes, host.files()) == ([], kept)
    done = host.call("absent")
    assert told["removed"] == done["removed"] == [
        "sampler d-20260131T100000Z-0123abcd",
        "d-a-1",
        "d-a-2",
        "network d-n",
        "volume d-v",
        f"files {host.state_dir}/deployments/d",
    ]  # fmt: skip
    assert (host.engine.there, host.engine.vols, host.files()) == ({}, {}, {})
    assert "d-n" not in host.engine.nets
    again = host.call("absent")
    assert (again["changed"], again["removed"], host.engine.writes) == (False, [], [])


def test_while_something_cannot_be_removed_the_record_stays(host: Host) -> None:
    host.call("present", host.task(volumes=["d-v:/v"]))
    host.engine.refuses["remove_volume", "d-v"] = EngineError("volume is in use", 409)
    done = host.call("absent")
    assert done["failed"]
    assert done["msg"] == "d: cannot remove d-v: volume is in use"
    assert done["removed"] == ["d-a-1", "volume d-v"]
    assert "deployments/d/record.json" in host.files()
    host.engine.refuses.clear()
    assert host.call("absent")["removed"] == ["volume d-v", f"files {host.state_dir}/deployments/d"]


def test_everything_goes_each_run_once(host: Host) -> None:
    host.call("present", host.task())
    for run in ("d-20260131T100000Z-0123abcd", "other"):
        (host.state_dir / "runs" / run).mkdir(parents=True)
    told = host.call("absent", deployment=None, all=True, check=True)
    done = host.call("absent", deployment=None, all=True)
    assert told["removed"] == done["removed"]
    assert [item for item in done["removed"] if item.startswith("sampler")] == [
        "sampler d-20260131T100000Z-0123abcd",
        "sampler other",
    ]
