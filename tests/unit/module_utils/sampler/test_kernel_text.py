# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel prints, as numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.sampler import kernel_text as text

counts = st.integers(min_value=0, max_value=2**63)
devices = st.from_regex(r"[0-9]{1,3}:[0-9]{1,3}", fullmatch=True)
pairs = st.tuples(counts, counts)

V2_CPU = b"usage_usec 48213\nuser_usec 30000\nsystem_usec 18213\nnr_periods 12\nnr_throttled 3\nthrottled_usec 9\n"
V2_MEMORY = b"anon 4096\nfile 8192\nkernel 100\ninactive_anon 7\ninactive_file 2048\nactive_file 1\n"
V1_MEMORY = b"cache 1\nrss 2\ninactive_file 3\ntotal_cache 8192\ntotal_rss 4096\ntotal_inactive_file 2048\n"


def test_keyed_finds_whole_keys_only() -> None:
    data = b"total_inactive_file 5\ninactive_file 7\nfile 9"
    assert text.keyed(data, b"inactive_file") == 7
    assert text.keyed(data, b"total_inactive_file") == 5
    assert text.keyed(data, b"file") == 9
    assert text.keyed(data, b"total") is None
    assert text.keyed(b"", b"file") is None
    assert text.keyed(b"file max\n", b"file") is None


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), counts, min_size=1), st.data())
def test_keyed_gives_back_what_was_written(values: dict[str, int], data: st.DataObject) -> None:
    written = "".join(f"{key} {value}\n" for key, value in values.items()).encode()
    key = data.draw(st.sampled_from(sorted(values)))
    assert text.keyed(written, key.encode()) == values[key]


def test_cpu_of_both_versions() -> None:
    assert text.cpu_v2(V2_CPU) == (48213000, 12, 3)
    assert text.cpu_v2(b"usage_usec 5\n") == (5000, None, None)
    assert text.cpu_v1(b"123456\n", b"nr_periods 2\nnr_throttled 1\nthrottled_time 9\n") == (123456, 2, 1)
    assert text.cpu_v1(b"", b"") == (None, None, None)


def test_memory_of_both_versions_has_the_same_meaning() -> None:
    expected = text.MemoryCounters(usage=16384, inactive_file=2048, anon=4096, file=8192, oom=1)
    assert text.memory_v2(b"16384\n", V2_MEMORY, b"low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n") == expected
    assert text.memory_v1(b"16384\n", V1_MEMORY, b"oom_kill_disable 0\nunder_oom 0\noom_kill 1\n") == expected


def test_block_io_without_a_device_is_missing_not_zero() -> None:
    assert text.block_v1(b"Total 0\n") is None
    assert text.block_v1(b"") is None
    assert text.block_v2(b"") is None
    assert text.block_v2(b"8:0 \n") is None


@given(st.dictionaries(devices, pairs, min_size=1))
def test_block_io_is_the_sum_over_devices(values: dict[str, tuple[int, int]]) -> None:
    expected = sum(pair[0] for pair in values.values()), sum(pair[1] for pair in values.values())
    v1 = "".join(
        f"{name} Read {r}\n{name} Write {w}\n{name} Sync 7\n{name} Total {r + w}\n" for name, (r, w) in values.items()
    )
    v2 = "".join(f"{name} rbytes={r} wbytes={w} rios=1 wios=2 dbytes=0 dios=0\n" for name, (r, w) in values.items())
    assert text.block_v1((v1 + "Total 99\n").encode()) == expected
    assert text.block_v2(v2.encode()) == expected


def test_bytes_of_a_volume_are_not_counted_on_the_disk_below_it_again() -> None:
    data = b"8:0 rbytes=10 wbytes=20\n253:0 rbytes=10 wbytes=20\n"
    assert text.block_v2(data, frozenset({"253:0"})) == (10, 20)
    assert text.block_v2(b"253:0 rbytes=1 wbytes=2\n", frozenset({"253:0"})) == (1, 2)


HEAD = (
    "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs ...\n"
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9.@-]{0,14}", fullmatch=True), pairs))
def test_network_counters(values: dict[str, tuple[int, int]]) -> None:
    lines = "".join(f"{name:>6}:{rx} 1 0 0 0 0 0 0 {tx} 2 0 0 0 0 0 0\n" for name, (rx, tx) in values.items())
    assert text.net_dev((HEAD + lines).encode()) == values
    rest = [pair for name, pair in values.items() if name != "lo"]
    total = text.net_total((HEAD + lines).encode())
    assert total == ((sum(p[0] for p in rest), sum(p[1] for p in rest)) if rest else None)


def test_host_cpu_leaves_waiting_and_stolen_time_out_of_busy() -> None:
    data = b"cpu  100 10 50 1000 40 5 5 30 20 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
    assert text.proc_stat(data, 100) == {"busy": 1.7, "total": 12.4, "steal": 0.3, "irq": 0.1}
    assert text.proc_stat(b"", 100) is None


def test_host_memory() -> None:
    data = b"MemTotal:       2048 kB\nMemFree:  1 kB\nMemAvailable:   1024 kB\n"
    assert text.meminfo(data) == {"total": 2097152, "available": 1048576}
    assert text.meminfo(b"MemTotal: 1 kB\n") is None


def test_only_whole_disks_are_counted() -> None:
    data = b" 254 0 vda 9 1 100 5 2 3 200 6 0 7 8\n 254 1 vda1 9 1 90 5 2 3 190 6 0 7 8\n 7 0 loop0 1 1 1 1 1 1 1 1\n"
    assert text.diskstats(data, frozenset({"vda"})) == {"vda": (51200, 102400)}


def test_pressure() -> None:
    assert text.pressure(b"some avg10=1.94 avg60=0.91 avg300=0.27 total=4080714\nfull avg10=0.00\n") == 1.94
    assert text.pressure(b"") is None


def test_groups_of_a_process_in_a_hybrid_hierarchy() -> None:
    data = b"5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/x:y\n0::/system.slice\n"
    assert text.process_cgroups(data) == {
        "cpu": "/docker/abc",
        "cpuacct": "/docker/abc",
        "memory": "/docker/abc",
        "name=systemd": "/x:y",
        "": "/system.slice",
    }


def test_mounts_with_and_without_optional_fields_and_with_escapes() -> None:
    data = (
        b"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        b"41 31 0:38 /docker/x /sys/fs/cg\\0402 rw shared:7 master:1 - cgroup2 cgroup2 rw,nsdelegate\n"
        b"22 20 0:5 / /proc rw - proc proc rw\n"
    )
    v1, v2 = text.cgroup_mounts(data)
    assert (v1.version, v1.root, v1.point) == (1, "/", "/sys/fs/cgroup/cpu,cpuacct")
    assert {"cpu", "cpuacct"} <= v1.controllers
    assert v2 == text.CgroupMount(2, frozenset(), "/docker/x", "/sys/fs/cg 2")


@given(st.binary(max_size=300))
def test_no_text_makes_a_parser_fail(data: bytes) -> None:
    assert text.cpu_v2(data).throttled is None or b"nr_throttled" in data
    assert text.block_v1(data) is None or b"Read" in data or b"Write" in data
    assert text.block_v2(data) is None or b"rbytes" in data
    assert text.meminfo(data) is None or b"MemTotal" in data
    assert text.pressure(data) is None or b"some" in data
    assert isinstance(text.net_dev(data), dict)
    assert isinstance(text.process_cgroups(data), dict)
    assert isinstance(text.cgroup_mounts(data), list)
    assert text.proc_stat(data, 100) is None or data.startswith(b"cpu ")
