# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The names by which what is ours is known: labels, and how shared replicas are called."""

from __future__ import annotations

import re

LABEL = "retail.profiles."
COLLECTION_LABEL = LABEL + "collection"
DEPLOYMENT_LABEL = LABEL + "deployment"
REPLICA_LABEL = LABEL + "replica"
SPEC_LABEL = LABEL + "spec"
COLLECTION = "retail.profiles"
#: a name that is safe as the name of a directory
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
#: how the names of shared replicas begin, and those of no deployment
SHARED = "shared-"


def is_shared(name: str) -> bool:
    """Whether *name* is that of a shared replica, and so of the deployment that it is by itself."""
    return name.startswith(SHARED)
