# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler may be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.filter.host_replicas import host_replicas
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import config, daemon


@pytest.mark.parametrize("run_id", ["", "..", ".", "../x", "a/b", "-x", "a\n", "x" * 300])
def test_a_run_id_cannot_lead_elsewhere(run_id: str) -> None:
    with pytest.raises(ProfileError, match="field run_id"):
        config.run_files("/var/lib/x", run_id)


def test_the_files_of_a_run() -> None:
    files = config.run_files("/var/lib/x", "ovms-1")
    assert files.samples == "/var/lib/x/runs/ovms-1/samples.jsonl"
    assert files.pid == "/var/lib/x/runs/ovms-1/sampler.pid"
    assert files.lock == "/var/lib/x/runs/ovms-1/sampler.lock"


def test_a_state_directory_is_absolute() -> None:
    with pytest.raises(ProfileError, match="field state_dir"):
        config.run_files("x", "ovms-1")


@pytest.mark.parametrize("docker_host", ["tcp://10.0.0.1:2375", "ssh://x", "unix://", "/var/run/docker.sock"])
def test_only_a_local_socket_will_do(docker_host: str) -> None:
    with pytest.raises(ProfileError, match="unix:///"):
        config.socket_of(docker_host)


def test_the_path_of_a_socket() -> None:
    assert config.socket_of("unix:///var/run/docker.sock") == "/var/run/docker.sock"


@pytest.mark.parametrize(("interval", "deadline"), [(0.0, 1.0), (float("nan"), 1.0), (-1.0, 1.0), (1.0, 0.0)])
def test_times_that_make_no_sense(interval: float, deadline: float) -> None:
    with pytest.raises(ProfileError):
        config.check_times(interval, deadline)


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"name": "../x"}], "replicas"),
        ([{"name": "a"}, {"name": "a"}], "replicas"),
        ([{"name": "a", "network": "bridge"}], "replicas.network"),
        ([{"name": "a", "prometheus": {"port": 0}}], "replicas.prometheus.port"),
        ([{"name": "a", "prometheus": {"port": 80, "path": "metrics"}}], "replicas.prometheus.path"),
        ([{"name": "a", "prometheus": {"port": 80, "path": "/ HTTP/1.1\r\nX: y"}}], "replicas.prometheus.path"),
        ([{"name": "a", "prometheus": {"port": 80, "prefixes": [""]}}], "replicas.prometheus.prefixes"),
    ],
)
def test_replicas_that_cannot_be_watched(items: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(ProfileError, match=f"field {field}"):
        config.watched(items)


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    watched = config.watched(
        [
            {"name": "a", "prometheus": {"port": 80, "prefixes": ["x_", "y_"]}, "network": "host"},
            {"name": "b", "prometheus": None, "network": "container:a"},
        ]
    )
    before = config.Config(0.5, 60.0, "/run/docker.sock", watched)
    files = config.RunFiles(str(tmp_path))
    Path(files.config).write_text(before.to_json())
    assert daemon.load_config(files) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"interval": 1, "replicas": 3}'])
def test_a_broken_configuration_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    files = config.RunFiles(str(tmp_path))
    Path(files.config).write_text(text)
    with pytest.raises(ProfileError, match=r"config\.json"):
        daemon.load_config(files)


def test_the_replicas_of_a_host_come_from_the_plan() -> None:
    def replica(host: str, **more: Any) -> dict[str, Any]:
        return {"host": host, "measured": True, "task": {}, "prometheus": None, "metrics": {}, **more}

    rules = {
        "fps": {"prometheus": 'pipeline_frames{stream="1"}', "kind": "counter"},
        "latency": {"log": "latency", "kind": "sketch"},
    }
    plan = {
        "hosts": {"h1": {"replicas": ["s-2", "s-1", "s-4", "s-5", "s-6"]}, "h2": {"replicas": ["s-3"]}},
        "replicas": {
            "s-2": replica("h1", prometheus={"port": 8000, "path": "/metrics"}, metrics=rules),
            "s-1": replica("h1", task={"network_mode": "host"}),
            "s-3": replica("h2"),
            "s-4": replica("h1", measured=False),
            "s-5": replica("h1", task={"network_mode": "container:s-2"}),
            "s-6": replica("h1", task={"network_mode": "default"}),
        },
    }
    prometheus = {"port": 8000, "path": "/metrics", "prefixes": ["ovms_", "pipeline_frames"]}
    found = host_replicas(plan, "h1")
    assert found == [
        {"name": "s-1", "prometheus": None, "network": "host", "files": []},
        {"name": "s-2", "prometheus": prometheus, "network": "own", "files": []},
        {"name": "s-5", "prometheus": None, "network": "container:s-2", "files": []},
        {"name": "s-6", "prometheus": None, "network": "own", "files": []},
    ]
    assert len(config.watched(found)) == 4
