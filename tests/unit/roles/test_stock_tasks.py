# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock module is given each option that a task may carry: none is lost on its way."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.container.options import OPTIONS

STOCK = "community.docker.docker_container"


def test_the_stock_module_gets_every_option_by_its_name(checkout: Path) -> None:
    [wave] = yaml.safe_load((checkout / "roles" / "profile" / "tasks" / "wave_docker_container.yml").read_text())
    plain, secret = (task for task in wave["block"] if STOCK in task)
    assert secret[STOCK] == plain[STOCK]
    assert set(plain[STOCK]) == {*OPTIONS, "pull"}
    for option in set(OPTIONS) - {"env"}:
        value = f"profile_replica.task.{option}"
        assert plain[STOCK][option] in (f"{{{{ {value} }}}}", f"{{{{ {value} | default(omit) }}}}")


def test_the_environment_has_the_secrets_where_nothing_is_logged(checkout: Path) -> None:
    [wave] = yaml.safe_load((checkout / "roles" / "profile" / "tasks" / "wave_docker_container.yml").read_text())
    plain, secret = (task for task in wave["block"] if STOCK in task)
    assert plain[STOCK]["env"] == "{{ profile_environment }}"
    assert plain["vars"]["profile_environment"] == "{{ profile_replica.task.env }}"
    assert "combine(profile_secret" in secret["vars"]["profile_environment"]
    assert secret["no_log"] is True
