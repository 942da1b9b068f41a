# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutated profiles through the whole planner: load, select, plan, its text, its playbook, and conversion.

    PYTHONPATH=.collections python tests/fuzz/planner.py --inputs 10000 --seed 7

Each input ends with a plan or with our error, in time and memory, and says nothing that steers a terminal. What does
not is printed with its seed; ``--only SEED`` does one again and shows its traceback.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import json
import logging
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("ANSIBLE_CONFIG", str(Path(__file__).parents[2] / "ansible.cfg"))

import mutate
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.action import profile_convert
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner, planner_input
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import stock_playbook
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown as text_shown

ROOT = Path(__file__).resolve().parents[2]
#: seconds of the processor that an input may take, and megabytes that all of them may
SECONDS, MEGABYTES = 2.0, 300
HOSTS = ("h1", "h2", "h10")
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class TooLong(BaseException):
    """An input takes several times what it may."""


class HostVars(dict[str, dict[str, Any]]):
    """The variable ``hostvars`` as far as the planner asks it."""

    def raw_get(self, host: str) -> dict[str, Any]:
        return self[host]


def sources() -> list[Path]:
    """What is mutated: the shipped profiles, and one of each other format."""
    shipped = sorted(file.parent for file in (ROOT / "profiles").glob("*/profile.yml"))
    return [*shipped, *sorted(path for path in (Path(__file__).parent / "corpus").iterdir() if path.is_dir())]


def play() -> dict[str, Any]:
    hostvars = HostVars()
    for number, host in enumerate(HOSTS, start=1):
        address = f"192.0.2.{number}"
        hostvars[host] = {"ansible_host": address, "profile_checked": {"snapshot": {"addresses": [address]}}}
    groups = {
        "all": list(HOSTS),
        "ovms_servers": ["h1"],
        "ovms_clients": ["h2", "h10"],
        "cameras": ["h1"],
        "pipelines": ["h2"],
    }
    hosts = list(HOSTS)
    return {
        "hostvars": hostvars, "groups": groups, "playbook_dir": "/nonexistent", "ansible_play_batch": hosts,
        "ansible_play_hosts": hosts, "RESULTS_DIR": "/tmp/results", "cl_cache_dir": "/tmp/cache",
        "RUN_PATH": "/srv/shelf",
    }  # fmt: skip


def stage(folder: Path, given: dict[str, Any], name: str) -> dict[str, Any]:
    """The answer of a stage of the planner."""
    options = {option: spec.get("default") for option, spec in planner.OPTIONS.items()}
    options |= {"profile": str(folder), "search": [str(ROOT / "profiles")], "stage": name, **given}
    return planner.Planner(options, play(), Templar(loader=DataLoader()), check_mode=True).result()


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """The variables as the action's own check of its arguments lets them through."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    spec = {name: planner.OPTIONS[name] for name in given}
    try:
        checked = ArgumentSpecValidator(spec).validate(given)
    except OverflowError:  # Ansible's own, of infinity as a number
        return {}
    return {} if checked.error_messages else dict(checked.validated_parameters)


def plan(folder: Path, given: dict[str, Any]) -> str:
    """All that is made of an input: what is shown of it. Raises what it raises."""
    stage(folder, given, "select")
    stage(folder, given, "prepare")
    made = stage(folder, given, "plan")
    json.dumps(made, allow_nan=False)
    json.dumps(made["plan"]).encode()
    shown: str = made["summary"]
    playbook = stock_playbook.playbook(made["plan"], "files")
    playbook.encode()
    return shown + "\n" + stage(folder, {**given, "full": True}, "plan")["summary"]


def convert(folder: Path, into: Path) -> None:
    """The profile in our format; where it is that already, our error."""
    args = {"source": str(folder), "dest": str(into), "force": False}
    args |= {"image": None, "env": {}, "variables": {}, "root": None}
    render = planner_input.renderer(Templar(loader=DataLoader()))
    with contextlib.suppress(ProfileError):
        profile_convert.convert_profile(args, render, check_mode=False)


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """What goes on for several times its time ends."""

    def end(_number: int, _frame: object) -> None:
        raise TooLong

    # The processor's time is what counts; by the clock ends only what waits, however busy the machine is.
    limits = ((signal.SIGPROF, signal.ITIMER_PROF, 2.0 * SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, 60.0 * SECONDS))
    for number, timer, seconds in limits:
        signal.signal(number, end)
        signal.setitimer(timer, seconds, 1.0)  # again: one may fall into a destructor, which swallows it
    try:
        yield
    finally:
        for _number, timer, _seconds in limits:
            signal.setitimer(timer, 0.0)


def attempt(source: Path, seed: str, folder: Path, loud: bool = False) -> tuple[str | None, float, list[str]]:
    """The complaint about one input (None: there is none), the processor's seconds, and what was mutated."""
    mutator = mutate.Mutator(seed)
    mutate.lay_out(source, folder)
    mutator.mutate(folder)
    given = taken(mutator.given)
    begin, complaint, shown = time.process_time(), None, ""
    try:
        with limited():
            try:
                shown = plan(folder, given)
            except ProfileError as error:
                shown = text_shown.lines(error)
            convert(folder, folder.with_name("converted"))
    except (Exception, TooLong) as error:
        complaint = _kind(error)
        if loud:
            traceback.print_exc()
    seconds = time.process_time() - begin
    if loud:
        print(f"{mutator.done}\n{given}\n{shown}")
    if complaint is None and (found := _STEERS.search(shown)):
        complaint = (
            f"control character {found[0]!r} is shown: …{shown[max(0, found.start() - 40) : found.end() + 10]!r}"
        )
    if complaint is None and seconds > SECONDS:
        complaint = f"{seconds:.1f} s of the processor"
    return complaint, seconds, mutator.done


def _kind(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/plugins/" in frame.filename and "site-packages" not in frame.filename]
    where = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
    return f"{type(error).__name__} in {where}: {str(error)[:100]!r}"


def memory() -> float:
    """The most that this process has had, in megabytes; ru_maxrss would be its parent's where that had more."""
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    if peak is None:
        raise SystemExit("/proc/self/status has no VmHWM: this needs Linux")
    return int(peak[1]) / 1024.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=500)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", help="the seed of one input, as SOURCE/NUMBER/SEED")
    options = parser.parse_args()
    faulthandler.enable()
    logging.disable()
    Display().display = lambda *_args, **_more: None  # a plan is shown to nobody here
    Display().warning = lambda *_args, **_more: None
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    known = {source.name: source for source in sources()}
    names = list(known)
    found: dict[str, list[str]] = collections.defaultdict(list)
    slowest, mutations, peak = (0.0, ""), 0, memory()
    wanted = (
        [options.only]
        if options.only
        else [f"{names[n % len(names)]}/{n}/{options.seed}" for n in range(options.inputs)]
    )
    for seed in wanted:
        home = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            source = known[seed.partition("/")[0]]
            complaint, seconds, done = attempt(source, seed, home / source.name, loud=bool(options.only))
        finally:
            shutil.rmtree(home)
        mutations += len(done)
        if memory() > peak + 20.0:
            peak = memory()
            print(f"{seed} {done}: memory {peak:.0f} MB", file=sys.stderr, flush=True)
        slowest = max(slowest, (seconds, seed))
        if complaint:
            found[complaint].append(seed)
            print(f"{seed} {done}: {complaint}", file=sys.stderr, flush=True)
    peak = memory()
    kinds: dict[str, list[str]] = collections.defaultdict(list)
    for complaint, seeds in found.items():
        kinds[
            complaint.partition(":")[0] + complaint.partition(":")[1] + complaint.partition(":")[2].split(":")[0]
        ] += seeds
    for kind, seeds in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"{len(seeds):5} {kind}   e.g. {seeds[0]}")
    bad = sum(map(len, found.values()))
    print(
        f"{len(wanted)} inputs, {mutations} mutations: {bad} complaints of {len(kinds)} kinds; "
        f"slowest {slowest[0]:.2f} s ({slowest[1]}); memory {peak:.0f} MB"
    )
    return 1 if bad or peak > MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())
