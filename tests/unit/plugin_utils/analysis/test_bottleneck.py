# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause by the figures that show it, and figures that show none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    bottleneck,
    bottleneck_scene,
    measured_plan,
    observations,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck import Bottleneck
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck_scene import (
    Container,
    Demand,
    Device,
    Host,
    Scene,
    Service,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import DEVICE_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Limits
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings

from ..synthetic import GPUS, T0, Fleet, Play, make_plan

IDLE = Service(requests=15.0, request=0.016, inference=0.012, wait=0.0001)
ASKS_FOR_MORE = Demand(achieved=15.0, offered=30.0)
CONTENT = Demand(achieved=30.0, offered=30.0, met=True, latency=0.02)
CLOSED_LOOP = Demand(achieved=50.0, latency=0.02)


def container(name: str, host: str, **more: Any) -> Container:
    return Container(**{"name": name, "container": name, "host": host, "side": "client", "cpu": 0.2, **more})


def scene(
    server: dict[str, Any] | None = None,
    client: dict[str, Any] | None = None,
    h1: dict[str, Any] | None = None,
    h2: dict[str, Any] | None = None,
) -> Scene:
    """A server on h1, which could do more, and a client on h2, which asks for more; both hosts have 8 CPUs."""
    return Scene(
        hosts=(
            Host(**{"name": "h1", "cpus": 8.0, "cpu": 0.8, "received": 4e6, "sent": 1e4, **(h1 or {})}),
            Host(**{"name": "h2", "cpus": 8.0, "cpu": 0.8, "received": 1e4, "sent": 4e6, **(h2 or {})}),
        ),
        containers=(
            container("server", "h1", **{"side": "server", "service": IDLE, **(server or {})}),
            container("client", "h2", **{"demand": ASKS_FOR_MORE, **(client or {})}),
        ),
    )


def found(seen: Scene) -> tuple[str | None, str | None, str]:
    """Cause, side and confidence, as run.json has them."""
    told = bottleneck.find(seen).as_dict()
    assert told["conclusion"].startswith("not clear: " if told["cause"] is None else "limited by: ")
    return told["cause"], told["side"], told["confidence"]


AT_ITS_QUOTA = {"limits": Limits(quota=0.5), "cpu": 0.495, "throttled": 0.98}


def test_the_quota_of_a_server() -> None:
    told = bottleneck.find(scene(server=AT_ITS_QUOTA))
    assert told.conclusion == (
        "limited by: CPU quota of server on h1 (0.49 of 0.50 cores, 98 % of periods throttled; clear)"
    )
    assert told.as_dict() | {"others": []} == {
        "conclusion": told.conclusion,
        "cause": "cpu_quota",
        "side": "server",
        "where": {"host": "h1", "container": "server"},
        "confidence": "clear",
        "evidence": [
            {
                "metric": "cpu_cores",
                "value": 0.495,
                "unit": "cores",
                "says": "0.49 of 0.50 cores",
                "limit": 0.5,
                "host": "h1",
                "replica": "server",
            },
            {
                "metric": "cpu_throttled_ratio",
                "value": 0.98,
                "unit": "ratio",
                "says": "98 % of periods throttled",
                "limit": 0.25,
                "host": "h1",
                "replica": "server",
            },
        ],
        "others": [],
        "caveats": [],
    }


def test_the_quota_of_a_client() -> None:
    assert found(scene(client=AT_ITS_QUOTA)) == ("cpu_quota", "client", "clear")


def test_a_client_that_got_all_it_asked_for_is_not_limited_by_its_quota() -> None:
    assert found(scene(client={**AT_ITS_QUOTA, "demand": CONTENT})) == ("load", "load", "clear")


@pytest.mark.parametrize(
    ("use", "throttled", "confidence"),
    [
        (0.49, 0.5, "clear"),
        (0.41, 0.7, "clear"),
        (0.3, 0.6, "likely"),
        (0.3, 0.25, "likely"),
        (0.46, 0.0, "likely"),
        (0.3, 0.24, "not clear"),
    ],
)
def test_how_sure_a_quota_is(use: float, throttled: float, confidence: str) -> None:
    told = found(scene(server={"limits": Limits(quota=0.5), "cpu": use, "throttled": throttled, "service": None}))
    assert told[2] == confidence


def test_throttling_is_seen_where_the_plan_knows_no_quota() -> None:
    assert found(scene(server={"throttled": 0.9})) == ("cpu_quota", "server", "clear")


def test_quotas_at_both_ends_are_only_likely() -> None:
    cause, _side, confidence = found(scene(server=AT_ITS_QUOTA, client=AT_ITS_QUOTA))
    assert (cause, confidence) == ("cpu_quota", "likely")


def test_equal_replicas_are_told_together() -> None:
    one = scene()
    twins = [replace(one.containers[1], name=f"client-{n}", container="client", **AT_ITS_QUOTA) for n in range(1, 5)]
    told = bottleneck.find(replace(one, containers=(one.containers[0], *twins)))
    assert told.conclusion.startswith("limited by: CPU quota of client-1 on h2 and 3 more like it (")
    assert [other.cause for other in told.others if other.cause == "cpu_quota"] == []


def test_the_cpu_of_a_host_is_on_the_side_of_whoever_uses_it() -> None:
    told = bottleneck.find(scene(server={"cpu": 7.2}, h1={"cpu": 7.8}))
    assert told.conclusion == ("limited by: CPU of h1 (7.80 of 8 cores busy, 7.20 of them by server; clear)")
    assert found(scene(server={"cpu": 7.2}, h1={"cpu": 7.8})) == ("cpu", "server", "clear")
    assert found(scene(client={"cpu": 7.2}, h2={"cpu": 7.0})) == ("cpu", "client", "likely")


def test_busy_hosts_of_one_side_are_told_together() -> None:
    one = scene(client={"cpu": 7.2}, h2={"cpu": 7.8})
    more = [replace(one.hosts[1], name=f"h{n}") for n in (3, 4)]
    twins = [replace(one.containers[1], name=f"client-{n}", host=f"h{n}") for n in (3, 4)]
    told = bottleneck.find(Scene((*one.hosts, *more), (*one.containers, *twins)))
    assert told.conclusion.startswith("limited by: CPU of h2 and 2 more like it (7.80 of 8 cores busy")


def test_a_set_of_cpus() -> None:
    assert found(scene(server={"limits": Limits(cpu_set=2), "cpu": 1.95})) == ("cpu", "server", "clear")


def test_one_busy_thread() -> None:
    assert found(scene(client={"cpu": 1.0, "cpu_max": 1.02})) == ("thread", "client", "likely")
    assert found(scene(client={"cpu": 1.0, "cpu_max": 2.4}))[0] != "thread"
    assert found(scene(client={"cpu": 1.0, "cpu_max": 1.02, "limits": Limits(quota=1.0)}))[0] == "cpu_quota"


@pytest.mark.parametrize(("busy", "confidence"), [(0.97, "clear"), (0.9, "likely"), (0.75, "not clear")])
def test_an_engine_of_a_device(busy: float, confidence: str) -> None:
    engine = Device("GPU 0000:00:02.0 render", "gpu_render_busy_percent", busy)
    told = bottleneck.find(scene(server={"service": None}, h1={"devices": (engine,)})).as_dict()
    assert told["confidence"] == confidence
    if confidence == "clear":
        says = "limited by: GPU 0000:00:02.0 render of h1 (busy 97 % of the time; clear)"
        assert (told["conclusion"], told["side"]) == (says, "device")
        assert (told["evidence"][0]["value"], told["evidence"][0]["unit"]) == (97.0, "percent")


WAITS = replace(IDLE, requests=80.0, request=0.048, wait=0.035)


def test_waiting_for_an_infer_request() -> None:
    told = bottleneck.find(scene(server={"service": WAITS}))
    assert told.conclusion == (
        "limited by: infer requests (nireq) of server on h1 (73 % of a request's 48.0 ms is waiting for one, 0.96 at"
        " work at any time; clear)"
    )
    pool = bottleneck.find(scene(server={"service": replace(WAITS, pool=1.0)}))
    assert [(one.value, one.limit) for one in pool.evidence if one.unit == "requests"] == [(pytest.approx(0.96), 1.0)]
    assert "0.96 of 1 at work at any time" in pool.conclusion
    assert found(scene(server={"service": replace(WAITS, request=None)})) == ("infer_requests", "server", "clear")
    assert found(scene(server={"service": replace(WAITS, wait=0.015)})) == ("infer_requests", "server", "likely")


def test_waiting_follows_where_processors_or_engines_are_short() -> None:
    engine = Device("NPU 0000:00:0b.0", "npu_busy_percent", 0.99)
    assert found(scene(server={**AT_ITS_QUOTA, "service": WAITS}))[0] == "cpu_quota"
    assert found(scene(server={"service": WAITS}, h1={"devices": (engine,)}))[0] == "device"


def test_memory() -> None:
    assert found(scene(server={"out_of_memory": 2})) == ("memory", "server", "clear")
    assert found(scene(h2={"pressure": {"memory": 55.0}})) == ("memory", "client", "clear")
    assert found(scene(h1={"pressure": {"memory": 25.0}})) == ("memory", "server", "likely")
    full = {"limits": Limits(memory_bytes=200 * 2**20), "memory": 199.0 * 2**20, "service": None}
    assert found(scene(server=full)) == ("memory", "server", "likely")
    assert found(scene(server={**full, "memory": 100.0 * 2**20}))[0] is None


def test_a_disk() -> None:
    told = bottleneck.find(scene(server={"block": 7e7}, h1={"pressure": {"io": 62.0}, "disk": 8e7}))
    assert told.conclusion == (
        "limited by: disk of h1 (tasks waited for it 62 % of the time, 80.0 MB/s read and written; clear)"
    )
    strangers = scene(server={"block": 1e6, "service": None}, h1={"pressure": {"io": 62.0}, "disk": 8e7})
    assert found(strangers)[0] is None


def test_a_network_whose_speed_is_known() -> None:
    told = bottleneck.find(scene(h2={"sent": 1.2e8, "link": 1.25e8}))
    assert told.conclusion == "limited by: network of h2 (120.0 MB/s sent of 125.0; clear)"
    assert found(scene(h2={"sent": 1.2e8, "link": 1.25e8})) == ("network", "network", "clear")


def test_a_network_of_unknown_speed_is_told_by_what_is_idle() -> None:
    told = bottleneck.find(scene())
    assert told.conclusion == (
        "limited by: network between h2 and the server (0.24 of 1.00 requests on their way are in the server, h2 sends"
        " 4.00 MB/s, busiest: CPU of h1, 10 %; likely)"
    )
    closed = {"demand": Demand(achieved=15.0, latency=0.25)}
    assert found(scene(client=closed)) == ("network", "network", "likely")


def test_no_network_is_suspected_on_one_host() -> None:
    one = scene()
    together = replace(one, containers=(one.containers[0], replace(one.containers[1], host="h1")))
    assert found(together) == (None, None, "not clear")


def test_the_load_itself() -> None:
    told = bottleneck.find(scene(client={"demand": CONTENT}))
    assert told.conclusion == (
        "limited by: the load itself: the clients asked for no more (30 of 30 frames/s done, busiest: CPU of h1, 10 %;"
        " clear)"
    )
    near = scene(server={"cpu": 7.2}, h1={"cpu": 7.4}, client={"demand": CONTENT})
    assert found(near) == ("load", "load", "likely")
    assert [other.what for other in bottleneck.find(near).others] == ["CPU of h1"]


def test_the_concurrency_of_a_closed_loop() -> None:
    busy_inside = Service(requests=50.0, request=0.018, inference=0.016, wait=0.0001)
    assert found(scene(server={"service": busy_inside}, client={"demand": CLOSED_LOOP})) == ("load", "load", "likely")
    waiting = replace(busy_inside, wait=0.012)
    assert found(scene(server={"service": waiting}, client={"demand": CLOSED_LOOP}))[0] == "infer_requests"


def test_contention_is_a_caveat_and_no_bottleneck() -> None:
    crowded = bottleneck.find(scene(h1={"cpu": 7.9, "others": 7.7}))
    assert crowded.found is None
    assert crowded.conclusion == (
        "not clear: h1 was 99 % busy, and 7.70 of its 8 cores with other processes than the plan's, which may explain"
        " the rest"
    )
    both = scene(server=AT_ITS_QUOTA, h1={"cpu": 7.9, "others": 7.41}, h2={"cpu": 8.0, "others": 7.2})
    assert bottleneck.find(both).caveats == (
        "h1 was 99 % busy, and 7.41 of its 8 cores with other processes than the plan's; h2 likewise",
    )
    own = bottleneck.find(scene(server=AT_ITS_QUOTA, h1={"cpu": 7.9, "others": 7.41}))
    assert (own.found is not None, own.confidence) == (True, "clear")
    assert own.caveats == ("h1 was 99 % busy, and 7.41 of its 8 cores with other processes than the plan's",)
    # A replica of the plan that is not measured may be what took them.
    unknown = bottleneck.find(scene(server=AT_ITS_QUOTA, h1={"cpu": 7.9}))
    assert unknown.caveats == ("h1 was 99 % busy, and 7.41 of its 8 cores with what is not measured here",)
    # Hosts that are containers of one machine see each other's processes, which are the plan's all the same.
    assert bottleneck.find(scene(h1={"cpu": 7.9, "others": 0.1})).caveats == ()
    stolen = bottleneck.find(scene(h1={"steal": 1.5}))
    hot = bottleneck.find(scene(h1={"hot": 12.0}, client={"demand": CONTENT}))
    assert (hot.confidence, hot.caveats) == (
        "clear",
        ("a processor of h1 was slowed down by its temperature 12 % of the time",),
    )
    assert stolen.caveats == ("the hypervisor took 1.50 of the 8 cores of h1",)


def test_not_clear_says_why() -> None:
    def why(told: Bottleneck) -> str:
        assert (told.found, told.confidence) == (None, "not clear")
        return told.conclusion

    mute = {"service": None}
    assert why(bottleneck.find(scene(server=mute))) == "not clear: nothing is near its limit (busiest: CPU of h1, 10 %)"
    loop = {"demand": CLOSED_LOOP}
    assert why(bottleneck.find(scene(server=mute, client=loop))).endswith("and client tells no rate that it asks for")
    assert why(bottleneck.find(scene(client={"demand": None}))) == "not clear: no client tells what was done"
    half = {"limits": Limits(quota=1.0), "cpu": 0.75, **mute}
    assert why(bottleneck.find(scene(server=half))) == (
        "not clear: there are only weak signs (CPU quota of server on h1: 0.75 of 1.00 cores)"
    )
    assert why(bottleneck.find(Scene((), ()))) == "not clear: no client tells what was done"


def test_limits_of_a_replica_are_read_from_its_docker_options() -> None:
    def limits(**task: Any) -> Limits:
        made = make_plan()
        made["replicas"]["ovms-client-1"]["task"].update(task)
        return next(r.limits for r in measured_plan.of_plan(made).replicas if r.name == "ovms-client-1")

    assert limits() == Limits()
    assert limits(cpus=0.5, memory="200m") == Limits(quota=0.5, memory_bytes=200 * 2**20)
    assert limits(cpu_quota=50000, cpuset_cpus="0-2,5") == Limits(quota=0.5, cpu_set=4)
    assert limits(cpu_quota=50000, cpu_period=25000).cores == 2.0
    assert limits(cpu_quota=-1, cpus=0, memory=0) == Limits()


def test_which_side_a_replica_is_on() -> None:
    def sides(plan: dict[str, Any]) -> dict[str, str]:
        fleet = measured_plan.of_plan(plan)
        made = bottleneck_scene.gather(fleet, {}, observations.observe(fleet, (), {}), [Span(T0, T0 + 10.0)])
        return {container.name: container.side for container in made.containers}

    served = make_plan(hosts=2, clients=1)
    assert sides(served) == {"ovms-client-1": "client", "ovms-ovms-server-1": "server"}
    served["replicas"]["ovms-ovms-server-1"]["measured"] = False
    assert sides(served) == {"ovms-client-1": "client", "ovms-ovms-server-1": "server"}
    server = served["replicas"]["ovms-ovms-server-1"]
    server.update(ovms=False, image="retail/camera-simulator:1", metrics={"fps": {"log": "fps"}})
    assert sides(served) == {"ovms-client-1": "server", "ovms-ovms-server-1": "client"}


class AtItsQuota(Fleet):
    """A server whose quota of half a core is used up, and clients that ask for more than they get."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        samples = super().replica(name, replica, t, second)
        for sample in samples:
            if sample["type"] == "container" and replica["ovms"]:
                sample["cpu_ns"] = int(self.add("quota", 0.498) * 1e9)
                sample.update(periods=int(10 * second), throttled=int(9.6 * second))
            elif sample["type"] == "log":
                sample["line"] = json.dumps({**json.loads(sample["line"]), "asked": 60.0})
        return samples


def test_a_run_tells_its_bottleneck(play_of: Callable[..., Play]) -> None:
    plan = make_plan(hosts=2, clients=1)
    plan["replicas"]["ovms-ovms-server-1"]["task"]["cpus"] = 0.5
    rules = plan["replicas"]["ovms-client-1"]["metrics"]
    asked = {"log": "asked", "kind": "gauge", "unit": "frames/s", "required": False}
    plan["replicas"]["ovms-client-1"]["metrics"] = {**rules, "offered_per_second": asked}
    play = play_of(AtItsQuota, plan)
    record = play.whole(WindowSettings(15.0, 20.0))
    told = record["bottleneck"]
    assert told["conclusion"] == (
        "limited by: CPU quota of ovms-ovms-server-1 on server (0.50 of 0.50 cores, 96 % of periods throttled; clear)"
    )
    assert (told["side"], told["where"]["host"]) == ("server", "server")
    assert f"L{told['conclusion'][1:]}" in "\n".join(play.screen.lines)
    assert told["conclusion"] in (play.path / "summary.csv").read_text(encoding="utf-8")


class BusyVideoEngine(AtItsQuota):
    """The second GPU decodes all the time, and a processor is too hot for a tenth of it."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        samples = super().replica(name, replica, t, second)
        for sample in samples:
            sample.update({key: 0 for key in ("periods", "throttled") if key in sample})
        return samples

    def devices(self, host: str, load: float) -> dict[str, Any]:
        found = super().devices(host, load)
        if host == "server":
            found["gpu"][GPUS[1]]["video_busy_ns"] = round(self.add("busy", 0.98e9))
            found["throttle"] = {"package-0": {"package_ms": round(self.add("hot", 100))}}
        return found


def test_a_run_tells_of_an_engine_of_its_device(play_of: Callable[..., Play]) -> None:
    told = play_of(BusyVideoEngine, make_plan(hosts=2, clients=1)).whole(WindowSettings(15.0, 20.0))["bottleneck"]
    assert told["conclusion"] == (f"limited by: video engine of GPU {GPUS[1]} of server (busy 98 % of the time; clear)")
    assert (told["cause"], told["side"], told["where"]) == ("device", "device", {"host": "server", "container": None})
    assert told["evidence"][0]["metric"] == "gpu_video_busy_percent"
    assert told["caveats"] == ["a processor of server was slowed down by its temperature 10 % of the time"]


def test_every_busy_time_of_the_catalogue_is_looked_at() -> None:
    names = {metric.name for metric in DEVICE_METRICS}
    assert set(bottleneck_scene.DEVICES) == {
        name for name in names if name.endswith("_busy_percent") and name != "gpu_memory_busy_percent"
    }
    assert set(bottleneck_scene.HOT) <= names


def test_a_run_on_its_way_has_none_yet(play_of: Callable[..., Play]) -> None:
    play = play_of(Fleet, make_plan())
    play.begin()
    assert play.record()["bottleneck"] is None
