# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of containers on the controller: the plan has their names, values are rendered where a host is applied.

Nothing here writes a value anywhere; no error shows one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_secret_file
from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import SHORTEST, Redactor
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.environment import GIVEN
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import SECRET_FILES as FILES
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import SECRETS as FIELD
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import scalar

Plan = Mapping[str, Any]
#: characters of a secret, all of which are looked for in what is shown: as many as a bundle of certificates has
LONGEST = 250_000


@dataclass(frozen=True)
class Secrets:
    """Renders secrets. ``profile`` may be missing where ``profile_secrets`` gives all; ``variables``: of each host."""

    profile: Profile | None
    variables: Mapping[str, Mapping[str, Any]]
    render: Render

    def of(self, name: str, replica: Mapping[str, Any]) -> dict[str, str]:
        """The secrets of a replica of the plan. ProfileError for one that cannot be rendered, or can be none."""
        host, container = replica["host"], replica["container"]
        if not replica["secrets"]:
            return {}
        known = {"name": name, "container": container, "index": replica["index"], "host": host}
        variables = {**self.variables[host], "replica": known}
        given = self._given(container, variables)
        return {secret: self._value(secret, given, container, host, variables) for secret in replica["secrets"]}

    def _given(self, container: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        raw = variables.get(GIVEN)
        if not raw:
            return {}
        try:
            given = self.render(raw, variables)
        except ValueError as error:
            raise ProfileError(f"{GIVEN} {error}", container=container) from error
        if not isinstance(given, Mapping) or not all(isinstance(item, Mapping) for item in given.values()):
            raise ProfileError(f"{GIVEN} must be {{CONTAINER: {{NAME: value}}}}", container=container)
        own: Mapping[str, Any] = given.get(container, {})
        return own

    def _value(
        self, name: str, given: Mapping[str, Any], container: str, host: str, variables: Mapping[str, Any]
    ) -> str:
        entry = None if self.profile is None else self.profile.entry(container)
        field = FIELD if entry is None else entry.secret_field(name)
        written = None if entry is None else entry.value(field, self.render, {}).get(name)
        known = variables if entry is None or written is None else entry.known(field, variables)
        try:
            value = given[name] if name in given else None if written is None else self.render(written, known)
            if value is None:
                raise ValueError(f"has no value: give it in {GIVEN}: {{{container}: {{{name}: …}}}}")
            return _checked(value)
        except ValueError as error:
            message = f"the secret {name} {error}"
            if entry is None or name in given:
                raise ProfileError(message, host=host, container=container, field=field) from None
            raise entry.error(f"{message} (host {host})", field, (name,)) from None


def _checked(value: Any) -> str:
    try:
        text: str = scalar(value)
    except ValueError:
        raise ValueError("must be a string that a process can be given") from None
    if len(text) < SHORTEST:
        raise ValueError(f"is shorter than {SHORTEST} characters: it would be found everywhere by chance")
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text)} characters, and may have {LONGEST}: it is looked for in every text")
    return text


def check_places(entry: Entry, names: Iterable[str], task: Mapping[str, Any]) -> None:
    """Raise ProfileError for a secret file that could not be written into a container, or would lie under a mount."""
    files = list(filter(is_secret_file, names))
    if files and task.get("read_only"):
        raise entry.error("a container that is read_only takes no secret files: they are written into it", FILES)
    mounts = [*task.get("tmpfs", ()), *(mount["target"] for mount in task.get("mounts", ()))]
    targets = [*(item.partition(":")[0] for item in mounts), *(item.split(":")[1] for item in task.get("volumes", ()))]
    for file in files:
        over = next((target for target in targets if PurePosixPath(target) in PurePosixPath(file).parents), None)
        if over is not None:
            raise entry.error(f"the secret file {file} would lie under what is mounted at {over}", FILES, (file,))


def check(plan: Plan, secrets: Secrets) -> None:
    """Raise ProfileError where a secret cannot be rendered, or stands in the plan in the clear."""
    values = {
        value: (secret, replica)
        for name, replica in plan["replicas"].items()
        for secret, value in secrets.of(name, replica).items()
    }
    text = json.dumps(plan, ensure_ascii=False) if values else ""
    if Redactor(values).text(text) == text:
        return
    secret, replica = next(found for value, found in values.items() if Redactor([value]).text(text) != text)
    raise ProfileError(
        f"the value of the secret {secret} also stands in the plan in the clear: use it in {FIELD} alone; "
        "or, if that is by chance, choose a longer one",
        host=replica["host"],
        container=replica["container"],
        field=FIELD,
    )


def of_host(plan: Plan, secrets: Secrets, replicas: Iterable[str]) -> dict[str, dict[str, str]]:
    """The secrets of some replicas of the plan, by replica; those without any are left out."""
    found = {name: secrets.of(name, plan["replicas"][name]) for name in replicas}
    return {name: values for name, values in found.items() if values}
