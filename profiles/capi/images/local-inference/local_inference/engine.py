# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model, loaded by OpenVINO, and frames for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov


class ModelError(Exception):
    """The model cannot be loaded or run."""


def model_file(path: Path) -> Path:
    """The .xml file at ``path``: itself, or that of the newest version in a model's folder. Raises ModelError."""
    if path.is_dir():
        versions = [entry for entry in path.iterdir() if entry.is_dir() and entry.name.isdecimal()]
        folder = max(versions, key=lambda entry: int(entry.name)) if versions else path
        found = sorted(folder.glob("*.xml"))
        if not found:
            raise ModelError(f"no .xml file in {folder}")
        return found[0]
    if not path.is_file():
        raise ModelError(f"{path} does not exist")
    return path


def load(file: Path, device: str, nireq: int, options: dict[str, Any]) -> tuple[Any, Any]:
    """The compiled model and its queue of ``nireq`` requests (0: OpenVINO's choice). Raises ModelError."""
    try:
        core = ov.Core()
        compiled = core.compile_model(core.read_model(str(file)), device, options)
        return compiled, ov.AsyncInferQueue(compiled, nireq)
    except RuntimeError as error:
        raise ModelError(f"{file} on {device}: {str(error).strip().splitlines()[-1]}") from None


def random_frames(compiled: Any, number: int, seed: int) -> list[dict[int, Any]]:
    """``number`` sets of random inputs, within 0 … 1 or 0 … 255. Sizes left open become 1."""
    generator = np.random.Generator(np.random.PCG64(seed))
    frames = []
    for _time in range(number):
        inputs: dict[int, Any] = {}
        for index, port in enumerate(compiled.inputs):
            shape = [d.get_length() if d.is_static else 1 for d in port.get_partial_shape()]
            values = generator.random(shape, dtype=np.float32)
            kind = port.get_element_type().to_dtype()
            scaled = values if np.issubdtype(kind, np.floating) else values * min(255, np.iinfo(kind).max)
            inputs[index] = scaled.astype(kind)
        frames.append(inputs)
    return frames
