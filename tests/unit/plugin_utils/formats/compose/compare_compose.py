# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How our reading of Compose files compares with Docker Compose's own.

    python tests/unit/plugin_utils/formats/compose/compare_compose.py CASES.jsonl

Each line of CASES.jsonl is a file and what Docker Compose makes of it: {"name", "compose.yml", "files": {NAME: TEXT},
"variables": {NAME: VALUE}, and "config": the canonical form, or "refused": the message}; "over": [NAME] are files that
are named after it. A line of the answer says of a case: same, differs (field by field), or refused and by whom. What is
written in docs/upstream.md as meant so is marked with its reason; the exit code is 0 when there is no other difference.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # as a script: the checkout is where the packages are
    checkout = Path(__file__).resolve().parents[5]
    sys.path[:0] = [str(checkout), str(checkout / ".collections")]
    __package__ = "tests.unit.plugin_utils.formats.compose"

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values as v
from ansible_collections.retail.profiles.plugins.module_utils.container.options import OPTIONS
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load
from ansible_collections.retail.profiles.plugins.plugin_utils.text import cpu_list

from ...world import World, render
from . import expected
from .documented import DIFFERENCES, REFUSALS

_WORK = "/var/lib/retail-profiles/work"
_OWN_LABEL = "retail.profiles."
#: the shell in which Docker Compose was asked had this, too
_SHELL = {"HOME": "/root"}
_HOST = {"cpus": 8, "arch": "x86_64"}


@dataclass(frozen=True)
class Difference:
    """A field that differs. ``reason``: the key of the documented reason, '' where there is none."""

    field: str
    theirs: Any
    ours: Any
    reason: str = ""


@dataclass(frozen=True)
class Compared:
    """``outcome``: same, differs, refused by both, refused by us, or refused by Compose."""

    name: str
    outcome: str
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    message: str = ""

    @property
    def is_explained(self) -> bool:
        if self.outcome.startswith("refused by "):
            return self.outcome == "refused by both" or bool(self.reason)
        return all(difference.reason for difference in self.differences)

    def __str__(self) -> str:
        why = f" (documented: {self.reason})" if self.reason else ""
        lines = [f"{self.name}: {self.outcome}{why}{f': {self.message}' if self.message else ''}"]
        for item in self.differences:
            why = f" (documented: {item.reason})" if item.reason else ""
            lines.append(f"    {item.field}: Compose {json.dumps(item.theirs)}, here {json.dumps(item.ours)}{why}")
        return "\n".join(lines)


def compare(case: Mapping[str, Any], folder: Path) -> Compared:
    """One case, with its files written in ``folder``."""
    made, refusal = _plan(case, folder)
    if "refused" in case:
        if refusal:
            return Compared(case["name"], "refused by both")
        reason = next((key for key, known in REFUSALS.items() if re.search(known.theirs, case["refused"])), "")
        return Compared(case["name"], "refused by Compose", reason=reason, message=case["refused"])
    if refusal:
        reason = next((key for key, known in REFUSALS.items() if known.ours and re.search(known.ours, refusal)), "")
        return Compared(case["name"], "refused by us", reason=reason, message=refusal)
    differences = tuple(_explained(item) for item in _differences(expected.unescaped(case["config"]), made))
    return Compared(case["name"], "differs" if differences else "same", differences)


def _plan(case: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], str]:
    """The plan of a case, or why there is none."""
    root = folder / "app"
    for name, text in {"compose.yml": case["compose.yml"], **case["files"]}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    world = World(folder, {"all": ["h1"]}, variables={**_SHELL, **case["variables"]}, snapshot={"h1": _HOST})
    try:
        # As Compose is asked: in the folder, or with the files by their names.
        named = [str(root / name) for name in ("compose.yml", *case["over"])] if "over" in case else str(root)
        file, given = load.find(named, [], render, world.variables, Given())
        return world.plan_foreign(file, given), ""
    except ProfileError as error:
        return {}, str(error)


def _differences(config: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Difference]:
    found = {replica["container"]: replica for replica in plan["replicas"].values()}
    counts = Counter(replica["container"] for replica in plan["replicas"].values())
    started = {name: service for name, service in config["services"].items() if not expected.has_none(service)}
    names = {name: re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-_.") for name in started}
    if sorted(names.values()) != sorted(found):
        yield Difference("services", sorted(names), sorted(found))
        return
    for name, service in started.items():
        theirs = expected.options(name, service, config)
        theirs["replicas"] = theirs.get("replicas", 1)
        ours = _ours(plan, found[names[name]], names)
        ours["replicas"] = counts[names[name]]
        ours["mounts"] = _with_folders(ours["mounts"], theirs["mounts"])
        for field, one, other in _unequal(_parsed(theirs), _parsed(ours)):
            yield Difference(f"services.{name}.{field}", one, other)
    declared = {name: item for name, item in (config.get("networks") or {}).items() if not item.get("external")}
    made = {
        item["name"].removeprefix("d-"): _network(item) for host in plan["hosts"].values() for item in host["networks"]
    }
    for name, item in declared.items():
        if name in made:
            for field, one, other in _unequal(expected.network(item), made[name]):
                yield Difference(f"networks.{name}.{field}", one, other)
    yield from _volumes(config, plan)


def _volumes(config: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Difference]:
    mounts = [mount for replica in plan["replicas"].values() for mount in replica["task"].get("mounts", ())]
    drivers = {
        mount["source"].removeprefix("d-"): {
            "driver": mount.get("volume_driver"),
            "driver_opts": mount.get("volume_options", {}),
        }
        for mount in mounts
        if mount["type"] == "volume"
    }
    used = {mount.get("source") for service in config["services"].values() for mount in service.get("volumes", ())}
    for name, item in (config.get("volumes") or {}).items():
        if item.get("external") or name not in used:
            continue
        made = {key: value for key, value in drivers.get(name, {}).items() if value}
        theirs = expected.volume(item)
        for one in (theirs, made):
            if one.get("driver") == "local":
                del one["driver"]
        for field, one, other in _unequal(theirs, made):
            yield Difference(f"volumes.{name}.{field}", one, other)


def _unequal(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What differs, down to the key of a mapping and the item of a list of mounts."""
    for key in dict.fromkeys((*theirs, *ours)):
        one, other = theirs.get(key), ours.get(key)
        if v.canonical(one) == v.canonical(other):
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from ((f"{key}.{field}", a, b) for field, a, b in _unequal(one, other))
        else:
            yield key, one, other


def _parsed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the engine's own terms, mounts by their targets, and ports and networks as they are."""
    made: dict[str, Any] = {}
    for key, value in options.items():
        if key == "mounts":
            for index, mount in enumerate(value):
                taken = f"mount {mount['target']}"
                made[taken if taken not in made else f"{taken} ({index})"] = mount
        elif key in (
            "networks",
            "published_ports",
            "env",
            "volumes",
            "healthcheck",
            "etc_hosts",
            "pull",
            "platform",
            "mac_address",
        ):
            made[key] = value
        elif key == "cpuset_cpus":
            made[key] = cpu_list.numbers(value)
        elif key in OPTIONS and value is not None:
            parsed = OPTIONS[key].parse(value)
            made[key] = sorted(parsed, key=str) if isinstance(parsed, list) and key in _SETS else parsed
        else:
            made[key] = value
    return made


_SETS = ("capabilities", "cap_drop", "devices", "groups", "ulimits", "security_opts", "dns_opts")


def _ours(plan: Mapping[str, Any], replica: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The options of a replica's task, as ``expected.options`` writes them."""
    task = dict(replica["task"])
    services = {name: service for service, name in names.items()}
    labels = {key: value for key, value in task.pop("labels").items() if not key.startswith(_OWN_LABEL)}
    shipped = {item["dest"]: f"./{item['path']}" for host in plan["hosts"].values() for item in host["files"]}
    own = services.get(replica["container"], replica["container"])
    made = {
        **{key: value for key, value in task.items() if key not in ("name", "state", "networks", "volumes", "mounts")},
        "labels": labels,
        "networks": _attached(task, {own, replica["container"]}),
        "mounts": _mounted(task, shipped),
        "depends_on": sorted({services.get(re.sub(r"^d-|-\d+$", "", one), one) for one in replica["depends_on"]}),
        "waited_for": next(
            (probe["kind"] for probe in replica["ready"] if probe["kind"] in ("exited", "healthy")), None
        ),
        "pull": replica["pull"] if replica["pull"] != "missing" else None,
        "secrets": sorted(item for item in replica["secrets"] if item.startswith("/")),
    }
    if made.get("entrypoint"):  # what is relative to the working directory of the image
        made["entrypoint"][0] = re.sub(r"^/proc/self/cwd/", "./", made["entrypoint"][0])
    for key in ("network_mode", "ipc_mode", "pid_mode"):
        other = re.fullmatch(r"container:d-(.+)-\d+", str(made.get(key)))
        if other:
            made[key] = f"service:{services.get(other[1], other[1])}"
    if "volumes_from" in task:
        made["volumes_from"] = [re.sub(r"^d-(.+)-\d+(?=$|:)", r"\1", item) for item in task["volumes_from"]]
    if "published_ports" in task:
        made["published_ports"] = sorted(map(_published, task["published_ports"]))
    if "healthcheck" in task:
        made["healthcheck"] = _healthcheck(task["healthcheck"])
    return made


def _published(written: str) -> str:
    """``ADDRESS:PUBLISHED:TARGET/PROTOCOL`` as ``expected.options`` writes it."""
    address, _colon, rest = written.rpartition(":")[0].rpartition(":")[0], "", written.rpartition(":")
    return f"{address.strip('[]')}|{rest[0].rpartition(':')[2]}|{rest[2]}"


def _healthcheck(value: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: item for key, item in value.items() if key != "test_cli_compatible"}
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if key in made:
            made[key] = expected.nanoseconds(made[key])
    return {key: item for key, item in made.items() if item}


def _attached(task: Mapping[str, Any], own: set[str]) -> dict[str, Any]:
    made = {}
    for item in task.get("networks", ()):
        more = {key: value for key, value in item.items() if key not in ("name", "aliases")}
        aliases = sorted(set(item.get("aliases", ())) - own)
        made[item["name"].removeprefix("d-")] = {**({"aliases": aliases} if aliases else {}), **more}
    return made


def _mounted(task: Mapping[str, Any], shipped: Mapping[str, str]) -> list[dict[str, Any]]:
    made = []
    for written in task.get("volumes", ()):
        source, target, mode = v.split_volume(written)
        flags = mode.split(",")
        kind = "bind" if source.startswith("/") else "volume"
        mount = {"type": kind, "source": _source(source, shipped), "target": target, "read_only": "ro" in flags}
        for key, known in (("selinux", ("z", "Z")), ("propagation", _PROPAGATIONS)):
            mount.update([(key, flag) for flag in flags if flag in known])
        made.append({**mount, **({"nocopy": True} if "nocopy" in flags else {})})
    for item in task.get("mounts", ()):
        mount = {"type": item["type"], "target": item["target"], "read_only": item["read_only"]}
        if item["type"] == "tmpfs":
            mount.update({"size": int(item["tmpfs_size"])} if "tmpfs_size" in item else {})
            mount.update({"mode": item["tmpfs_mode"].lstrip("0")} if "tmpfs_mode" in item else {})
        else:
            mount["source"] = _source(item["source"], shipped)
            mount.update({"nocopy": True} if item.get("no_copy") else {})
        made.append(mount)
    return made


def _with_folders(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our mounts with the folders in place of their files: a folder is shipped file by file."""
    made = list(ours)
    for folder in theirs:
        if folder["type"] != "bind" or any(mount["target"] == folder["target"] for mount in ours):
            continue
        inside = [mount for mount in made if _is_of(mount, folder)]
        if inside:
            made = [mount for mount in made if mount not in inside] + [{**folder, "read_only": True}]
    return made


def _is_of(mount: Mapping[str, Any], folder: Mapping[str, Any]) -> bool:
    """Whether a mount is a file of a folder, at its place in it."""
    inside = posixpath.relpath(mount["target"], folder["target"])
    same = mount["type"] == "bind" and mount["source"] == posixpath.join(folder["source"], inside)
    return same and mount["read_only"] and not inside.startswith("../")


_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")


def _source(source: str, shipped: Mapping[str, str]) -> str:
    """Where Compose has it: relative to the file, in the user's home, or a volume's own name."""
    if source in shipped:
        return shipped[source]
    if source == _WORK or source.startswith(f"{_WORK}/"):
        return f"./{source[len(_WORK) + 1 :]}" if source != _WORK else "."
    return expected.place(source) if source.startswith("/") else source.removeprefix("d-")


def _network(item: Mapping[str, Any]) -> dict[str, Any]:
    pools = [
        {"ip_range" if key == "iprange" else key: value for key, value in pool.items()}
        for pool in item.get("ipam_config", ())
    ]
    made = {
        "driver": item["driver"],
        "driver_opts": item.get("driver_options"),
        "internal": item.get("internal"),
        "enable_ipv6": item.get("enable_ipv6"),
        "pools": sorted(pools, key=lambda pool: str(pool.get("subnet", ""))),
    }
    return {key: value for key, value in made.items() if value and not (key == "driver" and value == "bridge")}


def _explained(difference: Difference) -> Difference:
    for key, known in DIFFERENCES.items():
        if known.covers(difference.field, difference.theirs, difference.ours):
            return Difference(difference.field, difference.theirs, difference.ours, key)
    return difference


def compare_all(cases: Path) -> Iterator[Compared]:
    """All cases of a file."""
    for line in cases.read_text(encoding="utf-8").splitlines():
        with tempfile.TemporaryDirectory() as folder:
            yield compare(json.loads(line), Path(folder))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    table: Counter[str] = Counter()
    unexplained = 0
    for compared in compare_all(Path(arguments[0])):
        print(compared)
        documented = "" if compared.is_explained else ", not documented"
        more = ", documented" if compared.is_explained and compared.outcome not in ("same", "refused by both") else ""
        table[f"{compared.outcome}{documented}{more}"] += 1
        unexplained += not compared.is_explained
    print("\n".join(f"{count:5}  {outcome}" for outcome, count in sorted(table.items())))
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
