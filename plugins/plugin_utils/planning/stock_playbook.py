# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as a playbook of stock tasks: the same containers without this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.file_tree import DIRECTORY
from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_secret_file

Task = dict[str, Any]


def playbook(plan: Mapping[str, Any], folder: str) -> str:
    """YAML with two plays: files and networks on every host, then the containers, wave by wave.

    *folder*, beside the playbook, has the files at their :func:`place`.

    Each later wave waits for what its replicas depend on, seen from their own host, where a stock module can tell.
    Secrets are to be given in the variable ``profile_secrets``, {CONTAINER: {NAME: value}}.
    """
    hosts = list(plan["hosts"])
    prepare = [task for host in hosts for task in _prepare(plan, host, folder)]
    start = [task for names in plan["waves"] for name in names for task in _start(name, plan["replicas"][name])]
    plays = [
        {
            "name": f"Files and networks of {plan['deployment']}",
            "hosts": hosts,
            "gather_facts": False,
            "tasks": prepare,
        },
        {"name": f"Containers of {plan['deployment']}", "hosts": hosts, "gather_facts": False, "tasks": start},
    ]
    head = f"# Plan {plan['plan_id']} of profile {plan['profile']} as stock tasks.\n---\n"
    return head + yaml.dump(plays, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes every value out: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _on(host: str) -> str:
    return f"inventory_hostname == '{host}'"


def place(item: Mapping[str, Any]) -> str:
    """Where a file of the plan is, below the folder beside the playbook: as on the hosts."""
    return "/".join(str(item["dest"]).rsplit("/", 2)[1:])


def _prepare(plan: Mapping[str, Any], host: str, folder: str) -> Iterator[Task]:
    for item in plan["hosts"][host]["files"]:
        whole = item["kind"] == DIRECTORY
        yield {
            "name": f"Folder of {item['path']} on {host}",
            "ansible.builtin.file": {
                "path": item["dest"] if whole else item["dest"].rpartition("/")[0],
                "state": "directory",
                **({"mode": "0755"} if whole else {}),
            },
            "when": _on(host),
        }
        source = f"{folder}/{place(item)}"
        yield {
            "name": f"{'Content' if whole else 'File'} {item['path']} on {host}",
            "ansible.builtin.copy": (
                {"src": f"{source}/", "dest": f"{item['dest']}/", "mode": "preserve", "local_follow": False}
                if whole
                else {"src": source, "dest": item["dest"], "mode": item["mode"]}
            ),
            "when": _on(host),
        }
    for network in plan["hosts"][host]["networks"]:
        yield {
            "name": f"Network {network['name']} on {host}",
            "community.docker.docker_network": dict(network),
            "when": _on(host),
        }


def _start(name: str, replica: Mapping[str, Any]) -> Iterator[Task]:
    for probe in replica["reach"]:
        waiting = _wait(probe)
        if waiting:
            yield {
                "name": f"Wait before {name}: {probe['kind']} at {probe['address']}:{probe['port']}",
                **waiting,
                "when": _on(replica["host"]),
            }
    task = {key: _literal(value) for key, value in replica["task"].items()}
    if any(map(is_secret_file, replica["secrets"])):
        raise ProfileError("no stock module writes secret files into a container", container=replica["container"])
    secrets = {secret: _given(replica["container"], secret) for secret in replica["secrets"]}
    if secrets:
        task["env"] = {**task["env"], **secrets}
    yield {
        "name": f"Container {name}",
        "community.docker.docker_container": {**task, "pull": replica["pull"]},
        "when": _on(replica["host"]),
        **({"no_log": True} if secrets else {}),
    }


def _given(container: str, secret: str) -> str:
    """The template of a secret, which whoever runs the playbook gives."""
    return f"{{{{ profile_secrets['{container}']['{secret}'] }}}}"


def _wait(probe: Mapping[str, Any]) -> Task | None:
    """The stock task that waits for what a probe asks; None where the probe is not over an address."""
    if "address" not in probe:
        return None
    if probe["kind"] in ("http",) or (probe["kind"] == "ovms_models" and probe["protocol"] == "rest"):
        return _wait_http(probe)
    return {
        "ansible.builtin.wait_for": {"host": probe["address"], "port": probe["port"], "timeout": int(probe["timeout"])}
    }


def _wait_http(probe: Mapping[str, Any]) -> Task:
    path = probe["path"] if probe["kind"] == "http" else f"/v2/models/{quote(probe['models'][0], safe='')}/ready"
    url = f"http://{probe['address']}:{probe['port']}{path}"
    return {
        "ansible.builtin.uri": {"url": url, "status_code": probe.get("status", 200)},
        "register": "stock_answer",
        "until": "stock_answer is succeeded",
        "retries": max(1, int(probe["timeout"])),
        "delay": 1,
    }


def _literal(value: Any) -> Any:
    """A value that Ansible takes as it is, also where it looks like a template."""
    if isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value):
        return "{% raw %}" + value + "{% endraw %}"
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value
