# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of profile_apply: from the parameters to an order, and from what came of it to the result."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import apply
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ShippedFile, argument_spec

from .arguments import completed


class Applied:
    """Stands in for the work of an order."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.answer: dict[str, Any] = {"failed": False, "changed": True, "diff": [{"before": "x"}]}
        self.error: Exception | None = None

    def run(self, order: Order, _connect: Any) -> dict[str, Any]:
        self.orders.append(order)
        if self.error is not None:
            raise self.error
        return dict(self.answer)


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Applied:
    made = Applied()
    monkeypatch.setattr(apply, "run", made.run)
    return made


def params(**more: Any) -> dict[str, Any]:
    return completed(argument_spec(), **{"deployment": "d", "state_dir": "/s", **more})


@pytest.mark.parametrize("check", [False, True])
def test_the_parameters_are_an_order(applied: Applied, check: bool) -> None:
    apply.answer(params(state="prepared", run_id="d-1", concurrency=3), check, False)
    (order,) = applied.orders
    assert (order.state, order.deployment, order.state_dir, order.run_id) == ("prepared", "d", "/s", "d-1")
    assert (order.concurrency, order.check) == (3, check)


@pytest.mark.parametrize("diff", [False, True])
def test_differences_are_told_where_they_are_asked_for(applied: Applied, diff: bool) -> None:
    told = apply.answer(params(), False, diff)
    assert (told["failed"], told["changed"]) == (False, True)
    assert told.get("diff") == ([{"before": "x"}] if diff else None)


def test_neither_secrets_nor_what_is_long_is_echoed(applied: Applied) -> None:
    given = params(secrets={"d-a-1": {"TOKEN": "correct horse"}}, share={"replicas": []}, plan_id="p")
    told = apply.answer(given, False, False)
    echoed = told["invocation"]["module_args"]
    assert (echoed["deployment"], echoed["plan_id"]) == ("d", "p")
    assert not {"secrets", "share", "archives", "sources"} & set(echoed)
    assert "correct horse" not in str(told)


def test_files_that_lack_are_named_so_that_they_can_be_sent(applied: Applied) -> None:
    applied.error = MissingFiles([ShippedFile("a.sh", "file", "0" * 64, 0o644, "/s/files/a.sh")])
    told = apply.answer(params(), False, False)
    assert told["failed"] and told["missing"] == ["/s/files/a.sh"]
    assert "files of the profile are not on this host and were not sent: a.sh" in told["msg"]
    assert "module_args" in told["invocation"]


def test_what_goes_wrong_is_told(applied: Applied) -> None:
    applied.error = ProfileError("no permission", host="h")
    told = apply.answer(params(), False, True)
    assert (told["failed"], told["msg"]) == (True, "host h: no permission")


def test_arguments_that_make_no_order_are_told(applied: Applied) -> None:
    told = apply.answer(params(deployment=None), False, False)
    assert told["failed"] and told["msg"].startswith("field deployment: name a deployment")
    assert applied.orders == []
