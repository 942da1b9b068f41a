# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One version of one model, compiled by OpenVINO, with a pool of inference requests."""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.model import DATATYPES, Array, TensorInfo, Timing
from ovms_stand_in.modelconfig import AUTO, BEST_DEVICE, Dimension, Layout, ModelConfig, Shape

# One inference thread: on shared cores two are slower than one, and a stand-in has no speed to show.
DEFAULT_PLUGIN_CONFIG: Mapping[str, Any] = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}


def _dimension(value: Dimension) -> ov.Dimension:
    if value is None:
        return ov.Dimension(-1)
    return ov.Dimension(*value) if isinstance(value, tuple) else ov.Dimension(value)


def _pick(settings: Mapping[str, Any], inputs: list[str], fault: Fault) -> dict[str, Any]:
    """``settings`` by input name; the key "" is the only input's. RequestError for a name that the model has not."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if not name and len(inputs) != 1:
            raise RequestError(fault, "the model has several inputs: name one")
        if name and name not in inputs:
            raise RequestError(fault, name)
        found[name or inputs[0]] = value
    return found


def _reshape(model: Any, config: ModelConfig, layouts: Mapping[str, Layout]) -> None:
    """Apply the configured shapes, or else the batch size, to ``model``."""
    shapes: dict[str, Shape | str] = _pick(
        config.shapes, [port.get_any_name() for port in model.inputs], Fault.CONFIG_SHAPE_IS_NOT_IN_MODEL
    )
    wanted: dict[str, ov.PartialShape] = {}
    for port in model.inputs:
        name, present = port.get_any_name(), port.get_partial_shape()
        if name in shapes:
            shape = shapes[name]
            # "auto" reshapes OVMS's model on demand; dimensions of any size answer the same requests.
            size = [None] * len(present) if shape == AUTO else shape
            wanted[name] = ov.PartialShape([_dimension(value) for value in size])  # type: ignore[arg-type]
        elif config.batch_size is not None and not shapes:
            layout = layouts.get(name)
            position = (layout.tensor if layout else "N").find("N")
            size = list(present)
            if position >= 0 and size:
                size[position] = _dimension(None if config.batch_size == AUTO else config.batch_size)  # type: ignore[arg-type]
            wanted[name] = ov.PartialShape(size)
    if wanted:
        try:
            model.reshape(wanted)
        except RuntimeError as error:
            raise RequestError(Fault.RESHAPE_ERROR, str(error).strip().splitlines()[-1]) from None


def _with_layouts(model: Any, layouts: Mapping[str, Layout]) -> Any:
    """The model with the conversion from the layouts that clients send built in."""
    changed = {name: layout for name, layout in layouts.items() if layout.model}
    if not changed:
        return model
    steps = ov.preprocess.PrePostProcessor(model)
    for name, layout in changed.items():
        steps.input(name).tensor().set_layout(ov.Layout(layout.tensor))
        steps.input(name).model().set_layout(ov.Layout(layout.model))
    try:
        return steps.build()
    except RuntimeError as error:
        raise RequestError(Fault.LAYOUT_WRONG_FORMAT, str(error).strip().splitlines()[-1]) from None


def _info(port: Any, layouts: Mapping[str, Layout]) -> TensorInfo:
    name = port.get_any_name() if port.get_names() else port.get_node().get_friendly_name()
    kind = port.get_element_type().get_type_name()
    if kind not in DATATYPES:
        raise RequestError(Fault.MODEL_NOT_LOADED, f"{name}: the stand-in does not serve tensors of type {kind}")
    shape = port.get_partial_shape()
    bounds = tuple((d.get_min_length(), d.get_max_length()) for d in shape)
    sizes = tuple(low if low == high else -1 for low, high in bounds)
    return TensorInfo(name, DATATYPES[kind][0], sizes, bounds, layouts[name].tensor if name in layouts else "")


class Instance:
    """A model compiled by OpenVINO, with a pool of inference requests: a Servable."""

    def __init__(self, core: Any, config: ModelConfig, file: Path) -> None:
        """Load and compile ``file``. Raises RequestError with what is wrong."""
        device = config.target_device or BEST_DEVICE
        try:
            model = core.read_model(str(file))
        except RuntimeError as error:
            raise RequestError(Fault.MODEL_NOT_LOADED, f"{file}: {str(error).strip().splitlines()[-1]}") from None
        names = [port.get_any_name() for port in model.inputs]
        layouts: dict[str, Layout] = _pick(config.layouts, names, Fault.CONFIG_LAYOUT_IS_NOT_IN_MODEL)
        _reshape(model, config, layouts)
        model = _with_layouts(model, layouts)
        options: dict[Any, Any] = {**DEFAULT_PLUGIN_CONFIG, **config.plugin_config}
        if config.cache_dir:
            options["CACHE_DIR"] = config.cache_dir
        # AUTO hands these to the CPU plugin by itself only in this form.
        if device.startswith("AUTO"):
            options = {"DEVICE_PROPERTIES": {"CPU": options}}
        try:
            compiled = core.compile_model(model, device, options)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise RequestError(Fault.CANNOT_COMPILE, f"device: {device}: {reason}") from None
        self.inputs: Mapping[str, TensorInfo] = {
            info.name: info for info in (_info(port, layouts) for port in compiled.inputs)
        }
        self.outputs: Mapping[str, TensorInfo] = {
            info.name: info for info in (_info(port, {}) for port in compiled.outputs)
        }
        self.nireq = config.nireq or int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.streams = _streams(compiled)
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _time in range(self.nireq):
            self._free.put(compiled.create_infer_request())

    def infer(self, inputs: Mapping[str, Array]) -> tuple[dict[str, Array], Timing]:
        """All outputs, as copies of their own; see Servable."""
        asked = time.perf_counter()
        request = self._free.get()
        try:
            got = time.perf_counter()
            tensors = {name: ov.Tensor(np.ascontiguousarray(array)) for name, array in inputs.items()}
            try:
                request.infer(tensors, share_inputs=True)
            except RuntimeError as error:
                raise RequestError(Fault.OV_INTERNAL_INFERENCE_ERROR, str(error).strip()) from None
            done = time.perf_counter()
            results = {name: np.array(request.get_output_tensor(i).data) for i, name in enumerate(self.outputs)}
        finally:
            self._free.put(request)
        return results, Timing(got - asked, done - got)


def _streams(compiled: Any) -> int:
    try:
        return int(compiled.get_property("NUM_STREAMS"))
    except (RuntimeError, ValueError, TypeError):  # AUTO does not tell
        return 1
