# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline of a camera: the steps of its workloads as elements of GStreamer and Intel's DL Streamer.

They are joined as upstream's generator joins them. Workloads of the same steps have one branch together; each branch
reads the camera by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.lane.files import Workload, without_notes
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import target_device
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import Target
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template

HOME = "/home/pipeline-server"
MODELS, VIDEOS, RESULTS, MODULES = f"{HOME}/models", f"{HOME}/sample-media", f"{HOME}/results", f"{HOME}/src"
DETECT, CLASSIFY, INFER, PYTHON, VLM = "gvadetect", "gvaclassify", "gvainference", "gvapython", "vlm"
_INFERS = (DETECT, CLASSIFY, INFER)
_VLM_KEYS = ("vlm_model", "vlm-model", "vlm_device", "vlm_precision")
_STEP = ("type", "model", "device", "precision", "module", "function", "class", "region_of_interest", "roi", *_VLM_KEYS)
QUEUE = ("queue", "max-size-buffers=3", "max-size-time=100000000", "leaky=downstream")
_REGION = ("x", "y", "x2", "y2")
# As upstream tunes its elements for a device.
_DETECTS = {
    "CPU": ("pre-process-backend=opencv", "ie-config=CPU_THROUGHPUT_STREAMS=2", "nireq=2"),
    "GPU": ("ie-config=GPU_THROUGHPUT_STREAMS=2", "nireq=2"),
    "NPU": ("pre-process-backend=ie",),
}
_CLASSIFIES = {"CPU": ("pre-process-backend=opencv",), "NPU": ("pre-process-backend=ie",)}
# A module of upstream's: it has a class, whatever function its users name.
_CLASSES = {"person_reid.py": "PersonReID"}

Element = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A step of a workload. ``regions``: where in the picture it looks, as ``x,y,x2,y2``."""

    kind: str
    model: str = ""
    precision: str = ""
    device: Target | None = None
    module: str = ""
    function: str = ""
    regions: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The device that it is tuned for: GPU of any number, and none of a combination."""
        parts = self.device.parts if self.device and not self.device.plugin else ()
        return parts[0].partition(".")[0] if parts else ""


@dataclass(frozen=True)
class Settings:
    """What upstream's users set in the environment."""

    detect_batch: int = 1
    classify_batch: int = 1
    inference_interval: int = 3
    render: bool = False


@dataclass(frozen=True)
class Branch:
    """The steps that one reading of a camera takes, and the workloads that they serve. ``sink`` counts its frames."""

    sink: str
    workloads: Sequence[str]
    steps: Sequence[Step]


def steps_of(workload: Workload, regions: tuple[str, ...]) -> list[Step]:
    """The steps of a workload as a camera with these regions takes them. What cannot be said is warned of by key."""
    if not workload.steps:
        raise workload.source.error(f"the workload {workload.path[-1]!r} has no steps", workload.path)
    made = (_step(without_notes(workload.source, path, item, _STEP), regions) for path, item in workload.steps)
    return [step for step in made if step is not None]


def _step(node: Node, regions: tuple[str, ...]) -> Step | None:
    kind = node.text("type").strip().lower()
    if not kind:
        raise node.source.error(f"type is not given: known are {', '.join((*_INFERS, PYTHON, VLM))}", node.path)
    if kind == VLM:
        for key in _VLM_KEYS:
            if key in node:
                node.source.warn(
                    f"{key} is left out: only the detection of this step runs here; a language model is served by a "
                    "container of its own, as in the profile ovms-llm",
                    node.at(key),
                )
        kind = DETECT
    if kind == PYTHON:
        module = node.text("module")
        if not module:
            raise node.source.error("gvapython needs a module", node.path)
        known = _CLASSES.get(module, "")
        used = node.text("class") or known
        return Step(kind, module=module, function=f"class={used}" if used else f"function={node.text('function')}")
    if kind not in _INFERS:
        node.source.warn(f"type {kind} is left out: upstream's generator knows no such step", node.at("type"))
        return None
    model = node.text("model").strip()
    if not model:
        raise node.source.error(f"{kind} needs a model", node.path)
    for key in ("device", "precision"):
        if not node.text(key).strip():
            instead = "CPU is taken" if key == "device" else "the model lies in no folder of its own for it"
            node.source.warn(f"{key} is not given: {instead}", node.path)
    try:
        device = target_device.parse(node.text("device").strip() or "CPU")
    except ValueError as error:
        raise node.source.error(f"device: {error}", node.at("device")) from error
    own = regions_of(node, "region_of_interest") or regions_of(node, "roi")
    return Step(kind, model, node.text("precision").strip(), device, regions=regions or own)


def regions_of(node: Node, key: str) -> tuple[str, ...]:
    """Regions of a picture, a mapping with x, y, x2 and y2, or several; () where none is given."""
    value = node.value(key)
    if value is None or value in ("", [], {}):
        return ()
    if isinstance(value, list) and all(isinstance(item, (Mapping, list, str)) for item in value):
        return tuple(dict.fromkeys(_region(node, key, item) for item in value))
    return (_region(node, key, value),)


def _region(node: Node, key: str, value: Any) -> str:
    numbers = value.split(",") if isinstance(value, str) else value
    if isinstance(value, Mapping):
        written = {name.lower(): number for name, number in value.items() if not name.startswith("_")}
        lacking = [name for name in _REGION if written.get(name) is None]
        if lacking:
            raise node.source.error(f"{key}: {', '.join(lacking)} is missing", node.at(key))
        for name in written.keys() - set(_REGION):
            node.source.warn(f"{key}.{name} is ignored: it is not known here", node.at(key))
        numbers = [written[name] for name in _REGION]
    try:
        x, y, x2, y2 = (int(float(number)) for number in numbers)
    except (OverflowError, TypeError, ValueError) as error:
        raise node.source.error(f"{key}: expected x, y, x2 and y2 in pixels, not {value!r}", node.at(key)) from error
    if not (0 <= x < x2 and 0 <= y < y2):
        raise node.source.error(
            f"{key}: {x},{y} to {x2},{y2} is no region: x and y are from 0 on, x2 and y2 larger", node.at(key)
        )
    return f"{x},{y},{x2},{y2}"


def branches(camera: str, workloads: Iterable[tuple[str, Sequence[Step]]]) -> list[Branch]:
    """One branch for each list of steps; the workloads with the same steps share it."""
    served: dict[tuple[Step, ...], list[str]] = {}
    for name, steps in workloads:
        names = served.setdefault(tuple(steps), [])
        if name not in names:
            names.append(name)
    several = len(served) > 1
    return [
        Branch(f"{element_name(camera)}_{number}" if several else element_name(camera), names, steps)
        for number, (steps, names) in enumerate(served.items(), start=1)
    ]


def devices(made: Iterable[Branch]) -> Target:
    """What a container with these branches infers on: one device, or all that its steps name."""
    named = list(dict.fromkeys(step.device for branch in made for step in branch.steps if step.device is not None))
    if len(named) <= 1:
        return named[0] if named else Target("", ("CPU",))
    if any(device.takes_all for device in named):
        return Target("AUTO", ())
    parts = tuple(dict.fromkeys(part for device in named for part in device.parts))
    return Target("MULTI", parts) if len(parts) > 1 else Target("", parts)


def words(made: Sequence[Branch], source: Sequence[Element], settings: Settings) -> list[str]:
    """The arguments of gst-launch-1.0: each branch reads the source, and ends in its sink."""
    target = devices(made)
    found: list[str] = []
    for branch in made:
        (first, *properties), *more = source
        read: list[Element] = [(first, f"name={branch.sink}_source", *properties), *more]
        elements = [*read, *_regions(branch.steps), *_steps(branch, target, settings), *_ends(branch, settings)]
        for index, element in enumerate(elements):
            found += (["!"] if index else []) + list(element)
    return found


def _regions(steps: Sequence[Step]) -> list[Element]:
    regions = dict.fromkeys(region for step in steps for region in step.regions)
    return [("gvaattachroi", *(f"roi={region}" for region in regions)), QUEUE] if regions else []


def _steps(branch: Branch, target: Target, settings: Settings) -> list[Element]:
    found: list[Element] = []
    for number, step in enumerate(branch.steps, start=1):
        found.append(_python(step, branch) if step.kind == PYTHON else _infer(step, number, branch, target, settings))
        if step.kind == DETECT:
            found.append(("gvatrack", "tracking-type=zero-term-imageless"))
        found.append(QUEUE)
    return found


def _python(step: Step, branch: Branch) -> Element:
    return (PYTHON, f"module={MODULES}/{step.module}", step.function, f'arg=["{branch.sink}"]')


def _infer(step: Step, number: int, branch: Branch, target: Target, settings: Settings) -> Element:
    folder = f"{MODELS}/{'object_detection' if step.kind == DETECT else 'object_classification'}/{step.model}"
    file = "/".join(part for part in (folder, step.precision, f"{step.model}.xml") if part)
    shared = element_name("_".join((step.kind, step.model, step.precision, str(step.device))))
    common = (f"name={branch.sink}_{step.kind}_{number}", f"model-instance-id={shared}", f"model={file}")
    where = templates.joined(("device=", _device(step, target)))
    if step.kind == DETECT:
        batch = (f"batch-size={settings.detect_batch}", f"inference-interval={settings.inference_interval}")
        region = ("inference-region=roi-list",) if step.regions else ()
        tuned = (*_DETECTS.get(step.family, ()), "pre-process-config=resize_type=standard")
        return (DETECT, *common, where, "threshold=0.5", *batch, "scale-method=fast", *region, *tuned)
    if step.kind == CLASSIFY:
        scope = (f"batch-size={settings.classify_batch}", "inference-region=roi-list", "scale-method=fast")
        procedure = f"model-proc={folder}/{step.model}.json"
        return (CLASSIFY, *common, where, *scope, procedure, *_CLASSIFIES.get(step.family, ()))
    return (INFER, *common, where)


def _device(step: Step, target: Target) -> str:
    """The device under its name in the container; where all steps have one, a choice for the container moves them."""
    if target == step.device:
        return Template("{{ replica.device }}")
    if target.plugin != "MULTI" or step.device is None:
        return str(step.device)
    gpus = sorted({part if "." in part else f"{part}.0" for part in target.parts if part.startswith("GPU")})

    def inside(part: str) -> str:
        if not part.startswith("GPU"):
            return part
        return "GPU" if len(gpus) == 1 else f"GPU.{gpus.index(part if '.' in part else f'{part}.0')}"

    name = Target(step.device.plugin, tuple(map(inside, step.device.parts)))
    return Template(f"{{{{ '{name}' if replica.device.startswith('MULTI:') else replica.device }}}}")


def _ends(branch: Branch, settings: Settings) -> list[Element]:
    found: list[Element] = []
    if not any(step.kind == PYTHON for step in branch.steps):
        file = templates.joined((f"file-path={RESULTS}/rs-", Template("{{ replica.name }}"), f"-{branch.sink}.jsonl"))
        found += [("gvametaconvert",), ("gvametapublish", "file-format=json-lines", file)]
    found += [("gvafpscounter", f"name={branch.sink}_counter"), QUEUE]
    # A sink that waits for a frame's time would let the queue before it, which drops what is late, drop most frames.
    counted = ("fpsdisplaysink", f"name={branch.sink}", "sync=false", "fps-update-interval=1000")
    if settings.render:
        moved = [("vapostproc",)] if branch.steps and branch.steps[0].family in ("GPU", "NPU") else []
        return [*found, *moved, ("gvawatermark",), (*counted, "video-sink=autovideosink")]
    return [*found, (*counted, "text-overlay=false", "video-sink=fakesink")]


def element_name(written: str) -> str:
    """A name for an element."""
    cleaned = re.sub(r"[^A-Za-z0-9_-]", "_", written) or "stream"
    return f"cam_{cleaned}" if cleaned[0].isdigit() else cleaned
