# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras that are none: looping RTSP streams of generated video, ``rtsp://HOST:8554/camera1`` to ``/cameraN``.

Each stream is a clip that is generated and encoded as H.264 once, when the simulator starts, and then sent over and
over at its frame rate: a camera costs the machine that simulates it next to nothing. Whoever reads a stream at the same
time gets the same frames, over TCP.

Every second one JSON line: ``fps`` (frames sent in that second, over all streams), ``frames`` (since the start),
``streams``, and ``clients`` (connections that are open).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

# Moving pictures, one after the other for the streams.
PATTERNS = ("ball", "smpte horizontal-speed=4", "pinwheel horizontal-speed=2", "spokes horizontal-speed=2")
ELEMENTS = ("videotestsrc", "x264enc", "appsink", "appsrc", "h264parse", "rtph264pay", "rtpbin", "udpsink")


class CameraError(Exception):
    """The simulator cannot work; the text says why."""


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def arguments(environment: Mapping[str, str]) -> argparse.Namespace:
    """The command line; its defaults are in the environment where it has them."""
    parser = argparse.ArgumentParser("camera-simulator", description=(__doc__ or "").partition("\n")[0])
    for name, default, meaning in (
        ("streams", 1, "number of streams"),
        ("width", 640, "pixels"),
        ("height", 360, "pixels"),
        ("fps", 15, "frames a second"),
        ("bitrate", 1000, "kbit/s of one stream"),
        ("clip-seconds", 10, "length of the clip that is repeated"),
        ("port", 8554, "TCP port to listen on"),
    ):
        given = environment.get(name.upper().replace("-", "_"), str(default))
        parser.add_argument(f"--{name}", type=at_least_one, metavar="N", default=given, help=f"{meaning} (%(default)s)")
    parser.add_argument("--check", action="store_true", help="only check that all parts are there")
    return parser.parse_args()


def record(pattern: str, settings: argparse.Namespace) -> list[bytes]:
    """The encoded frames (bytes) of a clip; the first one, and then one a second, can be decoded by itself."""
    pipeline = Gst.parse_launch(
        f"videotestsrc pattern={pattern} num-buffers={settings.fps * settings.clip_seconds}"
        f" ! video/x-raw,format=I420,width={settings.width},height={settings.height},framerate={settings.fps}/1"
        " ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 aud=false"
        f" bitrate={settings.bitrate} key-int-max={settings.fps}"
        " ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=clip sync=false"
    )
    clip = pipeline.get_by_name("clip")
    pipeline.set_state(Gst.State.PLAYING)
    frames = []
    try:
        while sample := clip.emit("pull-sample"):
            buffer = sample.get_buffer()
            frames.append(buffer.extract_dup(0, buffer.get_size()))
    finally:
        error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
    if error or not frames:
        raise CameraError(f"the clip cannot be encoded: {error.parse_error().gerror.message if error else 'no frames'}")
    return frames


class Stream:
    """One stream: its clip, sent in a loop by the one pipeline that all its readers share."""

    def __init__(self, frames: Sequence[bytes], fps: int) -> None:
        self.frames = frames
        self.duration = Gst.SECOND // fps
        self.sent = 0
        self.factory = GstRtspServer.RTSPMediaFactory()
        self.factory.set_launch(
            "( appsrc name=frames format=time max-buffers=2 max-bytes=0"
            f" caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={fps}/1"
            " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
        )
        self.factory.set_shared(True)
        self.factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
        self.factory.connect("media-configure", self.begin)

    def begin(self, _factory: Any, media: Any) -> None:
        """A pipeline has been made: feed it from the clip's first frame on, whenever it asks."""
        position = 0

        def feed(source: Any, _wanted: int) -> None:
            nonlocal position
            buffer = Gst.Buffer.new_wrapped(self.frames[position % len(self.frames)])
            buffer.pts = buffer.dts = position * self.duration
            buffer.duration = self.duration
            position += 1
            self.sent += 1
            source.emit("push-buffer", buffer)

        media.get_element().get_by_name("frames").connect("need-data", feed)


class Simulator:
    """The RTSP server with all streams, and its report."""

    def __init__(self, settings: argparse.Namespace) -> None:
        clips = [record(pattern, settings) for pattern in PATTERNS[: settings.streams]]
        self.streams = [Stream(clips[index % len(clips)], settings.fps) for index in range(settings.streams)]
        self.clients = 0
        self.reported = (time.monotonic(), 0)
        self.server = GstRtspServer.RTSPServer()
        self.server.set_service(str(settings.port))
        for number, stream in enumerate(self.streams, start=1):
            self.server.get_mount_points().add_factory(f"/camera{number}", stream.factory)
        self.server.connect("client-connected", self.connected)
        if not self.server.attach(None):
            raise CameraError(f"cannot listen on port {settings.port}")

    def connected(self, _server: Any, client: Any) -> None:
        self.clients += 1
        client.connect("closed", self.closed)

    def closed(self, _client: Any) -> None:
        self.clients -= 1

    def report(self) -> bool:
        """Print the second's line, and forget readers that have gone without a word."""
        self.server.get_session_pool().cleanup()
        (before, had), now, frames = self.reported, time.monotonic(), sum(stream.sent for stream in self.streams)
        self.reported = (now, frames)
        line = {
            "t": round(time.time(), 3),
            "fps": round((frames - had) / (now - before), 3),
            "frames": frames,
            "streams": len(self.streams),
            "clients": self.clients,
        }
        print(json.dumps(line), flush=True)
        return True  # again in a second


def check() -> None:
    """Raise CameraError for a part of GStreamer that is missing."""
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if missing:
        raise CameraError(f"GStreamer has no {', '.join(missing)}")


def main() -> int:
    settings = arguments(os.environ)
    Gst.init(None)
    try:
        check()
        if settings.check:
            return 0
        simulator = Simulator(settings)
    except CameraError as error:
        print(f"camera-simulator: {error}", file=sys.stderr)
        return 1
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    GLib.timeout_add_seconds(1, simulator.report)
    streams = f"/camera1 to /camera{settings.streams}"
    print(f"camera-simulator: {streams} at {settings.width} x {settings.height}, port {settings.port}", flush=True)
    loop.run()
    # The streams' threads still ask for frames, and an interpreter that is taken down under them crashes.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
