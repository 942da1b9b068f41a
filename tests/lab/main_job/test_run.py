# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: plan, start, measure, report, clean up."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator

import jsonschema
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from .conftest import SHORT, TINY, Done, Fleet


@pytest.fixture(scope="module")
def kept(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Done]]:
    """A run of ovms whose deployment stays, shared by the tests that only look at it."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("kept"))
    done = user.well("run_profile", profile="ovms", profile_keep=True, **SHORT)
    yield user, done
    user.tidy()


@pytest.mark.measures
def test_ovms_runs_on_the_fleet_and_is_measured(kept: tuple[Fleet, Done]) -> None:
    fleet, done = kept
    run = fleet.latest()
    folder = fleet.home / "results" / run["run_id"]
    schema = json.loads((fleet.checkout / "docs" / "run.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(run, schema)
    assert run["verdict"] == "ok", run["reasons"]
    assert str(folder / "report.html") in done.output

    clients = {name: c for name, c in run["containers"].items() if c["container"] == "client"}
    [server] = [name for name, c in run["containers"].items() if c["container"] == "ovms-server"]
    assert {c["host"] for c in clients.values()} == {"h2", "h3", "h4"}
    assert run["containers"][server]["host"] == "h1"
    assert all(run["metrics"][name]["fps"]["mean"] > 0 for name in clients)
    assert all(run["metrics"][name]["latency_seconds"]["p50"] > 0 for name in clients)

    served = run["metrics"][server]["requests_per_second"]["mean"]
    asked = sum(run["metrics"][name]["fps"]["mean"] for name in clients)
    assert served == pytest.approx(asked, rel=0.2)
    assert run["metrics"][server]["inference_seconds"]["mean"] > 0
    assert any("openvino/model_server" in stand_in for stand_in in run["stand_ins"])

    windows = [window for window in run["windows"] if window["phase"] == "measure"]
    assert windows and all(window["valid"] for window in windows)


@pytest.mark.measures
def test_the_results_hold_every_file_and_they_agree(kept: tuple[Fleet, Done]) -> None:
    fleet, _run = kept
    folder = (fleet.home / "results" / "latest").resolve()
    run = fleet.latest()
    families = {family.name for family in text_string_to_metric_families((folder / "metrics.prom").read_text("utf-8"))}
    assert any("fps" in name for name in families)
    with gzip.open(folder / "samples.jsonl.gz", "rt", encoding="utf-8") as lines:
        samples = [json.loads(line) for line in lines]
    assert {sample["host"] for sample in samples} == {"h1", "h2", "h3", "h4"}
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as rows:
        assert all(len(row) == 2 for row in csv.reader(rows))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']https?:", page)
    assert run["run_id"] in page
    for name, container in run["containers"].items():
        assert (folder / "logs" / container["host"] / f"{name}.log").stat().st_size > 0
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["plan_id"] == run["plan_id"]
    assert all(replica["image_id"] for replica in plan["replicas"].values())
    starts = {name: container["started_at"] for name, container in run["containers"].items()}
    server = starts.pop("ovms-ovms-server-1")
    assert all(started > server for started in starts.values())


@pytest.mark.measures
def test_a_kept_deployment_is_not_changed_by_the_next_run(kept: tuple[Fleet, Done]) -> None:
    fleet, _run = kept
    before = fleet.latest()["containers"]
    again = fleet.well("run_profile", profile="ovms", profile_keep=True, **TINY)
    assert again.changed == 0, again.output
    after = fleet.latest()["containers"]
    assert {name: c["started_at"] for name, c in after.items()} == {name: c["started_at"] for name, c in before.items()}


@pytest.mark.measures
def test_a_plan_is_applied_again_from_its_file_and_by_stock_tasks(kept: tuple[Fleet, Done]) -> None:
    fleet, _run = kept
    stock = fleet.home / "stock.yml"
    shown = fleet.well("plan_profile", profile="ovms", as_playbook=str(stock))
    assert "Wave 2, when ovms-ovms-server-1 is ready" in shown.output
    fleet.well("stop_profile", profile="ovms")
    assert fleet.leftovers() == {}
    fleet.well("deploy_profile", plan=str(fleet.home / "results" / "latest" / "plan.json"))
    assert fleet.well("deploy_profile", profile="ovms").changed == 0
    again = fleet.well(str(stock.with_suffix("")))
    assert again.changed == 0, again.output
    fleet.well("stop_profile")
    assert fleet.leftovers() == {}


@pytest.mark.measures
@pytest.mark.parametrize("profile", ["capi", "gstreamer", "capi-fleet"])
def test_every_other_profile_is_measured(fleet: Fleet, profile: str) -> None:
    fleet.well("run_profile", profile=profile, **SHORT)
    run = fleet.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert all(metrics["fps"]["mean"] > 0 for metrics in run["metrics"].values())
    assert len(run["containers"]) == (4 if profile == "capi-fleet" else 1)
    assert fleet.leftovers() == {}


@pytest.mark.measures
def test_the_same_profile_runs_on_an_inventory_of_one_host(fleet: Fleet) -> None:
    variables = fleet.inventory.read_text(encoding="utf-8").partition("  children:")[0]
    alone = fleet.inventory.with_name("alone.yml")
    alone.write_text(f"{variables}  hosts:\n    h1: {{ansible_host: {fleet.address('h1')}}}\n", encoding="utf-8")
    try:
        fleet.well("prepare_hosts", "-i", str(alone), profile="ovms")
        fleet.well("run_profile", "-i", str(alone), profile="ovms", **SHORT)
    finally:
        alone.unlink()
    run = fleet.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert {c["host"] for c in run["containers"].values()} == {"h1"}


def test_check_mode_starts_nothing(fleet: Fleet) -> None:
    done = fleet.well("run_profile", "--check", profile="ovms")
    assert "ovms-ovms-server-1 on h1" in done.output
    assert fleet.leftovers() == {}
    assert not (fleet.home / "results").exists()


def test_the_stock_module_and_the_batch_agree(fleet: Fleet) -> None:
    fleet.well("deploy_profile", profile="ovms", profile_apply_with="docker_container")
    assert fleet.well("deploy_profile", profile="ovms").changed == 0
    assert fleet.well("deploy_profile", profile="ovms", profile_apply_with="docker_container").changed == 0


def test_a_deployment_stays_until_it_is_stopped_by_name(fleet: Fleet) -> None:
    fleet.well("deploy_profile", profile="capi", profile_deployment="one")
    fleet.well("deploy_profile", profile="capi", profile_deployment="two")
    stopped = fleet.well("stop_profile", profile_deployment="one")
    assert "Removed: one-" in stopped.output
    again = fleet.well("stop_profile", profile_deployment="one")
    assert "Nothing of the deployment one was on these hosts." in again.output
    names = [line for lines in fleet.leftovers().values() for line in lines if line.startswith("container")]
    assert len(names) == 1 and names[0].startswith("container two-")
    fleet.well("stop_profile")
    assert fleet.leftovers() == {}
