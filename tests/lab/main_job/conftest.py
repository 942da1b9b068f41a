# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prepared lab, and the playbooks run on it as a user runs them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .. import over_ssh

# The image and the model of capi are those of capi-fleet, which needs them on every host.
PROFILES = ("ovms", "gstreamer", "capi-fleet")
# Enough for a valid window of every profile that is shipped, and no more.
SHORT = {"measure_warmup_max": 5, "measure_duration": 10, "measure_poll": 3}
# The same where figures are made up, or nobody looks at them.
TINY = {"measure_warmup_max": 1, "measure_duration": 5, "measure_poll": 3}
HOSTS = ("h1", "h2", "h3", "h4")


@dataclass(frozen=True)
class Done:
    """A playbook that has ended: its exit status and all that it printed."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """Changes over all hosts, from the recap."""
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))


class Playing:
    """A playbook that runs, in a process group of its own, as a shell would start it."""

    def __init__(self, command: list[str], home: Path, environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def until(self, text: str) -> None:
        """Return when it has printed *text*; fail if it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return
        raise AssertionError(f"ended without {text!r}:\n{''.join(self.lines)}")

    def signal(self, number: signal.Signals) -> None:
        """As a terminal does it: to the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> Done:
        """Wait for its end."""
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)
        return Done(self.process.wait(timeout=300), "".join(self.lines))

    def __enter__(self) -> Playing:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self.process.stdout is not None
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(timeout=60)
        # Not to the end of its output: SSH's own background process may hold that open.
        self.process.stdout.close()


@dataclass
class Fleet:
    """The lab, as one user sees it: an inventory, and a folder to work in.

    ``clean``: it was looked, nothing of ours is on the hosts, and nothing was done on them since.
    ``patience``: seconds that a playbook may take.
    """

    checkout: Path
    inventory: Path
    home: Path
    clean: bool = False
    patience: float = 600

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.checkout / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.checkout / ".collections"),
            "ANSIBLE_INVENTORY": str(self.inventory),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{self.checkout / '.venv' / 'bin'}:{os.environ['PATH']}",
        }

    def command(self, playbook: str, *args: str, **variables: Any) -> list[str]:
        """``ansible-playbook`` with the playbook's path and extra variables."""
        return [
            "ansible-playbook",
            str(self.checkout / "playbooks" / f"{playbook}.yml"),
            "-e",
            json.dumps({"profile_results_dir": str(self.home / "results"), **variables}),
            *args,
        ]

    def play(self, playbook: str, *args: str, environment: Mapping[str, str] | None = None, **variables: Any) -> Done:
        """Run a playbook to its end."""
        self.clean = False
        ended = subprocess.run(
            self.command(playbook, *args, **variables),
            cwd=self.home,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.patience,
            check=False,
        )
        return Done(ended.returncode, ended.stdout)

    def start(self, playbook: str, *args: str, prefix: tuple[str, ...] = (), **variables: Any) -> Playing:
        """Begin a playbook; *prefix* is a command that runs it."""
        self.clean = False
        return Playing([*prefix, *self.command(playbook, *args, **variables)], self.home, self.environment)

    def well(self, playbook: str, *args: str, **variables: Any) -> Done:
        """Run a playbook that must end well."""
        done = self.play(playbook, *args, **variables)
        assert done.status == 0, done.output
        return done

    def address(self, host: str) -> str:
        """Where a host is."""
        return over_ssh.addresses(self.inventory)[host]

    def shell(self, host: str, command: str) -> str:
        """What a command prints on a host; fails when the command does."""
        return self.shells(host, command)[host]

    def shells(self, pattern: str, command: str) -> dict[str, str]:
        """What a command prints on the hosts named, or those of a group, or all; fails when it does on one of them."""
        self.clean = False
        return over_ssh.shells(self.inventory, pattern, command)

    def leftovers(self) -> dict[str, list[str]]:
        """What is on each host: containers, networks and volumes of ours, files of deployments and runs, leases."""
        ours = "--filter label=retail.profiles.collection"
        state = "/var/lib/retail-profiles"
        command = (
            "docker ps -a --format 'container {{.Names}}'; "
            f"docker network ls {ours} --format 'network {{{{.Name}}}}'; "
            f"docker volume ls {ours} --format 'volume {{{{.Name}}}}'; "
            f"find {state}/deployments {state}/runs {state}/leases -mindepth 1 2>/dev/null || true"
        )
        found = {host: text.splitlines() for host, text in self.shells("all", command).items()}
        assert set(found) == set(HOSTS)
        left = {host: lines for host, lines in found.items() if lines}
        self.clean = not left
        return left

    def tidy(self) -> None:
        """Stop what is left."""
        if not self.clean and self.leftovers():
            self.well("stop_profile")

    def latest(self) -> dict[str, Any]:
        """The newest run's record."""
        record: dict[str, Any] = json.loads((self.home / "results" / "latest" / "run.json").read_text(encoding="utf-8"))
        return record

    def profile(self, name: str, text: str, **files: str) -> None:
        """A profile of the user's own, in ``profiles`` of the working folder."""
        folder = self.home / "profiles" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profile.yml").write_text(text, encoding="utf-8")
        for file, content in files.items():
            (folder / file.replace("__", ".")).write_text(content, encoding="utf-8")


@pytest.fixture(scope="session")
def prepared(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The lab that ``make test`` has brought up, with the images and models of every shipped profile on its hosts.

    RETAIL_PROFILES_PREPARED says that they are there.
    """
    inventory = os.environ.get("RETAIL_PROFILES_LAB_INVENTORY", "")
    if not inventory or not Path(inventory).is_file():
        pytest.fail("no lab: run these tests by make e2e, or set RETAIL_PROFILES_LAB_INVENTORY to a lab's inventory")
    fleet = Fleet(checkout, Path(inventory), tmp_path_factory.mktemp("prepare"))
    for profile in () if os.environ.get("RETAIL_PROFILES_PREPARED") else PROFILES:
        # The image of ovms's client, of which the tests' own profiles are made, goes to every host.
        place = {"profile_place": {"client": "all"}} if profile == "ovms" else {}
        fleet.well("prepare_hosts", profile=profile, **place)
    fleet.tidy()
    return fleet


@pytest.fixture
def fleet(prepared: Fleet, tmp_path: Path) -> Iterator[Fleet]:
    """A user on the prepared lab; whatever a test leaves is stopped after it."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path)
    yield user
    shutil.rmtree(tmp_path / "results", ignore_errors=True)
    user.tidy()


@pytest.fixture
def foreign(fleet: Fleet) -> Iterator[str]:
    """Another's container on h2, as ``leftovers`` tells it, which bears our label by way of its image."""
    label = "retail.profiles.collection=retail.profiles"
    fleet.shell("h2", f"docker create --name foreign --label {label} retail/kserve-client:1")
    yield "container foreign"
    fleet.shell("h2", "docker rm -f foreign")
