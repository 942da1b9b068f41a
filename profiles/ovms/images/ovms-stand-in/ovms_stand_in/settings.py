# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of ``/ovms/bin/ovms``: every option that serving models has in the version that is stood in for.

``--as VERSION`` (or OVMS_STAND_IN_AS) says which version that is; the server itself knows no such option.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovms_stand_in import NAME, RELEASE, contract, metrics
from ovms_stand_in.faults import StartError, UsageError
from ovms_stand_in.generation import EMBEDDINGS, TEXT

#: the versions whose rules it keeps
VERSIONS = ("2025.4", "2026.4")
_AS = "OVMS_STAND_IN_AS"
_GROUPS = ("server", "config", "model", "generate", "text_generation", "embeddings", "tasks")
# Of what is not served, this was always taken, and has no effect.
_TAKEN_TOO = ("sequence_cleaner_poll_wait_minutes", "pull")
_API_KEY = "API_KEY"
_AT_ONCE = 8


@dataclass(frozen=True)
class Generated:
    """A generative model of the command line. ``source``: what it is made for where its folder lacks it; or empty.

    ``at_once``: the most texts that are written at a time. ``serve``: False for making it alone.
    """

    name: str
    folder: Path
    task: str
    device: str = ""
    source: str = ""
    at_once: int = _AT_ONCE
    serve: bool = True


@dataclass(frozen=True)
class Settings:
    """What the command line said. Ports: 0 is off. model: options of a single model, as `model_config` takes them.

    api_key: what clients of generative models must show; empty where they need not.
    """

    version: contract.Version
    config_path: Path | None
    model: dict[str, Any] | None
    port: int
    rest_port: int
    grpc_bind_addresses: tuple[str, ...]
    rest_bind_addresses: tuple[str, ...]
    grpc_workers: int
    poll_seconds: float
    log_level: str
    log_path: str
    cache_dir: str
    metrics: frozenset[str] | None
    generated: Generated | None = None
    api_key: str = ""


class Printed(Exception):
    """Help or the version: to be printed; exit code 0."""


def name_of(version: contract.Version) -> str:
    """How the stand-in calls itself as that version."""
    return f"{contract.shown(version)}-{RELEASE}"


def _as_version(arguments: Sequence[str]) -> tuple[list[str], contract.Version]:
    """The arguments without ``--as``, and the version that is stood in for."""
    words, asked = list(arguments), os.environ.get(_AS) or VERSIONS[-1]
    for number, word in enumerate(words):
        if word == "--as" or word.startswith("--as="):
            end = number + (1 if "=" in word else 2)
            asked = word.partition("=")[2] or "".join(words[number + 1 : end])
            words[number:end] = []
            break
    if asked not in VERSIONS:
        raise UsageError(f"the stand-in knows the rules of {' and '.join(VERSIONS)}, not of {asked!r}")
    return words, contract.version_of(asked)


def _served(option: contract.Option, version: contract.Version) -> bool:
    """Whether the stand-in takes an option: those without a meaning here are accepted and ignored."""
    return option.is_in(version) and (option.group in _GROUPS or option.name in _TAKEN_TOO)


def _given(words: Sequence[str], version: contract.Version) -> dict[str, str]:
    """The options by name. Raises UsageError as OVMS does for what is none, or has a wrong value."""
    options, problems = contract.given(words, version)
    unmatched = [str(problem.path[0]) for problem in problems if problem.keyword == "unmatched"]
    unmatched += [
        f"--{name}"
        for name in options
        if f"--{name}" not in unmatched and name not in ("help", "version") and name in contract.BY_NAME
        if not _served(contract.BY_NAME[name], version)
    ]
    if unmatched:
        raise UsageError(f"error parsing options - unmatched arguments: {', '.join(unmatched)}")
    for problem in problems:
        raise UsageError(f"error parsing options: {problem.path[0]}: {problem.words}")
    return options


def _help(version: contract.Version) -> str:
    words = {"number": " NUMBER", "real": " NUMBER", "text": " VALUE", "flag": ""}
    lines = [f"  --{one.name}{words[one.kind]}" for one in contract.OPTIONS if _served(one, version)]
    return "\n".join([f"{NAME} {name_of(version)} (stand-in)", "", *sorted(lines), ""])


def _addresses(text: str, option: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(","))
    for address in found:
        if not _is_address_or_name(address):
            raise UsageError(f"{option} has invalid format: proper hostname or IP address expected.")
    return found


def _is_address_or_name(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        pass
    if re.fullmatch(r"[0-9a-fA-F.:]*", text):  # digits that are no address are no name either
        return False
    label = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
    return len(text) <= 255 and re.fullmatch(rf"{label}(\.{label})*", text) is not None


def _validate(options: dict[str, str], version: contract.Version) -> None:
    """Raise UsageError with OVMS's own words when options do not go together."""
    if "pull" in options and not options.keys() >= {"source_model", "model_repository_path"}:
        raise UsageError("--pull should be used combined with --source_model and --model_repository_path")
    for words, _instead in contract.contradictions(options, version):
        raise UsageError(words)
    cores = os.cpu_count() or 1
    if int(options.get("grpc_workers", 1)) > cores:
        raise UsageError(f"grpc_workers count should be from 1 to CPU core count : {cores}")


def _generated(options: dict[str, str]) -> Generated | None:
    """The generative model that the options name; None where they name none."""
    if "config_path" in options or not options.keys() & {"source_model", "task"}:
        return None
    source, task = options.get("source_model", ""), options.get("task", TEXT)
    if task not in (TEXT, EMBEDDINGS):
        raise StartError(f"The stand-in serves {TEXT} and {EMBEDDINGS}, not {task}")
    if not source and "model_path" not in options:
        raise UsageError("Use --source_model, or --model_path, with --task")
    folder = Path(options.get("model_repository_path", "."), source) if source else Path(options["model_path"])
    return Generated(
        name=options.get("model_name") or source or folder.name,
        folder=folder,
        task=task,
        device=options.get("target_device", ""),
        source=source,
        at_once=max(1, min(int(options.get("max_num_seqs", _AT_ONCE)), _AT_ONCE)),
        serve="pull" not in options,
    )


def _api_key(options: dict[str, str]) -> str:
    """From the file that is named, else from the environment."""
    file = options.get("api_key_file")
    if file is None:
        return os.environ.get(_API_KEY, "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"Unable to open API key file {file}: {error}") from None


def parse(arguments: Sequence[str]) -> Settings:
    """The settings in ``arguments``.

    Raises Printed for help and version, UsageError for what OVMS refuses, StartError for an unknown metric family, a
    task that is not served, or a key that cannot be read.
    """
    words, version = _as_version(arguments)
    options = _given(words, version)
    if "version" in options:
        python = ".".join(map(str, sys.version_info[:3]))
        raise Printed(f"{NAME} {name_of(version)}\nOpenVINO backend: the package openvino, on Python {python}\n")
    if "help" in options or not words:
        raise Printed(_help(version))
    _validate(options, version)
    generated = _generated(options)
    model: dict[str, Any] | None = None
    if "config_path" not in options and generated is None:
        own = {name: value for name, value in options.items() if contract.BY_NAME[name].group == "model"}
        model = {"name": own.pop("model_name"), "base_path": own.pop("model_path")}
        model |= {name: int(own[name]) if name == "nireq" else own[name] for name in own}
    is_on = contract.metrics_are_on(options)
    try:
        families = metrics.parse_list(options.get("metrics_list", "")) if is_on else None
    except ValueError as error:
        raise StartError(f"Metrics family name not supported: {error}") from None
    return Settings(
        version=version,
        config_path=Path(options["config_path"]) if "config_path" in options else None,
        model=model,
        port=contract.port(options, "port", version),
        rest_port=contract.port(options, "rest_port", version),
        grpc_bind_addresses=_addresses(options.get("grpc_bind_address", "0.0.0.0"), "grpc_bind_address"),
        rest_bind_addresses=_addresses(options.get("rest_bind_address", "0.0.0.0"), "rest_bind_address"),
        grpc_workers=int(options.get("grpc_workers", 1)),
        poll_seconds=float(options.get("file_system_poll_wait_seconds", 1)),
        log_level=options.get("log_level", "INFO"),
        log_path=options.get("log_path", ""),
        cache_dir=options.get("cache_dir", ""),
        metrics=families,
        generated=generated,
        api_key=_api_key(options),
    )
