# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenVINO Model Server's command line and configuration file, by version: what is valid, and what to write instead.

The planner checks profiles with it, and the stand-in what it is started with, by a copy in its build context, so that
only the standard library is used here. From the server's sources, ``src/{cli_parser,config,schema}.cpp``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Version = tuple[int, int]
NEWEST: Version = (2026, 4)
VERSION_FOLDER_OPTIONAL = BEST_DEVICE_BY_DEFAULT = (2026, 3)
CLOUD = ("s3://", "gs://", "az://", "azfs://", "azure://")
MODEL_FILES = (".xml", ".onnx", ".pdmodel", ".pdiparams", ".pb", ".tflite")
GRAPH_FILE = "graph.pbtxt"
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")
_STATEFUL = "leave it out; stateful models are served by images up to 2026.2"


def version_of(text: str) -> Version:
    """The version in a tag or a name, such as ``2025.4.1-gpu``; the newest where there is none."""
    found = re.search(r"(?<!\d)(20\d\d)\.(\d{1,2})(?!\d)", text)
    return (int(found[1]), int(found[2])) if found else NEWEST


def shown(version: Version | None) -> str:
    """``2025.4``."""
    return ".".join(map(str, version or ()))


@dataclass(frozen=True)
class Problem:
    """What is wrong: where (an option, or the path in the configuration), by which word of the schema, in words."""

    path: tuple[str | int, ...]
    keyword: str
    words: str

    @property
    def pointer(self) -> str:
        """The path as the server writes it, ``/model_config_list/0``."""
        return "".join(f"/{part}" for part in self.path)

    @property
    def key(self) -> str:
        """The path as people write it, ``model_config_list[0].config``."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return "".join(parts).removeprefix(".")


@dataclass(frozen=True, kw_only=True)
class Known:
    """Something that versions from ``since`` on know, and from ``until`` on no more; ``instead`` says what to do."""

    since: Version = (0, 0)
    until: Version | None = None
    instead: str = ""

    def is_in(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version < self.until)

    def absence(self, version: Version) -> str:
        """Why a version does not know it."""
        why = f"there since {shown(self.since)}" if version < self.since else f"gone since {shown(self.until)}"
        return f"it is {why}, and this is {shown(version)}{f': {self.instead}' if self.instead else ''}"


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {found[0]}?" if found else ""


@dataclass(frozen=True, kw_only=True)
class Family(Known):
    """A family of metrics; those that are not ``listed`` are shown without a list, too."""

    name: str
    listed: bool = False


def _families(names: str, **known: Any) -> list[Family]:
    return [Family(name=f"ovms_{name}", **known) for name in names.split()]


FAMILIES: tuple[Family, ...] = (
    *_families("current_requests requests_success requests_fail request_time_us streams inference_time_us"),
    *_families("wait_for_infer_req_time_us"),
    *_families("infer_req_queue_size infer_req_active", listed=True),
    *_families("current_graphs requests_accepted requests_rejected responses", since=(2024, 5)),
    *_families("graph_error graph_processing_time_us", since=(2025, 0)),
)


def default_families(version: Version) -> frozenset[str]:
    """The families that are shown where no list of them is given."""
    return frozenset(family.name for family in FAMILIES if family.is_in(version) and not family.listed)


def unknown_families(names: Iterable[str], version: Version) -> list[str]:
    """Those of these families that a version does not have."""
    known = {family.name for family in FAMILIES if family.is_in(version)}
    return [name for name in names if name not in known]


# -- the command line


@dataclass(frozen=True, kw_only=True)
class Option(Known):
    """An option: ``kind`` is text, number, real or flag.

    ``group`` is what it is for: server, config, model (the only one), generate (a generative one), stateful, manage
    (the server is not started), or a task.
    """

    name: str
    kind: str = "text"
    group: str = "server"


def _options(group: str, kind: str, names: str, **known: Any) -> list[Option]:
    return [Option(name=name, kind=kind, group=group, **known) for name in names.split()]


_UNTIL_STATELESS: Mapping[str, Any] = {"until": (2026, 3), "instead": _STATEFUL}
OPTIONS: tuple[Option, ...] = (
    *_options("server", "number", "port rest_port grpc_workers grpc_max_threads grpc_memory_quota rest_workers"),
    *_options("server", "number", "file_system_poll_wait_seconds custom_node_resources_cleaner_interval_seconds"),
    *_options("server", "text", "grpc_bind_address rest_bind_address log_level log_path trace_path cache_dir"),
    *_options("server", "text", "grpc_channel_arguments metrics_list cpu_extension"),
    *_options("server", "flag", "metrics_enable"),
    *_options("server", "text", "allowed_local_media_path allowed_origins", since=(2025, 2)),
    *_options("server", "text", "allowed_methods allowed_headers", since=(2025, 2)),
    *_options("server", "flag", "allow_credentials", since=(2025, 2)),
    *_options("server", "text", "api_key_file", since=(2025, 4)),
    *_options("server", "text", "allowed_media_domains", since=(2026, 0)),
    *_options("server", "flag", "verbose_response", since=(2026, 3)),
    *_options("config", "text", "config_path"),
    *_options("model", "text", "model_name model_path batch_size shape layout model_version_policy"),
    *_options("model", "text", "target_device plugin_config"),
    *_options("model", "number", "nireq"),
    *_options("model", "text", "mean scale color_format precision", since=(2026, 0)),
    *_options("model", "text", "resize", since=(2026, 0), until=(2026, 1)),
    *_options("stateful", "number", "sequence_cleaner_poll_wait_minutes max_sequence_number", **_UNTIL_STATELESS),
    *_options("stateful", "flag", "stateful idle_sequence_cleanup low_latency_transformation", **_UNTIL_STATELESS),
    *_options("generate", "text", "source_model model_repository_path task", since=(2025, 2)),
    *_options("generate", "flag", "overwrite_models", since=(2025, 2)),
    *_options("generate", "text", "gguf_filename weight-format extra_quantization_params", since=(2025, 3)),
    *_options("generate", "text", "source_loras", since=(2026, 2)),
    *_options("manage", "flag", "help version"),
    *_options("manage", "flag", "pull list_models add_to_config remove_from_config", since=(2025, 2)),
    *_options("manage", "flag", "configure", since=(2026, 3)),
    *_options(
        "text_generation", "number", "max_num_seqs max_num_batched_tokens cache_size max_prompt_len", since=(2025, 2)
    ),
    *_options("text_generation", "number", "cache_interval_multiplier", since=(2026, 2)),
    *_options("text_generation", "text", "pipeline_type draft_source_model kv_cache_precision", since=(2025, 2)),
    *_options("text_generation", "text", "enable_prefix_caching dynamic_split_fuse", since=(2025, 2)),
    *_options("text_generation", "text", "response_parser", since=(2025, 2), until=(2025, 3)),
    *_options("text_generation", "text", "reasoning_parser tool_parser enable_tool_guided_generation", since=(2025, 3)),
    *_options("text_generation", "text", "model_distribution_policy", since=(2025, 4)),
    *_options("rerank", "number", "max_allowed_chunks", since=(2025, 2)),
    *_options("embeddings", "text", "normalize", since=(2025, 2)),
    *_options("embeddings", "text", "mean_pooling", since=(2025, 2), until=(2025, 3), instead="write --pooling"),
    *_options("embeddings", "text", "truncate pooling", since=(2025, 3)),
    *_options("image_generation", "text", "max_resolution default_resolution", since=(2025, 2)),
    *_options("image_generation", "number", "max_num_images_per_prompt default_num_inference_steps", since=(2025, 2)),
    *_options("image_generation", "number", "max_num_inference_steps", since=(2025, 2)),
    *_options("image_generation", "text", "resolution", since=(2025, 3)),
    *_options("image_generation", "number", "num_images_per_prompt", since=(2025, 3)),
    *_options("image_generation", "real", "guidance_scale", since=(2025, 3)),
    *_options("text2speech", "text", "vocoder", since=(2025, 4)),
    *_options("text2speech", "text", "model_type", since=(2026, 3)),
    *_options("tasks", "number", "num_streams", since=(2025, 2)),
)
BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}
TASKS: Mapping[str, Version] = {
    **dict.fromkeys(("text_generation", "embeddings", "rerank", "image_generation"), (2025, 2)),
    **dict.fromkeys(("text2speech", "speech2text"), (2025, 4)),
}
EXCLUSIVE = ("batch_size", "shape", "nireq", "model_version_policy", "target_device", "plugin_config")
_KINDS = {
    "number": (r"\d{1,19}", "a whole number from 0 on"),
    "real": (r"\d+(\.\d*)?", "a number"),
    "flag": ("true|false|", "true or false"),
    "text": (r"[\s\S]+", "a value"),
}
_NEEDS_LAYOUT = ("mean", "scale", "color_format", "precision")


def given(words: Sequence[str], version: Version) -> tuple[dict[str, str], list[Problem]]:
    """The options of a command line with their values (of a flag: true or false), and what is wrong with each."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    rest = ["--help" if word == "-h" else word for word in words]
    while rest:
        word = rest.pop(0)
        name, equals, value = word[2:].partition("=")
        option = BY_NAME.get(name)
        if not word.startswith("--") or not name:
            problems.append(Problem((word,), "unmatched", "it belongs to no option"))
            continue
        if option is not None and option.kind == "flag":
            follows = not equals and rest[:1] and rest[0] in ("true", "false")
            value = value if equals else rest.pop(0) if follows else "true"
        elif not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        problems += filter(None, [_wrong(option, word if option is None else f"--{name}", value, version)])
        found[name] = value
    return found, problems


def _wrong(option: Option | None, word: str, value: str, version: Version) -> Problem | None:
    if option is None:
        near = _nearest(word.partition("=")[0], (f"--{one.name}" for one in OPTIONS if one.is_in(version)))
        return Problem((word,), "unmatched", f"OVMS {shown(version)} has no such option{near}")
    if not option.is_in(version):
        return Problem((word,), "unmatched", option.absence(version))
    if "$" in value:
        return None  # what a shell makes of it is not known here
    pattern, words = _KINDS[option.kind]
    is_fine = re.fullmatch(pattern, value) or option.name == "metrics_list"
    return None if is_fine else Problem((word,), "value", f"it takes {words}, not {value!r}")


def managed(options: Mapping[str, str]) -> str | None:
    """The option, if any, that has a model pulled or a configuration written instead, after which the server ends."""
    on = (name for name, value in options.items() if value not in ("", "false"))
    return next((name for name in on if name in BY_NAME and BY_NAME[name].group == "manage"), None)


def port(options: Mapping[str, str], name: str, version: Version) -> int:
    """The number of ``port`` or ``rest_port``; 0 where the interface is off, or its number not known here."""
    text = options.get(name, _default_port(version) if name == "port" else "0")
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0


def _default_port(version: Version) -> str:
    return "9178" if version < (2025, 1) else "0"


def metrics_are_on(options: Mapping[str, str]) -> bool:
    return options.get("metrics_enable", "false") != "false"


def contradictions(options: Mapping[str, str], version: Version) -> Iterator[tuple[str, str]]:
    """What options say against each other, in OVMS's own words, each with what to do."""
    if managed(options):
        return
    has = options.keys()
    folder = "model_path" if version >= (2026, 2) and "model_path" in has else "model_repository_path"
    pulled = "source_model" in has or has >= {"task", folder}
    if "config_path" in has and has & {"model_name", "model_path"}:
        yield "Use either config_path or model_path with model_name", "leave one of them out"
    elif "config_path" not in has and not pulled and not has >= {"model_name", "model_path"}:
        yield "Use config_path or model_path with model_name", "say what is served"
    if "config_path" in has and (wrong := [name for name in EXCLUSIVE if name in has]):
        words = f"write {', '.join(wrong)} into the configuration file"
        yield "Model parameters in CLI are exclusive with the config file", words
    if "source_model" in has and "task" not in has and version < (2026, 3):
        yield "--source_model should be used combined with --task", f"add --task, one of {', '.join(_tasks(version))}"
    if "task" in has and options["task"] not in _tasks(version) and "$" not in options["task"]:
        yield f"--task parameter unsupported value: {options['task']}", f"write one of {', '.join(_tasks(version))}"
    if metrics_are_on(options) and options.get("rest_port", "0") == "0":
        yield "rest_port setting is missing, metrics are enabled on rest port", "add --rest_port"
    if options.get("metrics_list") and not metrics_are_on(options):
        yield "metrics_enable setting is missing, required when metrics_list is provided", "add --metrics_enable"
    yield from _ports(options, version)
    if options.get("log_level", "INFO") not in LOG_LEVELS and "$" not in options["log_level"]:
        yield f"log_level should be one of: {', '.join(LOG_LEVELS)}", "write one of them"
    if "rest_workers" in has and options.get("rest_port", "0") == "0":
        yield "rest_workers is set but rest_port is not set", "add --rest_port, or leave it out"
    elif options.get("rest_workers", "2") in ("0", "1"):
        yield "rest_workers count should be from 2 on", "raise it"
    if options.get("grpc_workers", "1") == "0":
        yield "grpc_workers count should be from 1 to CPU core count", "raise it"
    for name in _NEEDS_LAYOUT:
        if name in has and "layout" not in has:
            yield f"--{name} parameter requires --layout to be set", "add --layout"


def _tasks(version: Version) -> list[str]:
    return [task for task, since in TASKS.items() if since <= version]


def _ports(options: Mapping[str, str], version: Version) -> Iterator[tuple[str, str]]:
    grpc, rest = options.get("port", _default_port(version)), options.get("rest_port", "0")
    if grpc == rest == "0":
        yield "port and rest_port cannot both be unset", "add --port or --rest_port"
    elif grpc == rest:
        yield "port and rest_port cannot have the same values", "give each a port of its own"
    for name, value in (("port", grpc), ("rest_port", rest)):
        if value.isdecimal() and (len(value) > 9 or int(value) > 65535):
            yield f"{name} number out of range from 0 to 65535", "write a port number"


# -- the configuration file


@dataclass(frozen=True)
class Shape:
    """What a value may be: ``words`` for it, the ``keys`` of a mapping, what ``each`` item or other key holds.

    ``against``: what of its keys does not go together, in words.
    """

    words: str
    accepts: Callable[[Any], bool]
    keys: Mapping[str, Key] | None = None
    each: Shape | None = None
    keyword: str = "type"
    against: Callable[[Any], str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Key(Known):
    """A key of a mapping; ``needed`` says which versions cannot do without it."""

    shape: Shape
    needed: Known | None = None


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _from(lowest: int) -> Shape:
    return Shape(f"a whole number from {lowest} on", lambda value: _whole(value) and value >= lowest)


def _of(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _list(each: Shape) -> Shape:
    return Shape("a list", _of(list), each=each)


def _record(needed: Sequence[str] = (), **keys: Shape | Key) -> Shape:
    """A mapping of these keys and no others."""
    made = {name: key if isinstance(key, Key) else Key(shape=key) for name, key in keys.items()}
    made.update({name: Key(shape=made[name].shape, needed=Known()) for name in needed})
    return Shape("a mapping", _of(dict), keys=made)


def _open(each: Shape, **keys: Shape) -> Shape:
    """A mapping of these keys and any others."""
    return replace(_record(list(keys), **keys), each=each)


def _one_of(words: str, *shapes: Shape) -> Shape:
    def accepts(value: Any) -> bool:
        return any(not any(_problems(shape, value, (), NEWEST)) for shape in shapes)

    return Shape(words, accepts, keyword="oneOf")


_TEXT, _TRUTH = Shape("a text", _of(str)), Shape("true or false", _of(bool))
_NAME = Shape("a name", lambda value: isinstance(value, str) and value != "")
_TEXTS = _open(_TEXT)
_BY_INPUT = _one_of('a text, or a mapping such as {"input": "text"}', _TEXT, _TEXTS)
_POLICY = _one_of(
    '{"all": {}}, {"latest": {"num_versions": 1}} or {"specific": {"versions": [1]}}',
    _record(["all"], all=_record()),
    _record(["latest"], latest=_record(["num_versions"], num_versions=_from(1))),
    _record(["specific"], specific=_record(["versions"], versions=_list(_from(1)))),
)
_GRAPH_IN_LIST: dict[str, Any] = {"since": (2025, 1), "instead": "put it into mediapipe_config_list"}
_MODEL = _record(
    ["name"],
    name=_NAME,
    base_path=Key(shape=_TEXT, needed=Known(until=(2025, 1))),
    batch_size=Shape("a text or a whole number from 0 on", lambda v: isinstance(v, str) or (_whole(v) and v >= 0)),
    graph_path=Key(shape=_TEXT, **_GRAPH_IN_LIST),
    subconfig=Key(shape=_TEXT, **_GRAPH_IN_LIST),
    model_version_policy=_POLICY,
    shape=_BY_INPUT,
    layout=_BY_INPUT,
    nireq=_from(0),
    target_device=Shape("a text, such as GPU or AUTO:GPU,CPU", _of(str)),
    allow_cache=_TRUTH,
    plugin_config=_open(Shape("a text, a number, true or false", _of(str, bool, int, float))),
    **dict.fromkeys(
        ("stateful", "idle_sequence_cleanup", "low_latency_transformation"), Key(shape=_TRUTH, **_UNTIL_STATELESS)
    ),
    max_sequence_number=Key(shape=_from(0), **_UNTIL_STATELESS),
    custom_loader_options=_open(Shape("any", lambda _value: True), loader_name=_TEXT),
)
_SOURCE = Shape(
    'a mapping of one key, such as {"input": {"node_name": "request", "data_item": "image"}}',
    lambda value: isinstance(value, dict) and len(value) == 1,
    keys={},
    each=_record(["node_name", "data_item"], node_name=_TEXT, data_item=_TEXT),
)
_DEMULTIPLY = Shape("a whole number from -1 to 10000", lambda value: _whole(value) and -1 <= value <= 10000)
_NODE = _record(
    ["name", "type", "inputs", "outputs"],
    **dict.fromkeys(("name", "model_name", "library_name", "gather_from_node"), _TEXT),
    type=Shape('"DL model" or "custom"', lambda value: value in ("DL model", "custom"), keyword="enum"),
    version=_from(1),
    inputs=_list(_SOURCE),
    outputs=_list(_record(["data_item", "alias"], data_item=_TEXT, alias=_TEXT)),
    params=_TEXTS,
    demultiply_count=_DEMULTIPLY,
)


def _node_against(node: Mapping[str, Any]) -> str | None:
    needed, other = ("library_name", "model_name") if node.get("type") == "custom" else ("model_name", "library_name")
    return None if needed in node and other not in node else f"of its type it has {needed}, and no {other}"


_PIPELINE = _record(
    ["name", "nodes", "inputs", "outputs"],
    name=_TEXT,
    nodes=_list(replace(_NODE, against=_node_against)),
    inputs=_list(_TEXT),
    outputs=_list(_SOURCE),
    demultiply_count=_DEMULTIPLY,
)
_LOADER = _record(["loader_name", "library_path"], loader_name=_TEXT, library_path=_TEXT, loader_config_file=_TEXT)
CONFIGURATION = _record(
    ["model_config_list"],
    model_config_list=_list(_record(["config"], config=_MODEL)),
    mediapipe_config_list=_list(_record(["name"], name=_NAME, base_path=_TEXT, graph_path=_TEXT, subconfig=_TEXT)),
    pipeline_config_list=_list(_PIPELINE),
    custom_node_library_config_list=_list(_record(["name", "base_path"], name=_TEXT, base_path=_TEXT)),
    custom_loader_config_list=_list(_record(["config"], config=_LOADER)),
    monitoring=_record(["metrics"], metrics=_record(["enable"], enable=_TRUTH, metrics_list=_list(_TEXT))),
)
#: what people write where it does not belong: the key, and what to do
_ELSEWHERE = {
    "latest": "since 2024.0 it is model_version_policy in config",
    "metrics": "write it into monitoring",
    "config": 'write its keys without "config" around them',
    "target_device": "a graph names its device itself, in its graph.pbtxt",
}


def configuration_problems(document: Any, version: Version) -> Iterator[Problem]:
    """What a version does not take in its configuration file, in the order of the file."""
    found = list(_problems(CONFIGURATION, document, (), version))
    yield from found
    if found or "monitoring" not in document:
        return
    at = ("monitoring", "metrics", "metrics_list")
    listed = document["monitoring"]["metrics"].get("metrics_list", ())
    for number, name in enumerate(listed):
        if unknown_families([name], version):
            near = _nearest(name, (family.name for family in FAMILIES if family.is_in(version)))
            yield Problem((*at, number), "family", f"OVMS {shown(version)} has no metric {name!r}{near}")


def _problems(shape: Shape, value: Any, path: tuple[str | int, ...], version: Version) -> Iterator[Problem]:
    if not shape.accepts(value):
        yield Problem(path, shape.keyword, f"it takes {shape.words}, not {_found(value)}")
    elif isinstance(value, list) and shape.each is not None:
        for number, item in enumerate(value):
            yield from _problems(shape.each, item, (*path, number), version)
    elif isinstance(value, dict) and shape.keys is not None:
        yield from _keys(shape.keys, shape.each, value, path, version)
        if shape.against is not None and (words := shape.against(value)):
            yield Problem(path, "oneOf", words)


def _keys(
    keys: Mapping[str, Key], each: Shape | None, value: Mapping[str, Any], path: tuple[str | int, ...], version: Version
) -> Iterator[Problem]:
    for name, item in value.items():
        key = keys.get(name)
        if key is not None and not key.is_in(version):
            yield Problem((*path, name), "additionalProperties", key.absence(version))
        elif key is not None or each is not None:
            yield from _problems(key.shape if key is not None else each, item, (*path, name), version)  # type: ignore[arg-type]
        else:
            yield Problem((*path, name), "additionalProperties", _unknown(name, keys, version))
    for name, key in keys.items():
        if key.needed is not None and key.needed.is_in(version) and name not in value:
            inside = name == "config" and "name" in value
            words = "it is missing: write the model's keys into it" if inside else f"{name} is missing"
            yield Problem((*path, name), "required", words)


def _unknown(name: str, keys: Mapping[str, Key], version: Version) -> str:
    words = f"; {_ELSEWHERE[name]}" if name in _ELSEWHERE else _nearest(name, keys)
    return f"OVMS {shown(version)} has no such key here{words}"


def _found(value: Any) -> str:
    plain = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else plain
