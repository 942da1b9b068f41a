# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health, readiness and metadata."""

from __future__ import annotations

from common import call, refusal
from ovms_stand_in import kserve

assert call("ServerLive", kserve.ServerLiveRequest()).live
assert call("ServerReady", kserve.ServerReadyRequest()).ready
assert call("ServerMetadata", kserve.ServerMetadataRequest()).name == "OpenVINO Model Server"
for name in ("face-detection", "classifier", "batched", "reshaped"):
    assert call("ModelReady", kserve.ModelReadyRequest(name=name)).ready, name
assert not call("ModelReady", kserve.ModelReadyRequest(name="on-gpu", version="1")).ready
assert refusal("ModelReady", kserve.ModelReadyRequest(name="nowhere"))[0] == "NOT_FOUND"
assert refusal("ModelReady", kserve.ModelReadyRequest(name="unknown"))[0] == "NOT_FOUND"
assert refusal("ModelReady", kserve.ModelReadyRequest(name="classifier", version="x"))[0] == "INVALID_ARGUMENT"

face = call("ModelMetadata", kserve.ModelMetadataRequest(name="face-detection"))
assert (face.platform, list(face.versions)) == ("OpenVINO", ["1"])
assert [(i.name, i.datatype, list(i.shape)) for i in face.inputs] == [("data", "FP32", [1, 3, 300, 300])]
assert [(o.name, o.datatype, list(o.shape)) for o in face.outputs] == [("detection_out", "FP32", [1, 1, 200, 7])]
classifier = call("ModelMetadata", kserve.ModelMetadataRequest(name="classifier"))
assert list(classifier.inputs[0].shape) == [1, 224, 224, 3], "clients see the layout that they send"
assert list(call("ModelMetadata", kserve.ModelMetadataRequest(name="batched")).inputs[0].shape) == [-1, 10]
assert list(call("ModelMetadata", kserve.ModelMetadataRequest(name="reshaped")).inputs[0].shape) == [3, 10]
print("checked")
