# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of a study, one after the other, each as the playbook that a user would start for it.

A run of its own process has its variables as extra ones, which stand above those of the inventory wherever they are
used; and whatever goes wrong in it, the study goes on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import locked
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_list
from ansible_collections.retail.profiles.plugins.plugin_utils.results.density_text import duration
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    PLAN,
    RECORD,
    RunDirectory,
    pretty,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, progress
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress, StudyRun

RUN, SEARCH, STOP = "run_profile", "stream_density", "stop_profile"
Play = Callable[[str, Mapping[str, Any], Path], int]
"""Plays a playbook by its name, with extra variables and into a log, to its end: its exit status."""
_LOOK = 0.5
PATIENCE = 5.0
"""Seconds in which a study that was interrupted has ended."""
PROMPTS = {"ask_pass": "-k", "become_ask_pass": "-K", "ask_vault_pass": "-J"}
#: as Ansible tells an error, and as the callback phases does
_ERROR = re.compile(
    r"^(?:\[ERROR\]|fatal: \[[^\]]*\]: [A-Z]+! =>):? (.*?)(?:\n\s*\n|\nOrigin:|\nfatal:|\n\.\.\.|\n *[\d.]+ s  |\Z)",
    re.MULTILINE | re.DOTALL,
)
_WRAPPING = re.compile(r"^(?:Task failed: |Action failed: |Module failed: )+")


def check_prompts(options: Mapping[str, Any]) -> None:
    """Raise ProfileError where Ansible was told to ask for a password: each run would have to."""
    asked = [option for name, option in PROMPTS.items() if options.get(name)]
    asked += ["--vault-id"] if any(str(one).endswith("prompt") for one in options.get("vault_ids") or ()) else []
    if asked:
        raise ProfileError(
            f"{asked[0]} asks for a password, and a study starts each of its runs anew: give it by a file "
            "(--connection-password-file, --become-password-file, --vault-password-file)"
        )


@dataclass(frozen=True)
class Playbooks:
    """Playbooks with the options of the command line that the study was started with.

    ``words``: that command line; ``started``: the playbooks in it; ``folder``: where others are looked for first.
    """

    words: Sequence[str]
    started: Sequence[str]
    folder: Path

    def command(self, name: str, variables: str) -> list[str]:
        """The command line of a playbook with a file of variables, which stand above all others."""
        beside = self.folder / f"{name}.yml"
        playbook = str(beside) if beside.is_file() else f"retail.profiles.{name}"
        options = [word for word in self.words[1:] if word not in self.started]
        return [sys.executable, self.words[0], playbook, *options, "-e", f"@{variables}"]

    def play(self, name: str, variables: Mapping[str, Any], log: Path) -> int:
        """Play it to its end. It is of this process's group, and ends with it."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file, log.open("wb") as out:
            json.dump(variables, file)
            file.flush()
            command = self.command(name, file.name)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            # Another thread may be given a signal, and this one would not be woken from waiting to deal with it.
            while process.poll() is None:
                time.sleep(_LOOK)
            return process.returncode


@contextmanager
def alone(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Work on a study's folder; ProfileError where another process does, and still does after so many seconds."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(str(folder), patience))
        except ProfileError as error:
            raise ProfileError("another playbook is at work on this study", file=str(folder)) from error
        yield


def write(state: Progress, folder: Path) -> None:
    RunDirectory(folder).write(progress.FILE, pretty(state.as_dict()))


def read(folder: Path) -> Progress:
    """The study of a folder. Raises ProfileError where it is none."""
    if not (folder / progress.FILE).is_file():
        raise ProfileError(f"this is not the folder of a study: it has no {progress.FILE}", file=str(folder))
    return progress.of_dict(RunDirectory(folder).read_json(progress.FILE), str(folder / progress.FILE))


@dataclass
class StudyRuns:
    """Makes the runs of a study that are left.

    ``given``: variables as they are without the study. ``say``: tells the user a line. ``standing``: whether something
    of a run before may still be deployed; ``left_on``: the hosts where it was left to stay.
    """

    folder: Path
    play: Play
    given: Mapping[str, Any]
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    standing: bool = False
    left_on: Sequence[str] = ()
    _seconds: list[float] = field(default_factory=list)

    def all(self, state: Progress) -> Progress:
        """Make them, in the order of the design; ``study.json`` is written before each, and has each that has ended."""
        write(state, self.folder)
        if self.standing:
            self._stop(state)
        while state.left:
            begin = self.clock()
            state = state.with_run(self._one(state))
            write(state, self.folder)
            self._seconds.append(self.clock() - begin)
            self._tell(state)
        return state

    def _one(self, state: Progress) -> StudyRun:
        """The next run. What is deployed stays after it where the one that follows differs in its load alone."""
        block, number = state.left[0]
        following = state.left[1][1] if len(state.left) > 1 else None
        seeks, title = state.questions.seeks_density, design.title(state.design.combinations[number])
        load = state.questions.load
        keeps = following is not None and not seeks and state.design.stays(number, following, load)
        variables = {
            **state.design.run_variables(number, self.given),
            "profile": state.design.profile,
            "profile_results_dir": str(self.folder),
            "profile_notes": f"{self.folder.name}, block {block + 1}: {title}",
            "resume": "",
            "profile_left_on": list(self.left_on),
            **({} if following is None else {"profile_keep": keeps}),
        }
        before, turn = self._runs(), len(state.runs) + 1
        log = self._log(f"{turn:03}-{SEARCH if seeks else RUN}")
        self.say(f"Run {turn} of {state.design.runs}: {title} (log: {log})")
        status = self.play(SEARCH if seeks else RUN, variables, log)
        made = sorted(self._runs() - before)
        run = ended(block, number, self.folder / made[-1] if made else None, status, log)
        stands, self.standing = self.standing or keeps, keeps
        if run.ending == "done":
            self.left_on = list(RunDirectory(self.folder / run.run_id).read_json(PLAN)["hosts"]) if keeps else []
        elif stands:
            self._stop(state)
        return run

    def _stop(self, state: Progress) -> None:
        """Remove what a run that was broken off, or that failed, may have left."""
        deployment, log = self.given.get("profile_deployment") or "", self._log(STOP)
        status = self.play(STOP, {"profile": state.design.profile, "profile_deployment": deployment}, log)
        if status:
            self.say(
                f"  What a run has left could not be removed: {said_in(log.read_text('utf-8', 'replace'), status, log)}"
            )
        else:
            self.left_on = []
        self.standing = status != 0

    def _log(self, name: str) -> Path:
        folder = self.folder / "logs"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.log"

    def _runs(self) -> set[str]:
        return {path.parent.name for path in self.folder.glob(f"*/{RECORD}") if not path.parent.is_symlink()}

    def _tell(self, state: Progress) -> None:
        """How the last run ended, and how long the others will take if they are like those before."""
        run, left = state.runs[-1], len(state.left)
        known = run_list.ListedRun(self.folder / run.run_id, record(self.folder / run.run_id)) if run.run_id else None
        said = [run.verdict or "failed", *([known.headline] if known and run.ending == "done" else []), run.reason]
        rest = f"; about {duration(left * sum(self._seconds) / len(self._seconds))} left" if left else ""
        self.say(f"  {': '.join(part for part in said if part)}{rest}")


def record(path: Path) -> dict[str, Any]:
    return RunDirectory(path).read_json(RECORD)


def ended(block: int, combination: int, path: Path | None, status: int, log: Path) -> StudyRun:
    """What became of a run: of its record, or of what its playbook said where none began."""
    if path is None:
        return StudyRun(block, combination, "failed", reason=said_in(log.read_text("utf-8", "replace"), status, log))
    made = record(path)
    verdict = str(made["verdict"])
    done = verdict in progress.MEASURED
    reasons = "; ".join(map(str, made.get("reasons") or ()))
    reason = reasons or ("" if done else f"its playbook ended with status {status}: see {log}")
    return StudyRun(block, combination, "done" if done else "failed", path.name, verdict, reason)


def said_in(text: str, status: int, log: Path) -> str:
    """The first error that a playbook has printed, in a line."""
    found = _ERROR.search(text)
    if found is None:
        return f"its playbook ended with status {status}: see {log}"
    return _WRAPPING.sub("", " ".join(found[1].split()))
