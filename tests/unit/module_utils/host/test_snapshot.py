# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a host, from files that the test writes."""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Published
from ansible_collections.retail.profiles.plugins.module_utils.host import devices, snapshot, sockets
from ansible_collections.retail.profiles.plugins.module_utils.host.system import Files, cpu_cores, describe

CPUINFO = """processor : {0}
model name : Test CPU
microcode : 0x1
physical id : 0
core id : {1}
flags : fpu hypervisor
"""


def write(root: Path, path: str, text: str) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    write(tmp_path, "/proc/cpuinfo", "\n".join(CPUINFO.format(index, index // 2) for index in range(4)))
    write(tmp_path, "/proc/meminfo", "MemTotal:  1024 kB\nSwapTotal: 0 kB\n")
    write(tmp_path, "/proc/loadavg", "0.5 1 2 1/100 5\n")
    write(tmp_path, "/proc/cmdline", "isolcpus=1\n")
    write(tmp_path, "/etc/os-release", 'NAME=x\nPRETTY_NAME="Test Linux 1"\n')
    write(tmp_path, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n")
    write(tmp_path, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n")
    write(tmp_path, "/sys/devices/system/cpu/isolated", "\n")
    write(tmp_path, "/sys/devices/system/node/node0/x", "")
    write(tmp_path, "/sys/class/net/eth0/mtu", "1500\n")
    write(tmp_path, "/sys/class/net/eth0/speed", "-1\n")
    write(tmp_path, "/sys/class/net/veth1/mtu", "1500\n")
    write(tmp_path, "/sys/class/drm/renderD128/device/vendor", "0x8086\n")
    write(tmp_path, "/sys/class/dmi/id/sys_vendor", "QEMU\n")
    write(tmp_path, "/dev/dri/renderD128", "")
    write(tmp_path, "/dev/accel/accel0", "")
    return tmp_path


def test_a_description(host: Path) -> None:
    found = describe(Files(str(host)))
    cpu = found["cpu"]
    assert (cpu["model"], cpu["sockets"], cpu["cores"], cpu["threads"]) == ("Test CPU", 1, 2, 4)
    assert (cpu["governor"], cpu["turbo"], cpu["isolated"], cpu["numa_nodes"]) == ("performance", "off", "", 1)
    assert found["kernel"]["command_line"] == "isolcpus=1"
    assert found["kernel"]["os"] == "Test Linux 1"
    assert found["memory"]["total_bytes"] == 1 << 20
    assert found["memory"]["swap_bytes"] == 0
    assert found["load_before"] == [0.5, 1.0, 2.0]
    assert set(found["network"]) == {"eth0"}
    assert found["network"]["eth0"]["mtu"] == 1500
    assert found["network"]["eth0"]["speed_mbit"] == {"absent": "/sys/class/net/eth0/speed says -1"}
    assert found["accelerators"]["renderD128"]["vendor"] == "0x8086"
    assert found["virtualization"] == "QEMU"


def test_what_is_missing_has_its_reason(tmp_path: Path) -> None:
    """Never missing, never zero: on a host that shows nothing, every leaf is a reason."""

    def leaves(value: object) -> list[object]:
        if isinstance(value, dict) and set(value) != {"absent"}:
            return [leaf for item in value.values() for leaf in leaves(item)]
        return [value]

    found = describe(Files(str(tmp_path)))
    found.pop("network")  # no interface is no interface
    found["clock"].pop("synchronised")  # asked of the kernel, not of a file
    found.pop("virtualization")
    assert all(isinstance(leaf, dict) and leaf["absent"] for leaf in leaves(found))


def test_cpus_by_core(tmp_path: Path) -> None:
    for number, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        write(tmp_path, f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list", f"{siblings}\n")
    files = Files(str(tmp_path))
    assert cpu_cores(files, {0, 1, 2, 3}) == [[0, 2], [1, 3]]
    assert cpu_cores(files, {3, 2}) == [[2], [3]]  # only what this host may use
    assert cpu_cores(files, {8, 9}) == [[8], [9]]


def test_device_nodes(host: Path, tmp_path: Path) -> None:
    write(host, "/dev/video10", "")
    write(host, "/dev/video9", "")
    write(host, "/dev/videoX", "")
    write(host, "/tmp/.X11-unix/X1", "")
    found = devices.devices(Files(str(host)))
    gid = (host / "dev/dri/renderD128").stat().st_gid
    assert found["render"] == ["/dev/dri/renderD128"]
    assert found["accel"] == found["npu"] == ["/dev/accel/accel0"]
    assert found["video"] == ["/dev/video9", "/dev/video10"]
    assert found["displays"] == [":1"]
    assert found["render_gid"] == found["gids"]["/dev/video9"] == gid
    nothing = devices.devices(Files(str(tmp_path / "none")))
    assert {key: value for key, value in nothing.items() if value} == {}


def test_an_accelerator_with_another_driver_is_no_npu(host: Path) -> None:
    for number, driver in ((0, "habanalabs"), (1, "intel_vpu")):
        write(host, f"/dev/accel/accel{number}", "")
        device = host / f"sys/class/accel/accel{number}/device"
        device.mkdir(parents=True)
        (device / "driver").symlink_to(f"../../../bus/pci/drivers/{driver}")
    assert devices.devices(Files(str(host)))["npu"] == ["/dev/accel/accel1"]


def test_realsense_cameras_have_their_own_nodes(host: Path) -> None:
    usb = "/sys/devices/pci0000:00/usb2"
    for name, vendor, product, serial, number in (
        ("2-1", "8086", "Intel(R) RealSense(TM) Depth Camera 435", "012345678901", 3),
        ("2-10", "046d", "Webcam", "777", 4),
    ):
        for key, text in (("idVendor", vendor), ("product", product), ("serial", serial), ("devnum", str(number))):
            write(host, f"{usb}/{name}/{key}", text + "\n")
        write(host, f"{usb}/{name}/busnum", "2\n")
        write(host, f"{usb}/{name}/{name}:1.0/bInterfaceClass", "0e\n")
        (host / "sys/bus/usb/devices").mkdir(parents=True, exist_ok=True)
        (host / "sys/bus/usb/devices" / name).symlink_to(host / f"{usb}/{name}".lstrip("/"))
    for node, name in (("video0", "2-1"), ("video1", "2-10")):
        write(host, f"/dev/{node}", "")
        (host / f"sys/class/video4linux/{node}").mkdir(parents=True)
        (host / f"sys/class/video4linux/{node}/device").symlink_to(host / f"{usb}/{name}/{name}:1.0".lstrip("/"))
    write(host, "/dev/bus/usb/002/003", "")
    found = devices.devices(Files(str(host)))
    assert found["realsense"] == {"012345678901": {"usb": "/dev/bus/usb/002/003", "video": ["/dev/video0"]}}
    assert "/dev/bus/usb/002/003" in found["gids"]


def test_a_snapshot_without_an_engine(tmp_path: Path) -> None:
    found = snapshot.snapshot(str(tmp_path), None, "there is no Docker Engine")
    assert found["engine"] is None
    assert found["engine_error"] == "there is no Docker Engine"
    assert found["state_dir"] == {"path": str(tmp_path), "exists": True, "writable": True}
    assert found["cpus"] == sum(map(len, found["cpu_cores"])) >= 1
    assert found["memory_bytes"] > 1 << 20
    assert json.loads(json.dumps(found)) == found


def test_only_our_labels_are_kept() -> None:
    assert snapshot.ours({"retail.profiles.b": "2", "retail.profiles.a": "1", "other": "x"}) == {
        "retail.profiles.a": "1",
        "retail.profiles.b": "2",
    }
    assert snapshot.ours(None) == {}


def test_images_by_name() -> None:
    found = snapshot.images(
        [
            {"Id": "1", "RepoTags": ["a:1", "b:1"], "Labels": {"retail.profiles.stand_in": "x"}, "RepoDigests": None},
            {"Id": "2", "RepoTags": ["<none>:<none>"]},
            {"Id": "3", "RepoTags": None},
        ]
    )
    one = {"id": "1", "labels": {"retail.profiles.stand_in": "x"}, "digests": []}
    assert found == {"a:1": one, "b:1": one}


def test_an_engine_in_a_few_words() -> None:
    info = {
        "Driver": "overlay2",
        "CgroupVersion": "2",
        "CgroupDriver": "systemd",
        "DockerRootDir": "/var/lib/docker",
        "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
    }
    version = {"Version": "20.10.24", "ApiVersion": "1.41", "Components": [{"Name": "runc", "Version": "1.1"}]}
    assert snapshot.engine_facts(info, version) == {
        "version": "20.10.24",
        "api": "1.41",
        "storage_driver": "overlay2",
        "cgroup_version": "2",
        "cgroup_driver": "systemd",
        "root_dir": "/var/lib/docker",
        "rootless": True,
    }
    found = snapshot.components(info, version)
    assert found["runc"] == "1.1"
    assert found["containerd"] == {"absent": "the engine does not say"}


# -- sockets and addresses

TCP = """  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000
   2: 0100007F:9999 0100007F:1F90 01 00000000:00000000
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A
"""
UDP = """  sl  local_address rem_address   st
   0: 0302010A:0035 00000000:0000 07
"""


def test_sockets_that_listen(tmp_path: Path) -> None:
    for name, text in (("tcp", TCP), ("tcp6", TCP6), ("udp", UDP)):
        (tmp_path / name).write_text(text)
    assert sockets.listening(str(tmp_path)) == [
        Published("0.0.0.0", 22, "tcp"),
        Published("10.1.2.3", 53, "udp"),
        Published("127.0.0.1", 8080, "tcp"),
        Published("::", 80, "tcp"),
    ]
    assert sockets.listening(str(tmp_path / "none")) == []


def test_a_socket_of_this_process_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert Published("127.0.0.1", server.getsockname()[1], "tcp") in sockets.listening()


@given(st.ip_addresses())
def test_addresses_of_the_kernel(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    words = struct.unpack(f"={len(address.packed) // 4}I", address.packed)
    text = "".join(f"{word:08X}" for word in words)
    assert ipaddress.ip_address(sockets.decode_address(text)) == address


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def netlink(family: int, *attributes: bytes, kind: int = 20) -> bytes:
    body = struct.pack("=BBBBI", family, 24, 0, 0, 1) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body


def test_addresses_in_a_netlink_answer() -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    found: list[str] = []
    answer = (
        netlink(four, attribute(1, bytes([10, 0, 0, 1])), attribute(2, bytes([10, 0, 0, 2])))
        + netlink(four, attribute(1, bytes([127, 0, 0, 1])))
        + netlink(six, attribute(1, socket.inet_pton(six, "fd00::1")), attribute(3, b"eth0\0"))
        + netlink(six, attribute(1, socket.inet_pton(six, "::1")))
    )
    assert sockets.parse_addresses(answer, found) is False
    assert found == ["10.0.0.2", "fd00::1"]
    assert sockets.parse_addresses(netlink(four, kind=3), found) is True


def test_no_loopback_among_the_hosts_own_addresses() -> None:
    for address in sockets.addresses():
        assert not ipaddress.ip_address(address).is_loopback
