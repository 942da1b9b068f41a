# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers tell of a client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_fdinfo import Client, parse

from .machines import amdgpu, i915, xe


def test_i915_tells_nanoseconds_and_an_engine_class_has_its_share_of_them() -> None:
    assert parse(i915(39, 346249, video=1000).encode()) == Client(
        pdev="0000:00:02.0",
        id="39",
        busy={"render": 346249, "copy": 0, "video": 500, "video_enhance": 0},
        clock=None,
        local=None,
        system=6044 << 10,
    )


def test_i915_of_a_card_tells_its_own_memory() -> None:
    more = "drm-resident-local0:\t512 MiB\ndrm-resident-stolen-local0:\t8 MiB\ndrm-engine-compute:\t77 ns\n"
    seen = parse(i915(1, 0, more=more).encode())
    assert seen is not None
    assert (seen.local, seen.busy["compute"]) == (520 << 20, 77)


def test_xe_tells_cycles_of_a_clock() -> None:
    assert parse(xe(3, 28257900, 7655183225, ccs=400).encode()) == Client(
        pdev="0000:03:00.0",
        id="3",
        busy={"render": 28257900, "copy": 0, "video": 0, "video_enhance": 0, "compute": 100},
        clock=7655183225,
        local=23992 << 10,
        system=192 << 10,
    )


def test_amdgpu_tells_engines_that_were_used() -> None:
    assert parse(amdgpu(12, 1500, dec=30).encode()) == Client(
        pdev="0000:0b:00.0", id="12", busy={"render": 1500, "video": 30}, clock=None, local=1 << 20, system=2 << 20
    )
    newer = amdgpu(12, 0) + "drm-resident-vram:\t310488 KiB\ndrm-resident-gtt:\t0\ndrm-resident-cpu:\t5 KiB\n"
    seen = parse(newer.encode())
    assert seen is not None
    assert (seen.busy, seen.local, seen.system) == ({}, 310488 << 10, 5 << 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pos:\t0\nflags:\t02\nmnt_id:\t15\n",
        "drm-driver:\tvc4\ndrm-client-id:\t3\n",
        "drm-driver:\tast\ndrm-pdev:\t0000:02:00.0\n",
    ],
    ids=["a descriptor that was closed", "no device", "not on PCI", "a driver that tells no client"],
)
def test_what_is_no_client(text: str) -> None:
    assert parse(text.encode()) is None


@given(st.binary(), st.sampled_from([i915(1, 5), xe(1, 5, 9), amdgpu(1, 5)]), st.integers(0, 900))
def test_any_text_is_read_to_an_end(noise: bytes, text: str, at: int) -> None:
    seen = parse(text.encode()[:at] + noise + text.encode()[at:])
    assert seen is None or all(value >= 0 for value in seen.busy.values())
