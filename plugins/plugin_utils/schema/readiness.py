# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ready``: the kinds of probes by which a container is known to be ready, each declared once.

How a host asks is declared beside the functions that do, in module_utils/readiness/probes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    command,
    duration,
    list_of,
    only_true,
    port,
    positive,
    record,
    regex,
    short,
    text,
    typed,
)


@typed(anyOf=[port.schema, {"type": "string", "minLength": 1}])
def _port_reference(value: Any) -> int | str:
    """A port number, or a name from ``ports``."""
    return str(text(value)) if isinstance(value, str) and not value.isdecimal() else int(port(value))


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


GENERATES_FIELDS: tuple[Field, ...] = (
    Field("models", _models, "The models: `all` that are graphs, or a list.", "models: [llm]", default="all"),
    Field(
        "path",
        _url_path,
        "Where it is asked: below `/v3`, its `chat/completions`, `completions`, `embeddings` or `rerank`.",
        "path: /v3/embeddings",
        default="/v3/chat/completions",
    ),
    Field("port", _port_reference, "A number or a name of `ports`.", "port: rest", unset="`rest`, or the only one"),
)


@dataclass(frozen=True)
class ProbeField(Field):
    """A kind of probe: its field in ``ready``, what it becomes, and how the plan tells it.

    ``plan`` says in the plan what is asked: in braces what the host is told, and ``{at}`` for the place. ``becomes``
    is what the host is told of a value that is no mapping (nothing: the kind says all). ``port``: the name of the port
    that is asked where none is written and there are several. ``fields`` are those of its mapping, if it takes one.
    """

    plan: str = ""
    becomes: str = ""
    port: str = ""
    fields: tuple[Field, ...] = ()


PROBE_FIELDS: tuple[ProbeField, ...] = (
    ProbeField(
        "http",
        short("path", _url_path, record(HTTP_FIELDS)),
        "The path answers 200, or `status`; a path alone, or `{path, port, status}`.",
        "http: {path: /, port: rest, status: 204}",
        plan="http://{at}{path} answers {status}",
        port="rest",
        fields=HTTP_FIELDS,
    ),
    ProbeField(
        "tcp",
        _port_reference,
        "The port (a number or a name of `ports`) accepts connections.",
        "tcp: grpc",
        plan="{at} accepts connections",
        becomes="port",
    ),
    ProbeField(
        "grpc",
        _port_reference,
        "KServe's ServerReady says so at that port.",
        "grpc: grpc",
        plan="{at} answers gRPC ServerReady",
        becomes="port",
    ),
    ProbeField(
        "rtsp",
        short("path", _url_path, record(RTSP_FIELDS)),
        "RTSP's DESCRIBE of the path answers with a stream; a path alone, or `{path, port}`.",
        "rtsp: /camera1",
        plan="rtsp://{at}{path} describes a stream",
        port="rtsp",
        fields=RTSP_FIELDS,
    ),
    ProbeField(
        "ovms_models",
        _models,
        "Every model and graph answers ready: `all` of the shipped `config.json` or `--model_name`, or a list.",
        "ovms_models: all",
        plan="{at} reports {models} ready",
    ),
    ProbeField(
        "generates",
        short("models", _models, record(GENERATES_FIELDS)),
        "Generative models answer a request of one token; `all`, a list, or `{models, path, port}`.",
        "generates: {models: [m], path: /v3/completions}",
        plan="http://{at}{path} answers {models} with one token",
        port="rest",
        fields=GENERATES_FIELDS,
    ),
    ProbeField(
        "log",
        regex,
        "A line of the log matches.",
        'log: "pipeline is PLAYING"',
        plan="its log matches {pattern!r}",
        becomes="pattern",
    ),
    ProbeField(
        "exec",
        command,
        "A command in the container exits with code 0; no shell runs it unless it names one.",
        "exec: [test, -S, /run/server.sock]",
        plan="{command} in it exits with code 0",
        becomes="command",
    ),
    ProbeField(
        "healthy",
        only_true,
        "Docker's health check says so.",
        "healthy: true",
        plan="Docker reports it healthy",
    ),
    ProbeField(
        "exited",
        _exited,
        "The container has exited with code 0.",
        "exited: true",
        plan="it has exited with code 0",
    ),
)


#: by name
PROBES = {probe.name: probe for probe in PROBE_FIELDS}


def _check_ready(spec: dict[str, Any]) -> None:
    if not any(kind in spec for kind in PROBES):
        raise ValueError(f"expected at least one of {', '.join(PROBES)}")


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


READY = record(READY_FIELDS, _check_ready, anyOf=[{"required": [kind]} for kind in PROBES])
