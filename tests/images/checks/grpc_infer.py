# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inference: what comes raw is answered raw, what comes as numbers is answered as numbers, and both say the same."""

from __future__ import annotations

import numpy as np
from common import call, raw_output, tensor
from ovms_stand_in import kserve

numbers = np.arange(10, dtype=np.float32)[None]
answer = call("ModelInfer", tensor("batched", numbers, "b", id="7"))
assert (answer.id, answer.model_name, answer.model_version) == ("7", "batched", "1")
assert (raw_output(answer) == numbers + 1).all()

request = kserve.ModelInferRequest(model_name="batched", model_version="1")
request.inputs.add(name="b", datatype="FP32", shape=[1, 10]).contents.fp32_contents.extend(range(10))
request.outputs.add(name="a")
answer = call("ModelInfer", request)
assert not answer.raw_output_contents
assert list(answer.outputs[0].contents.fp32_contents) == list(range(1, 11))

for rows in (1, 5, 2):  # the batch may change from request to request
    many = np.tile(numbers, (rows, 1))
    assert (raw_output(call("ModelInfer", tensor("batched", many, "b"))) == many + 1).all()
assert raw_output(call("ModelInfer", tensor("reshaped", np.tile(numbers, (3, 1)), "b"))).shape == (3, 10)

noise = np.random.default_rng(1).random((1, 3, 300, 300), dtype=np.float32)
boxes = raw_output(call("ModelInfer", tensor("face-detection", noise, "data")))
assert boxes.shape == (1, 1, 200, 7)
assert ((boxes >= 0) & (boxes <= 1)).all()
assert (boxes == raw_output(call("ModelInfer", tensor("face-detection", noise, "data")))).all()
print("checked")
