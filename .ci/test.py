# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the phases of ``make test``, side by side where they do not disturb each other; arguments select phases.

Two lanes take one phase after the other from what is left, the longest first, and those on the lab as soon as it is
up; tests that measure begin when all that is over. More lanes gain nothing on two cores, and containers that are
waited for take longer than they may. But a lane often waits itself: what only reads files, or has an engine to
itself, has a lane of its own, which takes what the others leave of the processors. Every phase's output is in
``tests/output/<phase>.log``; of a phase that fails it is printed, too. The exit status is 0 only if every command of
every phase ended well.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests" / "output"
# A name that no other checkout's lab has, for all labs of a machine share one engine.
LAB = os.environ.get("RETAIL_PROFILES_TEST_LAB", f"test-{zlib.crc32(bytes(ROOT)):08x}")
LAB_HOSTS = 4
# One host of each, as the engines that users have differ; the last one's is tested by itself, too.
LAB_KINDS = "bookworm,trixie,sid,sid-containerd"
INVENTORY = ROOT / ".lab" / LAB / "inventory.yml"
# The engine on which the lab's hosts are; up as long as a lab is.
ENGINE = "unix:///run/retail-profiles-lab/docker.sock"
# Only where it is asked for.
ON_DEMAND = {"controllers", "long"}
LANES = 2
# They read files alone, or have an engine of their own to themselves, so that they need not wait for others.
SPARE = {"sanity", "lint", "newest"}
NICE = ["nice", "-n", "10"]
# What runs side by side, in the order in which it is begun; a step begins when the one before is over.
STEPS = (
    ("lab-up", "jobs", "unit", "engine", "labs", "hosts", "build", "sanity", "lint", "newest"),
    ("runs",),
    ("versions",),
    ("controllers",),
    ("long",),
)
ON_THE_LAB = {"engine", "newest", "hosts", "jobs", "runs", "versions", "controllers", "long"}
# What compares the machine before and after must not see the lab's engine come up in between.
AFTER_LAB_UP = ON_THE_LAB | {"labs"}
MAIN_JOB = "tests/lab/main_job"
LAB_TESTS = ("tests/lab/test_lab.py", "tests/lab/test_free_subnet.py")

Command = list[str]
PYTEST: Command = [sys.executable, "-m", "pytest", "-q"]
LIVE: Command = [sys.executable, "-m", "pytest", "-v", "--durations=25"]
# On an engine like that of the lab's last host: with all kinds the newest, with containerd's store of images.
NEWEST: Command = [sys.executable, ".ci/engine_like.py", f"{LAB}-h{LAB_HOSTS}"]
# Of the matrix of versions the ends that the pinned set-up is not: the newest ansible-core, the oldest Python of hosts.
ENDS = "2.22.0rc1-on-3.13 and not unit or host-3.9"
TYPED = "ansible_collections.retail.profiles.plugins"
# pytest's last line, with or without its rulers: "12 passed, 1 skipped in 3.21s"
CLOSING = re.compile(r"^=*\s*(?:no tests ran|\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed)\b.*) in \d.*")
CONSOLE = threading.Lock()


@dataclass(eq=False)
class Phase:
    """A named list of commands. All of them run, also after one has failed: every complaint in one go."""

    name: str
    commands: list[Command]
    live: bool = False
    failed: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    seconds: float = 0.0
    ran: bool = False

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return OUTPUT / f"{self.name}.log"


def lab(playbook: str, *extra: str) -> Command:
    """The command that runs one of the lab's playbooks on this machine."""
    return ["ansible-playbook", f"playbooks/{playbook}.yml", "-i", "localhost,", "-c", "local", *extra]


def tests_in(*names: str) -> list[str]:
    """Those of the folders below tests/ that there are."""
    return [f"tests/{name}" for name in names if (ROOT / "tests" / name).is_dir()]


def phases() -> dict[str, Phase]:
    """Every phase by its name."""
    lab_up = lab("lab_up", "-e", f"lab_name={LAB}", "-e", f"lab_hosts={LAB_HOSTS}", "-e", f"lab_kinds={LAB_KINDS}")
    lab_down = lab("lab_down", "-e", f"lab_name={LAB}")
    engine = ["env", f"DOCKER_HOST={ENGINE}", *PYTEST, *tests_in("engine", "images")]
    mypy = [sys.executable, "-m", "mypy", "-p", f"{TYPED}.module_utils", "-p", f"{TYPED}.plugin_utils"]
    readers = [["ruff", "check", "."], mypy, ["ansible-lint", "--nocolor", "--offline"]]
    versions = ["env", f"DOCKER_HOST={ENGINE}", *LIVE, "tests/controllers"]
    # One after the other: both look at all that is on the lab's hosts.
    jobs = [[*LIVE, "-m", "not measures and not long", MAIN_JOB], [*LIVE, "tests/lab/test_prepare.py"]]
    table = [
        Phase("lint", [[*NICE, *reader] for reader in readers]),
        Phase("unit", [[*PYTEST, "tests/unit"]]),
        Phase("sanity", [[*NICE, sys.executable, ".ci/sanity.py"]]),
        Phase("build", [[*PYTEST, "tests/build"]]),
        Phase("lab-up", [lab_up]),
        Phase("engine", [engine], live=True),
        Phase("newest", [[*NICE, *NEWEST, *PYTEST, *tests_in("engine")]], live=True),
        Phase("jobs", jobs, live=True),
        Phase("hosts", [[*LIVE, "tests/lab/test_bare_host.py"]], live=True),
        Phase("labs", [[*LIVE, "-m", "not long", *LAB_TESTS]], live=True),
        Phase("runs", [[*LIVE, "-m", "measures and not long", MAIN_JOB]], live=True),
        Phase("versions", [[*versions, "-k", ENDS]], live=True),
        Phase("controllers", [versions], live=True),
        Phase("lab-down", [lab_down]),
    ]
    return {phase.name: phase for phase in [*table, long()]}


def long() -> Phase:
    """What takes too long for every day: mutated profiles, kills, faults, searches, a machine, a lab of 20 hosts."""
    live = [*PYTEST, "-v", "-s"]
    fuzz = ["env", "RETAIL_PROFILES_FUZZ=10000", *live, "tests/unit/plugin_utils/adapter/test_any_input.py"]
    kills = ["env", "RETAIL_PROFILES_KILLS=50", *live, f"{MAIN_JOB}/test_kills.py"]
    faults = [*live, *(f"{MAIN_JOB}/test_{name}.py" for name in ("failure", "faults", "trouble", "two_users"))]
    marked = ["env", "RETAIL_PROFILES_DENSITY=10", *live, "-m", "long", MAIN_JOB, *LAB_TESTS]
    images = [*NEWEST, *live, *tests_in("images")]
    # Brings up and takes down a lab of its own, which has a virtual machine.
    machine = [*live, "tests/lab/test_vm.py"]
    large = lab("lab_up", "-e", f"lab_name={LAB}", "-e", "lab_hosts=20")
    scale = [*live, "tests/scale"]
    return Phase("long", [fuzz, faults, kills, marked, images, machine, large, scale], live=True)


class Runner:
    """Runs phases, and remembers the processes it has started, so that an interrupt ends them and nothing else."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.children: set[subprocess.Popen[str]] = set()
        self.stopped = False

    def say(self, text: str) -> None:
        """Print one line with the time since the start."""
        with CONSOLE:
            print(f"[{time.monotonic() - self.begin:6.1f} s] {text}", flush=True)

    def stop(self) -> None:
        """Begin no command any more, and interrupt those that run."""
        self.stopped = True
        for child in list(self.children):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGINT)

    def command(self, phase: Phase, command: Command) -> None:
        """Run one command into the phase's log."""
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            "RETAIL_PROFILES_LAB": LAB,
            "RETAIL_PROFILES_LAB_INVENTORY": str(INVENTORY),
        }
        # As for those who do not set it: without byte code every playbook compiles the collection anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with phase.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            # A session of its own: Ctrl-C comes through stop(), and what it must not reach (lab-down) it does not.
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self.children.add(child)
            assert child.stdout is not None
            for line in child.stdout:
                log.write(line)
                if CLOSING.match(line):
                    phase.closing.append(line.strip())
                if phase.live:
                    with CONSOLE:
                        print(line, end="", flush=True)
            status = child.wait()
            self.children.discard(child)
        if status:
            phase.failed.append(f"{' '.join(command)} (exit status {status})")

    def run(self, phase: Phase) -> None:
        """Run all commands of a phase, and report."""
        if self.stopped:
            return
        phase.ran = True
        phase.log.write_text("")
        self.say(f"{phase.name}: started")
        start = time.monotonic()
        for command in phase.commands:
            if not self.stopped:
                self.command(phase, command)
        phase.seconds = time.monotonic() - start
        if phase.failed:
            with CONSOLE:
                if not phase.live:
                    print(f"----- {phase.log.relative_to(ROOT)} -----")
                    print(phase.log.read_text(errors="replace"), end="")
                    print(f"----- end of {phase.name} -----", flush=True)
            self.say(f"{phase.name}: FAILED after {phase.seconds:.1f} s")
        else:
            self.say(f"{phase.name}: ok, {phase.seconds:.1f} s {'; '.join(phase.closing)}")

    def step(self, phases: list[Phase]) -> None:
        """Run phases in lanes. Those on the lab wait until it is up, and are left out when it does not come up.

        The spare lane takes what is for it alone; of that the others take what is left when they have nothing else.
        """
        waiting = list(phases)
        comes_up = {phase for phase in phases if phase.name == "lab-up"}
        changed = threading.Condition()

        def take(spare: bool) -> Phase | None:
            with changed:
                while mine := [phase for phase in waiting if phase.name in SPARE or not spare]:
                    free = [phase for phase in mine if not comes_up or phase.name not in AFTER_LAB_UP]
                    if free:
                        waiting.remove(free[0])
                        return free[0]
                    changed.wait()
                return None

        def lane(spare: bool) -> None:
            while phase := take(spare):
                try:
                    self.run(phase)
                finally:
                    with changed:
                        comes_up.discard(phase)
                        if phase.name == "lab-up" and phase.failed:
                            waiting[:] = [other for other in waiting if other.name not in ON_THE_LAB]
                        changed.notify_all()

        lanes = [threading.Thread(target=lane, args=(spare,), daemon=True) for spare in [*[False] * LANES, True]]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()


def select(arguments: list[str]) -> list[str]:
    """The names of the phases to run; those on the lab bring it along.

    Raises:
        SystemExit: an argument is no phase.
    """
    known = list(phases())
    unknown = [name for name in arguments if name not in known]
    if unknown:
        sys.exit(f"test: no phase {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = set(arguments) or set(known) - ON_DEMAND
    if chosen & ON_THE_LAB:
        chosen |= {"lab-up", "lab-down"}
    return [name for name in known if name in chosen]


def report(done: list[Phase], wanted: int, seconds: float) -> int:
    """Print the phases with their times, pytest's closing lines, and the outcome; return the exit status."""
    print("\nphase       time    result")
    for phase in done:
        print(f"{phase.name:<10} {phase.seconds:6.1f} s  {'FAILED' if phase.failed else 'ok'}")
    for phase in done:
        for failure in phase.failed:
            print(f"FAILED {phase.name}: {failure}; see {phase.log.relative_to(ROOT)}")
    for phase in done:
        for line in phase.closing:
            print(f"{phase.name}: {line}")
    good = len(done) == wanted and not any(phase.failed for phase in done)
    print(f"{'OK' if good else 'FAILED'}: {len(done)} of {wanted} phases in {seconds:.1f} s", flush=True)
    return 0 if good else 1


def main() -> int:
    """Run what was asked for."""
    names = select(sys.argv[1:])
    table = phases()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    runner = Runner()

    def interrupt(_number: int, _frame: object) -> None:
        runner.stop()

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)

    for step in STEPS:
        # What the jobs have prepared on the lab is not prepared again.
        os.environ["RETAIL_PROFILES_PREPARED"] = "yes" if table["jobs"].ran else ""
        runner.step([table[name] for name in step if name in names])
        if table["lab-up"].failed:
            break
    if table["lab-up"].ran and "lab-down" in names:
        runner.stopped = False
        runner.run(table["lab-down"])
    done = [table[name] for name in names if table[name].ran]
    return report(done, len(names), time.monotonic() - runner.begin)


if __name__ == "__main__":
    sys.exit(main())
