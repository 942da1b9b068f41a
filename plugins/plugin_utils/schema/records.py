# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The mappings inside of a container's fields, declared field by field as those of a container are."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import cpusets, require
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Type,
    boolean,
    choice,
    duration,
    is_template,
    list_of,
    mapping_of,
    only_true,
    port,
    positive,
    record,
    regex,
    scalar,
    short,
    text,
    typed,
    variable,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Vaulted

# -- placement


@typed(type="string", minLength=1)
def _arch(value: Any) -> str:
    return require.arch(text(value))


@typed(
    anyOf=[
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^\\s*\\d+(\\.\\d*)?\\s*[KMGTkmgt]?(i?[Bb])?\\s*$"},
    ]
)
def _size(value: Any) -> int:
    size = option_values.size(value)
    if size < 1:
        raise ValueError(f"expected a size such as 8g, not {value!r}")
    return size


@typed(anyOf=[{"type": "boolean"}, {"type": "integer", "minimum": 1}])
def _device_count(value: Any) -> int:
    """At least so many; true is one, and false that there is none."""
    return int(value) if isinstance(value, bool) else int(positive(value))


@typed(type="string", pattern="^v?\\d")
def _version(value: Any) -> str:
    if isinstance(value, float):
        raise ValueError(f"write the version in quotes: YAML takes {value!r} for a number, in which 20.10 is 20.1")
    version: str = text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    require.version(version)
    return version


REQUIRE_FIELDS: tuple[Field, ...] = (
    Field("arch", list_of(_arch), "Its architecture, or several that will do.", "arch: [x86_64, aarch64]"),
    Field("memory", _size, "At least so much memory, as its kernel shows it.", "memory: 8g"),
    Field("cpus", positive, "At least so many CPUs.", "cpus: 8"),
    Field(
        "gpu",
        _device_count,
        "A GPU (render node); a number: at least so many; `false`: none at all.",
        "gpu: true",
    ),
    Field("npu", _device_count, "The same of NPUs (accelerator nodes).", "npu: true"),
    Field("engine", _version, "At least this version of Docker Engine.", 'engine: "24.0"'),
)


def _check_require(spec: dict[str, Any]) -> None:
    if not spec:
        raise ValueError(f"expected at least one of {', '.join(field.name for field in REQUIRE_FIELDS)}")


REQUIRE = record(REQUIRE_FIELDS, _check_require, minProperties=1)
EXCLUSIVE_KINDS = ("host", "devices", "host_ports")


@typed(anyOf=[{"type": "boolean"}, *list_of(choice(*EXCLUSIVE_KINDS)).schema["anyOf"]])
def exclusive(value: Any) -> list[str]:
    """What the container does not share; true is the host."""
    if isinstance(value, bool):
        return ["host"] if value else []
    written = list_of(choice(*EXCLUSIVE_KINDS))(value)
    return [kind for kind in EXCLUSIVE_KINDS if kind in written]


CPUSET_FIELDS: tuple[Field, ...] = (Field("cpus", positive, "How many CPUs the set has.", "cpus: 2", required=True),)
_OWN_CPUS = record(CPUSET_FIELDS)


@typed(anyOf=[{"const": "auto"}, {"type": "string", "pattern": "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$"}, _OWN_CPUS.schema])
def cpuset(value: Any) -> dict[str, Any]:
    """``{}`` for auto, ``{"cpus": number}``, or ``{"fixed": [numbers]}``."""
    if value == "auto":
        return {}
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return {"fixed": cpusets.numbers(str(value))}
    own: dict[str, Any] = _OWN_CPUS(value)
    return own


@typed(type="number", exclusiveMinimum=0)
def cpus(value: Any) -> float:
    number = option_values.nano_cpus(value) / 1e9
    if number <= 0:
        raise ValueError(f"expected a number of CPUs, not {value!r}")
    return int(number) if number == int(number) else number


# -- metrics

METRIC_SOURCES = ("log", "regex", "prometheus")
METRIC_KINDS = ("gauge", "counter", "sketch")


@typed(**regex.schema)
def _regex_with_group(value: Any) -> str:
    expression: str = regex(value)
    if re.compile(expression).groups < 1:
        raise ValueError(f"regex {expression!r} needs a group: its first group is the value")
    return expression


def _check_metric(rule: dict[str, Any]) -> None:
    sources = [source for source in METRIC_SOURCES if source in rule]
    if len(sources) != 1:
        raise ValueError(f"expected exactly one of {', '.join(METRIC_SOURCES)}")
    if rule["kind"] == "sketch" and sources[0] != "log":
        raise ValueError("a sketch is a JSON object in a log line: its source is log")


METRIC_FIELDS: tuple[Field, ...] = (
    Field(
        "log",
        text,
        "A [JMESPath](https://jmespath.org) over the JSON lines that the container logs.",
        "log: inference.fps",
    ),
    Field(
        "regex",
        _regex_with_group,
        "A regular expression over the lines that it logs; its first group is the value.",
        'regex: "fps=([0-9.]+)"',
    ),
    Field(
        "prometheus",
        text,
        "A sample of its `/metrics`, at the port named `metrics`, or OVMS's REST port with `--metrics_enable`.",
        "prometheus: ovms_requests_success",
    ),
    Field(
        "kind",
        choice(*METRIC_KINDS),
        "`gauge`; `counter`, which becomes a rate; `sketch`, the DDSketch bins of latencies (only `log`).",
        "kind: counter",
        default="gauge",
    ),
    Field("unit", text, "Unit of the value.", "unit: seconds", default="1"),
    Field("required", boolean, "Whether a run without it fails; else it is degraded.", "required: false", default=True),
)
METRIC_RULE = record(METRIC_FIELDS, _check_metric, oneOf=[{"required": [source]} for source in METRIC_SOURCES])

# -- env files

ENV_FILE_FIELDS: tuple[Field, ...] = (
    Field("path", text, "The file, under the profile's folder.", "path: client.env", required=True),
    Field(
        "format",
        choice("docker", "compose"),
        "`docker`: nothing is expanded, quotes belong to the value; `compose`: quotes and `${NAME:-default}` as there.",
        "format: compose",
        default="docker",
    ),
    Field(
        "required",
        boolean,
        "Whether it is an error that the file is not there; else it is a warning in the plan.",
        "required: false",
        default=True,
    ),
)
ENV_FILE = short("path", text, record(ENV_FILE_FIELDS))

# -- secrets


def _secret(value: Any) -> Any:
    if value is None or isinstance(value, Vaulted):
        return value
    if not isinstance(value, str) or not is_template(value):
        raise ValueError(
            "a secret in plain text is none: write a template such as '{{ vaulted_variable }}', a value with !vault, "
            "or nothing and give it in profile_secrets"
        )
    return value


#: values stay as they are written: what they stand for is rendered where a host is applied
SECRET_ENV = mapping_of(Type(_secret, {"type": ["string", "null"]}), variable)

# -- readiness


@typed(anyOf=[port.schema, {"type": "string", "minLength": 1}])
def _port_reference(value: Any) -> int | str:
    """A port number, or a name from ``ports``."""
    return str(text(value)) if isinstance(value, str) and not value.isdigit() else int(port(value))


@typed(type="string", pattern="^/")
def _url_path(value: Any) -> str:
    path: str = text(value)
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} must start with '/'")
    return path


@typed(anyOf=[{"const": "all"}, *list_of(text).schema["anyOf"]])
def _models(value: Any) -> str | list[str]:
    models: str | list[str] = "all" if value == "all" else list_of(text)(value)
    return models


@typed(enum=[True, 0])
def _exited(value: Any) -> int:
    if value is True or value == 0:
        return 0
    raise ValueError("expected true (the container has exited with code 0)")


HTTP_FIELDS: tuple[Field, ...] = (
    Field("path", _url_path, "The path to ask for.", "path: /v2/health/ready", default="/"),
    Field("status", positive, "The status that it answers.", "status: 204", default=200),
    Field(
        "port",
        _port_reference,
        "A number or a name of `ports`.",
        "port: rest",
        unset="`rest`, or the only one",
    ),
)
RTSP_FIELDS: tuple[Field, ...] = (
    Field("path", _url_path, "The stream to describe.", "path: /camera1", default="/"),
    Field("port", _port_reference, "A number or a name of `ports`.", "port: video", unset="`rtsp`, or the only one"),
)
PROBE_FIELDS: tuple[Field, ...] = (
    Field(
        "http",
        short("path", _url_path, record(HTTP_FIELDS)),
        "The path answers 200, or `status`; a path alone, or `{path, port, status}`.",
        "http: {path: /, port: rest, status: 204}",
    ),
    Field("tcp", _port_reference, "The port (a number or a name of `ports`) accepts connections.", "tcp: grpc"),
    Field("grpc", _port_reference, "KServe's ServerReady says so at that port.", "grpc: grpc"),
    Field(
        "rtsp",
        short("path", _url_path, record(RTSP_FIELDS)),
        "RTSP's DESCRIBE of the path answers with a stream; a path alone, or `{path, port}`.",
        "rtsp: /camera1",
    ),
    Field(
        "ovms_models",
        _models,
        "Every model answers ready: `all` of the shipped `config.json` or `--model_name`, or a list.",
        "ovms_models: all",
    ),
    Field("log", regex, "A line of the log matches.", 'log: "pipeline is PLAYING"'),
    Field(
        "exec",
        list_of(scalar),
        "A command in the container exits with code 0; no shell runs it unless it names one.",
        "exec: [test, -S, /run/server.sock]",
    ),
    Field("healthy", only_true, "Docker's health check says so.", "healthy: true"),
    Field("exited", _exited, "The container has exited with code 0.", "exited: true"),
)
PROBE_KINDS = tuple(probe.name for probe in PROBE_FIELDS)


def _check_ready(spec: dict[str, Any]) -> None:
    if not any(kind in spec for kind in PROBE_KINDS):
        raise ValueError(f"expected at least one of {', '.join(PROBE_KINDS)}")


READY_FIELDS: tuple[Field, ...] = (
    *PROBE_FIELDS,
    Field(
        "timeout",
        duration,
        "How long each of them may take: seconds, or `90s`, `2m`, `500ms`.",
        "timeout: 2m",
        default="60s",
    ),
)
READY = record(READY_FIELDS, _check_ready, anyOf=[{"required": [kind]} for kind in PROBE_KINDS])
