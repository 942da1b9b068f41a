# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of local inference."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_inference.feed import Feeder
from local_inference.measures import Recorder, Reporter


def _positive(kind: Any) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError(text)
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; ends with exit code 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(
        "local_inference",
        description="Infers with OpenVINO in this process; prints a JSON line a second and a summary.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", type=Path, required=True, help="a model's .xml file, or its folder: the newest version is taken")
    add("--device", default="CPU", help="OpenVINO's name of the device (CPU)")
    add("--nireq", type=_positive(int), default=1, help="inference requests in the queue (1)")
    add("--threads", type=_positive(int), help="inference threads (default: OpenVINO's choice)")
    add("--fps", type=_positive(float), help="frames a second (default: as many as go)")
    add("--backlog", type=_positive(float), default=5.0, help="with --fps: seconds after which a frame is dropped (5)")
    add("--duration", type=_positive(float), help="seconds to run (default: until stopped)")
    add("--frames", type=_positive(int), default=4, help="number of different random frames (4)")
    add("--seed", type=int, default=0, help="what they are made from (0)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run with ``arguments``; the exit code: 0 after a stop or the duration, 1 when the model cannot be used."""
    given = parse(arguments)
    # Not at the top: wrong options should not wait for OpenVINO.
    from local_inference.engine import ModelError, load, model_file, random_frames

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    options = {"INFERENCE_NUM_THREADS": given.threads} if given.threads else {}
    try:
        compiled, queue = load(model_file(given.model), given.device, given.nireq, options)
    except ModelError as error:
        print(f"local_inference: {error}", file=sys.stderr)
        return 1
    recorder = Recorder(asked=given.fps)
    frames = random_frames(compiled, given.frames, given.seed)
    feeder = Feeder(queue, given.nireq, frames, recorder, stop, given.fps, given.backlog)
    queue.set_callback(feeder.done)
    failures: list[str] = []

    def feed() -> None:
        try:
            feeder.run()
            queue.wait_all()
        except RuntimeError as error:
            recorder.failed()
            failures.append(str(error).strip())
            stop.set()

    thread = threading.Thread(target=feed, name="feeder", daemon=True)
    reporter = Reporter(recorder)
    reporter.start()
    thread.start()
    stop.wait(given.duration)
    stop.set()
    thread.join()
    reporter.stop()
    for failure in failures:
        print(f"local_inference: {failure}", file=sys.stderr)
    return 1 if failures else 0
