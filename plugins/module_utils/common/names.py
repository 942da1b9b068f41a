# SPDX-License-Identifier: GPL-3.0-or-later
"""The names by which what is ours is known: labels, shared replicas, and the digest that a label holds."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import Any, Optional

COLLECTION = "retail.profiles"
#: how our labels begin
LABEL = COLLECTION + "."
COLLECTION_LABEL = LABEL + "collection"
DEPLOYMENT_LABEL = LABEL + "deployment"
CONTAINER_LABEL = LABEL + "container"
REPLICA_LABEL = LABEL + "replica"
#: what was asked for: the digest of a replica's task, or of a network's options
SPEC_LABEL = LABEL + "spec"
#: the names of a container's secrets, with blanks between them
SECRETS_LABEL = LABEL + "secrets"
#: on an image of ours that stands in for one that cannot be had
STAND_IN_LABEL = LABEL + "stand_in"
#: seconds that one call of the engine may take, unless ``profile_engine_timeout`` says otherwise
ENGINE_TIMEOUT = 60
#: where a host keeps what it remembers, unless ``profile_state_dir`` says otherwise
STATE_DIR = "/var/lib/retail-profiles"
#: the sockets of X servers
X11 = "/tmp/.X11-unix"
#: a name that is safe as the name of a directory
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
#: how the names of shared replicas begin, and those of no deployment
SHARED = "shared-"


def is_shared(name: str) -> bool:
    """Whether *name* is that of a shared replica, and so of the deployment that it is by itself."""
    return name.startswith(SHARED)


def is_secret_file(name: str) -> bool:
    """Whether a secret is a file, which is known by its path, and not a variable."""
    return name[:1] == "/"


def engine_url(given: Optional[str]) -> str:
    """Where the engine is: as *given*, else ``DOCKER_HOST``, else the default socket."""
    return given or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


# Made once: json.dumps would make an encoder for each call.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON: keys sorted, no white space."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
