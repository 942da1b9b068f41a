# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on a real engine: given to the process, seen when they change, and in nothing that is answered or written."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import SECRETS_LABEL
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

from .conftest import Deployment, stock
from .test_env import environ

TOKEN = 'to"p\\se/cret 4711 é\nsecond line'


def secretive(deployment: Deployment, **options: Any) -> dict[str, Any]:
    task = deployment.task(env={"A": "plain"}, **options)
    task["labels"][SECRETS_LABEL] = "TOKEN"
    return task


def only(result: dict[str, Any]) -> dict[str, Any]:
    (outcome,) = result["replicas"].values()
    found: dict[str, Any] = outcome
    return found


def apply(deployment: Deployment, task: dict[str, Any], token: str = TOKEN, **more: Any) -> dict[str, Any]:
    return deployment.present(task, secrets={task["name"]: {"TOKEN": token}}, **more)


def held(deployment: Deployment) -> str:
    """All that the host keeps, as text."""
    files = [path for path in deployment.state_dir.rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)


def test_a_secret_reaches_the_process_and_no_answer_or_record(engine: Engine, deployment: Deployment) -> None:
    task = secretive(deployment)
    first = apply(deployment, task)
    assert environ(engine, task["name"])["TOKEN"] == TOKEN
    again = apply(deployment, task)
    assert not again["changed"]
    inspect = engine.inspect(task["name"])
    assert inspect is not None
    told = json.dumps([first, again, inspect["Config"]["Labels"]]) + held(deployment)
    assert secret_env.Redactor([TOKEN]).text(told) == told


def test_a_secret_file_is_in_the_container_and_in_nothing_else(engine: Engine, deployment: Deployment) -> None:
    path = "/run/secrets/token"
    task = deployment.task(env={"A": "plain"}, user="1234")
    task["labels"][SECRETS_LABEL] = path
    first = deployment.present(task, secrets={task["name"]: {path: TOKEN}})
    assert engine.execute(task["name"], ["cat", path], 10) == (0, TOKEN)
    assert not deployment.present(task, secrets={task["name"]: {path: TOKEN}})["changed"]
    changed = deployment.present(task, secrets={task["name"]: {path: "another secret"}})
    assert only(changed)["status"] == "recreated"
    assert engine.execute(task["name"], ["cat", path], 10) == (0, "another secret")
    told = json.dumps([first, changed, engine.inspect(task["name"])]) + held(deployment)
    assert secret_env.Redactor([TOKEN, "another secret"]).text(told) == told


def test_a_changed_secret_is_seen_and_not_shown(engine: Engine, deployment: Deployment) -> None:
    task = secretive(deployment)
    apply(deployment, task)
    changed = apply(deployment, task, "another secret")
    assert only(changed)["status"] == "recreated"
    assert only(changed)["diff"] == [
        {"field": "secret_env.TOKEN", "current": "another value", "desired": "as given"},
    ]
    assert environ(engine, task["name"])["TOKEN"] == "another secret"


def test_drift_of_other_variables_shows_no_secret(engine: Engine, deployment: Deployment) -> None:
    task = secretive(deployment)
    apply(deployment, task)
    task["env"] = {"A": "changed"}
    found = only(apply(deployment, task, check=True))["diff"]
    assert "env" in {item["field"] for item in found}
    assert secret_env.Redactor([TOKEN]).text(json.dumps(found)) == json.dumps(found)


def test_the_stock_module_and_ours_agree(deployment: Deployment) -> None:
    task = secretive(deployment)
    apply(deployment, task)
    whole = {**task, "env": {**task["env"], "TOKEN": TOKEN}}
    assert not stock("docker_container", **whole)["changed"]
    stock("docker_container", **whole, recreate=True)
    assert not only(apply(deployment, task))["diff"]


def test_the_end_of_a_log_in_an_error_is_redacted(deployment: Deployment) -> None:
    task = secretive(deployment, entrypoint=["sh", "-c"], command=['echo "it is $TOKEN"; exit 3'])
    ready = [{"kind": "log", "pattern": "never", "timeout": 20}]
    replica = deployment.replica(task, ready=ready)
    result = deployment.call("present", replica, secrets={task["name"]: {"TOKEN": TOKEN}})
    assert f"it is {secret_env.MASK}" in only(result)["error"]
    assert "4711" not in json.dumps(result)


def test_what_is_in_a_secret_file_is_redacted_in_an_error(deployment: Deployment) -> None:
    path = "/run/secrets/token"
    task = deployment.task(env={}, entrypoint=["sh", "-c"], command=[f"cat {path}; exit 3"])
    task["labels"][SECRETS_LABEL] = path
    replica = deployment.replica(task, ready=[{"kind": "log", "pattern": "never", "timeout": 20}])
    result = deployment.call("present", replica, secrets={task["name"]: {path: TOKEN}})
    assert secret_env.MASK in only(result)["error"]
    assert "4711" not in json.dumps(result) and "second line" not in json.dumps(result)


def test_the_key_goes_with_the_deployment(deployment: Deployment) -> None:
    apply(deployment, secretive(deployment))
    keys = list(deployment.state_dir.rglob("secrets.key"))
    assert [len(key.read_bytes()) for key in keys] == [32]
    deployment.absent()
    assert list(deployment.state_dir.rglob("secrets.key")) == []
