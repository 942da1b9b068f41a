# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of many replicas, from series that need no samples."""

from __future__ import annotations

import dataclasses
import random

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import CPU, FPS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series
from ansible_collections.retail.profiles.plugins.plugin_utils.results import html_report, run_record

from ..synthetic import T0, make_plan


def report(clients: int, seconds: int) -> str:
    """The page of so many clients, with the frames per second and the CPU of each for so long."""
    plan = make_plan(hosts=4, clients=clients)
    run = run_record.load(plan, [], [])
    chance = random.Random(1)

    def series(metric: Metric, level: float) -> Series:
        ends = [T0 + t + chance.random() / 10.0 for t in range(seconds)]
        points = tuple(Point(end - 1.0, end, level * chance.gauss(1.0, 0.05)) for end in ends)
        return Series(metric.name, metric.unit, "gauge", points=points)

    names = [name for name in plan["replicas"] if "client" in name]
    told = {name: {FPS.name: series(FPS, 30.0), CPU.name: series(CPU, 0.2)} for name in names}
    run = dataclasses.replace(run, seen=dataclasses.replace(run.seen, replicas={**run.seen.replicas, **told}))
    judged, now = run_record.judge(run), T0 + seconds
    final = run_record.build(plan, run, judged, run_id="large", started=T0, now=now, controller={})
    return html_report.html(final, run)
