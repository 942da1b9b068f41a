# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's command line and exit codes, as of OpenVINO Model Server 2025.4 and 2026.4."""

from __future__ import annotations

from pathlib import Path

import pytest
from ovms_stand_in import cli, metrics
from ovms_stand_in.configfile import ConfigFile
from ovms_stand_in.faults import StartError, UsageError
from ovms_stand_in.settings import Printed, parse

CONFIG = ["--config_path", "/config/config.json"]
PORTS = ["--port", "9000", "--rest_port", "8000"]


def test_what_the_profile_passes() -> None:
    given = parse([*CONFIG, *PORTS, "--metrics_enable"])
    assert (given.config_path, given.model) == (Path("/config/config.json"), None)
    assert (given.port, given.rest_port) == (9000, 8000)
    assert given.grpc_bind_addresses == given.rest_bind_addresses == ("0.0.0.0",)
    assert given.metrics == metrics.DEFAULT
    assert given.poll_seconds == 1.0


def test_a_single_model() -> None:
    given = parse(
        ["--model_name", "a", "--model_path", "/models/a", "--port=9000", "--nireq", "2", "--layout", "NHWC:NCHW"]
    )
    assert given.config_path is None
    assert given.model == {"name": "a", "base_path": "/models/a", "nireq": 2, "layout": "NHWC:NCHW"}
    assert given.metrics is None


def test_several_bind_addresses() -> None:
    given = parse([*CONFIG, *PORTS, "--grpc_bind_address", "127.0.0.1,::1", "--rest_bind_address", "some-host.lan"])
    assert given.grpc_bind_addresses == ("127.0.0.1", "::1")
    assert given.rest_bind_addresses == ("some-host.lan",)


def test_a_list_of_metrics() -> None:
    given = parse([*CONFIG, *PORTS, "--metrics_enable", "--metrics_list", "ovms_streams, ovms_infer_req_active"])
    assert given.metrics == {"ovms_streams", "ovms_infer_req_active"}


@pytest.mark.parametrize("value", [[], ["true"]])
def test_a_flag_may_have_a_value(value: list[str]) -> None:
    assert parse([*CONFIG, *PORTS, "--metrics_enable", *value]).metrics == metrics.DEFAULT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense", *CONFIG, *PORTS], "unmatched arguments: --nonsense"),
        ([*CONFIG, "--port", "many"], "--port"),
        ([*CONFIG, "--port", "-1"], "--port"),
        ([*CONFIG, "--config", "x", *PORTS], "unmatched arguments"),
        (PORTS, "Use config_path or model_path with model_name"),
        (["--model_name", "a", *PORTS], "Use config_path or model_path with model_name"),
        ([*CONFIG, "--model_name", "a", *PORTS], "Use either config_path or model_path with model_name"),
        ([*CONFIG, *PORTS, "--nireq", "1"], "Model parameters in CLI are exclusive with the config file"),
        ([*CONFIG, *PORTS, "--target_device", "CPU"], "Model parameters in CLI are exclusive with the config file"),
        (CONFIG, "port and rest_port cannot both be unset"),
        ([*CONFIG, "--port", "9000", "--rest_port", "9000"], "port and rest_port cannot have the same values"),
        ([*CONFIG, "--port", "70000"], "port number out of range from 0 to 65535"),
        ([*CONFIG, "--port", "9000", "--metrics_enable"], "rest_port setting is missing"),
        ([*CONFIG, *PORTS, "--metrics_list", "ovms_streams"], "metrics_enable setting is missing"),
        ([*CONFIG, *PORTS, "--log_level", "LOUD"], "log_level should be one of"),
        ([*CONFIG, *PORTS, "--grpc_workers", "0"], "grpc_workers count should be from 1"),
        ([*CONFIG, *PORTS, "--rest_bind_address", "1.2.3"], "rest_bind_address has invalid format"),
        ([*CONFIG, *PORTS, "--pull"], "--pull should be used combined with --source_model"),
        ([*CONFIG, *PORTS, "--list_models"], "unmatched arguments: --list_models"),
    ],
)
def test_wrong_options_are_64(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=message):
        parse(arguments)
    assert cli.main(arguments) == 64
    assert message in capsys.readouterr().err


def test_an_unknown_metric_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*CONFIG, *PORTS, "--metrics_enable", "--metrics_list", "ovms_speed"]) == 1
    assert "ovms_speed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], [], ["--version"], ["--version", *CONFIG]])
def test_help_and_version_are_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Printed):
        parse(arguments)
    assert cli.main(arguments) == 0
    said = capsys.readouterr().out
    assert "OpenVINO Model Server" in said
    assert ("2026.4-stand-in" in said.partition("\n")[0]) == ("OpenVINO Model Server" in said)
    assert ("OpenVINO backend" in said) == ("--version" in arguments)


@pytest.mark.parametrize("version", ["2025.4", "2026.4"])
def test_it_stands_in_for_the_version_that_it_is_told(
    version: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["--as", version, "--version"]) == 0
    assert f"OpenVINO Model Server {version}-stand-in" in capsys.readouterr().out
    expected = tuple(map(int, version.split(".")))
    assert parse([f"--as={version}", *CONFIG, *PORTS]).version == expected
    monkeypatch.setenv("OVMS_STAND_IN_AS", version)
    assert parse([*CONFIG, *PORTS]).version == expected


def test_it_stands_in_for_no_other_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--as", "2024.0", *CONFIG, *PORTS]) == 64
    assert "the stand-in knows the rules of 2025.4 and 2026.4, not of '2024.0'" in capsys.readouterr().err
    assert cli.main(["--as"]) == 64


def test_options_have_their_versions() -> None:
    gone = [*CONFIG, *PORTS, "--sequence_cleaner_poll_wait_minutes", "5"]
    new = [*CONFIG, *PORTS, "--allowed_media_domains", "all"]
    assert parse(["--as", "2025.4", *gone]).rest_port == parse(["--as", "2026.4", *new]).rest_port == 8000
    with pytest.raises(UsageError, match="unmatched arguments: --sequence_cleaner_poll_wait_minutes"):
        parse(["--as", "2026.4", *gone])
    with pytest.raises(UsageError, match="unmatched arguments: --allowed_media_domains"):
        parse(["--as", "2025.4", *new])


def test_metrics_in_the_file_need_a_rest_port() -> None:
    with pytest.raises(StartError, match="rest_port is not defined"):
        cli._families(parse([*CONFIG, "--port", "9000"]), ConfigFile(metrics=metrics.DEFAULT))


def test_metrics_in_the_file_and_on_the_command_line_contradict() -> None:
    with pytest.raises(StartError, match="duplicated"):
        cli._families(parse([*CONFIG, *PORTS, "--metrics_enable"]), ConfigFile(metrics=metrics.DEFAULT))


@pytest.mark.parametrize("families", [frozenset(), frozenset({"ovms_streams"})])
def test_metrics_of_the_file_count(families: frozenset[str]) -> None:
    assert cli._families(parse([*CONFIG, *PORTS]), ConfigFile(metrics=families)) == families
