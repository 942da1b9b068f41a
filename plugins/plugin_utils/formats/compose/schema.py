# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of a Compose file, and what may stand under it: what Compose refuses is refused with the same ground."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import shapes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.shapes import (
    Either,
    Keys,
    Map,
    Seq,
    Within,
    Words,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node

_TEXTS = Seq("t")
_DISTINCT = Seq("t", distinct=True)
_TEXT_OR_LIST = Either(("t", _TEXTS))
_PAIRS = Either((Map("tnb0"), _TEXTS))
_COMMAND = Either(("t0", Seq("t")))
_OPTIONS = Map("tn")
_HOSTS = Either((Map(Either(("t", Seq("t")))), _DISTINCT))
_ULIMITS = Map(Either(("it", Keys({"hard": "it", "soft": "it"}, ("soft", "hard")))))
_MOUNTED_FILE = Seq(Either(("t", Keys({"source": "t", "target": "t", "uid": "t", "gid": "t", "mode": "nt"}))))
_REQUEST = {"capabilities": _TEXTS, "count": "it", "device_ids": _TEXTS, "driver": "t", "options": _PAIRS}
_RATES = Seq(Keys({"path": "t", "rate": "it"}))
_HOOK = Keys(
    {"command": _COMMAND, "user": "t", "privileged": "bt", "working_dir": "t", "environment": _PAIRS}, ("command",)
)
_HOOKS = Seq(_HOOK)
_ROLL = Keys(
    {
        **dict.fromkeys(("delay", "failure_action", "monitor"), "t"),
        "parallelism": "it",
        "max_failure_ratio": "nt",
        "order": Words(("start-first", "stop-first")),
    }
)
_EXTERNAL = Either(("bt", Keys({"name": "t"})))

BUILD = {
    "context": "t",
    "dockerfile": "t",
    "dockerfile_inline": "t",
    "entitlements": Seq("t"),
    "args": _PAIRS,
    "ssh": Either((Map("tnb0"), _DISTINCT)),
    "labels": _PAIRS,
    "cache_from": Seq("t"),
    "cache_to": Seq("t"),
    "no_cache": "bt",
    "additional_contexts": _PAIRS,
    "network": "t",
    "provenance": "tb",
    "sbom": "tb",
    "pull": "bt",
    "target": "t",
    "shm_size": "it",
    "extra_hosts": _HOSTS,
    "isolation": "t",
    "privileged": "bt",
    "secrets": _MOUNTED_FILE,
    "tags": Seq("t"),
    "ulimits": _ULIMITS,
    "platforms": Seq("t"),
}
_DEPLOY = {
    "mode": "t",
    "endpoint_mode": "t",
    "replicas": "it",
    "labels": _PAIRS,
    "rollback_config": _ROLL,
    "update_config": _ROLL,
    "resources": Keys(
        {
            "limits": Keys({"cpus": "nt", "memory": "t", "pids": "it"}),
            "reservations": Keys(
                {
                    "cpus": "nt",
                    "memory": "t",
                    "generic_resources": Seq(Keys({"discrete_resource_spec": Keys({"kind": "t", "value": "nt"})})),
                    "devices": Seq(Keys(_REQUEST, ("capabilities",))),
                }
            ),
        }
    ),
    "restart_policy": Keys({"condition": "t", "delay": "t", "max_attempts": "it", "window": "t"}),
    "placement": Keys(
        {"constraints": Seq("t"), "preferences": Seq(Keys({"spread": "t"})), "max_replicas_per_node": "it"}
    ),
}
_VOLUME = Keys(
    {
        "type": Words(("bind", "volume", "tmpfs", "cluster", "npipe", "image")),
        "source": "t",
        "target": "t",
        "read_only": "bt",
        "consistency": "t",
        "bind": Keys(
            {
                "propagation": "t",
                "create_host_path": "bt",
                "recursive": Words(("enabled", "disabled", "writable", "readonly")),
                "selinux": Words(("z", "Z")),
            }
        ),
        "volume": Keys({"labels": _PAIRS, "nocopy": "bt", "subpath": "t"}),
        "tmpfs": Keys({"size": "it", "mode": "n"}),
        "image": Keys({"subpath": "t"}),
    },
    ("type",),
)
_NETWORK_OF_SERVICE = Either(
    (
        "0",
        Keys(
            {
                **dict.fromkeys(("interface_name", "ipv4_address", "ipv6_address", "mac_address"), "t"),
                "aliases": _TEXTS,
                "link_local_ips": _TEXTS,
                "driver_opts": _OPTIONS,
                "priority": "n",
                "gw_priority": "n",
            }
        ),
    )
)
_PORT = Either(
    (
        "nt",
        Keys(
            {
                **dict.fromkeys(("name", "mode", "host_ip", "protocol", "app_protocol"), "t"),
                "target": "it",
                "published": "ti",
            }
        ),
    )
)
_TEXT_KEYS = (
    "cgroup_parent",
    "cpuset",
    "domainname",
    "hostname",
    "image",
    "ipc",
    "isolation",
    "mac_address",
    "network_mode",
    "platform",
    "restart",
    "runtime",
    "stop_signal",
    "user",
    "userns_mode",
    "uts",
    "working_dir",
    "pull_refresh_after",
)
_NUMBER_KEYS = (
    "cpu_shares",
    "cpu_quota",
    "cpu_period",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpus",
    "mem_limit",
    "memswap_limit",
    "pids_limit",
    "shm_size",
)
FLAG_KEYS = ("attach", "init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty")
_LIST_KEYS = ("cap_add", "cap_drop", "dns_opt", "links", "profiles")
DISTINCT_KEYS = ("device_cgroup_rules", "external_links", "security_opt", "volumes_from")

SERVICE = Keys(
    {
        **dict.fromkeys(_TEXT_KEYS, "t"),
        **dict.fromkeys(_NUMBER_KEYS, "nt"),
        **dict.fromkeys(FLAG_KEYS, "bt"),
        **dict.fromkeys(_LIST_KEYS, _TEXTS),
        **dict.fromkeys(DISTINCT_KEYS, _DISTINCT),
        **dict.fromkeys(("annotations", "environment", "labels", "sysctls"), _PAIRS),
        **dict.fromkeys(("dns", "dns_search", "label_file", "tmpfs"), _TEXT_OR_LIST),
        **dict.fromkeys(("configs", "secrets"), _MOUNTED_FILE),
        **dict.fromkeys(("mem_reservation", "mem_swappiness"), "it"),
        "cpu_count": Within("it", 0),
        "cpu_percent": Within("it", 0, 100),
        "oom_score_adj": Within("it", -1000, 1000),
        "build": Either(("t", Keys(BUILD))),
        "blkio_config": Keys(
            {
                **dict.fromkeys(
                    ("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"), _RATES
                ),
                "weight": "it",
                "weight_device": Seq(Keys({"path": "t", "weight": "it"})),
            }
        ),
        "cgroup": Words(("host", "private")),
        "command": _COMMAND,
        "container_name": Words(pattern="[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
        "credential_spec": Keys({"config": "t", "file": "t", "registry": "t"}),
        "depends_on": Either(
            (
                _DISTINCT,
                Map(
                    Keys(
                        {
                            "restart": "bt",
                            "required": "b",
                            "condition": Words(
                                ("service_started", "service_healthy", "service_completed_successfully")
                            ),
                        },
                        ("condition",),
                    ),
                    named=True,
                ),
            )
        ),
        "deploy": Either(("0", Keys(_DEPLOY))),
        "develop": Either(
            (
                "0",
                Keys(
                    {
                        "watch": Seq(
                            Keys(
                                {
                                    "ignore": _TEXT_OR_LIST,
                                    "include": _TEXT_OR_LIST,
                                    "path": "t",
                                    "action": Words(("rebuild", "sync", "restart", "sync+restart", "sync+exec")),
                                    "target": "t",
                                    "exec": _HOOK,
                                    "initial_sync": "b",
                                },
                                ("path", "action"),
                            )
                        )
                    }
                ),
            )
        ),
        "devices": Seq(Either(("t", Keys({"source": "t", "target": "t", "permissions": "t"}, ("source",))))),
        "entrypoint": _COMMAND,
        "env_file": Either(("t", Seq(Either(("t", Keys({"path": "t", "format": "t", "required": "bt"}, ("path",))))))),
        "expose": Seq("tn"),
        "extends": Either(("t", Keys({"service": "t", "file": "t"}, ("service",)))),
        "extra_hosts": _HOSTS,
        "gpus": Either((Words(("all",)), Seq(Keys(_REQUEST)))),
        "group_add": Seq("tn", distinct=True),
        "healthcheck": Keys(
            {
                **dict.fromkeys(("interval", "timeout", "start_period", "start_interval"), "t"),
                "disable": "bt",
                "retries": "nt",
                "test": Either(("t", Seq("t"))),
            }
        ),
        "logging": Keys({"driver": "t", "options": Map("tn0")}),
        "models": Either((_TEXTS, Map(Either(("0", Keys({"endpoint_var": "t", "model_var": "t"})))))),
        "networks": Either((_DISTINCT, Map(_NETWORK_OF_SERVICE, named=True))),
        "pid": "t0",
        "ports": Seq(_PORT),
        "post_start": _HOOKS,
        "pre_stop": _HOOKS,
        "provider": Keys({"type": "t", "options": Map(Either(("tnb", Seq("tnb"))))}, ("type",)),
        "pull_policy": Words(
            pattern="always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+",
            more="always, never, build, missing, daily, weekly or every_<duration>",
        ),
        "scale": "it",
        "stop_grace_period": "t",
        "storage_opt": Map("tnb0"),
        "ulimits": _ULIMITS,
        "use_api_socket": "b",
        "volumes": Seq(Either(("t", _VOLUME))),
    }
)
_RESOURCE = {"name": "t", "external": _EXTERNAL, "labels": _PAIRS}
_IPAM = Keys(
    {
        "driver": "t",
        "config": Seq(Keys({**dict.fromkeys(("subnet", "ip_range", "gateway"), "t"), "aux_addresses": Map("t")})),
        "options": Map("t"),
    }
)
FILE = Keys(
    {
        "version": "t",
        "name": "t",
        "include": Seq(
            Either(("t", Keys({"path": _TEXT_OR_LIST, "env_file": _TEXT_OR_LIST, "project_directory": "t"})))
        ),
        "services": Map(SERVICE, named=True),
        "models": Map(
            Keys({"name": "t", "model": "t", "context_size": "i", "runtime_flags": Seq("t")}, ("model",)), named=True
        ),
        "networks": Map(
            Either(
                (
                    "0",
                    Keys(
                        {
                            **_RESOURCE,
                            **dict.fromkeys(("internal", "enable_ipv4", "enable_ipv6", "attachable"), "bt"),
                            "driver": "t",
                            "driver_opts": _OPTIONS,
                            "ipam": _IPAM,
                        }
                    ),
                )
            ),
            named=True,
        ),
        "volumes": Map(Either(("0", Keys({**_RESOURCE, "driver": "t", "driver_opts": _OPTIONS}))), named=True),
        "secrets": Map(
            Keys(
                {
                    **_RESOURCE,
                    **dict.fromkeys(("environment", "file", "driver", "template_driver"), "t"),
                    "driver_opts": _OPTIONS,
                }
            ),
            named=True,
        ),
        "configs": Map(
            Keys({**_RESOURCE, **dict.fromkeys(("content", "environment", "file", "template_driver"), "t")}),
            named=True,
        ),
    }
)


def check(file: Node) -> None:
    """Raise ProfileError for what Compose would not take in a file."""
    shapes.check(file, FILE)


def check_key(key: str, value: Node) -> None:
    """The same of one key at the top of a file."""
    shapes.check(value, FILE.known[key], (key,))


def check_extends(service: str, value: Node) -> None:
    """The same of what a service extends."""
    shapes.check(value, SERVICE.known["extends"], ("services", service, "extends"))


#: what the items of lists may be, whatever comes of them later
_ITEMS = {
    **dict.fromkeys(("cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "links", "profiles", "tmpfs"), "t"),
    **dict.fromkeys(("annotations", "depends_on", "environment", "labels", "networks", "sysctls"), "t"),
    **dict.fromkeys(("build.additional_contexts", "build.args", "build.labels", "build.ssh", "build.tags"), "t"),
    **dict.fromkeys(("build.secrets", "configs", "secrets", "devices", "volumes"), Either(("t", Map("")))),
    "env_file": Either(("tnb0", Seq(""), Map(""))),
    "expose": "ti",
    "label_file": Either(("t", Seq(""))),
    "ports": Either(("nt", Map(""))),
}
_NEEDED = {**dict.fromkeys(("devices", "ports", "volumes"), "target"), "env_file": "path"}


def check_items(key: str, value: Node, label: str) -> None:
    """Raise ProfileError for an item of a list of a service that Compose takes under no circumstances."""
    if value.value is None and not value.tag and key in ("depends_on", "env_file", "ports"):
        raise value.error(f"{label}: expected a list, not nothing: leave the key out, or give it a value")
    if key in _ITEMS and isinstance(value.value, list):
        for index, item in enumerate(value.value):
            shapes.check_kind(item, _ITEMS[key], (label, index))
            if isinstance(item.value, dict) and _NEEDED.get(key, "") not in ("", *item.value):
                raise item.error(f"{label}.{index}: {_NEEDED[key]!r} is missing")


def is_right(key: str, value: Node) -> bool:
    """Whether Compose would take this under a key of a service."""
    try:
        shapes.check(value, SERVICE.known.get(key, ""), (key,))
    except ProfileError:
        return False
    return True
