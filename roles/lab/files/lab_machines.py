# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a lab: QEMU processes whose network cards are taps on the lab's bridge.

Usage: lab_machines.py up | down < JSON

- ``up`` brings the machines to what is asked for: makes and starts those that are missing, starts those that have lost
  their power, and removes those that are no longer part of the lab. It prints what it has changed, a line each.
- ``down`` removes all of them.

A machine's folder has what it changes on its disk, the disk with its keys, what its console said, and the number of
its process. Machines run on KVM where that boots a kernel in time, and are emulated elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

QEMU = "qemu-system-x86_64"
KVM = Path("/dev/kvm")
KVM_PATIENCE = 20.0
"""Seconds in which a kernel must have come to its end on KVM: it takes one or two. On an emulated KVM it dies, or takes
minutes."""
END_PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Lab:
    """The lab that is asked for; all but the first two only to bring it up. ``keys`` has a folder for each host."""

    name: str
    folder: str
    image: str = ""
    keys: str = ""
    bridge: str = ""
    gateway: str = ""
    cpus: int = 1
    memory: int = 1024
    addresses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """One machine, and where it has what."""

    lab: Lab
    name: str

    @property
    def folder(self) -> Path:
        return Path(self.lab.folder, self.name)

    @property
    def disk(self) -> Path:
        """What it has changed on the disk that all machines share."""
        return self.folder / "disk.qcow2"

    @property
    def keys(self) -> Path:
        """The disk with what is its own: keys, its name, and the engine's configuration."""
        return self.folder / "keys.raw"

    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def made_from(self) -> Path:
        """Has a digest of what it was made from: where that is another now, it is made anew."""
        return self.folder / "made_from"

    @property
    def tap(self) -> str:
        """The network device on the lab's bridge. A device's name has at most 15 characters."""
        return f"rpv{hashlib.sha1(f'{self.lab.name}/{self.name}'.encode()).hexdigest()[:12]}"

    @property
    def mac(self) -> str:
        return "52:54:" + ":".join(f"{int(part):02x}" for part in self.lab.addresses[self.name].split("."))


def run(*command: str | Path) -> None:
    """Run a command that is to succeed.

    Raises:
        SystemExit: it does not.
    """
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {ended.stderr.strip() or f'exit status {ended.returncode}'}")


@contextmanager
def process(machine: Machine) -> Iterator[int | None]:
    """A descriptor of the machine's process; None: it does not run.

    The number in the pid file may be another process's by now. That one's command line does not name this pid file,
    and the descriptor stays with the process that was asked, whatever gets its number later.
    """
    with contextlib.ExitStack() as end:
        descriptor = None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            number = int(machine.pid_file.read_text(encoding="ascii"))
            opened = os.pidfd_open(number)
            end.callback(os.close, opened)
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
            if os.fsencode(machine.pid_file) in words:
                descriptor = opened
        yield descriptor


def end_process(machine: Machine) -> None:
    """Cut the machine's power.

    Raises:
        SystemExit: its process does not end.
    """
    with process(machine) as descriptor:
        if descriptor is None:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(END_PATIENCE_MS):
            sys.exit(f"The process of {machine.name} ({machine.pid_file}) does not end: end it, then try again.")


def remove(machine: Machine) -> list[str]:
    """End a machine, and remove all that it has here."""
    end_process(machine)
    if Path("/sys/class/net", machine.tap).exists():
        run("ip", "link", "delete", machine.tap)
    shutil.rmtree(machine.folder)
    return [f"removed {machine.name}"]


def machines(lab: Lab) -> list[Machine]:
    """Those that there are."""
    folder = Path(lab.folder)
    return [Machine(lab, found.name) for found in sorted(folder.iterdir())] if folder.is_dir() else []


def plug(machine: Machine) -> list[str]:
    """See that the machine's network card is on the lab's bridge, which may be another than before."""
    device = Path("/sys/class/net", machine.tap)
    if not device.exists():
        run("ip", "tuntap", "add", "dev", machine.tap, "mode", "tap")
    master = device / "master"
    if master.exists() and master.resolve().name == machine.lab.bridge and is_up(device):
        return []
    run("ip", "link", "set", machine.tap, "master", machine.lab.bridge, "up")
    return [f"plugged {machine.name}"]


def is_up(device: Path) -> bool:
    """Whether a network device is up."""
    return bool(int((device / "flags").read_text(encoding="ascii"), 16) & 1)


def digest(machine: Machine) -> str:
    """Of all that a machine is made from."""
    lab = machine.lab
    keys = {path.name: path.read_text(encoding="utf-8") for path in Path(lab.keys, machine.name).iterdir()}
    made_of = [lab.image, lab.bridge, lab.gateway, lab.cpus, lab.memory, lab.addresses[machine.name], keys]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def make(machine: Machine) -> list[str]:
    """Make a machine's disks."""
    machine.folder.mkdir(parents=True, mode=0o700)
    # Without an address here containers would be told to ask a public resolver, which nothing in the lab can reach.
    engine = {"dns": [machine.lab.gateway], "log-level": "warn"}
    with tempfile.TemporaryDirectory(dir=machine.folder) as folder:
        content = shutil.copytree(Path(machine.lab.keys, machine.name), Path(folder, "content"))
        Path(content, "daemon.json").write_text(json.dumps(engine), encoding="ascii")
        Path(content, "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {machine.name}\n", encoding="ascii")
        with machine.keys.open("wb") as disk:
            disk.truncate(4 << 20)
        run("mkfs.ext4", "-q", "-d", content, machine.keys)
    base = Path(machine.lab.image, "disk.raw")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, machine.disk)
    machine.made_from.write_text(digest(machine), encoding="ascii")
    return [f"made {machine.name}"]


def kvm_works(image: Path) -> bool:
    """Whether KVM boots a kernel in time. Without a disk a kernel ends at once, and says so."""
    if not os.access(KVM, os.R_OK | os.W_OK):
        return False
    command = [QEMU, "-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35,accel=kvm", "-cpu", "host"]
    command += ["-m", "512", "-kernel", str(image / "vmlinuz"), "-append", "console=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=KVM_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0 and b"Kernel panic" in ended.stdout


def command_line(machine: Machine, kvm: bool) -> list[str]:
    """The arguments of QEMU."""
    lab = machine.lab
    kernel = [
        *("root=/dev/vda", "rw", "console=ttyS0", "net.ifnames=0", "mitigations=off"),
        # systemd's own watchdogs would take an emulated processor for a service that hangs.
        *("systemd.firstboot=off", "systemd.service_watchdogs=no", f"systemd.hostname={machine.name}"),
        f"ip={lab.addresses[machine.name]}:::255.255.255.0:{machine.name}:eth0:off",
        # An emulated time stamp counter runs some percent too fast.
        *(() if kvm else ("clocksource=acpi_pm",)),
    ]
    drives = {machine.disk: "format=qcow2", machine.keys: "format=raw,readonly=on"}
    return [
        *(QEMU, "-name", f"{lab.name}-{machine.name}", "-nodefaults", "-no-user-config", "-display", "none"),
        *("-machine", f"q35,sata=off,accel={'kvm' if kvm else 'tcg'}", "-cpu", "host" if kvm else "max"),
        *("-smp", str(lab.cpus), "-m", str(lab.memory)),
        *("-kernel", f"{lab.image}/vmlinuz", "-initrd", f"{lab.image}/initrd.img", "-append", " ".join(kernel)),
        # A comma within a value is written twice.
        *(
            word
            for drive, options in drives.items()
            for word in ("-drive", f"file={str(drive).replace(',', ',,')},if=virtio,{options}")
        ),
        *("-netdev", f"tap,id=net,ifname={machine.tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=net,mac={machine.mac}", "-device", "virtio-rng-pci"),
        *("-serial", f"file:{machine.folder}/console.log", "-pidfile", str(machine.pid_file), "-daemonize"),
    ]


def wake(machine: Machine) -> list[str] | None:
    """See that a machine that runs is not frozen; None: it does not run."""
    with process(machine) as descriptor:
        if descriptor is None:
            return None
        state = Path("/proc", machine.pid_file.read_text(encoding="ascii").strip(), "stat")
        frozen = state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
        signal.pidfd_send_signal(descriptor, signal.SIGCONT)
        return [f"went on with {machine.name}"] if frozen else []


def up(lab: Lab) -> list[str]:
    """Bring the machines to what is asked for."""
    wanted = [Machine(lab, name) for name in lab.addresses]
    changes: list[str] = []
    for machine in machines(lab):
        made_from = machine.made_from.read_text(encoding="ascii") if machine.made_from.exists() else ""
        if machine not in wanted or made_from != digest(machine):
            changes += remove(machine)
    stopped = []
    for machine in wanted:
        if not machine.folder.exists():
            changes += make(machine)
        changes += plug(machine)
        woken = wake(machine)
        changes += woken or []
        if woken is None:
            stopped.append(machine)
    kvm = bool(stopped) and kvm_works(Path(lab.image))
    for machine in stopped:
        run(*command_line(machine, kvm))
        changes.append(f"started {machine.name} {'on KVM' if kvm else 'emulated'}")
    return changes


def down(lab: Lab) -> list[str]:
    """Remove all machines."""
    removed = [line for machine in machines(lab) for line in remove(machine)]
    folder = Path(lab.folder)
    if folder.is_dir():
        folder.rmdir()
        with contextlib.suppress(OSError):  # other labs have machines
            folder.parent.rmdir()
    return removed


def main(command: str) -> None:
    """Do what is asked for."""
    lab = Lab(**json.load(sys.stdin))
    print("\n".join({"up": up, "down": down}[command](lab)), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
