# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The engine's calls for whole images, apart from those that travel with every call of profile_apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.engine import (
    CALL_TIMEOUT,
    Engine,
    connect,
    translated,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine_api import EngineError


class ImageEngine:
    """Saves and loads images through *engine*."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.image = engine.image
        self.info = engine.info

    def save(self, images: Sequence[str]) -> Iterator[bytes]:
        """What ``docker save`` writes of *images* (names or ids), in one archive. Raises ProfileError."""
        client = self.engine.client()
        with translated("save images"):
            # The library's own call knows one image at a time; layers that images share come once this way.
            response = client._get(client._url("/images/get"), params={"names": list(images)}, stream=True)
            client._raise_for_status(response)
            yield from response.iter_content(1 << 20)

    def load(self, archive: Iterator[bytes]) -> None:
        """Load what :meth:`save` gave; raises EngineError with the engine's own words, or ProfileError."""
        client = self.engine.client()
        with translated("load images"):
            for event in client.load_image(archive):
                if event.get("error"):
                    raise EngineError(str(event["error"]))


def connect_images(url: Optional[str] = None, timeout: int = CALL_TIMEOUT) -> ImageEngine:
    """Connect as :func:`engine.connect` does. Raises EngineError, and ProfileError without the ``docker`` package."""
    engine = ImageEngine(connect(url, timeout))
    engine.engine.client()
    return engine
