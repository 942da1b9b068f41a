# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of a CPU's or a package's hardware by perf_event_open(2), which no library of Python's has."""

from __future__ import annotations

import errno
import os
import platform
import struct
from dataclasses import dataclass

_NUMBERS = {"x86_64": 298, "aarch64": 241}  # of the system call
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQQ")  # struct perf_event_attr as of PERF_ATTR_SIZE_VER1
_TIMES = 1 | 2  # PERF_FORMAT_TOTAL_TIME_ENABLED and PERF_FORMAT_TOTAL_TIME_RUNNING
_CLOSE_ON_EXEC = 8
_COUNT = struct.Struct("=QQQ")
_PARANOID = "/proc/sys/kernel/perf_event_paranoid"


class RefusedError(Exception):
    """The kernel does not count that for us; the text says why."""


@dataclass(frozen=True)
class Event:
    """What a PMU (*type*) shall count, as perf_event_attr has it."""

    type: int
    config: int
    config1: int = 0
    config2: int = 0


def open_event(event: Event, cpu: int) -> int:
    """A descriptor of what all processes do on a CPU, or in its package. Raises RefusedError."""
    import ctypes  # few hosts need it, and not every Python has it

    number = _NUMBERS.get(platform.machine())
    if number is None:
        raise RefusedError(f"the number of perf_event_open is not known on {platform.machine()}")
    fields = (event.type, _ATTRIBUTES.size, event.config, 0, 0, _TIMES, 0, 0, 0, event.config1, event.config2)
    attributes = ctypes.create_string_buffer(_ATTRIBUTES.pack(*fields))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    everyone, no_group, flags = ctypes.c_int(-1), ctypes.c_int(-1), ctypes.c_ulong(_CLOSE_ON_EXEC)
    descriptor = int(call(ctypes.c_long(number), attributes, everyone, ctypes.c_int(cpu), no_group, flags))
    if descriptor < 0:
        raise RefusedError(refusal(ctypes.get_errno()))
    return descriptor


def refusal(number: int) -> str:
    """Why the kernel did not open an event, by its errno."""
    if number in (errno.EACCES, errno.EPERM):
        return f"only root may count what all processes do ({_PARANOID})"
    return f"perf_event_open: {os.strerror(number)}"


def count(descriptor: int) -> float:
    """How often it happened; an estimate where the hardware counted a part of the time only. Raises OSError."""
    value, enabled, running = _COUNT.unpack(os.read(descriptor, _COUNT.size))
    if not running:
        raise OSError(errno.EBUSY, "others use all counters of the hardware")
    return float(value * enabled / running if running < enabled else value)
