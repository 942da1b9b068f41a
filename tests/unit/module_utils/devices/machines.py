# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with GPUs, from listings in ``trees/``, and processes on it that a test begins and ends."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Roots

from .trees import planted, put, roots

FIRST, SECOND = "a" * 64, "b" * 64
"""Ids of containers."""


class Machine:
    """The machines *names*, all in one, below *folder*."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.process(1)
        for name in names:
            planted(folder, name)

    @property
    def roots(self) -> Roots:
        return roots(self.folder)

    def put(self, path: str, content: object) -> None:
        """Change a file in place: who has it open reads the new content."""
        put(self.folder, path, content)

    def process(self, pid: int, container: str = "") -> None:
        """A process, in a container where one is named, with a descriptor that is of no interest."""
        process = self.folder / f"proc/{pid}"
        (process / "fd").mkdir(parents=True)
        (process / "fdinfo").mkdir()
        (process / "exe").symlink_to("/usr/bin/something")
        (process / "fd/0").symlink_to("/dev/null")
        group = f"/system.slice/docker-{container}.scope" if container else "/system.slice/cron.service"
        (process / "cgroup").write_text(f"0::{group}\n")

    def client(self, pid: int, descriptor: int, fdinfo: str, node: str = "renderD128") -> None:
        """Open a node of a GPU in a process, or change what the kernel tells of it."""
        link = self.folder / f"proc/{pid}/fd/{descriptor}"
        if not link.is_symlink():
            link.symlink_to(f"/dev/dri/{node}")
        (self.folder / f"proc/{pid}/fdinfo/{descriptor}").write_text(fdinfo)

    def close(self, pid: int, descriptor: int) -> None:
        """Close a descriptor: who has its fdinfo open reads nothing any more."""
        (self.folder / f"proc/{pid}/fd/{descriptor}").unlink()
        fdinfo = self.folder / f"proc/{pid}/fdinfo/{descriptor}"
        fdinfo.write_text("")
        fdinfo.unlink()


def i915(client: int, render: int, video: int = 0, pdev: str = "0000:00:02.0", more: str = "") -> str:
    """A fdinfo as in proc_pid_fdinfo(5)."""
    return (
        "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t284\n"
        f"drm-driver:\ti915\ndrm-client-id:\t{client}\ndrm-pdev:\t{pdev}\n"
        "drm-total-system0:\t6044 KiB\ndrm-shared-system0:\t0\ndrm-active-system0:\t0\n"
        "drm-resident-system0:\t6044 KiB\ndrm-purgeable-system0:\t1688 KiB\n"
        "drm-total-stolen-system0:\t0\ndrm-resident-stolen-system0:\t0\n"
        f"{more}"
        f"drm-engine-render:\t{render} ns\ndrm-engine-copy:\t0 ns\n"
        f"drm-engine-video:\t{video} ns\ndrm-engine-capacity-video:\t2\ndrm-engine-video-enhance:\t0 ns\n"
    )


def xe(client: int, rcs: int, clock: int, ccs: int = 0, pdev: str = "0000:03:00.0") -> str:
    """A fdinfo as in the documentation of drivers/gpu/drm/xe/xe_drm_client.c."""
    return (
        "pos:\t0\nflags:\t0100002\nmnt_id:\t26\nino:\t685\n"
        f"drm-driver:\txe\ndrm-client-id:\t{client}\ndrm-pdev:\t{pdev}\n"
        "drm-total-system:\t0\ndrm-shared-system:\t0\ndrm-active-system:\t0\ndrm-resident-system:\t0\n"
        "drm-purgeable-system:\t0\ndrm-total-gtt:\t192 KiB\ndrm-shared-gtt:\t0\ndrm-active-gtt:\t0\n"
        "drm-resident-gtt:\t192 KiB\ndrm-total-vram0:\t23992 KiB\ndrm-shared-vram0:\t16 MiB\n"
        "drm-active-vram0:\t0\ndrm-resident-vram0:\t23992 KiB\ndrm-total-stolen:\t0\ndrm-resident-stolen:\t0\n"
        f"drm-cycles-rcs:\t{rcs}\ndrm-total-cycles-rcs:\t{clock}\n"
        f"drm-cycles-bcs:\t0\ndrm-total-cycles-bcs:\t{clock}\n"
        f"drm-cycles-vcs:\t0\ndrm-total-cycles-vcs:\t{clock}\ndrm-engine-capacity-vcs:\t2\n"
        f"drm-cycles-vecs:\t0\ndrm-total-cycles-vecs:\t{clock}\ndrm-engine-capacity-vecs:\t2\n"
        f"drm-cycles-ccs:\t{ccs}\ndrm-total-cycles-ccs:\t{clock}\ndrm-engine-capacity-ccs:\t4\n"
    )


def amdgpu(client: int, gfx: int, dec: int = 0, pdev: str = "0000:0b:00.0") -> str:
    """A fdinfo as drivers/gpu/drm/amd/amdgpu/amdgpu_fdinfo.c of Linux 6.8 writes it: engines that were used alone."""
    engines = f"drm-engine-gfx:\t{gfx} ns\n" * bool(gfx) + f"drm-engine-dec:\t{dec} ns\n" * bool(dec)
    return (
        f"pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t284\npasid:\t32771\ndrm-driver:\tamdgpu\ndrm-pdev:\t{pdev}\n"
        f"drm-client-id:\t{client}\ndrm-memory-vram:\t1024 KiB\ndrm-memory-gtt: \t2048 KiB\ndrm-memory-cpu: \t0 KiB\n"
        f"amd-requested-vram:\t1024 KiB\n{engines}"
    )
