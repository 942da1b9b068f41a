# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded images are decoded to BGR and resized to the model's input."""

from __future__ import annotations

import numpy as np
from common import call, encode, images, raw_output, refusal, tensor

pixels = np.random.default_rng(2).integers(0, 256, (224, 224, 3), dtype=np.uint8)
direct = raw_output(call("ModelInfer", tensor("classifier", pixels[None, :, :, ::-1].astype(np.float32), "data")))
assert abs(direct.sum() - 1) < 1e-3
for raw in (False, True):
    answer = call("ModelInfer", images("classifier", [encode(pixels, "PNG")], raw=raw))
    (output,) = answer.outputs
    values = raw_output(answer) if raw else np.array(output.contents.fp32_contents)
    assert np.allclose(values.ravel(), direct.ravel(), atol=1e-6), "the same pixels, whichever way they came"

plain = np.full((500, 400, 3), (200, 100, 50), np.uint8)  # one colour stays that colour at any size
small = np.full((1, 224, 224, 3), (50, 100, 200), np.float32)
expected = raw_output(call("ModelInfer", tensor("classifier", small, "data"))).ravel()
for kind, tolerance in (("PNG", 1e-6), ("JPEG", 1e-2)):
    (output,) = call("ModelInfer", images("classifier", [encode(plain, kind)])).outputs
    assert np.allclose(output.contents.fp32_contents, expected, atol=tolerance), kind
(output,) = call("ModelInfer", images("classifier", [encode(plain[:, :, 0], "PNG")])).outputs  # grey works too
assert len(output.contents.fp32_contents) == 1000

assert refusal("ModelInfer", images("classifier", [b"no image"]))[1].startswith("Image parsing failed")
assert "empty" in refusal("ModelInfer", images("classifier", [b""]))[1]
assert "NHWC" in refusal("ModelInfer", images("face-detection", [encode(plain, "PNG")]))[1]
assert "batch size" in refusal("ModelInfer", images("classifier", [encode(plain, "PNG")] * 2))[1]
print("checked")
