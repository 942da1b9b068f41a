# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile cannot say of a Compose service is ignored with a warning, but not what is wrong in it."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ...world import World
from .shop import shop

WRONG = [
    ("deploy: {update_config: {delay: x}}", "deploy.update_config.delay: 'x' is not a duration"),
    ("deploy: {restart_policy: {window: ''}}", "deploy.restart_policy.window: '' is not a duration"),
    ("deploy: {restart_policy: {max_attempts: -1}}", "deploy.restart_policy.max_attempts: -1 is less than none"),
    ("deploy: {resources: {reservations: {cpus: x}}}", "deploy.resources.reservations.cpus: 'x' is not a number"),
    ("post_start: [{command: x, privileged: 'maybe'}]", "post_start.0.privileged: 'maybe' is not true or false"),
    ("attach: '5'", "attach: '5' is not true or false"),
    ("build: {context: ., no_cache: ''}", "build.no_cache: '' is not true or false"),
    ("build: {context: ., ulimits: {nofile: '5'}}", "build.ulimits.nofile: '5' is a text"),
    ("build: {context: ., extra_hosts: [x]}", "build.extra_hosts.0: 'x' is not NAME=ADDRESS"),
    ("build: {context: ., shm_size: ''}", "build.shm_size: '' is not a size"),
    ("secrets: [{source: s, mode: 1.5}]", "secrets.0.mode: 1.5 is not a mode such as 0440"),
    ("blkio_config: {weight_device: [{path: /a, weight: ''}]}", "weight_device.0.weight: '' is a text"),
]


@pytest.mark.parametrize(("key", "message"), WRONG, ids=[message for _key, message in WRONG])
@pytest.mark.parametrize("profile", ["", ", profiles: [other]"], ids=["started", "not started"])
def test_what_is_wrong_in_it_is_refused_with_its_line(world: World, key: str, message: str, profile: str) -> None:
    text = f"services:\n  b: {{image: j}}\n  a: {{image: i, {key}{profile}}}\nsecrets: {{s: {{environment: S}}}}\n"
    with pytest.raises(ProfileError, match=rf"compose.yaml:3: services.a..*{message}"):
        world.plan_foreign(shop(world, text))


def test_what_is_right_in_it_is_warned_of(world: World) -> None:
    deploy = "deploy: {update_config: {delay: 10s}, restart_policy: {window: 1m30s}}"
    key = f"{deploy}, post_start: [{{command: x, privileged: 'yes'}}]"
    made = world.plan_foreign(shop(world, f"services: {{a: {{image: i, {key}}}}}\n"))
    for ignored in ("deploy.update_config", "deploy.restart_policy.window", "post_start"):
        assert any(f"services.a.{ignored} is ignored" in warning for warning in made["warnings"])
