# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of profile_measure: its arguments, and from these to its result."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR, engine_url
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import Leases, parse_claim, working
from ansible_collections.retail.profiles.plugins.module_utils.host import model_digests
from ansible_collections.retail.profiles.plugins.module_utils.sampler import config, control


def argument_spec() -> dict[str, Any]:
    return {
        "state": {"type": "str", "choices": ["started", "collected", "stopped"], "required": True},
        "run_id": {"type": "str", "required": True},
        "run_dir": {"type": "path"},
        "at": {"type": "float"},
        "state_dir": {"type": "path", "default": STATE_DIR},
        "interval": {"type": "float", "default": 1.0},
        "deadline": {"type": "float", "default": 3600},
        "models": {"type": "list", "elements": "path", "default": []},
        "offset": {"type": "int", "default": 0},
        "replicas": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "prometheus": {
                    "type": "dict",
                    "options": {
                        "port": {"type": "int", "required": True},
                        "path": {"type": "str", "default": "/metrics"},
                        "prefixes": {"type": "list", "elements": "str", "default": ["ovms_"]},
                    },
                },
                "network": {"type": "str", "default": "own"},
                "files": {"type": "list", "elements": "str", "default": []},
            },
        },
        "lease": {
            "type": "dict",
            "options": {
                "deployment": {"type": "str", "required": True},
                "holder": {"type": "str", "required": True},
                "owner": {"type": "str", "required": True},
                "epoch": {"type": "int", "required": True},
            },
        },
        "release": {"type": "bool", "default": False},
        "docker_host": {"type": "str"},
    }


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    try:
        result = {"failed": False, **_act(params, check)}
    except ProfileError as error:
        return {"failed": True, "msg": str(error), "clock": time.time()}
    except OSError as error:  # what no check foresaw: a file of another user, a file system gone bad
        told = f"{error.filename or 'the sampler'}: {error.strerror or error}"
        return {"failed": True, "msg": told, "clock": time.time()}
    return {**result, "clock": time.time(), "cpu_seconds": round(time.process_time(), 3)}


def _act(params: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Bring the measurement to the state asked for; the module's result but for the clock. Raises ProfileError."""
    files = config.run_files(params["state_dir"], params["run_id"])
    claim = None if check else parse_claim(params["lease"])
    deployment, leases = str((params["lease"] or {}).get("deployment")), Leases(params["state_dir"])
    if params["state"] == "started" and claim is not None:
        # Alone on the deployment: whoever takes it over finds a sampler that runs, or none will.
        with working(leases, deployment, claim):
            return _start(files, params, check)
    if params["state"] == "started":
        return _start(files, params, check)
    if claim is not None and params["release"]:
        leases.give_back(deployment, claim)
    elif claim is not None:
        with contextlib.suppress(ProfileError):  # what was lost is not this call's matter: it only looks
            leases.obtain(deployment, claim)
    if params["state"] == "collected":
        return control.collected(files, params["offset"])
    return control.stopped(files, params["offset"], check)


def _start(files: config.RunFiles, params: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Start the sampler of a run. Raises ProfileError."""
    config.check_times(params["interval"], params["deadline"])
    asked = config.Config(
        interval=params["interval"],
        deadline=params["deadline"],
        engine=config.socket_of(engine_url(params["docker_host"])),
        replicas=config.watched(params["replicas"]),
    )
    # Before the sampler is there: reading models is no part of what it measures.
    models = model_digests.digests(params["models"])
    return {**control.started(files, asked, check), "models": models}
