"""Photos as a camera sends them, opened within limits: in the worker, because decoders are what breaks."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps

from tillmesh.edge.sight import CLOSE, SMALL_PIXELS
from tillmesh.kernel.limits import IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX

FORMATS: Final = ("JPEG", "PNG", "WEBP")
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Photo:
    """The middle of a photo, whole and closer as the network takes it, and small; and which part of it that is."""

    whole: Array
    close: Array
    small: Array
    box: tuple[float, float, float, float]  # left, top, width, height, each in parts of the photo's own


def open_photo(data: bytes, side: int) -> Photo:
    """Open a photo and take the square in its middle; raises ``ValueError`` for what is none."""
    if len(data) > IMAGE_BYTES_MAX:
        raise ValueError(f"a photo of {len(data)} bytes; the limit is {IMAGE_BYTES_MAX}")
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > IMAGE_PIXELS_MAX or min(width, height) < SMALL_PIXELS // 4:
            raise ValueError(f"a photo of {width} x {height} pixels is not looked at")
        image.draft("RGB", (2 * side, 2 * side))  # a JPEG is decoded no larger than needed
        middle = ImageOps.exif_transpose(image).convert("RGB")
        width, height = middle.size
        edge = min(width, height)
        left, top = (width - edge) // 2, (height - edge) // 2
        middle = middle.crop((left, top, left + edge, top + edge))
        whole = np.asarray(middle.resize((side, side), Image.Resampling.BILINEAR))
        margin = edge * (1 - CLOSE) / 2
        closer = (margin, margin, edge - margin, edge - margin)
        close = np.asarray(middle.resize((side, side), Image.Resampling.BILINEAR, box=closer))
        small = np.asarray(middle.resize((SMALL_PIXELS, SMALL_PIXELS), Image.Resampling.BOX))
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as cause:
        raise ValueError(f"this is no photo that can be opened ({str(cause)[:80]})") from cause
    return Photo(whole, close, small, (left / width, top / height, edge / width, edge / height))
