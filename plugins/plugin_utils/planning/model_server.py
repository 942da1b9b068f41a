# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container's command and ``config.json`` say about the OpenVINO Model Server in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.file_tree import FILE
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import ovms_config
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.mounts import Mount, at
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.ovms_config import Config, Servable
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import ShippedFile
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text import command_line, ovms_contract
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import Server

#: the variables of its environment that are secrets
SECRETS = ("API_KEY", "HF_TOKEN")
Command = tuple[list[str], list[str]]


@dataclass(frozen=True)
class Served:
    """What a server is told to serve: models and graphs, the file that says so, and its ``ports``, grpc and rest."""

    servables: Sequence[Servable]
    source: str
    ports: Mapping[str, int]
    remarks: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        return sorted({one.name for one in self.servables})

    def devices_beside(self, device: str | None) -> dict[str, str]:
        """By name the devices that models name for themselves, where all others are on *device*, and graphs always."""
        return {one.name: one.device for one in self.servables if one.device and (device is None or one.graph_path)}

    def planned(self, device: str | None) -> dict[str, str | None]:
        """By name the device that each is put on, as far as it is said; None where the server chooses."""
        return {
            one.name: one.device if device is None or one.graph_path else device
            for one in reversed(self.servables)  # of two with one name the server keeps the first
        }

    @property
    def generative(self) -> list[str]:
        """Those that can be generative: graphs."""
        return sorted({one.name for one in self.servables if one.is_graph})


def check(entry: Entry, server: Server, command: Command, binds: Sequence[Mount]) -> None:
    """ProfileError, with all of it, for what the server's version does not take of its options and configuration."""
    version = ovms_contract.shown(server.version)
    options = server.options
    found = [(str(problem.path[0]), f"{problem.path[0]}: {problem.words}") for problem in server.problems]
    for words, instead in ovms_contract.contradictions(options, server.version) if server.words else ():
        found.append(("", f"OVMS {version} refuses its options: {words}: {instead}"))
    listed = options.get("metrics_list", "").replace(" ", "").split(",")
    for name in ovms_contract.unknown_families(filter(None, listed), server.version):
        found.append(("--metrics_list", f"--metrics_list: OVMS {version} has no metric {name!r}"))
    wrong: list[str] = []
    config = ovms_config.find(binds, options.get("config_path"))
    if config is not None and not ovms_contract.managed(options):
        wrong = ovms_config.problems(config, server.version)
        found += [] if wrong else _beside_config(server, config)
    elif (mount := at(binds, options.get("config_path", ""))) is not None and mount.shipped is not None:
        found.append(("--config_path", f"--config_path: {mount.shipped.path} does not hold {options['config_path']}"))
    if wrong and config is not None:
        said = "; ".join([*wrong, *(words for _word, words in found)])
        raise entry.error(f"{config.name} is not an OVMS configuration of {version}: {said}", "volumes")
    if found:
        raise _at(entry, command, found[0][0], "; ".join(words for _word, words in found))


def check_ready(entry: Entry, server: Server, ready: Mapping[str, Any] | None) -> None:
    """ProfileError where a server that only pulls a model, and ends, is waited for as if it went on."""
    managed = ovms_contract.managed(server.options)
    if managed is not None and ready is not None and "exited" not in ready:
        message = f"with --{managed} the server ends when that is done: write 'exited: true', or leave --{managed} out"
        raise entry.error(message, "ready")


def check_ports(entry: Entry, server: Server, ports: Mapping[str, int]) -> None:
    """ProfileError for a port of the profile at which its options do not let it listen."""
    if not server.words or server.by_shell or entry.is_foreign("ports") or ovms_contract.managed(server.options):
        return
    for name, option in (("grpc", "port"), ("rest", "rest_port")):
        number = server.port(option)
        if name in ports and number != ports[name] and "$" not in server.options.get(option, ""):
            said = f"--{option} is {number}" if number else f"--{option} is not given, which switches it off"
            raise entry.error(f"{name} is {ports[name]} here, but {said}: write the same in both", "ports", (name,))


def _beside_config(server: Server, config: Config) -> list[tuple[str, str]]:
    """What a configuration says of metrics that does not go with the options."""
    document = ovms_config.read(config)
    if "monitoring" in document and ovms_contract.metrics_are_on(server.options):
        words = f"--metrics_enable: {config.name} has monitoring, too, which OVMS refuses: leave one of them out"
        return [("--metrics_enable", words)]
    if ovms_config.families(document, server.version) is not None and server.options.get("rest_port", "0") == "0":
        return [("", f"{config.name} switches metrics on, which needs --rest_port: add it")]
    return []


def _at(entry: Entry, command: Command, word: str, message: str) -> ProfileError:
    """An error that points at a word of the command."""
    for field, words in zip(("entrypoint", "args"), command):
        for number, each in enumerate(words):
            if word and (each == word or each.startswith(f"{word}=")):
                return entry.error(message, field, (number,))
    return entry.error(message, "args" if command[1] or not command[0] else "entrypoint")


def on_device(
    entry: Entry, server: Server, command: Command, binds: Sequence[Mount], device: str | None
) -> tuple[Command, list[Mount], list[str]]:
    """Command and mounts of a server whose models are on *device* (None: each on its own), and warnings.

    A shipped ``config.json`` is rewritten for it, and to what OVMS accepts today. A graph stays on the device that its
    file names. Raises ProfileError where a device is given and what says where models are is not the profile's.
    """
    binds = list(binds)
    options = server.options
    if "model_name" in options or "model_path" in options or "source_model" in options:
        return _single_on(entry, server, command, binds, device)
    config_path = options.get("config_path")
    config = ovms_config.find(binds, config_path)
    if config is None or config_path is None:
        if config_path is not None and device:
            raise entry.error(
                f"its models cannot be put on {device}: {config_path} is not a file of the profile: "
                f"ship it, as ./config.json:{config_path}:ro, or set the devices there and leave the server out",
                "args",
            )
        return command, binds, []
    data = ovms_config.rewritten(config, binds, config_path, device)
    if data != config.data:
        new = config.shipped.containing(data, config.inside)
        binds = [bind for bind in binds if bind.target != config_path]
        binds.append(Mount(new.dest, config_path, "ro", new))
    served = _of_config(server, config, config_path, binds)
    return command, binds, _elsewhere(served, device)


def _single_on(
    entry: Entry, server: Server, command: Command, binds: list[Mount], device: str | None
) -> tuple[Command, list[Mount], list[str]]:
    """The same for the options of a single model."""
    served = _of_options(server, binds)
    graph = served is not None and "task" not in server.options and any(one.graph_path for one in served.servables)
    if device is None or (graph and served is not None):
        return command, binds, _elsewhere(served, device)
    if server.by_shell:
        raise entry.error(
            f"its model cannot be put on {device}: a shell reads its options: give them in 'args'", "args"
        )
    entrypoint, args = (command_line.without(words, "target_device") for words in command)
    return (entrypoint, [*args, "--target_device", device]), binds, []


def _elsewhere(served: Served | None, device: str | None) -> list[str]:
    """A warning for each graph that stays on a device of its own, whatever the server's are put on."""
    return [
        f"graph {one.name} stays on {one.device or 'the device of its file'}: {one.graph_path} names it, not {device}"
        for one in (served.servables if served and device else ())
        if one.is_graph and one.device != device
    ]


def models(server: Server, binds: Sequence[Mount]) -> Served | None:
    """What ``--config_path`` (a shipped file) or the options of a single model name; None when it cannot be known."""
    config_path = server.options.get("config_path")
    config = ovms_config.find(binds, config_path)
    if config is not None and config_path is not None:
        return _of_config(server, config, config_path, binds)
    return _of_options(server, binds)


def _of_config(server: Server, config: Config, config_path: str, binds: Sequence[Mount]) -> Served:
    document = ovms_config.read(config)
    servables = ovms_config.servables(document, config_path, binds)
    return Served(servables, config.name, _ports(server), list(ovms_config.unknown_models(document)))


def _ports(server: Server) -> dict[str, int]:
    """The ports that its options give to it, by the names that these have in a profile."""
    found = {"grpc": server.port("port"), "rest": server.port("rest_port")}
    return {name: port for name, port in found.items() if port}


def _of_options(server: Server, binds: Sequence[Mount]) -> Served | None:
    """The single model of the options; None where a shell gives its name, or there is none."""
    options = server.options
    task, source = options.get("task"), options.get("source_model")
    name = options.get("model_name") or source
    path = options.get("model_path") or (source and f"{options.get('model_repository_path', '')}/{source}")
    if not name or not path or "$" in name + path:
        return None
    device = options.get("target_device") or None
    if source or task:
        return Served([Servable(name, "" if source else path, device, True)], "args", _ports(server))
    return Served([ovms_config.servable(name, path, binds, device)], "args", _ports(server))


def warnings(served: Served | None, binds: Sequence[Mount]) -> list[str]:
    """What is worth knowing of what is served."""
    found = [*served.remarks, *ovms_config.duplicates(served.servables)] if served else []
    for one in served.servables if served else ():
        mount = at(binds, one.graph_path) if one.graph_path else None
        if mount is not None and mount.shipped is not None and not _holds(mount, str(one.graph_path)):
            found.append(f"graph {one.name}: its file {one.graph_path} is not in {mount.shipped.path}")
    return found


def _holds(mount: Mount, path: str) -> bool:
    inside = mount.below(path)
    return mount.shipped is not None and (inside == "." or inside in mount.shipped.holds)


def model_checks(entry: Entry, server: Server, served: Served | None, binds: Sequence[Mount]) -> list[dict[str, Any]]:
    """The model directories that must be on the host, each with a version folder where the version needs one.

    Those that the profile ships are checked at once: ProfileError where one of them has none.
    """
    checks = []
    has_versions = server.version < ovms_contract.VERSION_FOLDER_OPTIONAL
    for one in served.servables if served else ():
        mount = at(binds, one.base) if one.is_local else None
        relative = mount.below(one.base) if mount else None
        if served is None or mount is None or relative is None or not mount.source.startswith("/"):
            continue  # in the image, or in a volume
        if mount.shipped is None:
            checks.append(
                {
                    "kind": "path",
                    "path": str(PurePosixPath(mount.source) / relative),
                    "container": entry.name,
                    "field": f"{served.source} {one.name}",
                    "model": one.name if has_versions and not one.is_graph else None,
                }
            )
        elif not one.is_graph:
            _check_shipped(entry, server, one.name, mount.shipped, relative)
    return checks


def _check_shipped(entry: Entry, server: Server, model: str, shipped: ShippedFile, inside: str) -> None:
    where = shipped.path if inside == "." else f"{shipped.path}/{inside}"
    below = [parts for path in shipped.holds if (parts := _parts_below(path, inside))]
    if any(parts[0].isdecimal() and int(parts[0]) > 0 for parts in below):
        return
    is_file = shipped.kind == FILE or (inside in shipped.holds and where.endswith(ovms_contract.MODEL_FILES))
    has_model = is_file or any(parts[0].endswith(ovms_contract.MODEL_FILES) for parts in below)
    if server.version >= ovms_contract.VERSION_FOLDER_OPTIONAL:
        if not has_model:
            raise entry.error(f"model {model}: {where} has neither a version folder nor a model", "volumes")
        return
    since = (
        f", which it needs not from {ovms_contract.shown(ovms_contract.VERSION_FOLDER_OPTIONAL)} on"
        if has_model
        else ""
    )
    raise entry.error(f"model {model}: {where} has no version folder (such as {where}/1){since}", "volumes")


def _parts_below(path: str, folder: str) -> tuple[str, ...]:
    try:
        return PurePosixPath(path).relative_to(folder).parts
    except ValueError:
        return ()


def scrape_target(server: Server | None, binds: Sequence[Mount], ports: Mapping[str, int]) -> dict[str, Any] | None:
    """Where the container shows Prometheus metrics: port ``metrics``, or OVMS's REST port where its metrics are on.

    Of OVMS with the families that it shows.
    """
    families = _families(server, binds) if server is not None else None
    shown = {} if families is None else {"families": sorted(families)}
    if "metrics" in ports:
        return {"port": ports["metrics"], "path": "/metrics", **shown}
    if families is None or server is None:
        return None
    rest = server.port("rest_port") or ports.get("rest")
    return {"port": rest, "path": "/metrics", **shown} if rest else None


def check_metrics(entry: Entry, rules: Mapping[str, Mapping[str, Any]], target: Mapping[str, Any] | None) -> None:
    """ProfileError for a metric of a run that it cannot do without, and that nothing shows."""
    for name, rule in rules.items():
        sample = str(rule.get("prometheus") or "").partition("{")[0].strip()
        if not sample or not rule.get("required", True):
            continue
        if target is None:
            where = "name its port 'metrics' in 'ports', or switch the model server's on, with --rest_port"
            raise entry.error(f"{name}: prometheus: nothing shows its metrics: {where}", "metrics", (name,))
        shown = target.get("families")
        family = re.sub("_(bucket|sum|count)$", "", sample)
        if shown is not None and sample.startswith("ovms_") and not {sample, family} & {*shown}:
            message = f"{name}: prometheus: the server does not show {family}: add it to its list of metrics"
            raise entry.error(message, "metrics", (name,))


def _families(server: Server, binds: Sequence[Mount]) -> frozenset[str] | None:
    """The families of metrics that OVMS shows; None where they are off, or where nothing is known of it.

    The command line switches them on, or the configuration file; one that has both ends OVMS at its start.
    """
    if ovms_contract.metrics_are_on(server.options):
        listed = server.options.get("metrics_list") or ""
        named = frozenset(name.strip() for name in listed.split(",") if name.strip())
        return named or ovms_contract.default_families(server.version)
    config = ovms_config.find(binds, server.options.get("config_path"))
    return ovms_config.families(ovms_config.read(config), server.version) if config else None
