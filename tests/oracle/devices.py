# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a device's counters, by metric: its kind of device, how, the counters that are added up, a factor."""

from __future__ import annotations

PERCENT_OF_NANOSECONDS = 1e-7
PERCENT_OF_MILLISECONDS = 0.1
DEVICES: dict[str, tuple[str, str, tuple[str, ...], float]] = {
    "cpu_frequency_hertz": ("cpufreq", "gauge", ("mean_hz",), 1.0),
    "cpu_frequency_min_hertz": ("cpufreq", "gauge", ("min_hz",), 1.0),
    "cpu_frequency_max_hertz": ("cpufreq", "gauge", ("max_hz",), 1.0),
    "cpu_temperature_celsius": ("thermal", "gauge", ("celsius",), 1.0),
    "package_throttled_percent": ("throttle", "rate", ("package_ms",), PERCENT_OF_MILLISECONDS),
    "cores_throttled_percent": ("throttle", "rate", ("core_ms",), PERCENT_OF_MILLISECONDS),
    "throttlings_per_second": ("throttle", "rate", ("count",), 1.0),
    "package_power_watts": ("rapl", "rate", ("package_uj",), 1e-6),
    "dram_power_watts": ("rapl", "rate", ("dram_uj",), 1e-6),
    "platform_power_watts": ("rapl", "rate", ("psys_uj",), 1e-6),
    "memory_read_bytes_per_second": ("uncore", "rate", ("read_bytes",), 1.0),
    "memory_write_bytes_per_second": ("uncore", "rate", ("write_bytes",), 1.0),
    "memory_bandwidth_bytes_per_second": ("uncore", "rate", ("read_bytes", "write_bytes"), 1.0),
    "gpu_busy_percent": ("gpu", "gauge", ("busy_percent",), 1.0),
    "gpu_render_busy_percent": ("gpu", "rate", ("render_busy_ns",), PERCENT_OF_NANOSECONDS),
    "gpu_compute_busy_percent": ("gpu", "rate", ("compute_busy_ns",), PERCENT_OF_NANOSECONDS),
    "gpu_video_busy_percent": ("gpu", "rate", ("video_busy_ns",), PERCENT_OF_NANOSECONDS),
    "gpu_video_enhance_busy_percent": ("gpu", "rate", ("video_enhance_busy_ns",), PERCENT_OF_NANOSECONDS),
    "gpu_copy_busy_percent": ("gpu", "rate", ("copy_busy_ns",), PERCENT_OF_NANOSECONDS),
    "gpu_memory_busy_percent": ("gpu", "gauge", ("memory_busy_percent",), 1.0),
    "gpu_memory_used_bytes": ("gpu", "gauge", ("memory_used_bytes",), 1.0),
    "gpu_memory_system_bytes": ("gpu", "gauge", ("memory_system_bytes",), 1.0),
    "gpu_memory_total_bytes": ("gpu", "gauge", ("memory_total_bytes",), 1.0),
    "gpu_frequency_hertz": ("gpu", "gauge", ("frequency_mhz",), 1e6),
    "gpu_power_watts": ("gpu", "gauge", ("power_watts",), 1.0),
    "gpu_temperature_celsius": ("gpu", "gauge", ("temperature_celsius",), 1.0),
    "npu_busy_percent": ("npu", "rate", ("busy_ns",), PERCENT_OF_NANOSECONDS),
    "npu_frequency_hertz": ("npu", "gauge", ("frequency_mhz",), 1e6),
    "npu_frequency_max_hertz": ("npu", "gauge", ("frequency_max_mhz",), 1e6),
    "npu_memory_used_bytes": ("npu", "gauge", ("memory_used_bytes",), 1.0),
}
