# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The catalogue's metrics of devices: each has a value for every device of its kind that a host or container has.

Entries stand in the order in which the report shows their charts. ``device`` and ``explained_by`` are words of the
readers in `module_utils.devices`.
"""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.accelerator_metrics import (
    CONTAINER_GPU_METRICS,
    HOST_GPU_METRICS,
    NPU_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric, SummaryRow
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import value_at

DEVICE_METRICS: tuple[Metric, ...] = (
    Metric(
        name="package_power_watts",
        unit="watts",
        kind="rate",
        formula="Δ energy of the processor package / Δ time, by RAPL",
        absent_when="the kernel has no `intel-rapl` in `/sys/class/powercap`; who measures is not root",
        value=value_at("package_uj", scale=1e-6),
        device="rapl",
        explained_by=("rapl",),
        charts=(Chart("Processor package power", "W"),),
        row=SummaryRow("S{n} Power Draw W"),
    ),
    *HOST_GPU_METRICS,
    *NPU_METRICS,
)
"""Metrics of the samples of a host."""

CONTAINER_DEVICE_METRICS: tuple[Metric, ...] = CONTAINER_GPU_METRICS
"""Metrics of the samples of a container. None of them is expected: a container that uses no device has none."""
