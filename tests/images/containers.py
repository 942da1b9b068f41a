# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of the tests, and files for them."""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

TIMEOUT = 120  # seconds that the engine, or a log, may be silent, and that a container may take to end


class Started:
    """A container of the tests."""

    def __init__(self, container: Any) -> None:
        self.container = container

    def lines(self, **options: Any) -> Iterator[str]:
        """What it logs, line by line, as it comes, until it ends."""
        stream = self.container.logs(stream=True, follow=True, **options)
        rest = b""
        silent: list[bool] = []

        def give_up() -> None:
            silent.append(True)
            stream.close()

        try:
            watch = threading.Timer(TIMEOUT, give_up)
            watch.start()
            for chunk in stream:
                watch.cancel()
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace").rstrip("\r")
                watch = threading.Timer(TIMEOUT, give_up)
                watch.start()
            assert not silent, f"the log was silent for {TIMEOUT} s"
        finally:
            watch.cancel()
            stream.close()

    def wait_for(self, pattern: str, **options: Any) -> re.Match[str]:
        """The match in the first line that has ``pattern``; fails when the container ends without it."""
        seen = []
        for line in self.lines(**options):
            seen.append(line)
            if match := re.search(pattern, line):
                return match
        pytest.fail(f"{pattern!r} was not logged:\n" + "\n".join(seen[-40:]))

    def reports(self) -> Iterator[dict[str, Any]]:
        """Its JSON lines, as they come."""
        return (json.loads(line) for line in self.lines(stderr=False) if line.startswith("{"))

    def end(self, signal: str | None = None) -> tuple[int, str]:
        """Wait for its end, after a signal if one is given: exit code, and all that it logged."""
        if signal is not None:
            self.container.kill(signal)
        code = self.container.wait(timeout=TIMEOUT)["StatusCode"]
        return code, self.container.logs().decode(errors="replace")

    @property
    def address(self) -> str:
        """Its address on the tests' network."""
        self.container.reload()
        (network,) = self.container.attrs["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])


# Starts a container of an image; see the fixture of that name.
Run = Callable[..., Started]


def archive(files: dict[str, str]) -> bytes:
    """A tar archive of text files that anybody may read and execute, for ``put_archive``."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size = len(text.encode())
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()
