# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is as it should be says so, and is given back; what only looks like it does not.

That drift by hand is seen is asserted beside the apply that undoes it, in test_apply.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import Leases

from .conftest import Deployment, shipped
from .test_apply import converged

LEASE = {"holder": "here:1:1", "owner": "someone"}


def test_a_host_without_work_gives_its_lease_back(deployment: Deployment) -> None:
    task = deployment.task()
    asked: dict[str, Any] = {"lease": LEASE, "release": True}
    leases = Leases(str(deployment.state_dir))
    first = deployment.call("checked", deployment.replica(task), **asked)
    assert not first["converged"]
    assert leases.names() == [deployment.name]
    deployment.present(task, expected=[task["name"]], lease=first["lease"], release=True)
    again = deployment.call("checked", deployment.replica(task), **asked)
    assert again["converged"]
    assert "lease" not in again
    assert leases.names() == []
    deployment.call("checked", deployment.replica(task), **{**asked, "release": False})
    assert leases.names() == [deployment.name]


def test_a_call_that_must_come_again_with_files_keeps_the_lease(deployment: Deployment) -> None:
    file = shipped(deployment, b"one")
    task = deployment.task(volumes=[f"{file['dest']}:/x:ro"])
    asked: dict[str, Any] = {"files": [file], "expected": [task["name"]]}
    lease = deployment.call("checked", deployment.replica(task), **asked, lease=LEASE)["lease"]
    leases = Leases(str(deployment.state_dir))
    with pytest.raises(MissingFiles):
        deployment.present(task, **asked, archives=[], lease=lease, release=True)
    assert leases.names() == [deployment.name]
    assert not deployment.present(task, **asked, lease=lease, release=True)["failed"]
    assert leases.names() == []
    other = shipped(deployment, b"two")
    with pytest.raises(MissingFiles):  # a call by hand leaves nothing behind
        deployment.present(deployment.task(volumes=[f"{other['dest']}:/x:ro"]), files=[other], archives=[])
    assert leases.names() == []


def test_the_whole_host_counts(deployment: Deployment) -> None:
    first, second = deployment.task(index=1), deployment.task(index=2)
    names = [first["name"], second["name"]]
    deployment.present(first, second, expected=names)
    assert converged(deployment, first, second)
    assert not converged(deployment, first)  # the other one is to go
    replicas = [deployment.replica(task) for task in (first, second)]
    assert not deployment.call("checked", *replicas)["converged"]  # nobody says that these are all
    assert not deployment.call("checked", *replicas, release=True, snapshot=True, state_dir="/not/there")["converged"]


def test_files_count(deployment: Deployment) -> None:
    file = shipped(deployment, b"one")
    task = deployment.task(volumes=[f"{file['dest']}:/x:ro"])
    deployment.present(task, files=[file], expected=[task["name"]])
    assert converged(deployment, task, files=[file])
    Path(file["dest"]).write_bytes(b"two")
    assert not converged(deployment, task, files=[file])
    deployment.present(task, files=[file], expected=[task["name"]])
    assert converged(deployment, task, files=[file])
    other = shipped(deployment, b"three")
    assert not converged(deployment, deployment.task(volumes=[f"{other['dest']}:/x:ro"]), files=[other])


def test_probes_are_asked(deployment: Deployment) -> None:
    task = deployment.task()
    up = deployment.replica(task, ready=[{"kind": "exec", "command": ["test", "!", "-e", "/tmp/down"]}])
    deployment.call("present", up, expected=[task["name"]])
    assert deployment.call("checked", up, release=True)["converged"]
    deployment.engine.execute(task["name"], ["touch", "/tmp/down"], 10)
    assert not deployment.call("checked", up, release=True)["converged"]


def test_what_takes_more_than_a_look(deployment: Deployment) -> None:
    labels = {**deployment.task()["labels"], "retail.profiles.secrets": "TOKEN"}
    task = deployment.task(labels=labels)
    secret = {task["name"]: {"TOKEN": "s"}}
    deployment.present(task, expected=[task["name"]], secrets=secret)
    assert not converged(deployment, task)
    plain = deployment.task(index=2)
    deployment.call("present", deployment.replica(plain), expected=[plain["name"]])
    always = deployment.replica(plain, pull="always")
    assert not deployment.call("checked", always, release=True, check=True)["converged"]
    assert converged(deployment, plain)
