# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving one request, whatever interface it came by: find the version, infer, count and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ovms_stand_in import metrics as m
from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.generation import Generative
from ovms_stand_in.manager import ModelManager, ServedVersion
from ovms_stand_in.model import Array, Servable, TensorInfo

# Makes the input arrays of a request from what a model's inputs are.
Reader = Callable[[Mapping[str, TensorInfo]], Mapping[str, Array]]


def parse_version(text: str) -> int | None:
    """The version that a request asks for; None for the default one."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise RequestError(Fault.MODEL_VERSION_INVALID_FORMAT, text) from None


def check_names(wanted: Mapping[str, TensorInfo], given: Sequence[str]) -> None:
    """Raise RequestError unless the names ``given`` are exactly the model's inputs."""
    if len(given) != len(wanted):
        raise RequestError(Fault.INVALID_NO_OF_INPUTS, f"Expected: {len(wanted)}; Actual: {len(given)}")
    for name in wanted:
        if name not in given:
            raise RequestError(Fault.INVALID_MISSING_INPUT, f"Required input: {name}")
    for name in given:
        if name not in wanted:
            raise RequestError(Fault.INVALID_UNEXPECTED_INPUT, f"Input name: {name}")


@contextmanager
def _counted(metrics: m.Metrics, served: ServedVersion, interface: str, method: str) -> Iterator[None]:
    """Count the request in the block as successful, or as failed when it raises."""
    try:
        yield
    except BaseException:
        metrics.count(served.name, served.version, interface, method, success=False)
        raise
    metrics.count(served.name, served.version, interface, method, success=True)


class Inference:
    """What both services call. interface: ``gRPC`` or ``REST``, for the metrics. version: the server's own.

    graphs: the generative models that are there, by name.
    """

    def __init__(self, manager: ModelManager, metrics: m.Metrics, version: str = "") -> None:
        self.manager = manager
        self.metrics = metrics
        self.version = version
        self.graphs: dict[str, Generative] = {}

    def model_ready(self, name: str, version: str, interface: str) -> bool:
        """Whether the version is available. RequestError when the model or the version is unknown."""
        if name in self.graphs:
            return True
        served = self.manager.find(name, parse_version(version))
        with _counted(self.metrics, served, interface, "ModelReady"):
            return served.state == "AVAILABLE"

    def metadata(self, name: str, version: str, interface: str) -> tuple[Servable, tuple[int, ...]]:
        """The instance that describes the model, and its available versions."""
        served = self.manager.find(name, parse_version(version))
        with _counted(self.metrics, served, interface, "ModelMetadata"):
            return served.available(), self.manager.available_versions(name)

    def infer(self, name: str, version: str, interface: str, read: Reader) -> tuple[int, dict[str, Array]]:
        """The version that served the request, and all outputs."""
        start = time.perf_counter()
        served = self.manager.find(name, parse_version(version))
        key = (served.name, served.version)
        with _counted(self.metrics, served, interface, "ModelInfer"):
            instance = served.available()
            self.metrics.change(m.CURRENT, *key, by=1)
            self.metrics.change(m.ACTIVE, *key, by=1)
            try:
                outputs, timing = instance.infer(read(instance.inputs))
            finally:
                self.metrics.change(m.CURRENT, *key, by=-1)
                self.metrics.change(m.ACTIVE, *key, by=-1)
        self.metrics.observe(m.WAIT_TIME, *key, seconds=timing.wait)
        self.metrics.observe(m.INFERENCE_TIME, *key, seconds=timing.inference)
        self.metrics.observe(m.REQUEST_TIME, *key, seconds=time.perf_counter() - start, interface=interface)
        return served.version, outputs
