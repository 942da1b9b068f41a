# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a container's control group is found, and what is read there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.sampler import cgroup
from ansible_collections.retail.profiles.plugins.module_utils.sampler.kernel_text import CgroupMount

ID = "5351651e1eec9acc577d4e1a9cb62122af7dc0022379628e343db21b10936c00"
OUTER = "aa" * 32


def v2(point: Path, root: str = "/") -> CgroupMount:
    return CgroupMount(2, frozenset(), root, str(point))


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        (f"/docker/{ID}", "/", f"docker/{ID}"),
        (f"/system.slice/docker-{ID}.scope", "/", f"system.slice/docker-{ID}.scope"),
        (f"/docker/{ID}/init.scope", "/", f"docker/{ID}"),
        (f"/lab/{OUTER}/docker/{ID}", f"/lab/{OUTER}", f"docker/{ID}"),
        (f"/../../docker/{ID}", "/", f"docker/{ID}"),
        (f"/elsewhere/{ID}", "/", f"parent/{ID}"),
    ],
    ids=["cgroupfs", "systemd", "init inside", "host in a container", "other namespace", "searched"],
)
def test_the_group_is_found(tmp_path: Path, path: str, root: str, below: str) -> None:
    (tmp_path / below).mkdir(parents=True)
    hierarchies = cgroup.Hierarchies([v2(tmp_path, root)])
    assert hierarchies.directory("", {"": path}, ID) == str(tmp_path / below)


def test_a_process_in_no_group_of_its_own_is_not_given_the_hosts(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no control group of the container"):
        cgroup.Hierarchies([v2(tmp_path)]).directory("", {"": "/"}, ID)


def test_without_hierarchy_the_reason_names_it() -> None:
    with pytest.raises(FileNotFoundError, match="memory"):
        cgroup.Hierarchies([]).directory("memory", {"memory": f"/{ID}"}, ID)


def test_a_hybrid_host_counts_as_version_1(tmp_path: Path) -> None:
    mounts = [v2(tmp_path), CgroupMount(1, frozenset({"rw", "memory"}), "/", str(tmp_path))]
    assert cgroup.Hierarchies(mounts).uses_v1({"memory": "/a", "": "/"})
    assert not cgroup.Hierarchies(mounts).uses_v1({"": "/a"})


def own_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> tuple[cgroup.Hierarchies, Path]:
    """A tree that looks like a container's group of this very process."""
    group = tmp_path / "docker" / ID
    group.mkdir(parents=True)
    real = cgroup.read_file

    def read(path: str) -> bytes:
        if path == f"/proc/{os.getpid()}/cgroup":
            return (f"0::/docker/{ID}\n" if version == 2 else f"1:cpu,cpuacct,memory,blkio:/docker/{ID}\n").encode()
        return real(path)

    monkeypatch.setattr(cgroup, "read_file", read)
    controllers = frozenset({"cpu", "cpuacct", "memory", "blkio"}) if version == 1 else frozenset()
    return cgroup.Hierarchies([CgroupMount(version, controllers, "/", str(tmp_path))]), group


def test_version_2_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchies, group = own_group(tmp_path, monkeypatch, 2)
    (group / "cpu.stat").write_text("usage_usec 7\n")
    (group / "memory.current").write_text("100\n")
    (group / "memory.stat").write_text("anon 1\nfile 2\ninactive_file 3\n")
    (group / "memory.events").write_text("oom_kill 4\n")
    (group / "io.stat").write_text("")
    counters = cgroup.Counters(hierarchies, ID, os.getpid(), own_network=True)
    try:
        first = counters.read(counts_block_io=False)
        assert counters.absent == {}
        assert (first["cpu_ns"], first["periods"], first["throttled"]) == (7000, None, None)
        assert (first["mem_usage"], first["mem_anon"], first["mem_file"]) == (100, 1, 2)
        assert (first["mem_inactive_file"], first["oom"]) == (3, 4)
        assert first["blk"] is None and not counters.block_seen
        assert counters.read(counts_block_io=True)["blk"] == {"read": 0, "write": 0}
        (group / "io.stat").write_text("8:0 rbytes=5 wbytes=6\n")
        assert counters.read(counts_block_io=False)["blk"] == {"read": 5, "write": 6}
        assert counters.block_seen
    finally:
        counters.close()


def test_version_1_is_read_and_bfq_is_the_second_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchies, group = own_group(tmp_path, monkeypatch, 1)
    (group / "cpuacct.usage").write_text("7\n")
    (group / "cpu.stat").write_text("nr_periods 1\nnr_throttled 0\n")
    (group / "memory.usage_in_bytes").write_text("100\n")
    (group / "memory.stat").write_text("total_inactive_file 3\ntotal_rss 1\ntotal_cache 2\n")
    (group / "memory.oom_control").write_text("oom_kill 4\n")
    (group / "blkio.bfq.io_service_bytes_recursive").write_text("8:0 Read 5\n8:0 Write 6\nTotal 11\n")
    counters = cgroup.Counters(hierarchies, ID, os.getpid(), own_network=False)
    try:
        record = counters.read(counts_block_io=False)
        assert (record["cpu_ns"], record["mem_inactive_file"], record["oom"]) == (7, 3, 4)
        assert record["blk"] == {"read": 5, "write": 6}
        assert record["net"] is None and not counters.has_network
        assert counters.absent == {}
    finally:
        counters.close()


def test_what_cannot_be_opened_is_absent_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchies, group = own_group(tmp_path, monkeypatch, 2)
    (group / "cpu.stat").write_text("usage_usec 7\n")
    counters = cgroup.Counters(hierarchies, ID, os.getpid(), own_network=False)
    try:
        assert set(counters.absent) == {"memory", "memory_stat", "oom", "block_io"}
        assert "memory.current" in counters.absent["memory"]
        assert counters.readable
        assert counters.read(counts_block_io=True)["blk"] is None
    finally:
        counters.close()


def test_a_process_that_is_gone_is_told_as_gone(tmp_path: Path) -> None:
    with pytest.raises(cgroup.GoneError):
        cgroup.Counters(cgroup.Hierarchies([v2(tmp_path)]), ID, 2**22 + 1, own_network=True)


def test_block_io_is_known_to_be_counted_where_the_top_names_a_device(tmp_path: Path) -> None:
    hierarchies = cgroup.Hierarchies([v2(tmp_path)])
    assert not cgroup.block_io_is_counted(hierarchies)
    (tmp_path / "io.stat").write_text("8:0 rbytes=5 wbytes=6\n")
    assert cgroup.block_io_is_counted(hierarchies)
