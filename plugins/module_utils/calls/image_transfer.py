# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of image_transfer: its arguments, and from these to its result."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR
from ansible_collections.retail.profiles.plugins.module_utils.engine.archives import connect
from ansible_collections.retail.profiles.plugins.module_utils.images import receiver, sender
from ansible_collections.retail.profiles.plugins.module_utils.images.stream import listen


def argument_spec() -> dict[str, Any]:
    text = {"type": "str"}
    masked = {"type": "str", "no_log": True}
    return {
        "state": {"type": "str", "choices": ["awaited", "sent", "received"], "required": True},
        "name": {"type": "str", "required": True},
        "docker_host": text,
        "state_dir": {"type": "path", "default": STATE_DIR},
        "timeout": {"type": "int", "default": 1800},
        "secret": masked,
        "token": masked,
        "addresses": {"type": "list", "elements": "str", "default": []},
        "port": {"type": "int", "default": 0},
        "images": {"type": "dict", "default": {}},
        "transfers": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "images": {"type": "list", "elements": "dict", "required": True},
                "blobs": {"type": "list", "elements": "str", "default": []},
                "archive": {"type": "bool", "default": False},
                "root": {"type": "dict", "required": True},
            },
        },
        "dial": {"type": "bool", "default": True},
        "path": {"type": "path"},
    }


REQUIRED_IF = (("state", "awaited", ("token",)), ("state", "sent", ("secret",)))


def answer(params: Mapping[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The module's result, with ``failed``. *params* are complete, as the argument spec has them."""
    try:
        return {"failed": False, **_STATES[params["state"]](params)}
    except ProfileError as error:
        return {"failed": True, "msg": str(error)}


def _awaited(params: Mapping[str, Any]) -> dict[str, Any]:
    """Start a receiver. Raises ProfileError."""
    timeout = params["timeout"]
    deadline = time.monotonic() + timeout
    expected = [receiver.Expected(name, image) for name, image in params["images"].items()]
    connect(params["docker_host"])  # what is missing is told now, not when the stream comes
    address = receiver.own_address(params["addresses"])
    listener = listen(address, params["port"])
    port = listener.getsockname()[1]

    folder = receiver.Folder(params["state_dir"], params["name"])

    def work() -> dict[str, Any]:
        engine = connect(params["docker_host"], timeout)
        with receiver.all_or_nothing(engine, list(params["images"])):
            outcome = receiver.receive(listener, params["token"], deadline, engine, folder.mark_begun)
            return {**outcome, "ids": receiver.verify(engine, expected)}

    receiver.start(folder, work, listener)
    return {"changed": True, "address": address, "port": port}


def _sent(params: Mapping[str, Any]) -> dict[str, Any]:
    """Send images. Raises ProfileError."""
    transfers = [sender.transfer_from(item) for item in params["transfers"]]
    if params["path"]:
        results = [sender.resend(params["path"], transfers[0].root, params["secret"])]
    else:
        engine = connect(params["docker_host"], params["timeout"])
        with sender.spool(os.path.join(params["state_dir"], f"sending-{params['name']}")) as folder:
            results = sender.send(engine, transfers, params["secret"], folder, params["dial"])
    return {"changed": True, "sent": [item.as_dict() for item in results]}


def _received(params: Mapping[str, Any]) -> dict[str, Any]:
    """How a receiver fared. Raises ProfileError."""
    folder = receiver.Folder(params["state_dir"], params["name"])
    outcome = receiver.collect(folder, params["timeout"])
    if outcome is None:
        raise ProfileError(f"there is no receiver {params['name']} on this host: state=awaited comes first")
    error = outcome.pop("error")
    if error:
        raise ProfileError(f"the images were not received: {error}")
    return {"changed": True, **outcome}


_STATES = {"awaited": _awaited, "sent": _sent, "received": _received}
