# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a call of a host may take, by what it waits for, and what it does, in words. Pure.

A limit is no forecast: what reaches it hangs. What can be told sooner (an engine that does not answer, a replica that
is not ready, a link that is cut) has limits of its own, all of which are below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT

ALLOWANCE = 60.0
"""Seconds for all that a call does beside what it waits for: it connects, starts Python, waits for the one before."""
PULL = 600.0
"""Seconds for an image that may have to be pulled."""
SLOWEST = 1e6
"""Bytes a second of the slowest way to a host."""
_LOGS = 60.0
_MODEL = 60.0
"""Seconds for a piece of the logs, which none waits for longer; and for reading a model of some gigabytes."""
_STOP_TIMEOUT = 10.0
_READY_TIMEOUT = 60.0
_UNKNOWN = 20
"""Engine calls in a row, where it is not known how many replicas there are."""


@dataclass(frozen=True)
class Limit:
    """*doing*: what the call does, as "removing deployment demo"; *seconds*: after which it is given up."""

    doing: str
    seconds: float


def of_short(doing: str, engine_timeout: object = ENGINE_TIMEOUT) -> Limit:
    """The limit of a call that asks a little and answers at once."""
    return Limit(doing, ALLOWANCE + _seconds(engine_timeout))


def _seconds(engine_timeout: object) -> float:
    try:
        return max(1.0, float(str(engine_timeout)))
    except ValueError:
        message = f"{engine_timeout!r} is no number of seconds"
        raise ProfileError(message, field="profile_engine_timeout") from None


def of_apply(args: Mapping[str, Any]) -> Limit:
    """The limit of a call of profile_apply."""
    state = str(args.get("state") or "present")
    engine = _seconds(args.get("engine_timeout", ENGINE_TIMEOUT))
    replicas = _replicas(args.get("share") or {})
    seconds = ALLOWANCE + engine * (_UNKNOWN if state == "absent" else 2 + len(replicas))
    seconds += float(args.get("lock_wait") or 0.0)
    if state in ("checked", "prepared", "present"):
        seconds += PULL * len({(item.get("task") or {}).get("image") for item in replicas if _pulls(item)})
        seconds += sum(len(str(parcel.get("data") or "")) for parcel in args.get("archives") or ()) / SLOWEST
    if state in ("present", "ready"):
        seconds += sum(_ready(item) for item in replicas)
        seconds += sum(float((item.get("task") or {}).get("stop_timeout") or _STOP_TIMEOUT) for item in replicas)
    named = f"deployment {args['deployment']}" if args.get("deployment") else "every deployment"
    return Limit(_DOING.get(state, "applying {}").format(named), seconds)


_DOING = {
    "checked": "looking whether the host can run {}",
    "prepared": "bringing files, networks and images for {}",
    "present": "applying {}",
    "ready": "waiting until {} is ready",
    "absent": "removing {}",
    "released": "giving {} back",
}


def _replicas(share: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(share.get("replicas") or ()), *(task for one in share.get("shared") or () for task in _replicas(one))]


def _pulls(replica: Mapping[str, Any]) -> bool:
    return bool(replica.get("pull", "missing") != "never")


def _ready(replica: Mapping[str, Any]) -> float:
    """How long a replica may take to be ready."""
    probes: Iterable[Mapping[str, Any]] = replica.get("ready") or ()
    return sum(float(probe.get("timeout") or _READY_TIMEOUT) for probe in probes)


def of_files(size: int) -> Limit:
    """The limit of bringing files to a host, by their size in bytes."""
    return Limit("sending files", ALLOWANCE + size / SLOWEST)


def of_measure(args: Mapping[str, Any], engine_timeout: object) -> Limit:
    """The limit of a call of profile_measure; what it waits for on the controller is not in it."""
    doing = {"started": "starting the sampler", "stopped": "stopping the sampler"}
    return of_short(doing.get(str(args.get("state")), "collecting samples"), engine_timeout)


def of_logs() -> Limit:
    """The limit of a call that reads a piece of the logs: who follows them looks at the screen."""
    return Limit("reading logs", _LOGS)


def of_models(count: int) -> Limit:
    """The limit of a call that reads so many models."""
    return Limit("reading models", ALLOWANCE + _MODEL * count)


def of_transfer(args: Mapping[str, Any]) -> Limit:
    """The limit of a call of image_transfer, which has one for the transfer itself."""
    state = str(args.get("state"))
    doing = {"sent": "sending images", "received": "receiving images"}.get(state, "making ready to receive images")
    longest = 0.0 if state == "awaited" else float(args.get("timeout") or 1800)
    return Limit(doing, ALLOWANCE + ENGINE_TIMEOUT + longest)
