# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of options as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values as v


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        (512, 512),
        ("512b", 512),
        ("64k", 65536),
        ("64 KiB", 65536),
        ("1.5g", 1610612736),
        ("2TB", 2 << 40),
    ],
)
def test_sizes(text: Any, size: int) -> None:
    assert v.size(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "12 parsecs", True, None, [1]])
def test_what_is_no_size(text: Any) -> None:
    with pytest.raises(ValueError, match="not a size"):
        v.size(text)


def test_swap_may_be_unlimited() -> None:
    assert [v.swap_size(value) for value in ("unlimited", -1, "-1", "1m")] == [-1, -1, -1, 1 << 20]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("30s", 30_000_000_000),
        ("1m30s", 90_000_000_000),
        ("1h", 3_600_000_000_000),
        ("500ms", 500_000_000),
        ("7us", 7000),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert v.duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "30", 30, "s", "1 s", "1d"])
def test_what_is_no_duration(text: Any) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        v.duration(text)


def test_integers_and_booleans() -> None:
    assert [v.integer("7"), v.integer(-7)] == [7, -7]
    assert [v.boolean(word) for word in (True, "yes", "On", "0", "false")] == [True, True, True, False, False]
    for wrong in (True, 1.5, "x"):
        with pytest.raises(ValueError, match="whole number"):
            v.integer(wrong)
    with pytest.raises(ValueError, match="yes or no"):
        v.boolean("perhaps")


def test_texts_and_lists() -> None:
    assert v.words("sh -c 'echo a b'") == ["sh", "-c", "echo a b"]
    assert v.words(["a", 1, True]) == ["a", "1", "true"]
    with pytest.raises(ValueError, match="not a list"):
        v.strings("a")
    with pytest.raises(ValueError, match="not a string"):
        v.text(1)
    assert v.mapping({"a": 1, 2: True, "c": "x"}) == {"a": "1", "2": "true", "c": "x"}
    with pytest.raises(ValueError, match="not a dictionary"):
        v.mapping([])


def test_variables_must_be_strings() -> None:
    assert v.environment({"A": "yes"}) == {"A": "yes"}
    with pytest.raises(ValueError, match="the value of A is True, not a string: quote it"):
        v.environment({"A": True})


def test_devices() -> None:
    assert v.devices(["/dev/dri/renderD128", "/dev/a:/dev/b", "/dev/a:/dev/b:r"]) == [
        {"PathOnHost": "/dev/dri/renderD128", "PathInContainer": "/dev/dri/renderD128", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "rwm"},
        {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"},
    ]


def test_rates_and_requests() -> None:
    assert v.rates_bytes([{"path": "/dev/sda", "rate": "10m"}]) == [{"Path": "/dev/sda", "Rate": 10 << 20}]
    assert v.rates_count([{"path": "/dev/sda", "rate": 10}]) == [{"Path": "/dev/sda", "Rate": 10}]
    request = v.device_requests([{"count": -1, "capabilities": [["gpu"]]}])
    assert request == [{"Driver": None, "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": None}]
    with pytest.raises(ValueError, match="lacks rate"):
        v.rates_bytes([{"path": "/dev/sda"}])
    with pytest.raises(ValueError, match="unknown key counts"):
        v.device_requests([{"counts": 1}])


def test_ulimits_and_tmpfs() -> None:
    assert v.ulimits(["nofile:1:2", "nproc:3"]) == [
        {"Name": "nofile", "Soft": 1, "Hard": 2},
        {"Name": "nproc", "Soft": 3, "Hard": 3},
    ]
    with pytest.raises(ValueError, match="NAME:SOFT"):
        v.ulimits(["nofile"])
    assert v.tmpfs(["/a", "/b:size=1m,mode=1770"]) == {"/a": "", "/b": "size=1m,mode=1770"}


def test_health_checks() -> None:
    assert v.healthcheck({"test": ["CMD", "true"], "interval": "1m", "retries": "3"}) == {
        "Test": ["CMD", "true"],
        "Interval": 60_000_000_000,
        "Retries": 3,
    }
    assert v.healthcheck({"test": "curl x"}) == {"Test": ["CMD-SHELL", "curl x"]}
    assert v.healthcheck({}) == v.healthcheck({"test": ["NONE"]}) == {"Test": ["NONE"]}
    assert v.healthcheck({"test_cli_compatible": True, "timeout": "1s"}) == {"Timeout": 1_000_000_000}


@pytest.mark.parametrize(
    ("port", "published"),
    [
        ("9000", {"9000/tcp": [("0.0.0.0", "")]}),
        ("8000:9000", {"9000/tcp": [("0.0.0.0", "8000")]}),
        ("10.1.2.3:8000:9000/udp", {"9000/udp": [("10.1.2.3", "8000")]}),
        ("10.1.2.3::9000", {"9000/tcp": [("10.1.2.3", "")]}),
        ("[fd00::1]:8000:9000", {"9000/tcp": [("fd00::1", "8000")]}),
        ("[fd00::1]::9000", {"9000/tcp": [("fd00::1", "")]}),
        ("8000-8001:9000-9001", {"9000/tcp": [("0.0.0.0", "8000")], "9001/tcp": [("0.0.0.0", "8001")]}),
        ("8000-8009:9000", {"9000/tcp": [("0.0.0.0", "8000-8009")]}),
    ],
)
def test_published_ports(port: str, published: dict[str, list[tuple[str, str]]]) -> None:
    assert v.ports([port]) == {
        key: [{"HostIp": address, "HostPort": host} for address, host in items] for key, items in published.items()
    }


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("all", "publish_all_ports"),
        ("server:80:80", "not an IP address"),
        ("1:2:3:4", "more than three parts"),
        ("http", "not a port"),
        ("0", "not a port"),
        ("70000", "not a port"),
        ("9-8", "not a port"),
        ("8000-8002:9000-9001", "publishes 2 ports on 3"),
        ("[fd00::1:80:80", "IPV6"),
    ],
)
def test_what_is_no_port(port: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        v.ports([port])


def test_one_container_port_on_two_addresses() -> None:
    assert [item["HostIp"] for item in v.ports(["10.0.0.1:80:80", "10.0.0.2:80:80"])["80/tcp"]] == [
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_exposed_ports() -> None:
    assert v.exposed_ports(["80", 81, "82-83/udp"]) == ["80/tcp", "81/tcp", "82/udp", "83/udp"]


def test_volumes() -> None:
    assert v.volumes(["/a:/b", "/c:/d:ro", "name:/e", "/f", "/g:ro,z"]) == [
        "/a:/b:rw",
        "/c:/d:ro",
        "name:/e:rw",
        "/f",
        "/g:ro,z",
    ]
    for wrong, why in (
        (["/a:/b", "/c:/b"], "mounted twice"),
        (["/a:/b:rubbish"], "not a volume mode"),
        (["./a:/b"], "absolute path"),
        (["a:b:c:d"], "SOURCE:TARGET"),
    ):
        with pytest.raises(ValueError, match=why):
            v.volumes(wrong)


def test_mounts() -> None:
    assert v.mounts(
        [
            {"target": "/a", "type": "bind", "source": "/x", "read_only": True, "propagation": "rslave"},
            {"target": "/b", "source": "v", "labels": {"a": 1}, "volume_driver": "local"},
            {"target": "/c", "type": "tmpfs", "tmpfs_size": "1m", "tmpfs_mode": "0770"},
        ]
    ) == [
        {"Target": "/a", "Type": "bind", "ReadOnly": True, "Source": "/x", "BindOptions": {"Propagation": "rslave"}},
        {
            "Target": "/b",
            "Type": "volume",
            "ReadOnly": False,
            "Source": "v",
            "VolumeOptions": {"Labels": {"a": "1"}, "DriverConfig": {"Name": "local"}},
        },
        {"Target": "/c", "Type": "tmpfs", "ReadOnly": False, "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o770}},
    ]
    for wrong, why in (
        ([{"source": "a"}], "lacks target"),
        ([{"target": "/a", "type": "bind"}], "lacks its source"),
        ([{"target": "/a", "type": "image"}], "not supported"),
        ([{"target": "/a", "type": "bind", "source": "/x", "no_copy": True}], "not for the bind mount"),
        ([{"target": "/a"}, {"target": "/a"}], "mounted twice"),
    ):
        with pytest.raises(ValueError, match=why):
            v.mounts(wrong)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(plain)
def test_pruning_twice_changes_nothing_more(value: Any) -> None:
    assert v.prune(v.prune(value)) == v.prune(value)
    assert v.canonical(v.prune(value)) == v.canonical(value)


@given(st.dictionaries(st.sampled_from("ABC"), st.integers(1, 9)), st.sampled_from(["X", "X.Y", "X.Y.Z"]))
def test_what_is_put_is_dug_out(data: dict[str, Any], path: str) -> None:
    v.put(data, path, 42)
    assert v.dig(data, path) == 42
    assert v.dig(data, path + ".more") is None
    assert v.dig(data, "none.there") is None


@given(st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["tcp", "udp"]))
def test_any_port_on_any_port(host: int, container: int, protocol: str) -> None:
    assert v.ports([f"{host}:{container}/{protocol}"]) == {
        f"{container}/{protocol}": [{"HostIp": "0.0.0.0", "HostPort": str(host)}]
    }


@given(st.text(max_size=20))
def test_nothing_but_value_errors_for_bad_text(text: str) -> None:
    for parse in (
        v.size,
        v.duration,
        v.nano_cpus,
        v.integer,
        lambda item: v.ports([item]),
        lambda item: v.volumes([item]),
    ):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)
