# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of ``/ovms/bin/ovms`` (v2025.4): every option that serving models has, checked in the same way."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ovms_stand_in import NAME, VERSION, metrics
from ovms_stand_in.faults import StartError, UsageError

_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")
_SINGLE = ("batch_size", "shape", "layout", "nireq", "target_device", "plugin_config", "model_version_policy")


@dataclass(frozen=True)
class Settings:
    """What the command line said. Ports: 0 is off. model: options of a single model, as `model_config` takes them."""

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


class Printed(Exception):
    """Help or the version: to be printed; exit code 0."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"error parsing options: {message}")


def _unsigned(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an unsigned integer")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    # No abbreviations, and a boolean may be given as in cxxopts: --flag, --flag=true, --flag true.
    parser = _Parser("ovms", description=f"{NAME} (stand-in)", allow_abbrev=False, add_help=False)
    add = parser.add_argument
    flag: dict[str, Any] = {"nargs": "?", "const": "true", "default": "false", "choices": ("true", "false")}
    add("-h", "--help", action="store_true", help="show this help message and exit")
    add("--version", action="store_true", help="show the version and exit")
    add("--config_path", help="path to the JSON configuration file")
    add("--model_name", help="name of the only model")
    add("--model_path", help="folder with the versions of the only model")
    add("--port", type=_unsigned, default=0, help="gRPC port; 0 is off")
    add("--rest_port", type=_unsigned, default=0, help="REST port; 0 is off")
    add("--grpc_bind_address", default="0.0.0.0", help="addresses for gRPC, separated by commas")
    add("--rest_bind_address", default="0.0.0.0", help="addresses for REST, separated by commas")
    add("--grpc_workers", type=_unsigned, default=1, help="number of gRPC servers")
    add("--log_level", default="INFO", help=", ".join(_LEVELS))
    add("--log_path", default="", help="also log to this file")
    add("--file_system_poll_wait_seconds", type=_unsigned, default=1, help="how often files are looked at; 0 is never")
    add("--metrics_enable", help="serve /metrics on rest_port", **flag)
    add("--metrics_list", default="", help="metric families to serve, separated by commas")
    add("--cache_dir", default="", help="folder for compiled models")
    add("--batch_size", help="batch size of the only model, or auto")
    add("--shape", help="shape of the only model")
    add("--layout", help="layout of the only model, such as NHWC:NCHW")
    add("--model_version_policy", help="which versions are served, as JSON")
    add("--nireq", type=_unsigned, help="number of inference requests; 0 is OpenVINO's choice")
    add("--target_device", help="CPU or AUTO, in the stand-in")
    add("--plugin_config", help="options for OpenVINO, as JSON")
    ignored = parser.add_argument_group("accepted and without effect in the stand-in").add_argument
    for name in ("rest_workers", "grpc_max_threads", "grpc_memory_quota", "sequence_cleaner_poll_wait_minutes"):
        ignored(f"--{name}", type=_unsigned)
    ignored("--custom_node_resources_cleaner_interval_seconds", type=_unsigned)
    for name in ("grpc_channel_arguments", "cpu_extension", "allowed_local_media_path", "trace_path", "api_key_file"):
        ignored(f"--{name}")
    for name in ("allowed_origins", "allowed_methods", "allowed_headers"):
        ignored(f"--{name}")
    ignored("--allow_credentials", **flag)
    return parser


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


def _validate(given: argparse.Namespace) -> None:
    """Raise UsageError with OVMS's own words when options do not go together."""
    single = bool(given.model_name or given.model_path)
    if given.config_path and single:
        raise UsageError("Use either config_path or model_path with model_name")
    if not given.config_path and not (given.model_name and given.model_path):
        raise UsageError("Use config_path or model_path with model_name")
    # layout is not in this check of OVMS either
    if given.config_path and any(getattr(given, name) for name in _SINGLE if name != "layout"):
        raise UsageError("Model parameters in CLI are exclusive with the config file")
    cores = os.cpu_count() or 1
    if not 1 <= given.grpc_workers <= cores:
        raise UsageError(f"grpc_workers count should be from 1 to CPU core count : {cores}")
    if given.metrics_enable == "true" and not given.rest_port:
        raise UsageError("rest_port setting is missing, metrics are enabled on rest port")
    if given.metrics_enable == "false" and given.metrics_list:
        raise UsageError("metrics_enable setting is missing, required when metrics_list is provided")
    if not given.port and not given.rest_port:
        raise UsageError("port and rest_port cannot both be unset")
    for name in ("port", "rest_port"):
        if getattr(given, name) > 65535:
            raise UsageError(f"{name} number out of range from 0 to 65535")
    if given.port == given.rest_port:
        raise UsageError("port and rest_port cannot have the same values")
    if given.log_level not in _LEVELS:
        raise UsageError(f"log_level should be one of: {', '.join(_LEVELS)}")


def parse(arguments: Sequence[str]) -> Settings:
    """The settings in ``arguments``.

    Raises Printed for help and version, UsageError for what OVMS refuses, StartError for an unknown metric family.
    """
    parser = _parser()
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise UsageError(f"error parsing options - unmatched arguments: {', '.join(unknown)}")
    if given.version:
        python = ".".join(map(str, sys.version_info[:3]))
        raise Printed(f"{NAME} {VERSION}\nOpenVINO backend: the Python package openvino, on Python {python}\n")
    if given.help or not arguments:
        raise Printed(parser.format_help())
    _validate(given)
    model = None
    if not given.config_path:
        model = {"name": given.model_name, "base_path": given.model_path}
        model |= {name: getattr(given, name) for name in _SINGLE if getattr(given, name) is not None}
    try:
        families = metrics.parse_list(given.metrics_list) if given.metrics_enable == "true" else None
    except ValueError as error:
        raise StartError(f"Metrics family name not supported: {error}") from None
    return Settings(
        config_path=Path(given.config_path) if given.config_path else None,
        model=model,
        port=given.port,
        rest_port=given.rest_port,
        grpc_bind_addresses=_addresses(given.grpc_bind_address, "grpc_bind_address"),
        rest_bind_addresses=_addresses(given.rest_bind_address, "rest_bind_address"),
        grpc_workers=given.grpc_workers,
        poll_seconds=float(given.file_system_poll_wait_seconds),
        log_level=given.log_level,
        log_path=given.log_path,
        cache_dir=given.cache_dir,
        metrics=families,
    )
