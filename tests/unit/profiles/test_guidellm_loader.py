# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data loader of GuideLLM's image, used as GuideLLM uses PyTorch's."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CONTEXT = Path(__file__).resolve().parents[3] / "profiles" / "ovms-llm-guidellm" / "images" / "guidellm"


@pytest.fixture(scope="module")
def torch() -> Any:
    """The module by the name under which GuideLLM imports it."""
    spec = importlib.util.spec_from_file_location("plain_loader", CONTEXT / "plain_loader.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loader(torch: Any, **changes: Any) -> Any:
    class Endless(torch.IterableDataset[int]):  # type: ignore[misc]
        """Makes what is asked for, and counts it."""

        made = 0

        def __iter__(self) -> Iterator[int]:
            assert torch.get_worker_info() is None
            while True:
                self.made += 1
                yield self.made

    class Loader(torch.DataLoader[int]):  # type: ignore[misc]
        """As GuideLLM's, with a base class of its own."""

    options = {"batch_size": 1, "shuffle": False, "num_workers": 1, "prefetch_factor": 4096, **changes}
    generator = torch.Generator().manual_seed(7)
    return Loader(dataset=Endless(), collate_fn=lambda batch: batch[0], generator=generator, **options)


def test_data_comes_in_its_order_and_no_more_is_made_than_is_asked_for(torch: Any) -> None:
    made = loader(torch)
    items = iter(made)
    assert [next(items) for _number in range(3)] == [1, 2, 3]
    assert made.dataset.made == 3


@pytest.mark.parametrize("changes", [{"shuffle": True}, {"batch_size": 2}])
def test_what_it_cannot_do_is_an_error(torch: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="batches of one, in the order of the data set"):
        loader(torch, **changes)
