# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the models of the profiles, so that none has to be downloaded: ``recipe.py --output DIR [NAME …]``.

Each becomes ``DIR/NAME/1/model.xml`` and ``model.bin`` (OpenVINO IR). Weights come from a seed and every node has a
name, so the same version of OpenVINO writes byte-identical files each time. The networks have the shapes and about the
cost of real ones; what they answer means nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops


class _Network:
    """Layers with seeded weights and names that do not depend on what was made before in the process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
        self._count = 0

    def named(self, node: Any, label: str) -> Any:
        """``node`` with a name of its own."""
        self._count += 1
        node.set_friendly_name(f"{label}_{self._count}")
        return node

    def constant(self, value: Any) -> Any:
        return self.named(ops.constant(value), "constant")

    def weights(self, *shape: int) -> Any:
        fan_in = int(np.prod(shape[1:])) or 1
        values = self._random.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2.0 / fan_in))
        return self.constant(values.astype(np.float32))

    def input(self, label: str, *shape: int) -> Any:
        node = ops.parameter(list(shape), np.float32, name=label)
        node.output(0).get_tensor().set_names({label})
        return node

    def convolution(self, data: Any, channels: int, size: int, stride: int) -> Any:
        """A convolution of ``size`` × ``size``, padded to keep the area, and a ReLU."""
        weights = self.weights(channels, int(data.output(0).get_shape()[1]), size, size)
        pad = [size // 2, size // 2]
        node = ops.convolution(data, weights, [stride, stride], pad, pad, [1, 1])
        return self.named(ops.relu(self.named(node, "convolution")), "relu")

    def dense(self, data: Any, size: int) -> Any:
        """Mean over the area, then a fully connected layer: batch × ``size``."""
        mean = self.named(ops.reduce_mean(data, self.constant(np.array([2, 3], np.int64)), False), "mean")
        weights = self.weights(size, int(data.output(0).get_shape()[1]))
        return self.named(ops.matmul(mean, weights, False, True), "dense")

    def model(self, output: Any, label: str, inputs: Sequence[Any]) -> Any:
        output.output(0).get_tensor().set_names({label})
        output.set_friendly_name(label)
        result = ops.result(output, name=f"{label}/result")
        return ov.Model([result], list(inputs), self.name)


def face_detection() -> Any:
    """1×3×300×300 → 1×1×200×7, as SSD face detectors have it: image, label, score, and a box within 0 … 1."""
    net = _Network("face-detection")
    data = net.input("data", 1, 3, 300, 300)
    node: Any = data
    for channels, stride in ((16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 2)):
        node = net.convolution(node, channels, 3, stride)
    found = net.named(ops.sigmoid(net.dense(node, 200 * 7)), "score")
    shape = net.constant(np.array([1, 1, 200, 7], np.int64))
    return net.model(net.named(ops.reshape(found, shape, False), "boxes"), "detection_out", [data])


def classifier() -> Any:
    """1×3×224×224 → 1×1000: probabilities."""
    net = _Network("classifier")
    data = net.input("data", 1, 3, 224, 224)
    node: Any = data
    for channels, stride in ((16, 2), (32, 2), (64, 2), (64, 1), (128, 2), (128, 1), (128, 2)):
        node = net.convolution(node, channels, 3, stride)
    return net.model(net.named(ops.softmax(net.dense(node, 1000), 1), "softmax"), "prob", [data])


def dummy() -> Any:
    """1×10 → 1×10: each number plus one."""
    net = _Network("dummy")
    data = net.input("b", 1, 10)
    return net.model(net.named(ops.add(data, net.constant(np.ones((1, 10), np.float32))), "add"), "a", [data])


MODELS: dict[str, Callable[[], Any]] = {"face-detection": face_detection, "classifier": classifier, "dummy": dummy}


def write(name: str, output: Path) -> None:
    """Make the model ``name`` under ``output``; files that are there already are replaced, each at once."""
    folder = output / name / "1"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".recipe-") as scratch:
        ov.save_model(MODELS[name](), f"{scratch}/model.xml", compress_to_fp16=False)
        for suffix in ("bin", "xml"):  # the weights first: a server that watches takes the .xml for the model
            file = Path(scratch, f"model.{suffix}")
            file.chmod(0o644)
            file.replace(folder / file.name)


def main(arguments: Sequence[str]) -> int:
    """Write the models that ``arguments`` name, all by default; the exit code."""
    parser = argparse.ArgumentParser("recipe.py", description="Make the models of the profiles.")
    parser.add_argument("--output", type=Path, required=True, help="folder to write NAME/1/model.xml and model.bin to")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MODELS)}; all by default")
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in MODELS:
            parser.error(f"there is no model {name!r}; there are {', '.join(MODELS)}")
    for name in given.names or MODELS:
        try:
            write(name, given.output)
        except OSError as error:
            print(f"recipe.py: {name} cannot be written: {error}", file=sys.stderr)
            return 1
        print(f"{name}: {given.output / name / '1'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
