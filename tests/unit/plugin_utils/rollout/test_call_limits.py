# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import call_limits


def replica(name: str = "a", **more: Any) -> dict[str, Any]:
    return {"name": name, "container": "a", "task": {"image": "i", **more.pop("task", {})}, **more}


def seconds(state: str, *replicas: dict[str, Any], **more: Any) -> float:
    share = {"replicas": list(replicas), "shared": [{"replicas": [one]} for one in more.pop("shared", ())]}
    return call_limits.of_apply({"state": state, "deployment": "d", "share": share, **more}).seconds


def test_a_call_has_the_time_of_all_that_it_waits_for() -> None:
    quiet = replica(pull="never")
    least = seconds("present", quiet)
    assert least == 60 + 3 * 60 + 10
    assert seconds("present", quiet, engine_timeout=300) == least + 3 * 240
    assert seconds("present", replica(pull="never", ready=[{"timeout": 120}, {}])) == least + 120 + 60
    assert seconds("present", replica(pull="never", task={"stop_timeout": 90})) == least + 80
    assert seconds("present", replica()) == least + 600
    assert seconds("present", quiet, shared=[quiet]) == least + 60 + 10
    assert seconds("present", quiet, archives=[{"data": "x" * 5_000_000}, {"file": "/f"}]) == least + 5
    assert seconds("ready", replica(ready=[{"timeout": 120}])) == least + 120
    assert seconds("released") == seconds("checked") == 60 + 2 * 60
    assert seconds("absent", lock_wait=900) == seconds("absent") + 900


def test_images_of_replicas_that_are_alike_are_pulled_once() -> None:
    assert seconds("checked", replica(), replica("b")) == seconds("checked", replica()) + 60


@pytest.mark.parametrize(
    ("args", "doing"),
    [
        ({"deployment": "d"}, "applying deployment d"),
        ({"deployment": "d", "state": "checked"}, "looking whether the host can run deployment d"),
        ({"deployment": "d", "state": "ready"}, "waiting until deployment d is ready"),
        ({"state": "absent", "all": True}, "removing every deployment"),
    ],
)
def test_a_limit_says_what_the_call_does(args: dict[str, Any], doing: str) -> None:
    assert call_limits.of_apply(args).doing == doing


def test_the_other_calls() -> None:
    measured = call_limits.of_measure({"state": "stopped"}, 300)
    assert (measured.doing, measured.seconds) == ("stopping the sampler", 360)
    assert call_limits.of_transfer({"state": "sent", "timeout": 900}).seconds == 1020
    assert call_limits.of_transfer({"state": "awaited", "timeout": 900}).seconds == 120
    assert call_limits.of_files(30_000_000).seconds == 90


@pytest.mark.parametrize("wrong", ["long", None, "{{ x }}"])
def test_a_time_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ProfileError, match=r"profile_engine_timeout: .* is no number of seconds"):
        call_limits.of_short("asking", wrong)
