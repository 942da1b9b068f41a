# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet and a profile folder to plan with: no Ansible, no hosts."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import jinja2.nativetypes

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import read
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import convert, load
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types
from ansible_collections.retail.profiles.plugins.plugin_utils.text import ordering, templates

OVMS = """
description: a server and its clients
containers:
  - name: server
    image: openvino/model_server:2025.4
    env_file: server.env
    args: [--config_path, /config/config.json, --port, 9000, --rest_port, 8000, --metrics_enable]
    volumes:
      - ./config.json:/config/config.json:ro
      - "{{ models_dir }}:/models:ro"
    networks: [inference]
    ports: {grpc: 9000, rest: 8000}
    hosts: servers
    ready: {ovms_models: all, timeout: 60s}
  - name: client
    image: example/client:1
    entrypoint: ./client.sh
    args: [--model, face-detection]
    env:
      GRPC_ADDRESS: "{{ peers['server'].address }}"
      GRPC_PORT: "{{ peers['server'].ports.grpc }}"
    networks: [inference]
    hosts: clients
    replicas: 4
    depends_on: [server]
    metrics:
      fps: {log: fps}
"""


def _concat(values: Any) -> Any:
    """One value as it is, several as one text: no text becomes a number or a list, as in ansible-core 2.19."""
    parts = list(values)
    return parts[0] if len(parts) == 1 else "".join(map(str, parts))


class _Environment(jinja2.nativetypes.NativeEnvironment):
    concat = staticmethod(_concat)


class _Template(jinja2.nativetypes.NativeTemplate):
    environment_class = _Environment


_Environment.template_class = _Template


def render(value: Any, variables: Mapping[str, Any]) -> Any:
    """Jinja as the action renders it, without Ansible."""
    if isinstance(value, str) and not field_types.is_template(value):
        return value
    if isinstance(value, str):
        environment = _Environment(undefined=jinja2.StrictUndefined)
        try:
            return _defined(environment.from_string(value).render(**variables))
        except jinja2.TemplateError as error:
            raise templates.unrendered(str(error)) from error
    if isinstance(value, dict):
        return {key: render(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, variables) for item in value]
    return value


def _defined(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises UndefinedError
    return value


@dataclass
class World:
    """A folder of profiles and an inventory; ``groups`` maps patterns to hosts."""

    root: Path
    groups: dict[str, list[str]]
    allowed: list[str] | None = None
    snapshot: dict[str, dict[str, Any]] = field(default_factory=dict)
    dialled: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(host for members in self.groups.values() for host in members))

    def address(self, host: str) -> str:
        return f"10.0.0.{1 + sorted(self.hosts, key=ordering.natural).index(host)}"

    def write(self, name: str, text: str, **files: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profile.yml").write_text(text, encoding="utf-8")
        for file, content in files.items():
            (folder / file.replace("__", ".")).write_text(content, encoding="utf-8")
        return folder / "profile.yml"

    def inventory(self) -> wishes.Inventory:
        def match(pattern: str) -> list[str]:
            found: list[str] = []
            for part in pattern.split(","):
                found += self.hosts if part == "all" else self.groups.get(part, fnmatch.filter(self.hosts, part))
            return found

        return wishes.Inventory(self.hosts, self.hosts if self.allowed is None else self.allowed, match)

    def load(self, name: str) -> Profile:
        return load.load(self.root / name / "profile.yml", [self.root], render, self.variables)

    def fleet(self, hosts: Sequence[str]) -> Fleet:
        snapshot = {
            host: {"addresses": [self.address(host)], **self.snapshot.get(host, {})}
            for host in hosts
            if host not in self.silent
        }
        variables = {host: {"models_dir": "/models-of-the-host", **self.variables} for host in hosts}
        dialled = {host: self.dialled.get(host, [self.address(host)]) for host in hosts}
        return Fleet(variables, snapshot, dialled, {host: why for host, why in self.silent.items() if host in hosts})

    def make(self, name: str, **settings: Any) -> plan.Planned:
        """The plan with the sources of its files."""
        loaded, chosen = self.load(name), wishes.PlanSettings(**{"deployment": name, **settings})
        shaped = plan.shape(loaded, self.inventory(), chosen, render, self.variables)
        return plan.make(loaded, shaped, chosen, self.fleet(shaped.hosts), render)

    def plan(self, name: str, **settings: Any) -> dict[str, Any]:
        return self.plan_loaded(self.load(name), **{"deployment": name, **settings})

    def plan_foreign(self, file: Path, given: Given | None = None, **settings: Any) -> dict[str, Any]:
        """The plan of a file in any format; ``profile_env`` is that of ``given``."""
        given = given or Given()
        loaded = load.load(file, [self.root], render, self.variables, given)
        return self.plan_loaded(loaded, **{"deployment": "d", "env": given.env, **settings})

    def plan_loaded(self, loaded: Profile, **settings: Any) -> dict[str, Any]:
        chosen = wishes.PlanSettings(**settings)
        asked = plan.shape(loaded, self.inventory(), chosen, render, self.variables)
        fleet = self.fleet(asked.hosts)
        shaped = plan.shape(loaded, self.inventory(), chosen, render, self.variables, fleet)
        return plan.build(loaded, shaped, chosen, fleet, render)


def upstream_files() -> list[Path]:
    """The profiles of upstream, where they are: beside the checkout, or where RETAIL_PROFILES_UPSTREAM says."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "upstream-profiles"
    return sorted(Path(os.environ.get("RETAIL_PROFILES_UPSTREAM", beside)).glob("**/*.yaml"))


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """The files by their paths under ``root``; gives the first of them."""
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return root / next(iter(files))


def converted(file: Path, folder: Path, given: Given | None = None) -> convert.Converted:
    foreign = read.read(file.read_text(encoding="utf-8"), file, given or Given(), lambda name: None)
    assert foreign is not None
    made = convert.convert(foreign)
    convert.write(made.files, folder)
    return made


def comparable(made: dict[str, Any]) -> dict[str, Any]:
    """A plan but for the profile's name, and the files in which its variables are written."""
    replicas = {name: {**replica, "env_from": None} for name, replica in made["replicas"].items()}
    return {**made, "profile": None, "plan_id": None, "replicas": replicas}


def assert_equal_plan(world: World, file: Path, given: Given | None = None, **settings: Any) -> None:
    """The plan of a file is that of what it is converted to."""
    folder = world.root / "converted"
    converted(file, folder, given)
    original, made = (world.plan_foreign(path, given, **settings) for path in (file, folder / "profile.yml"))
    assert comparable(made) == comparable(original)
    assert plan.plan_id({**made, "profile": original["profile"]}) == original["plan_id"]


def plan_of(replicas: dict[str, tuple[str, int, list[str]]]) -> dict[str, Any]:
    """A plan of ``{replica: (host, wave, depends_on)}``, with no more in it than is needed here."""
    hosts: dict[str, Any] = {}
    for name, (host, _wave, _needs) in sorted(replicas.items(), key=lambda item: item[1][1]):
        own = hosts.setdefault(host, {"replicas": [], "networks": [], "files": [], "paths": []})
        own["replicas"].append(name)
    waves: list[list[str]] = [[] for _wave in range(max((wave for _h, wave, _n in replicas.values()), default=-1) + 1)]
    for name, (_host, wave, _needs) in replicas.items():
        waves[wave].append(name)
    filled = {"container": "c", "task": {}, "pull": "missing", "ready": [], "reach": [], "files": [], "shared": False}
    return {
        "deployment": "d",
        "hosts": hosts,
        "waves": waves,
        "replicas": {
            name: {**filled, "host": host, "wave": wave, "depends_on": needs}
            for name, (host, wave, needs) in replicas.items()
        },
    }


def expanded(text: str) -> list[str]:
    """The names that ``name_ranges.ranges`` has written in a few words."""
    names: list[str] = []
    stem = ""
    for row in filter(None, text.split(", ")):
        found = re.fullmatch(r"(.*?)([0-9]+)…([0-9]+)(.*?)(?: by ([0-9]+))?", row)
        if found is None:
            names.append(stem + row if row.isdecimal() else row)
            stem = re.sub("[0-9]+$", "", names[-1])
        else:
            before, first, last, behind, step = found.groups()
            stem = before or ("" if behind else stem)
            numbers = range(int(first), int(last) + 1, int(step or 1))
            names += [f"{stem}{number:0{len(first)}}{behind}" for number in numbers]
    return names
