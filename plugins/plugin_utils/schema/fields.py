# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a profile, each declared once.

A declaration gives type, validation, JSON Schema, documentation, example, default, and the docker_container options
that the field becomes; how those are compared with what runs is in module_utils/container/options.py. ``make docs``
writes docs/profile.schema.json and the tables of docs/profile.md from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    docker_options,
    input_source,
    target_device,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.build import BUILD
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.density import DENSITY
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.environment import (
    ENV_FILE,
    SECRET_ENV,
    SECRET_FILES,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Invalid,
    Type,
    boolean,
    but,
    choice,
    command,
    list_of,
    mapping_of,
    name,
    options,
    or_nothing,
    port,
    positive,
    record,
    scalar,
    text,
    typed,
    variable,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.image import image
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.metrics import METRIC_RULE
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import ATTACHMENTS, NETWORKS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.objectives import OBJECTIVES
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.placement import REQUIRE, cpus, cpuset, exclusive
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import READY
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import NAMED_VOLUMES, VOLUME

_VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"
#: options that a profile may give beside the field that becomes it
_SHARED = ("published_ports", "devices", "groups", "cpus", "labels", "etc_hosts")

# -- a container


@typed(type="string", pattern=r"^(none|ovms(:20\d\d\.\d+)?)$")
def model_server(value: Any) -> str:
    """What is said of a model server: that there is none, or that it is OVMS, and of which version."""
    if not re.fullmatch(r"none|ovms(:20\d\d\.\d+)?", str(value)):
        raise ValueError(f"expected ovms, ovms:VERSION such as ovms:2025.4, or none, not {value!r}")
    return str(value)


@typed(**list_of(text).schema)
def pattern(value: Any) -> str:
    """An inventory pattern; a list means its union, as in a play's ``hosts``."""
    patterns: list[str] = list_of(text)(value)
    if not patterns:
        raise ValueError("expected a pattern of hosts, not an empty list")
    return ",".join(patterns)


def _checked_options(value: Any) -> dict[str, Any]:
    """Options as they are; the values of those that the table knows are checked as they will be on the host."""
    written: dict[str, Any] = options(value)
    for key, each in written.items():
        try:
            docker_options.checked(key, each)
        except (ValueError, TypeError, KeyError) as error:
            raise Invalid(f"{key}: {error}", (key,)) from error
    return written


def _docker_options() -> Type:
    """What docker_container takes. The schema is not closed: the stock module knows more options than the table."""
    own = {option for field in CONTAINER_FIELDS for option in field.options if option not in _SHARED}
    properties = {option: docker_options.schema_of(option) for option in docker_options.NAMES if option not in own}
    return Type(_checked_options, {"type": "object", "properties": properties})


_PORTS_BY_NAME = (
    "expected a mapping: write ports: {http: 80}, the ports that the container listens on, by names of your own; "
    "what Compose publishes is docker: {published_ports: ['8080:80']}"
)

CONTAINER_FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        name,
        "Name of the container, unique in the profile; its replicas are named `<deployment>-<name>-<n>`.",
        "name: client",
        required=True,
        options=("name",),
        group="what",
    ),
    Field(
        "use",
        text,
        "An entry of another profile to start from, as `PROFILE/NAME`; fields given here replace its own.",
        "use: capi/local-inference",
        group="what",
    ),
    Field(
        "shared",
        boolean,
        "Whether deployments share it: the first starts it, the last stops it, see [Shared](#shared-containers).",
        "shared: true",
        default=False,
        group="what",
    ),
    Field(
        "image", image, "Docker image.", "image: retail/gstreamer:1", required=True, options=("image",), group="what"
    ),
    Field(
        "build",
        BUILD,
        "Build context of the image, under the profile's folder, or a [mapping](#builds).",
        "build: ./images/gstreamer",
        group="what",
    ),
    Field(
        "pull",
        choice("missing", "always", "never"),
        "When the image is pulled, above `profile_pull`.",
        "pull: always",
        unset="`profile_pull`",
        group="what",
    ),
    Field(
        "entrypoint",
        command,
        "Entrypoint; a path starting with `./` is a script of the profile, mounted read-only at `/profile`.",
        "entrypoint: ./client.sh",
        default=[],
        unset="the image's",
        options=("entrypoint",),
        group="what",
    ),
    Field(
        "args",
        command,
        "Input arguments, passed to the entrypoint; a text is split as a shell would, but no shell runs it.",
        "args: [--streams, 2]",
        default=[],
        unset="the image's",
        options=("command",),
        group="what",
    ),
    Field(
        "server",
        model_server,
        "What serves models in it: `ovms`, `ovms:VERSION` where the image's tag names another or none, or `none`.",
        "server: ovms:2025.4",
        unset="what its command and its image say",
        group="what",
    ),
    Field(
        "env_file",
        list_of(ENV_FILE),
        "Environment files, see [Env files](#env-files); of a variable given twice the later file wins.",
        "env_file: [common.env, client.env]",
        default=[],
        options=("env",),
        group="environment",
    ),
    Field(
        "env",
        but(mapping_of(scalar, variable), (list, str), "expected a mapping: write env: {NAME: value}"),
        "Environment variables, above those of env files; `profile_env` of the command line stands above all.",
        "env: {DEVICE: CPU}",
        default={},
        options=("env",),
        group="environment",
    ),
    Field(
        "secret_env",
        SECRET_ENV,
        "Environment variables that are secret, see [Secrets](#secrets); above `env`.",
        'secret_env: {API_TOKEN: "{{ vaulted_token }}"}',
        default={},
        rendered=False,
        options=("env",),
        group="environment",
    ),
    Field(
        "secret_files",
        SECRET_FILES,
        "Files that are secret, by their paths in the container, see [Secrets](#secrets).",
        'secret_files: {/run/secrets/token: "{{ vaulted_token }}"}',
        default={},
        rendered=False,
        group="files",
    ),
    Field(
        "volumes",
        list_of(VOLUME),
        "Mounts, `SOURCE:TARGET[:MODE]` or a [mapping](#volumes).",
        'volumes: ["./config.json:/config.json:ro", "cache:/cache", {type: tmpfs, target: /tmp, size: 64m}]',
        default=[],
        options=("volumes", "mounts"),
        group="files",
    ),
    Field(
        "networks",
        ATTACHMENTS,
        "Networks, each by its name or as a [mapping](#networks); or `host`, `none` or `container:NAME` alone.",
        "networks: [inference, {name: cameras, aliases: [server], ipv4_address: 172.30.0.10}]",
        default=[],
        unset="`[default]`",
        options=("networks", "network_mode"),
        group="network",
    ),
    Field(
        "ports",
        but(mapping_of(port, name), (list, str, int), _PORTS_BY_NAME),
        "What the container listens on, by name; published on the fleet address where a consumer needs it.",
        "ports: {grpc: 9000}",
        default={},
        options=("published_ports",),
        group="network",
    ),
    Field(
        "hosts",
        pattern,
        "Inventory pattern of the hosts that it may run on; a list means its union.",
        'hosts: "gpu:&lab"',
        default="all",
        group="placement",
    ),
    Field(
        "replicas",
        positive,
        "Number of replicas over all hosts that take it, dealt evenly in natural order.",
        "replicas: 4",
        unset="1",
        group="placement",
    ),
    Field(
        "replicas_per_host",
        positive,
        "Number of replicas on each host that takes it, instead of `replicas`.",
        "replicas_per_host: 1",
        group="placement",
    ),
    Field(
        "max_per_host",
        positive,
        "Most replicas that one host may carry.",
        "max_per_host: 2",
        group="placement",
    ),
    Field(
        "exclusive",
        exclusive,
        "What it shares with no other replica of the plan: `true` (its host), `devices`, `host_ports`; or several.",
        "exclusive: [devices, host_ports]",
        default=[],
        group="placement",
    ),
    Field(
        "require",
        REQUIRE,
        "What a host must have, see [Which host](#which-host).",
        "require: {arch: x86_64, memory: 8g, gpu: true}",
        group="placement",
    ),
    Field(
        "cpus",
        cpus,
        "How many CPUs it may use: the size of its set with `cpuset: auto`, else a limit of CPU time.",
        "cpus: 2",
        options=("cpus",),
        group="placement",
    ),
    Field(
        "cpuset",
        cpuset,
        "CPUs of its own: `auto`, `{cpus: 2}`, or the same list on each host, such as `0-3,8`.",
        "cpuset: {cpus: 2}",
        options=("cpuset_cpus",),
        group="placement",
    ),
    Field(
        "target_device",
        or_nothing(typed(type="string", pattern=target_device.PATTERN)(target_device.name)),
        f"Device that it infers on: {target_device.FORMS}; `profile_target_device` beats it. "
        "See [Devices and input](#devices-and-input).",
        "target_device: GPU",
        options=("devices", "groups", "env"),
        group="hardware",
    ),
    Field(
        "input_source",
        or_nothing(typed(type=["string", "integer"])(input_source.source)),
        f"Input of its pipeline: {input_source.FORMS}; `profile_input_source` beats it.",
        "input_source: rtsp://camera:8554/stream0",
        options=("devices", "groups", "env"),
        group="hardware",
    ),
    Field(
        "render",
        or_nothing(boolean),
        "Whether it shows its output on the X display of its host; `profile_render` beats it.",
        "render: true",
        options=("env", "volumes"),
        group="hardware",
    ),
    Field(
        "depends_on",
        but(list_of(text), (Mapping,), "expected a list of names; what is waited for says the field 'ready' of each"),
        "Containers that must be ready before this one starts.",
        "depends_on: [ovms-server]",
        default=[],
        group="order",
    ),
    Field(
        "ready",
        READY,
        "When a replica counts as ready, see [Readiness](#readiness).",
        "ready: {ovms_models: all, timeout: 2m}",
        unset="at once",
        group="order",
    ),
    Field(
        "metrics",
        mapping_of(METRIC_RULE, name),
        "Metrics by name, see [Metrics](#metrics).",
        "metrics: {fps: {log: fps, unit: fps}}",
        default={},
        group="measurement",
    ),
    Field(
        "measured",
        boolean,
        "Whether the container counts in the result.",
        "measured: false",
        default=True,
        group="measurement",
    ),
)
CONTAINER_FIELDS += (
    Field(
        "docker",
        _docker_options(),
        "Further options of `community.docker.docker_container`, passed through unchanged.",
        "docker: {shm_size: 1g}",
        default={},
        group="more",
    ),
)
#: the sections of docs/profile.md in which they are shown
CONTAINER_GROUPS = ("what", "environment", "files", "network", "placement", "hardware", "order", "measurement", "more")
#: options that the plan sets by itself
PLANNED = ("state", "pull", "labels", "etc_hosts")
#: docker_container options that may not stand under ``docker``, and the field to use (None: the plan sets it)
RESERVED: dict[str, str | None] = {
    **dict.fromkeys(option for option in PLANNED if option not in _SHARED),
    **{option: field.name for field in CONTAINER_FIELDS for option in field.options if option not in _SHARED},
    # of several fields that become an option the one that is called like it
    **{
        field.name: field.name
        for field in CONTAINER_FIELDS
        if field.name in field.options and field.name not in _SHARED
    },
    "env_file": "env_file",
}
#: the fields that are a docker_container option each
PLAIN_FIELDS = tuple(field for field in CONTAINER_FIELDS if field.plain)
#: the field that takes the value of an option as it is, by option
FIELD_OF: dict[str, str] = {"cpuset_cpus": "cpuset", **{field.options[0]: field.name for field in PLAIN_FIELDS}}


def of_options(written: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say what these docker_container options do: an option's own, and ``docker`` for the others.

    ValueError for one that a profile can say in no such way.
    """
    rest = {option: value for option, value in written.items() if option not in FIELD_OF}
    for option in rest:
        if option in RESERVED or option not in docker_options.NAMES:
            raise ValueError(f"no field takes the value of the option {option!r} as it is")
    own = {FIELD_OF[option]: value for option, value in written.items() if option in FIELD_OF}
    return {**own, "docker": rest}


# -- the profile


@typed(type="string", pattern=f"^{_VARIABLE}$")
def _variable(value: Any) -> str:
    if not re.fullmatch(_VARIABLE, str(value)):
        raise ValueError("no template can use this name: letters, digits and '_' only, and no digit first")
    return str(value)


MODELS_FIELDS: tuple[Field, ...] = (
    Field("image", image, "The image that makes them.", "image: retail/models:1", required=True),
    Field("command", command, "Its command.", "command: [--seed, 7]", default=[]),
    Field("names", list_of(text), "Names of the models that it makes.", "names: [face-detection]", default=[]),
)
_MODELS = record(MODELS_FIELDS)


@typed(anyOf=[text.schema, _MODELS.schema])
def _models(value: Any) -> Any:
    return (text if isinstance(value, str) else _MODELS)(value)


_ANYTHING = Type(lambda value: value, {})
# With ``use`` an entry needs neither name nor image of its own.
_CONTAINER = record(CONTAINER_FIELDS, required=[], anyOf=[{"required": ["name", "image"]}, {"required": ["use"]}])
PROFILE_FIELDS: tuple[Field, ...] = (
    Field("description", text, "What the profile is for, in a line.", "description: OVMS and gRPC clients"),
    Field(
        "warnings",
        list_of(text),
        "What its users should know; every plan shows it.",
        "warnings: [The camera of the original is simulated here.]",
        default=[],
    ),
    Field(
        "variables",
        mapping_of(_ANYTHING, _variable),
        "What the variables of its templates are where neither the inventory nor `-e` says it.",
        "variables: {llm_model: OpenVINO/Qwen3-0.6B-int4-ov}",
    ),
    Field(
        "containers",
        Type(list_of(_CONTAINER).parse, {"type": "array", "minItems": 1, "items": _CONTAINER.schema}),
        "The container configurations, in order; at least one.",
        "containers: [{name: one, image: debian}]",
        required=True,
    ),
    Field(
        "objectives",
        OBJECTIVES,
        "What a run must reach, see [Objectives](#objectives).",
        "objectives: [{metric: fps, container: client, at_least: 14.95, tolerance: 0.05}]",
        default=[],
    ),
    Field(
        "density",
        DENSITY,
        "What a stream is, see [Stream density](#stream-density).",
        "density: {container: client}",
    ),
    Field(
        "networks",
        NETWORKS,
        "Networks that are more than a name, see [Networks](#networks).",
        "networks: {inference: {subnet: 172.30.0.0/24}, plant: {external: true}}",
    ),
    Field(
        "volumes",
        NAMED_VOLUMES,
        "Named volumes that are more than a name, see [Volumes](#volumes).",
        "volumes: {cache: {driver: local}, recordings: {external: true}}",
    ),
    Field(
        "builds",
        mapping_of(BUILD),
        "Images that `prepare_hosts.yml` builds: image to context under the profile's folder, or a [mapping](#builds),"
        " or to the profile that builds it. Those of a profile whose entry is used come along.",
        "builds: {retail/models:1: ./images/models}",
    ),
    Field(
        "models",
        _models,
        "How the models are made: the image is run once and writes `NAME/<version>/…`, or `NAME/…`, to `/models`; or"
        " the profile that says it.",
        "models: {image: retail/models:1, names: [face-detection]}",
    ),
)
