# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target devices: how they are written, and which nodes they need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.schema import target_device
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices

TWO = HostDevices(
    render=["/dev/dri/renderD128", "/dev/dri/renderD129"],
    npu=["/dev/accel/accel0"],
    gids={"/dev/dri/renderD128": 993, "/dev/dri/renderD129": 993, "/dev/accel/accel0": 0},
)


SINGLE = st.sampled_from(["CPU", "NPU", "GPU", "GPU.0", "GPU.1"])


TARGETS = st.one_of(
    SINGLE,
    st.just("AUTO"),
    st.tuples(st.sampled_from(["AUTO", "MULTI", "HETERO"]), st.lists(SINGLE, min_size=1, unique=True)).map(
        lambda pair: f"{pair[0]}:{','.join(pair[1])}"
    ),
)


@given(TARGETS)
def test_a_target_device_reads_as_it_was_written(text: str) -> None:
    assert str(target_device.parse(text)) == text
    assert target_device.name(text.lower()) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpu.",
        "GPU.x",
        "GPU.01",
        "GPU,CPU",
        "MULTI",
        "MULTI:",
        "MULTI:GPU,",
        "HETERO:AUTO",
        "VPU",
        "BATCH:GPU",
        3,
        None,
    ],
)
def test_what_is_no_target_device_is_answered_with_the_valid_forms(text: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a target device: valid are CPU, GPU, GPU\.n .*NPU.*MULTI:a,b"):
        target_device.parse(text)


@pytest.mark.parametrize(
    ("text", "nodes", "inside"),
    [
        ("CPU", [], "CPU"),
        ("GPU", ["/dev/dri/renderD128"], "GPU"),
        ("GPU.0", ["/dev/dri/renderD128"], "GPU"),
        ("GPU.1", ["/dev/dri/renderD129"], "GPU"),
        ("NPU", ["/dev/accel/accel0"], "NPU"),
        ("AUTO", [*TWO.render, *TWO.npu], "AUTO"),
        ("AUTO:GPU,CPU", ["/dev/dri/renderD128"], "AUTO:GPU,CPU"),
        ("HETERO:GPU.1,CPU", ["/dev/dri/renderD129"], "HETERO:GPU,CPU"),
        ("MULTI:GPU.1,GPU.0", TWO.render, "MULTI:GPU.1,GPU.0"),
        ("MULTI:NPU,GPU", ["/dev/accel/accel0", "/dev/dri/renderD128"], "MULTI:NPU,GPU"),
    ],
)
def test_a_container_gets_the_least_that_the_device_needs(text: str, nodes: list[str], inside: str) -> None:
    target = target_device.parse(text)
    assert list(target_device.nodes(target, TWO)) == nodes
    assert str(target_device.inside(target, TWO)) == inside


@given(TARGETS)
def test_no_target_needs_more_than_the_host_has_and_all_gpus_inside_are_given(text: str) -> None:
    target = target_device.parse(text)
    nodes = target_device.nodes(target, TWO)
    gpus = [node for node in nodes if "render" in node]
    assert set(nodes) <= {*TWO.render, *TWO.npu}
    for part in target_device.inside(target, TWO).parts:
        if part.startswith("GPU."):
            assert int(part[4:]) < len(gpus)


def test_models_that_name_gpus_for_themselves_find_them_under_the_same_names() -> None:
    named = [target_device.parse("GPU.1"), target_device.parse("CPU")]
    assert list(target_device.nodes_by_name(named, TWO)) == TWO.render
    assert target_device.nodes_by_name([target_device.parse("CPU")], TWO) == ()


def test_what_the_host_lacks_is_told_with_what_it_has() -> None:
    with pytest.raises(ValueError, match=r"no GPU\.2 \(/dev/dri/renderD130\): it has /dev/dri/renderD128, /dev/dri/r"):
        target_device.nodes(target_device.parse("GPU.2"), TWO)
    with pytest.raises(ValueError, match=r"no NPU \(/dev/accel/accelN\): it has none"):
        target_device.nodes(target_device.parse("MULTI:CPU,NPU"), HostDevices())
    assert target_device.nodes(target_device.parse("AUTO"), HostDevices()) == ()
