# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the client."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kserve_client.connection import Connection
from kserve_client.frames import FrameError, file_frames, random_frames
from kserve_client.load import Schedule, closed_loop, stream
from kserve_client.measures import Recorder, Reporter


def _positive(kind: Any) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError(text)
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value < 65536:
        raise ValueError(text)
    return value


def _shape(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.strip("()[]").split(","))
    if min(sizes) < 1:
        raise ValueError(text)
    return sizes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "kserve_client",
        description="Makes load on a KServe gRPC server; prints a JSON line a second and a summary.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--address", default=os.environ.get("GRPC_ADDRESS", "localhost"), help="server (environment: GRPC_ADDRESS)")
    add("--port", type=_port, default=os.environ.get("GRPC_PORT", "9000"), help="its port (environment: GRPC_PORT)")
    add("--model", required=True, help="name of the model")
    add("--model-version", default="", help="its version (default: the server's choice)")
    add("--concurrency", type=_positive(int), help="closed loop: this many requests at any time (default: 1)")
    add("--streams", type=_positive(int), help="fixed rate: number of streams")
    add("--fps", type=_positive(float), help="fixed rate: frames a second of each stream")
    add("--inflight", type=_positive(int), default=1, help="fixed rate: unanswered frames a stream may have (1)")
    add("--backlog", type=_positive(float), default=5.0, help="fixed rate: seconds after which a frame is dropped (5)")
    add("--duration", type=_positive(float), help="seconds to run (default: until stopped)")
    add("--timeout", type=_positive(float), default=10.0, help="seconds a request may take (10)")
    add("--input", type=Path, action="append", default=[], help="send this JPEG or PNG file; may be repeated")
    add("--shape", type=_shape, default=(), help="shape of the only input, such as 1,3,300,300 (default: the model's)")
    add("--frames", type=_positive(int), default=4, help="number of different random frames (4)")
    add("--seed", type=int, default=0, help="what they are made from (0)")
    return parser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The checked options; ends with exit code 2 and a message when they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.streams is None) != (given.fps is None):
        parser.error("--streams and --fps go together")
    if given.streams is not None and given.concurrency is not None:
        parser.error("use either --concurrency or --streams with --fps")
    try:
        given.images = [path.read_bytes() for path in given.input]
    except OSError as error:
        parser.error(f"--input {error.filename}: {error.strerror}")
    return given


async def _load(given: argparse.Namespace, connection: Connection, recorder: Recorder) -> None:
    """Make the load until cancelled. Raises FrameError when no frames can be made."""

    def make(metadata: Any) -> list[bytes]:
        if given.images:
            return file_frames(metadata, given.images)
        return random_frames(metadata, given.frames, given.shape, given.seed)

    frames = await connection.frames(given.model, given.model_version, make, recorder)

    async def send(number: int) -> bool:
        return await connection.infer(frames[number % len(frames)])

    if given.streams is None:
        await asyncio.gather(*(closed_loop(send, recorder) for _time in range(given.concurrency or 1)))
        return
    period = 1 / given.fps
    start = asyncio.get_running_loop().time()
    # The streams' frames are spread over the period, as of cameras that know nothing of each other.
    schedules = [Schedule(start + n * period / given.streams, period, given.backlog) for n in range(given.streams)]
    await asyncio.gather(*(stream(schedule, given.inflight, send, recorder) for schedule in schedules))


async def run(given: argparse.Namespace) -> int:
    """Make load until the duration is over or a signal comes; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host = f"[{given.address}]" if ":" in given.address else given.address
    recorder = Recorder(asked=None if given.streams is None else given.streams * given.fps)
    reporter = Reporter(recorder)
    connection = Connection(f"{host}:{given.port}", given.timeout)
    reporter.start()
    load = asyncio.create_task(_load(given, connection, recorder))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({load, stopped}, timeout=given.duration, return_when=asyncio.FIRST_COMPLETED)
    code = 0
    stopped.cancel()
    load.cancel()
    try:
        await load
    except asyncio.CancelledError:
        pass
    except FrameError as error:
        print(f"kserve_client: {error}", file=sys.stderr)
        code = 1
    reporter.stop()
    await connection.close()
    return code


def main(arguments: Sequence[str]) -> int:
    """Run the client with ``arguments``; the exit code."""
    return asyncio.run(run(parse(arguments)))
