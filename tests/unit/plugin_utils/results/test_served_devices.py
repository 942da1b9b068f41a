# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where models really ran, from lines that the model server logs, else from what it was told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import observations, served_devices
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import of_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_record

from .. import synthetic

SERVER = "ovms-ovms-server-1"
BEFORE = "[2026-05-01 10:00:00.123][1][serving][info][modelinstance.cpp:1332] "


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Loading model: a, version: 1, from path: /models/a/1, with target device: GPU.1 ...", ("a", "GPU.1")),
        (
            "Loading model: org/a, version: 12, from path: /m, with target device: MULTI:GPU,CPU ...",
            ("org/a", "MULTI:GPU,CPU"),
        ),
        ("Loading model: a, version: 1, from path: /models/a/1, with target device:  ...", None),
        ("No target device specified for model: a; version: 1; using recommended device: NPU", ("a", "NPU")),
        ("No device specified, using recommended device: GPU", ("llm", "GPU")),
        ("No device specified for VLM model, using recommended device: CPU", ("llm", "CPU")),
        ("Plugin config for device: CPU", None),
        ("target device: of our shop", None),
    ],
)
def test_lines_of_the_log(line: str, expected: Any) -> None:
    assert served_devices.told(BEFORE + line, {"a": "CPU", "llm": None}) == expected


def test_a_line_without_a_name_is_of_the_only_graph_without_a_device() -> None:
    line = BEFORE + "No device specified, using recommended device: GPU"
    assert served_devices.told(line, {"a": None, "b": None}) is None
    assert served_devices.told(line, {}) is None


def test_the_log_has_the_last_word() -> None:
    assert served_devices.of_record({"a": "CPU", "b": "GPU", "c": None}, {"a": "GPU", "d": "CPU"}) == {
        "a": {"device": "GPU", "told_by": "log"},
        "b": {"device": "GPU", "told_by": "configuration"},
        "c": {"device": None, "told_by": None},
        "d": {"device": "CPU", "told_by": "log"},
    }


def test_a_record_says_where_models_ran() -> None:
    plan = synthetic.make_plan()
    plan["replicas"][SERVER]["models"] = {"face-detection": None, "llm": "GPU"}
    line = f"{BEFORE}No target device specified for model: face-detection; version: 1; using recommended device: CPU"
    samples = [
        {"host": "server", "t": synthetic.T0, "type": "log", "replica": SERVER, "stream": "stdout", "line": line},
        {
            "host": "client1",
            "t": synthetic.T0,
            "type": "log",
            "replica": "ovms-client-1",
            "stream": "stdout",
            "line": line,
        },
    ]
    seen = observations.observe(of_plan(plan), samples, {})
    assert seen.model_devices == {SERVER: {"face-detection": "CPU"}}
    run = run_record.load(plan, [], samples)
    record = run_record.build(
        plan, run, run_record.judge(run), run_id="r", started=synthetic.T0, now=synthetic.T0, controller={}
    )
    assert record["containers"][SERVER]["models"] == {
        "face-detection": {"device": "CPU", "told_by": "log"},
        "llm": {"device": "GPU", "told_by": "configuration"},
    }
    assert "models" not in record["containers"]["ovms-client-1"]
