# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, with which status."""

from __future__ import annotations

import numpy as np
from common import refusal, tensor
from ovms_stand_in import kserve

good = np.zeros((1, 3, 300, 300), np.float32)
expected = {
    "Invalid input precision": tensor("face-detection", good, "data", datatype="FP16"),
    "Missing input with specific name": tensor("face-detection", good, "other"),
    "Invalid number of shape dimensions": tensor("face-detection", good[0], "data"),
    "Invalid input batch size": tensor("face-detection", np.zeros((2, 3, 300, 300), np.float32), "data"),
    "Invalid input shape": tensor("face-detection", np.zeros((1, 3, 300, 301), np.float32), "data"),
    "Invalid number of inputs": kserve.ModelInferRequest(model_name="face-detection"),
}
short = tensor("face-detection", good, "data")
short.raw_input_contents[0] = b"1234"
expected["Invalid content size"] = short
both = tensor("face-detection", good, "data")
both.inputs[0].contents.fp32_contents.append(1)
expected["Passing buffers both"] = both
few = kserve.ModelInferRequest(model_name="batched")
few.inputs.add(name="b", datatype="FP32", shape=[1, 10]).contents.fp32_contents.extend([1, 2])
expected["Invalid number of values"] = few
for message, request in expected.items():
    code, details = refusal("ModelInfer", request)
    assert code == "INVALID_ARGUMENT" and message in details, (message, code, details)

assert refusal("ModelInfer", tensor("unknown", good, "data"))[0] == "NOT_FOUND"
assert refusal("ModelInfer", tensor("face-detection", good, "data", model_version="7"))[0] == "NOT_FOUND"
assert refusal("ModelInfer", tensor("on-gpu", good, "data", model_version="1"))[0] == "UNAVAILABLE"
print("checked")
