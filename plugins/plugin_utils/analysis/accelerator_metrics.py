# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's metrics of GPUs and NPUs: of a host, and of the containers that use them.

Entries stand in the order in which the report shows their charts.
"""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric, SummaryRow
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import value_at

_PERCENT_OF_NANOSECONDS = 100e-9
_MIB = 1.0 / 1024**2
_CLIENTS = "Δ busy time of the clients of this engine class / (Δ time × engines of the class)"
_NO_CLIENTS = "no client of the GPU tells of such an engine; who measures is not root; NVIDIA"
_BY_CLASS = "the drivers of Intel tell the busy time of engine classes, and none of the whole"


def _engine(name: str, title: str, container: bool, row: str | None = None) -> Metric:
    """The busy time of an engine class, by DRM's client usage statistics."""
    return Metric(
        name=f"gpu_{name}_busy_percent",
        unit="percent",
        kind="rate",
        formula=f"{_CLIENTS}, the container's own" if container else _CLIENTS,
        absent_when=_NO_CLIENTS,
        value=value_at(f"{name}_busy_ns", scale=_PERCENT_OF_NANOSECONDS),
        device="gpu",
        explained_by=("gpu_clients", "gpu"),
        unexplained="no client of a GPU told of such an engine",
        charts=(Chart(f"GPU {title} busy{', of containers' if container else ''}", "% of time"),),
        row=None if row is None else SummaryRow(row),
    )


def _engines(container: bool) -> tuple[Metric, ...]:
    rows = {
        "render": ("render", "GPU_{n} Render/3D[RCS] Utilization %"),
        "compute": ("compute", "GPU_{n} Compute[CCS] Utilization %"),
        "video": ("video", "GPU_{n} Video[VCS] Utilization %"),
        "video_enhance": ("video enhancement", "GPU_{n} VideoEnhance[VECS] Utilization %"),
        "copy": ("copy", "GPU_{n} Blitter Copy Engine %"),
    }
    return tuple(_engine(name, title, container, None if container else row) for name, (title, row) in rows.items())


def _gauge(
    name: str,
    unit: str,
    counter: str,
    formula: str,
    absent_when: str,
    words: tuple[str, ...],
    *,
    scale: float = 1.0,
    unexplained: str = "no sample in the measure window",
    chart: Chart | None = None,
    row: SummaryRow | None = None,
) -> Metric:
    """A value of a device, as it was read; the first word before ``_`` of its name is the kind of the device."""
    kind = name.partition("_")[0]
    return Metric(
        name=name,
        unit=unit,
        kind="gauge",
        formula=formula,
        absent_when=absent_when,
        value=value_at(counter, scale=scale),
        device=kind,
        explained_by=(*(f"{kind}_{word}" for word in words), kind),
        unexplained=unexplained,
        charts=() if chart is None else (chart,),
        row=row,
    )


HOST_GPU_METRICS = (
    _gauge(
        "gpu_busy_percent",
        "percent",
        "busy_percent",
        "NVML's `utilization.gpu`; `gpu_busy_percent` of amdgpu",
        "Intel, whose drivers tell engine classes alone",
        ("busy",),
        unexplained=_BY_CLASS,
        chart=Chart("GPU busy", "% of time"),
        row=SummaryRow("GPU_{n} GPU Utilization %"),
    ),
    *_engines(container=False),
    _gauge(
        "gpu_memory_busy_percent",
        "percent",
        "memory_busy_percent",
        "NVML's `utilization.memory`; `mem_busy_percent` of amdgpu",
        "Intel",
        ("memory_busy", "busy"),
        unexplained="the drivers of Intel do not tell it",
    ),
    _gauge(
        "gpu_memory_used_bytes",
        "bytes",
        "memory_used_bytes",
        "the GPU's own memory: NVML's `memory.used`; `mem_info_vram_used` of amdgpu; with Intel what its clients have"
        " resident (`drm-resident-local0`, `-vram0`), shared buffers once a client",
        "the GPU has no memory of its own; Intel, where no client tells, or who measures is not root",
        ("memory_used", "memory", "clients"),
        unexplained="the GPU has no memory of its own, or no client told of it",
        chart=Chart("GPU memory used", "MiB", _MIB),
    ),
    _gauge(
        "gpu_memory_system_bytes",
        "bytes",
        "memory_system_bytes",
        "the host's memory that the GPU's clients have resident (`drm-resident-system0`, `-gtt`);"
        " `mem_info_gtt_used` of amdgpu",
        "as above; NVIDIA",
        ("memory_system", "clients"),
        unexplained="NVML does not tell it",
        chart=Chart("Memory of the host that GPUs use", "MiB", _MIB),
    ),
    _gauge(
        "gpu_memory_total_bytes",
        "bytes",
        "memory_total_bytes",
        "NVML's `memory.total`; `mem_info_vram_total` of amdgpu; `physical_vram_size_bytes` of xe",
        "the GPU has no memory of its own; the driver does not tell",
        ("memory_total", "memory"),
    ),
    _gauge(
        "gpu_frequency_hertz",
        "hertz",
        "frequency_mhz",
        "actual frequency, of several units the highest: `rps_act_freq_mhz` of i915 (0 while it idles),"
        " `act_freq` of xe, `freq1_input` of amdgpu, NVML's graphics clock",
        "the GPU sleeps; the driver does not tell",
        ("frequency",),
        scale=1e6,
        unexplained="the GPU slept",
        chart=Chart("GPU frequency", "MHz", 1e-6),
    ),
    _gauge(
        "gpu_power_watts",
        "watts",
        "power_watts",
        "NVML's power of the board; `power1_average` of amdgpu; Δ energy / Δ time of the sensors of i915 and xe",
        "an integrated GPU, whose power is part of the package's; the GPU sleeps; the driver does not tell",
        ("power", "energy"),
        unexplained="the GPU slept",
        chart=Chart("GPU power", "W"),
        row=SummaryRow("GPU_{n} GPU Power (W)"),
    ),
    _gauge(
        "gpu_temperature_celsius",
        "degrees Celsius",
        "temperature_celsius",
        "NVML's temperature of the GPU; `temp1_input` of i915 and amdgpu, `temp2_input` of xe",
        "an integrated GPU; the GPU sleeps; the driver does not tell",
        ("temperature",),
        unexplained="the GPU slept",
        chart=Chart("GPU temperature", "°C"),
    ),
)
NPU_METRICS = (
    Metric(
        name="npu_busy_percent",
        unit="percent",
        kind="rate",
        formula="Δ `npu_busy_time_us` / Δ time",
        absent_when="no NPU of intel_vpu; Linux before 6.11",
        value=value_at("busy_ns", scale=_PERCENT_OF_NANOSECONDS),
        device="npu",
        explained_by=("npu_busy", "npu"),
        charts=(Chart("NPU busy", "% of time"),),
        row=SummaryRow("NPU Utilization %"),
    ),
    _gauge(
        "npu_frequency_hertz",
        "hertz",
        "frequency_mhz",
        "`npu_current_frequency_mhz`: 0 while it sleeps",
        "the driver does not tell",
        ("frequency",),
        scale=1e6,
        chart=Chart("NPU frequency", "MHz", 1e-6),
    ),
    _gauge(
        "npu_frequency_max_hertz",
        "hertz",
        "frequency_max_mhz",
        "`npu_max_frequency_mhz`",
        "the driver does not tell",
        ("frequency_max",),
        scale=1e6,
    ),
    _gauge(
        "npu_memory_used_bytes",
        "bytes",
        "memory_used_bytes",
        "`npu_memory_utilization`",
        "the driver does not tell",
        ("memory_used",),
        chart=Chart("NPU memory used", "MiB", _MIB),
    ),
)
CONTAINER_GPU_METRICS = (
    _gauge(
        "gpu_busy_percent",
        "percent",
        "busy_percent",
        "NVIDIA: the sum over the container's processes of their multiprocessor utilization, by NVML",
        "other GPUs; the container has no process on the GPU",
        ("processes_busy",),
        chart=Chart("GPU busy, of containers", "% of time"),
    ),
    *_engines(container=True),
    _gauge(
        "gpu_memory_used_bytes",
        "bytes",
        "memory_used_bytes",
        "the GPU's own memory that the container's processes have, by NVML, or its clients (as of the host)",
        "the container does not use the GPU; the GPU has no memory of its own",
        ("processes", "clients"),
        chart=Chart("GPU memory used, of containers", "MiB", _MIB),
    ),
    _gauge(
        "gpu_memory_system_bytes",
        "bytes",
        "memory_system_bytes",
        "the host's memory that the container's clients of the GPU have resident",
        "the container does not use the GPU; NVIDIA",
        ("clients",),
        chart=Chart("Memory of the host that GPUs use, of containers", "MiB", _MIB),
    ),
)
