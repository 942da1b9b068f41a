# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""promtool and a Prometheus, as ``make setup-dev`` fetches them or the machine has them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retail-profiles"
READY = "Server is ready to receive web requests"


def tool(name: str) -> str:
    """The path of one of Prometheus's programs; a test that needs it is skipped where there is none."""
    unpacked = CACHE / "prometheus" / "usr" / "bin" / name
    found = str(unpacked) if unpacked.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: make setup-dev unpacks it from Debian's package prometheus")
    return found


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs."""

    address: str

    def get(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def query(self, expression: str, time: float) -> dict[str, float]:
        """The values of an instant vector by the host or replica that they are of."""
        found = self.get("query", query=expression, time=f"{time:.3f}")["result"]
        values = {one["metric"].get("replica", one["metric"].get("host", "")): float(one["value"][1]) for one in found}
        assert len(values) == len(found), found
        return values


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def serving(blocks: Path, configuration: Path, configured: str = "{}\n") -> Iterator[Prometheus]:
    """A Prometheus over ``blocks`` on this machine alone, ended by its process id."""
    address = f"127.0.0.1:{free_port()}"
    configuration.write_text(configured)
    command = [
        tool("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={blocks}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        try:
            for line in process.stderr:
                said.append(line)
                if READY in line:
                    break
            assert said and READY in said[-1], "".join(said)
            yield Prometheus(address)
        finally:
            process.terminate()
            # What it says while it ends must not fill the pipe.
            process.communicate(timeout=60)


@pytest.fixture(scope="session")
def promtool() -> Callable[..., str]:
    """Runs promtool; what it says, after it ended well."""
    program = tool("promtool")

    def run(*arguments: str | Path) -> str:
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def promtool_check() -> Callable[[str], str]:
    """Has promtool check an exposition; what it finds fault with."""
    program = tool("promtool")

    def check(exposition: str) -> str:
        command = [program, "check", "metrics"]
        done = subprocess.run(command, input=exposition, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1, 3)
        return done.stdout + done.stderr

    return check


@pytest.fixture(scope="session")
def prometheus_over(
    promtool: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], Prometheus]]:
    """Makes blocks of a metrics.prom and serves them."""
    with ExitStack() as running:

        def over(metrics: Path) -> Prometheus:
            folder = tmp_path_factory.mktemp("prometheus")
            promtool("tsdb", "create-blocks-from", "openmetrics", metrics, folder / "blocks")
            return running.enter_context(serving(folder / "blocks", folder / "prometheus.yml"))

        yield over
