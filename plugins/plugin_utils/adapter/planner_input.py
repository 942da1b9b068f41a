# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner is given by Ansible: inventory, variables, templates, addresses.

The only file of the planner that knows Ansible.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.vault import EncryptedString
from ansible.template import Templar, trust_as_template

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Inventory
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Render
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_look
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Vaulted

Resolve = Callable[[str], list[str]]


def renderer(templar: Templar) -> Render:
    """A function that renders the templates in a value with the given variables; ValueError when it cannot."""

    def render(value: Any, variables: Mapping[str, Any]) -> Any:
        try:
            scoped = templar.copy_with_new_env(available_variables=variables)
            return untagged(scoped.template(_trusted(value)))
        except AnsibleError as error:
            raise templates.unrendered(str(error)) from error

    return render


def given(values: Mapping[str, Any]) -> Given:
    """What the caller says of a file of another format: env, image, root, variables and env_wins."""
    try:
        env, variables = values["env"] or {}, values["variables"] or {}
        return base.given(env, values["image"] or None, values["root"] or None, variables, bool(values["env_wins"]))
    except ValueError as error:
        raise ProfileError(f"a variable of the run is not valid: {error}") from error


def _trusted(value: Any) -> Any:
    """Templates in the collection's own profile format are the user's: mark them so, or they stay unrendered."""
    if isinstance(value, Vaulted):
        return EncryptedString(ciphertext=str(value))
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, Mapping):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return value


def inventory(groups: Mapping[str, Iterable[str]], limit: str | None) -> Inventory:
    """The inventory, restricted by what ``--limit`` says, with Ansible's own pattern matching."""
    manager = InventoryManager(loader=None, sources=None, parse=False)
    for group, hosts in groups.items():
        manager.add_group(str(group))
        for host in hosts:
            manager.add_host(str(host), group=str(group))
    everyone = sorted({str(host) for host in groups.get("all", [])}, key=natural)

    def match(pattern: str) -> list[str]:
        return [str(host.name) for host in manager.get_hosts(pattern, ignore_limits=True)]

    manager.subset(str(limit) if limit else None)
    allowed = frozenset(str(host.name) for host in manager.get_hosts("all"))
    return Inventory(hosts=everyone, allowed=allowed, match=match)


def resolved(name: str) -> list[str]:
    """The addresses of a name, as this machine resolves it; none where it does not."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class HostVariables(Mapping[str, Mapping[str, Any]]):
    """Each host's variables, fetched once and left unrendered until a template asks for one."""

    def __init__(self, hostvars: Any, extra: Mapping[str, Any]) -> None:
        self._hostvars = hostvars
        self._extra = extra
        self._cache: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, host: str) -> Mapping[str, Any]:
        if host not in self._cache:
            self._cache[host] = {**self._extra, **self._hostvars.raw_get(host), "hostvars": self._hostvars}
        return self._cache[host]

    def __iter__(self) -> Any:
        return iter(self._hostvars)

    def __len__(self) -> int:
        return len(self._hostvars)


class Dialled(Mapping[str, list[str]]):
    """The addresses that the inventory gives for a host: of ``profile_address``, else of ``ansible_host``.

    A name is resolved when it is asked for. Raises ProfileError for one that cannot be rendered.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        variables: Mapping[str, Mapping[str, Any]],
        render: Render,
        resolve: Resolve = resolved,
    ) -> None:
        self._hosts = hosts
        self._variables = variables
        self._render = render
        self._resolve = resolve

    def __getitem__(self, host: str) -> list[str]:
        own = self._variables[host]
        try:
            name = self._render(own.get("profile_address") or own.get("ansible_host") or host, own)
        except ValueError as error:
            raise ProfileError(f"its address {error}", host=host) from error
        return self._resolve(str(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._hosts)

    def __len__(self) -> int:
        return len(self._hosts)


def search_path(given: Iterable[str], playbook_dir: str) -> list[Path]:
    """The folders in which profiles are looked for: the given ones, else the usual three."""
    if folders := [Path(os.path.expanduser(folder)) for folder in given]:
        return folders
    collection = Path(__file__).resolve().parents[3]
    usual = [Path("profiles"), Path(playbook_dir) / "profiles", collection / "profiles"]
    return list(dict.fromkeys(folder.absolute() for folder in usual))


def absolute(variable: str, path: str) -> str:
    """A directory of the hosts that a variable gives. ValueError for what is none."""
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise ValueError(f"{variable}: expected an absolute path on the hosts, not {path!r}")
    return path


# -- variables that say how a plan is applied

_CHOICES = {"profile_on_failure": ("rollback", "keep", "stop"), "profile_apply_with": ("batch", "docker_container")}
_FLAGS = ("profile_keep", "profile_force")
_SECONDS = ("profile_lock_wait", "profile_engine_timeout")
#: the variables of a run that are numbers and not 0
_MORE_THAN_0 = ("profile_engine_timeout", "measure_duration", "measure_repeat", "measure_interval", "target_fps")


def check_variables(play: Mapping[str, Any], render: Render) -> None:
    """ValueError for the first variable that is not what it takes, of those that are used only when hosts change."""

    def value(name: str) -> Any:
        return render(play[name], play)

    secrets = play.get("profile_secrets") or {}  # not rendered, and not told: they may be in a vault
    if not isinstance(secrets, Mapping) and not field_types.is_template(secrets):
        raise ValueError("profile_secrets: expected a mapping, {container: {NAME: value}}")
    for name, choices in _CHOICES.items():
        if name in play and value(name) not in choices:
            raise ValueError(f"{name}: {value(name)!r} is not one of {', '.join(choices)}")
    if "models_dir" in play:
        absolute("models_dir", str(value("models_dir")))
    for name in _FLAGS:
        if name in play and not _is_flag(value(name)):
            raise ValueError(f"{name}: expected true or false, not {value(name)!r}")
    for name in _SECONDS:
        if name in play:
            number(name, value(name))
    searched = {name: f"density_{name}" for name in density_look.BOUNDS if f"density_{name}" in play}
    density_look.check_bounds({name: number(variable, value(variable)) for name, variable in searched.items()})


def number(name: str, value: Any) -> float:
    """The number that the variable *name* gives. ValueError where it is none, or less than it may be."""
    least = "more than 0" if name in _MORE_THAN_0 else "at least 0"
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < 0 or (found == 0 and name in _MORE_THAN_0):
        raise ValueError(f"{name}: expected a number of {least}, not {shown.one_line(repr(value))}")
    return found


def _is_flag(value: Any) -> bool:
    try:
        boolean(value)
    except TypeError:
        return False
    return True
