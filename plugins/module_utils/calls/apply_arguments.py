# Copyright: (c) 2026, the retail.profiles authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The argument spec of profile_apply; its documentation is the module's."""

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import DEFAULT_CONCURRENCY, NEEDED


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
        "called_at": {"type": "float"},
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
        "state_dir": {"type": "path", "default": "/var/lib/retail-profiles"},
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
                        "pull": {
                            "type": "str",
                            "choices": ["missing", "always", "never"],
                            "default": "missing",
                        },
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
