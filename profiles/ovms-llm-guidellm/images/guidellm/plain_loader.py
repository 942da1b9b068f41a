# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GuideLLM takes of PyTorch, which is 1 GB: a data loader.

Data is made while it is asked for, by the process that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Generator:
    """Seeds the order of shuffled data, of which there is none here: GuideLLM seeds its prompts itself."""

    def manual_seed(self, seed: int) -> Generator:
        self.seed = seed
        return self


class IterableDataset(Generic[T]):
    """A data set that is read in its own order."""


class DataLoader(Generic[T]):
    """Reads a data set one by one; ``num_workers``, ``prefetch_factor`` and ``generator`` change nothing."""

    def __init__(
        self,
        dataset: Iterable[Any],
        batch_size: int,
        shuffle: bool,
        collate_fn: Callable[[list[Any]], T],
        **_others: Any,
    ) -> None:
        if batch_size != 1 or shuffle:
            raise ValueError("this image's data loader has batches of one, in the order of the data set")
        self.dataset = dataset
        self.collate_fn = collate_fn

    def __iter__(self) -> Iterator[T]:
        for item in self.dataset:
            yield self.collate_fn([item])


def get_worker_info() -> None:
    """No process loads data for another."""
