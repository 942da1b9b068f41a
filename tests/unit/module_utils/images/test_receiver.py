# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver whose work fails leaves no image that was not there before."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.images import receiver


class Store:
    """Stands in for an engine: the ids of its images by their names."""

    def __init__(self, **images: str) -> None:
        self.images = images
        self.gone = False

    def image(self, name: str) -> Optional[dict[str, Any]]:
        if self.gone:
            raise EngineError("the engine went away")
        return {"Id": self.images[name]} if name in self.images else None

    def remove_image(self, name: str) -> None:
        del self.images[name]


def fail(store: Store, **loaded: str) -> str:
    """Load images, and fail then; what was told."""
    with pytest.raises(ProfileError) as caught, receiver.all_or_nothing(store, ["new", "old", "other"]):  # type: ignore[arg-type]
        store.images.update(loaded)
        raise ProfileError("failed to unpack")
    return str(caught.value)


def test_what_came_is_taken_away_and_what_was_there_stays() -> None:
    store = Store(old="1", other="2", beside="3")
    assert fail(store, new="4", other="5") == "failed to unpack"
    assert store.images == {"old": "1", "beside": "3"}


def test_what_succeeds_stays() -> None:
    store = Store(old="1")
    with receiver.all_or_nothing(store, ["new", "old"]):  # type: ignore[arg-type]
        store.images["new"] = "2"
    assert store.images == {"old": "1", "new": "2"}


def test_an_engine_that_went_away_does_not_hide_what_went_wrong() -> None:
    store = Store()
    with pytest.raises(ProfileError, match="failed to unpack"), receiver.all_or_nothing(store, ["new"]):  # type: ignore[arg-type]
        store.gone = True
        raise ProfileError("failed to unpack")
