# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input sources of pipelines: streams, files, cameras of the host."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices

FORMS = "rtsp://…, file:NAME, /dev/videoN, or the serial number of a RealSense camera"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_FILE = re.compile(r"file:.+")
_VIDEO = re.compile(r"/dev/video\d+")
_SERIAL = re.compile(r"[0-9A-Za-z]*\d[0-9A-Za-z]*")


def source(value: Any) -> str:
    """An input source, as a field takes it. ValueError that lists the valid forms."""
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not any(form.fullmatch(text) for form in (_URL, _FILE, _VIDEO, _SERIAL)):
        raise ValueError(f"{value!r} is not an input source: valid are {FORMS}")
    return text


def nodes(text: str, host: HostDevices) -> tuple[str, ...]:
    """The device nodes that an input source needs: none for a stream or a file.

    ValueError, which says what the host has instead, where a camera is not there.
    """
    if _VIDEO.fullmatch(text):
        if text not in host.video:
            raise ValueError(f"the host has no {text}: it has {', '.join(host.video) or 'no video device'}")
        return (text,)
    if _URL.fullmatch(text) or _FILE.fullmatch(text):
        return ()
    if text not in host.realsense:
        there = ", ".join(sorted(host.realsense)) or "none"
        raise ValueError(f"the host has no RealSense camera with the serial number {text}: it has {there}")
    camera = host.realsense[text]
    return tuple(node for node in (camera.get("usb"), *camera.get("video", ())) if node)
