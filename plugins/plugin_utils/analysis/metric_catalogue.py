# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of metrics: whatever lists metrics reads it here.

To add a metric is to add an entry to `host_metrics`, `device_metrics`, `container_metrics` or `ovms_metrics`, and the
sampler's reader where its samples do not hold it yet. A container's and a host's metrics may bear the same name.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    CONTAINER_METRICS,
    TOLD_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import DEVICE_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS

OF_CONTAINERS: Mapping[str, Metric] = {
    metric.name: metric for metric in (*TOLD_METRICS, *OVMS_METRICS, *CONTAINER_METRICS)
}
OF_HOSTS = (*HOST_METRICS, *DEVICE_METRICS)
EXPLANATIONS = frozenset(
    word for metric in (*OVMS_METRICS, *CONTAINER_METRICS, *OF_HOSTS) for word in metric.explained_by
)
"""The sampler's words that explain why some built-in metric is absent."""


def built_in(ovms: bool) -> tuple[Metric, ...]:
    """The metrics that a replica has without a rule of its profile."""
    return (*CONTAINER_METRICS, *OVMS_METRICS) if ovms else CONTAINER_METRICS


def of_rule(name: str) -> Metric:
    """The metric that a rule of the profile tells; one of the profile's own where the catalogue has none."""
    own = Metric(name, "as the rule says", "gauge", "as the kind of the rule", "no value in the window")
    return OF_CONTAINERS.get(name, own)
