# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images out of a real Docker Engine and into it again, by its API: whole, changed on their way, and cut short."""

from __future__ import annotations

import hashlib
import io
import tarfile
import uuid
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.calls import image_facts
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.archives import ImageEngine, connect
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.images import receiver, stream
from ansible_collections.retail.profiles.plugins.module_utils.images.inventory import uses_containerd

from .conftest import IMAGE

#: bytes in the layer
RANDOM = 3_000_000


@pytest.fixture(scope="module")
def images(engine: Engine) -> ImageEngine:
    """The engine under test, with what saves and loads."""
    return connect()


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    """A name for an image that has a layer of its own."""
    repository = f"rpt-{uuid.uuid4().hex[:8]}"
    made = engine.create(repository, {"Image": IMAGE, "Cmd": ["sh", "-c", f"head -c {RANDOM} /dev/urandom > /random"]})
    engine.start(made)
    engine.wait(made)
    engine.client().commit(made, repository=repository, tag="1")
    engine.remove(made)
    yield f"{repository}:1"
    if engine.image(f"{repository}:1") is not None:
        engine.client().remove_image(f"{repository}:1", force=True)


def test_what_is_not_there_is_lacking(engine: Engine) -> None:
    told = image_facts.answer({"docker_host": None, "names": [IMAGE, "rpt-nowhere:1"]}, False, False)
    assert (told["failed"], told["changed"], told["lacking"]) == (False, False, ["rpt-nowhere:1"])
    assert list(told["engine"]["images"]) == [IMAGE]


def test_what_was_saved_can_be_loaded(engine: Engine, images: ImageEngine, name: str) -> None:
    before = engine.image(name)
    assert before is not None
    saved = list(images.save([name]))
    engine.client().remove_image(name, force=True)
    assert engine.image(name) is None
    images.load(iter(saved))
    after = engine.image(name)
    assert after is not None and (after["Id"], after["RootFS"]) == (before["Id"], before["RootFS"])


def test_several_images_come_in_one_archive(images: ImageEngine, name: str) -> None:
    alone = sum(len(piece) for piece in images.save([IMAGE]))
    both = sum(len(piece) for piece in images.save([IMAGE, name]))
    assert alone < both < 2 * alone


def test_an_image_that_is_not_there_cannot_be_saved(images: ImageEngine) -> None:
    with pytest.raises(EngineError, match=r"(?i)reference does not exist|no such image"):
        list(images.save(["rpt-nowhere:1"]))


def test_what_is_no_archive_is_refused_in_the_engines_words(images: ImageEngine) -> None:
    with pytest.raises(EngineError, match=r"(?i)tar|archive|header|manifest"):
        images.load(bytes([65]) * (1 << 20) for _piece in range(4))


def changed(saved: bytes) -> bytes:
    """An archive with one bit of the layer turned over."""
    result = bytearray(saved)
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        (layer,) = (member for member in tar if 0 <= member.size - RANDOM < 100_000)
    result[layer.offset_data + layer.size // 2] ^= 1
    return bytes(result)


def test_a_layer_that_was_changed_on_its_way_is_refused(engine: Engine, images: ImageEngine, name: str) -> None:
    saved = b"".join(images.save([name]))
    engine.client().remove_image(name, force=True)
    try:
        with receiver.all_or_nothing(images, [name]):
            images.load(iter([changed(saved)]))
    except EngineError:
        assert engine.image(name) is None
    else:
        # That store may believe it (28.5's does): what we send ourselves is refused below.
        assert uses_containerd(engine.info())
        assert engine.image(name) is not None


@pytest.mark.parametrize("of_it", [changed, bytes], ids=["changed", "as it was"])
def test_a_stream_that_was_changed_on_its_way_leaves_no_image(
    engine: Engine, images: ImageEngine, name: str, of_it: Callable[[bytes], bytes]
) -> None:
    saved = b"".join(images.save([name]))
    engine.client().remove_image(name, force=True)
    sent = io.BytesIO()
    stream.send_blob(sent.write, f"sha256:{hashlib.sha256(saved).hexdigest()}", len(saved), io.BytesIO(saved))
    sent.write(stream.frame({"end": True}))
    came = io.BytesIO(sent.getvalue().replace(saved, of_it(saved)))
    header = stream.Header((), archive=True)
    pieces = stream.archive(header, stream.relayed(stream.Reader(came), stream.Branches(header, "")))
    if of_it is changed:
        with pytest.raises(stream.StreamError, match="changed on its way"):
            images.load(pieces)
    else:
        images.load(pieces)
    assert (engine.image(name) is None) == (of_it is changed)


def test_a_sender_that_fails_midway_leaves_no_image(engine: Engine, images: ImageEngine, name: str) -> None:
    saved = b"".join(images.save([name]))
    engine.client().remove_image(name, force=True)

    def pieces() -> Iterator[bytes]:
        yield saved[: len(saved) // 2]
        raise ProfileError("the sender failed")

    with pytest.raises(ProfileError, match="the sender failed"):
        images.load(pieces())
    assert engine.image(name) is None
