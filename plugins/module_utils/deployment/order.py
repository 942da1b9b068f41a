# SPDX-License-Identifier: GPL-3.0-or-later
"""What one call of profile_apply is asked for, parsed once from the module's arguments into dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    ENGINE_TIMEOUT,
    NAME,
    SECRETS_LABEL,
    SHARED,
    SPEC_LABEL,
    STATE_DIR,
    is_shared,
)
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.options import ALIASES, OPTIONS
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import Claim, parse_claim
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import Probe, parse_probe

#: containers that are made, started or removed at once; more gains nothing on hosts with few cores
DEFAULT_CONCURRENCY = 4
#: what may have to be on a host before anything starts
NEEDED = ("path", "volume", "network", "container")
PULLS = ("missing", "always", "never")


@dataclass(frozen=True)
class ReplicaTask:
    """One replica: ``task`` as it was written, ``values`` its options checked and in the engine's terms.

    ``secrets`` are variables beside those of ``values``.
    """

    name: str
    container: str
    task: Mapping[str, Any]
    values: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    pull: str = "missing"
    ready: tuple[Probe, ...] = ()
    reach: tuple[Probe, ...] = ()
    probes: list[Any] = field(default_factory=list)

    @property
    def image(self) -> str:
        return str(self.values["image"])

    @property
    def spec(self) -> str:
        """The planner's hash of this replica's specification."""
        return str(self.values.get("labels", {}).get(SPEC_LABEL, ""))


@dataclass(frozen=True)
class ShippedFile:
    """A file or folder (*kind*) of the profile. *dest* is content-addressed, *sha256* as in :mod:`tree`."""

    path: str
    kind: str
    sha256: str
    mode: int
    dest: str


@dataclass(frozen=True)
class Archive:
    """The content of one shipped file or folder: a tar.gz in Base64, or in a *file* on this host."""

    data: Optional[str] = None
    file: Optional[str] = None


@dataclass(frozen=True)
class Needed:
    """What must be on the host: a path, with *model* one that also holds a version folder; or the engine's *kind*."""

    path: str
    container: str
    field: str
    model: Optional[str] = None
    kind: str = "path"


@dataclass(frozen=True)
class Share:
    """What one host has to run of one wave. Each of *shared* holds one replica that other deployments may use, too."""

    networks: tuple[Mapping[str, Any], ...] = ()
    files: tuple[ShippedFile, ...] = ()
    paths: tuple[Needed, ...] = ()
    replicas: tuple[ReplicaTask, ...] = ()
    shared: tuple[Share, ...] = ()

    def all_replicas(self) -> tuple[ReplicaTask, ...]:
        """Its replicas, and those that are shared."""
        return (*self.replicas, *(task for one in self.shared for task in one.replicas))

    def all_files(self) -> tuple[ShippedFile, ...]:
        """Its files, and those of what is shared."""
        return (*self.files, *(item for one in self.shared for item in one.files))


@dataclass(frozen=True)
class Order:
    """All that a call of profile_apply says."""

    state: str
    state_dir: str
    deployment: Optional[str] = None
    run_id: Optional[str] = None
    plan_id: Optional[str] = None
    share: Share = field(default_factory=Share)
    archives: Mapping[str, Archive] = field(default_factory=dict)
    expected: Optional[frozenset[str]] = None
    concurrency: int = DEFAULT_CONCURRENCY
    all_deployments: bool = False
    claim: Optional[Claim] = None
    release: bool = False
    lock_wait: float = 0.0
    check: bool = False
    snapshot: bool = False

    @property
    def name(self) -> str:
        """The deployment, for the states that cannot do without (:func:`parse_order` sees to it)."""
        if self.deployment is None:
            raise ProfileError("name a deployment", field="deployment")
        return self.deployment


def parse_order(params: Mapping[str, Any], check: bool = False) -> Order:
    """The module's arguments as an Order. Raises ProfileError with the container and field that are wrong."""
    deployment, run_id = params.get("deployment"), params.get("run_id")
    for option, value in (("deployment", deployment), ("run_id", run_id)):
        if value is not None and not NAME.match(value):
            raise ProfileError(f"{value!r} is not a name of letters, digits, '_', '.' and '-'", field=option)
    state, everything = str(params["state"]), bool(params.get("all"))
    if deployment is None and not (state in ("absent", "checked") and (everything or state == "checked")):
        raise ProfileError("name a deployment; state=absent alone also takes all=true", field="deployment")
    of = (params.get("lease") or {}).get("deployment")
    if of not in (None, deployment):
        raise ProfileError(f"it is of deployment {of}, not of {deployment}", field="lease")
    expected = params.get("expected")
    return Order(
        state=state,
        state_dir=str(params["state_dir"]).rstrip("/"),
        deployment=deployment,
        run_id=run_id,
        plan_id=params.get("plan_id"),
        share=with_secrets(parse_share(params.get("share") or {}), params.get("secrets"), state == "present"),
        archives={item["dest"]: Archive(item.get("data"), item.get("file")) for item in params.get("archives") or ()},
        expected=None if expected is None else frozenset(expected),
        concurrency=max(1, int(params.get("concurrency") or DEFAULT_CONCURRENCY)),
        all_deployments=everything,
        claim=parse_claim(params.get("lease")),
        release=bool(params.get("release")),
        lock_wait=float(params.get("lock_wait") or 0.0),
        check=check,
        snapshot=bool(params.get("snapshot")),
    )


def parse_share(share: Mapping[str, Any]) -> Share:
    """The share of a host as dataclasses."""
    return Share(
        networks=tuple(_given(item) for item in share.get("networks") or ()),
        files=tuple(
            ShippedFile(item["path"], item["kind"], item["sha256"], int(str(item["mode"]), 8), item["dest"])
            for item in share.get("files") or ()
        ),
        paths=tuple(
            Needed(item["path"], item["container"], item["field"], item.get("model"), item.get("kind") or "path")
            for item in share.get("paths") or ()
        ),
        replicas=tuple(parse_replica(item) for item in share.get("replicas") or ()),
        shared=tuple(_parse_shared(item) for item in share.get("shared") or ()),
    )


def with_secrets(share: Share, given: Optional[Mapping[str, Mapping[str, str]]], needed: bool) -> Share:
    """The share with each replica's secrets. Raises ProfileError where they are not those that its label names."""
    given = given or {}
    if not given and not needed:
        return share
    replicas = tuple(_with_secrets(task, given.get(task.name) or {}) for task in share.replicas)
    return replace(share, replicas=replicas, shared=tuple(with_secrets(one, given, needed) for one in share.shared))


def _with_secrets(task: ReplicaTask, given: Mapping[str, str]) -> ReplicaTask:
    expected = secret_env.names(task.values.get("labels"))
    if not expected and not given:
        return task
    for name in sorted({*expected, *given}):
        if name not in given or not isinstance(given[name], str):
            raise ProfileError(f"the secret {name} was not handed over", container=task.container, field="secret_env")
        if name not in expected:
            raise ProfileError(
                f"the secret {name} is not named by the label {SECRETS_LABEL}: it would not be kept out of logs",
                container=task.container,
                field="secret_env",
            )
    return replace(task, secrets=dict(given))


def _parse_shared(item: Mapping[str, Any]) -> Share:
    """A shared replica with its networks and files."""
    try:
        share = parse_share(item)
    except KeyError as error:
        raise ProfileError(f"lacks {error}", field="share.shared") from None
    names = [task.name for task in share.replicas]
    if len(names) != 1 or not is_shared(names[0]):
        raise ProfileError(
            f"holds {', '.join(names) or 'nothing'}, not one replica named {SHARED}NAME", field="share.shared"
        )
    return share


def parse_replica(item: Mapping[str, Any]) -> ReplicaTask:
    """One replica of the share; every option of its task is checked here."""
    container, task = str(item["container"]), _given(item["task"])
    values = parse_task(task, container)
    if values.get("name", item["name"]) != item["name"]:
        raise ProfileError(f"names the container {values['name']}, not {item['name']}", container=container)
    if "image" not in values:
        raise ProfileError("has no image", container=container, field="image")
    pull = item.get("pull") or "missing"
    if pull not in PULLS:
        raise ProfileError(f"{pull!r} is none of {', '.join(PULLS)}", container=container, field="pull")
    return ReplicaTask(
        name=str(item["name"]),
        container=container,
        task=task,
        values=values,
        pull=pull,
        ready=tuple(parse_probe(probe, container) for probe in item.get("ready") or ()),
        reach=tuple(parse_probe(probe, container) for probe in item.get("reach") or ()),
        probes=[_given(probe) for probe in item.get("ready") or ()],
    )


def parse_task(task: Mapping[str, Any], container: str) -> dict[str, Any]:
    """The options of a docker_container task in the engine's terms, by their proper names.

    Raises ProfileError that names the option: one that is not known here, or a value that is wrong.
    """
    values: dict[str, Any] = {}
    for written, value in task.items():
        name = ALIASES.get(written, written)
        option = OPTIONS.get(name)
        if option is None:
            raise ProfileError(
                f"the option {written} of docker_container is not known to profile_apply: "
                "remove it, or use profile_apply_with=docker_container",
                container=container,
                field=written,
            )
        try:
            parsed = option.parse(value)
        except (ValueError, KeyError, TypeError) as error:
            raise ProfileError(str(error), container=container, field=written) from None
        if option.choices and parsed not in option.choices:
            raise ProfileError(f"{parsed!r} is none of {', '.join(option.choices)}", container=container, field=written)
        values[name] = parsed
    return values


def _given(item: Mapping[str, Any]) -> dict[str, Any]:
    """Without the keys that Ansible fills with None."""
    return {str(key): value for key, value in item.items() if value is not None}


def argument_spec() -> dict[str, Any]:
    text = {"type": "str"}
    needed = {"type": "str", "required": True}
    dicts = {"type": "list", "elements": "dict"}
    return {
        "state": {
            "type": "str",
            "choices": ["checked", "prepared", "present", "ready", "absent", "released"],
            "default": "present",
        },
        "snapshot": {"type": "bool", "default": False},
        "engine_timeout": {"type": "int", "default": ENGINE_TIMEOUT},
        "deployment": text,
        "all": {"type": "bool", "default": False},
        "lease": {
            "type": "dict",
            "options": {
                "deployment": text,
                "holder": needed,
                "owner": needed,
                "epoch": {"type": "int"},
                "running": {"type": "list", "elements": "str"},
                "force": {"type": "bool", "default": False},
            },
        },
        "release": {"type": "bool", "default": False},
        "lock_wait": {"type": "float", "default": 0},
        "run_id": text,
        "plan_id": text,
        "state_dir": {"type": "path", "default": STATE_DIR},
        "share": {
            "type": "dict",
            "options": {
                "networks": dicts,
                "files": {
                    **dicts,
                    "options": {
                        "path": needed,
                        "kind": {"type": "str", "choices": ["file", "directory"], "default": "file"},
                        "sha256": needed,
                        "mode": {"type": "str", "default": "0644"},
                        "size": {"type": "int"},
                        "dest": needed,
                    },
                },
                "paths": {
                    **dicts,
                    "options": {
                        "kind": {"type": "str", "choices": list(NEEDED), "default": "path"},
                        "path": needed,
                        "container": needed,
                        "field": needed,
                        "model": text,
                    },
                },
                "replicas": {
                    **dicts,
                    "options": {
                        "name": needed,
                        "container": needed,
                        "task": {"type": "dict", "required": True},
                        "pull": {"type": "str", "choices": list(PULLS), "default": "missing"},
                        "ready": dicts,
                        "reach": dicts,
                    },
                },
                "shared": dicts,
            },
        },
        "wave": {"type": "int"},
        "sources": {"type": "dict", "default": {}},
        "missing": {"type": "list", "elements": "str", "default": []},
        "archives": {
            **dicts,
            "default": [],
            "options": {"dest": needed, "data": text, "file": {"type": "path"}},
        },
        "secrets": {"type": "dict", "no_log": True},
        "expected": {"type": "list", "elements": "str"},
        "concurrency": {"type": "int", "default": DEFAULT_CONCURRENCY},
    }
