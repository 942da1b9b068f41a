# SPDX-License-Identifier: GPL-3.0-or-later
"""The device nodes of a host that containers may be given, read from /dev and /sys."""

from __future__ import annotations

import os
import re
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.names import X11
from ansible_collections.retail.profiles.plugins.module_utils.host.system import Files

_USB = "/sys/bus/usb/devices"
_VIDEO = "/sys/class/video4linux"
_NPU_DRIVER = "intel_vpu"
_INTEL = "8086"


def devices(files: Files) -> dict[str, Any]:
    """Nodes by what they are for, each one's group, RealSense cameras by serial number, and the X displays."""
    render, accel, video = (
        _nodes(files, folder, prefix)
        for folder, prefix in (("/dev/dri", "renderD"), ("/dev/accel", "accel"), ("/dev", "video"))
    )
    cameras = realsense(files, video)
    used = {*render, *accel, *video, *(camera["usb"] for camera in cameras.values() if camera["usb"])}
    gids = {path: _group(files, path) for path in sorted(used)}
    return {
        "render": render,
        "accel": accel,
        "npu": [path for path in accel if _is_npu(files, path)],
        "video": video,
        "realsense": cameras,
        "displays": [f":{path[len(X11) + 2 :]}" for path in _nodes(files, X11, "X")],
        "gids": gids,
        "render_gid": gids[render[0]] if render else None,
    }


def _nodes(files: Files, folder: str, prefix: str) -> list[str]:
    """The files *prefix*N of a folder, by number."""
    numbers = [name[len(prefix) :] for name in files.names(folder) if name.startswith(prefix)]
    return [f"{folder}/{prefix}{number}" for number in sorted((n for n in numbers if n.isdigit()), key=int)]


def _group(files: Files, path: str) -> Optional[int]:
    try:
        return os.stat(files.path(path)).st_gid
    except OSError:
        return None


def _is_npu(files: Files, path: str) -> bool:
    """An accelerator that its driver does not give away as something else."""
    try:
        return files.link(f"/sys/class/accel/{os.path.basename(path)}/device/driver") == _NPU_DRIVER
    except OSError:
        return True


def realsense(files: Files, video: list[str]) -> dict[str, dict[str, Any]]:
    """Cameras by the serial number of their USB descriptor: the USB node, and those of *video* that are theirs."""
    found = {}
    for name in files.names(_USB):
        base = f"{_USB}/{name}"
        serial, product = files.value(f"{base}/serial"), files.value(f"{base}/product")
        if files.value(f"{base}/idVendor") != _INTEL or "realsense" not in str(product).lower():
            continue
        if isinstance(serial, str):
            here = os.path.realpath(files.path(base)) + os.sep
            found[serial] = {"usb": _usb_node(files, base), "video": [path for path in video if _of(files, path, here)]}
    return found


def _usb_node(files: Files, base: str) -> Optional[str]:
    bus, number = files.value(f"{base}/busnum"), files.value(f"{base}/devnum")
    if not (re.fullmatch(r"\d+", str(bus)) and re.fullmatch(r"\d+", str(number))):
        return None
    return f"/dev/bus/usb/{int(bus):03d}/{int(number):03d}"


def _of(files: Files, path: str, usb_device: str) -> bool:
    interface = os.path.realpath(files.path(f"{_VIDEO}/{os.path.basename(path)}/device"))
    return (interface + os.sep).startswith(usb_device)
