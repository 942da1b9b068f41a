# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The fields of a profile: one declaration each gives its type, validation and documentation."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parser = Callable[[Any], Any]

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\Z")
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
METRIC_SOURCES = ("log", "regex", "prometheus")
METRIC_KINDS = ("gauge", "counter", "sketch")
PROBE_KINDS = ("http", "tcp", "grpc", "ovms_models", "log", "healthy", "exited")


@dataclass(frozen=True)
class Field:
    """One field of a profile or of a container.

    ``parse`` takes the written value and gives the canonical one; it raises ValueError with a reason.
    """

    name: str
    parse: Parser
    doc: str
    default: Any = None
    required: bool = False


def is_template(value: Any) -> bool:
    """Whether a value still holds Jinja that must be rendered before it can be parsed."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(is_template(item) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple)):
        return any(is_template(item) for item in value)
    return False


def scalar(value: Any) -> str:
    """A YAML scalar as the process in the container will see it (booleans in lower case)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"expected a string or a number, not {_kind(value)}")


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a string that is not empty, not {_kind(value)}")
    return str(value)


def name(value: Any) -> str:
    result = text(value)
    if not _NAME.match(result):
        raise ValueError(
            f"{result!r} may hold lower-case letters, digits, '.', '_' and '-' only, and starts with a letter or digit"
        )
    return result


def positive(value: Any) -> int:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number of at least 1, not {value!r}")
    return int(value)


def port(value: Any) -> int:
    number = positive(value)
    if number > 65535:
        raise ValueError(f"{number} is not a port: ports end at 65535")
    return number


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
        return value.lower() in ("true", "yes")
    raise ValueError(f"expected true or false, not {value!r}")


def duration(value: Any) -> float:
    """Seconds, from a number or a string such as ``60s``, ``2m`` or ``500ms``."""
    match = None if isinstance(value, bool) else _DURATION.match(str(value).strip())
    if match is None:
        raise ValueError(f"expected a duration such as 60s, 2m or 500ms, not {value!r}")
    return float(match.group(1)) * _DURATION_UNITS[match.group(2)]


def list_of(parse: Parser) -> Parser:
    """A list, or one value that stands for a list of one."""

    def parse_list(value: Any) -> list[Any]:
        if isinstance(value, Mapping) or value is None:
            raise ValueError(f"expected a list, not {_kind(value)}")
        items = value if isinstance(value, (list, tuple)) else [value]
        return [parse(item) for item in items]

    return parse_list


def mapping_of(parse: Parser, parse_key: Parser = text) -> Parser:
    def parse_mapping(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping, not {_kind(value)}")
        result = {}
        for key, item in value.items():
            try:
                result[parse_key(key)] = parse(item)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
        return result

    return parse_mapping


def options(value: Any) -> dict[str, Any]:
    """A mapping that goes through as it is."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a mapping, not {_kind(value)}")
    return dict(value)


def pattern(value: Any) -> str:
    """An inventory pattern; a list means its union, as in a play's ``hosts``."""
    return ",".join(list_of(text)(value))


def metric_rule(value: Any) -> dict[str, Any]:
    """``{log | regex | prometheus, kind, unit, required}`` with the defaults filled in."""
    rule = options(value)
    check_keys(rule, (*METRIC_SOURCES, "kind", "unit", "required"))
    sources = [source for source in METRIC_SOURCES if source in rule]
    if len(sources) != 1:
        raise ValueError(f"expected exactly one of {', '.join(METRIC_SOURCES)}")
    kind = rule.get("kind", "gauge")
    if kind not in METRIC_KINDS:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(METRIC_KINDS)}")
    if kind == "sketch" and sources[0] != "log":
        raise ValueError("a sketch is a JSON object in a log line: its source is log")
    expression = text(rule[sources[0]])
    if sources[0] == "regex":
        expression = regex(expression)
        if re.compile(expression).groups < 1:
            raise ValueError(f"regex {expression!r} needs a group: its first group is the value")
    return {
        sources[0]: expression,
        "kind": kind,
        "unit": text(rule.get("unit", "1")),
        "required": boolean(rule.get("required", True)),
    }


def regex(value: Any) -> str:
    expression = text(value)
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"{expression!r} is not a regular expression: {error}") from error
    return expression


def readiness(value: Any) -> dict[str, Any]:
    """``ready``: at least one kind of probe, and a timeout in seconds (60 when not given)."""
    spec = options(value)
    check_keys(spec, (*PROBE_KINDS, "timeout"))
    if not any(kind in spec for kind in PROBE_KINDS):
        raise ValueError(f"expected at least one of {', '.join(PROBE_KINDS)}")
    result = {kind: _PROBES[kind](spec[kind]) for kind in PROBE_KINDS if kind in spec}
    return {**result, "timeout": duration(spec.get("timeout", "60s"))}


def _port_reference(value: Any) -> int | str:
    """A port number, or a name from ``ports``."""
    return text(value) if isinstance(value, str) and not value.isdigit() else port(value)


def _http(value: Any) -> dict[str, Any]:
    spec = {"path": value} if isinstance(value, str) else options(value)
    check_keys(spec, ("path", "port", "status"))
    path = text(spec.get("path", "/"))
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} must start with '/'")
    result: dict[str, Any] = {"path": path, "status": positive(spec.get("status", 200))}
    if "port" in spec:
        result["port"] = _port_reference(spec["port"])
    return result


def _models(value: Any) -> str | list[str]:
    return "all" if value == "all" else list_of(text)(value)


def _only_true(value: Any) -> bool:
    if value is not True:
        raise ValueError("expected true")
    return True


def _exited(value: Any) -> int:
    if value is True or value == 0:
        return 0
    raise ValueError("expected true (the container has exited with code 0)")


_PROBES: dict[str, Parser] = {
    "http": _http,
    "tcp": _port_reference,
    "grpc": _port_reference,
    "ovms_models": _models,
    "log": regex,
    "healthy": _only_true,
    "exited": _exited,
}


def models(value: Any) -> dict[str, Any]:
    """``models``: the image that makes them, its command, and the names it makes."""
    spec = options(value)
    check_keys(spec, ("image", "command", "names"))
    return {
        "image": text(spec.get("image")),
        "command": list_of(scalar)(spec.get("command", [])),
        "names": list_of(text)(spec.get("names", [])),
    }


def check_keys(value: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise ValueError for the first key that is not known, with the nearest one that is."""
    for key in value:
        if key not in known:
            raise ValueError(unknown(key, known))


def unknown(key: str, known: tuple[str, ...] | list[str]) -> str:
    """What to say of a name that is not known: the nearest, or all that are."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown field {key!r}: {hint}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)


PROFILE_FIELDS: tuple[Field, ...] = (
    Field("description", text, "What the profile is for, in a line."),
    Field("containers", options, "The container configurations, in order.", required=True),
    Field(
        "builds",
        mapping_of(text),
        "Images that prepare_hosts builds: image to build context under the profile's folder.",
    ),
    Field(
        "models", models, "How the models are made: an image that writes them to /models, its command, and their names."
    ),
)

CONTAINER_FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        name,
        "Name of the container, unique in the profile.",
        required=True,
    ),
    Field(
        "use",
        text,
        "An entry of another profile to start from, as PROFILE/NAME; fields given here replace its own.",
    ),
    Field("image", text, "Docker image.", required=True),
    Field(
        "build", text, "Build context of the image, under the profile's folder, used where no registry has the image."
    ),
    Field(
        "entrypoint",
        list_of(scalar),
        "Entrypoint; a path starting with ./ is a script of the profile, mounted at /profile.",
        default=[],
    ),
    Field("args", list_of(scalar), "Input arguments, passed to the entrypoint.", default=[]),
    Field(
        "env_file",
        list_of(text),
        "Environment files in Docker's own format; of a variable given twice the later wins.",
        default=[],
    ),
    Field("env", mapping_of(scalar), "Environment variables, above those of env files.", default={}),
    Field(
        "volumes",
        list_of(text),
        "Mounts, SOURCE:TARGET[:MODE]; ./ ships a file of the profile, / is a path on the host.",
        default=[],
    ),
    Field("networks", list_of(name), "Networks, made for the deployment; or host or none alone.", default=[]),
    Field("ports", mapping_of(port, name), "What the container listens on, by name.", default={}),
    Field(
        "hosts",
        pattern,
        "Inventory pattern of the hosts that it may run on.",
        default="all",
    ),
    Field(
        "replicas",
        positive,
        "Number of replicas over all matched hosts.",
    ),
    Field(
        "replicas_per_host",
        positive,
        "Number of replicas on each matched host.",
    ),
    Field(
        "max_per_host",
        positive,
        "Most replicas that one host may carry.",
    ),
    Field(
        "depends_on",
        list_of(text),
        "Containers that must be ready before this one starts.",
        default=[],
    ),
    Field(
        "ready",
        readiness,
        "When a replica counts as ready: http, tcp, grpc, ovms_models, log, healthy or exited; and a timeout.",
    ),
    Field(
        "metrics",
        mapping_of(metric_rule, name),
        "Metrics by name: {log | regex | prometheus, kind, unit, required}.",
        default={},
    ),
    Field(
        "measured",
        boolean,
        "Whether the container counts in the result.",
        default=True,
    ),
    Field("docker", options, "Further docker_container options, passed through unchanged.", default={}),
)
