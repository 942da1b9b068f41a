# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded images (JPEG, PNG) as OpenVINO Model Server takes them: decoded to BGR, resized to the model's input."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.model import Array


def decode(data: bytes, channels: int, name: str) -> Array:
    """An encoded image as height × width × channels of uint8: BGR, or grey for one channel."""
    if not data:
        raise RequestError(Fault.BYTES_CONTENTS_EMPTY, f"input name: {name}")
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise RequestError(Fault.IMAGE_PARSING_FAILED, f"input name: {name}: {error}") from None
    return pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1]


def resize(pixels: Array, height: int, width: int) -> Array:
    """Bilinear without smoothing, as OpenCV's INTER_LINEAR, pixel centres at .5."""
    if pixels.shape[:2] == (height, width):
        return pixels
    rows, columns = pixels.shape[:2]
    scale = (columns / width, 0.0, 0.0, 0.0, rows / height, 0.0)
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(pixels[:, :, c])).transform(
                (width, height), Image.Transform.AFFINE, scale, resample=Image.Resampling.BILINEAR
            )
        )
        for c in range(pixels.shape[2])
    ]
    return np.stack(planes, axis=2)
