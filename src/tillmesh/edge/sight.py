"""What recognition compares: a photo as a few hundred numbers, computed by this code in training and on every till.

The centre counts more than the edge, because people hold a product into the middle. Networks see textures and shapes
and are blind to how green an apple is, so a histogram of colours stands beside what the network saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
# Each photo is seen twice: whole, and closer. How wide the centre is, as the standard deviation of its weight in sides
# of the view; measured, see docs/reference/models.md.
WHOLE_CENTRE, CLOSE_CENTRE = 0.3, 0.45
CLOSE: Final = 0.75  # the part of the side that the closer view shows
SMALL_PIXELS: Final = 64  # colours are looked at in a photo of this size
HUES, SATURATIONS, VALUES = 16, 3, 3
HASH_ROWS, HASH_COLUMNS = 8, 9


@dataclass(frozen=True)
class Space:
    """Where photos are compared: how what the network saw is whitened, and how much colours count beside it."""

    name: str
    mean: Array
    matrix: Array
    colour_weight: float

    @property
    def length(self) -> int:
        """How many numbers a photo is."""
        return int(self.matrix.shape[1]) + HUES * SATURATIONS * VALUES

    def vector(self, whole: Array, close: Array, small: Array) -> Array:
        """Give the numbers of one photo from what was seen of it, pooled, in both views.

        The network's part is of unit length, the colours' of ``colour_weight``.
        """
        seen = unit(self._whitened(whole) + self._whitened(close))
        return np.concatenate([seen, self.colour_weight * colours(small)]).astype(np.float32)

    def _whitened(self, seen: Array) -> Array:
        return unit((spread(seen) - self.mean) @ self.matrix)


def pooled(feature_map: Array, width: float) -> Array:
    """Average what the network saw at each place (rows, columns, channels), the centre weighing most."""
    rows, columns, channels = feature_map.shape
    flat = feature_map.reshape(rows * columns, channels).astype(np.float32)
    averaged: Array = centre(rows, columns, width).astype(np.float32).ravel() @ flat
    return averaged


def centre(rows: int, columns: int, width: float) -> Array:
    """Give weights that sum to 1 and are highest in the middle."""
    y = (np.arange(rows) - (rows - 1) / 2) / (rows * width)
    x = (np.arange(columns) - (columns - 1) / 2) / (columns * width)
    weights = np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / 2)
    normed: Array = weights / weights.sum()
    return normed


def spread(seen: Array) -> Array:
    """Even out what few channels shout: the square root of what is never negative."""
    root: Array = np.sqrt(np.maximum(seen, 0))
    return root


def unit(vector: Array) -> Array:
    """Scale to length 1 along the last axis."""
    scaled: Array = vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
    return scaled


def colours(small: Array) -> Array:
    """Give the histogram of hue, saturation and value of a small photo, of unit length."""
    hue, saturation, value = _hsv(small.astype(np.float32) / 255)
    bins = np.minimum((hue * HUES).astype(np.int64), HUES - 1)
    bins = bins * SATURATIONS + np.minimum((saturation * SATURATIONS).astype(np.int64), SATURATIONS - 1)
    bins = bins * VALUES + np.minimum((value * VALUES).astype(np.int64), VALUES - 1)
    weights = centre(small.shape[0], small.shape[1], WHOLE_CENTRE)
    counts = np.bincount(bins.ravel(), weights=weights.ravel(), minlength=HUES * SATURATIONS * VALUES)
    root: Array = np.sqrt(counts)
    return root


def _hsv(rgb: Array) -> tuple[Array, Array, Array]:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    most, least = rgb.max(-1), rgb.min(-1)
    range_ = most - least + 1e-6
    hue = np.where(
        most == red,
        ((green - blue) / range_) % 6,
        np.where(most == green, (blue - red) / range_ + 2, (red - green) / range_ + 4),
    )
    return hue / 6 % 1, (most - least) / (most + 1e-6), most


def network_input(pixels: Array) -> Array:
    """Give a photo as the network takes it: ``(pixel - 127) / 128``, stored as whole numbers without loss."""
    whole: Array = (pixels.astype(np.int16) - 128).astype(np.int8)
    return whole[None]


def likeness(small: Array) -> bytes:
    """Give a key that photos of the very same view share, and others practically never do."""
    grey = small.astype(np.float32).mean(-1)
    side = SMALL_PIXELS
    rows = grey.reshape(HASH_ROWS, side // HASH_ROWS, side).mean(1)
    edges = np.linspace(0, side, HASH_COLUMNS + 1).astype(int)
    cells = np.stack([rows[:, a:b].mean(1) for a, b in pairwise(edges)], axis=1)
    bits = np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()
    quarter = side // 4
    tiles = small.astype(np.float32).reshape(4, quarter, 4, quarter, 3).mean((1, 3))
    key: bytes = bits + (tiles / 32).astype(np.uint8).tobytes()
    return key


def pack(vector: Array) -> bytes:
    """Give a vector in a byte per number, with its scale in front."""
    scale = max(float(np.abs(vector).max()), 1e-9) / 127
    return np.float32(scale).tobytes() + np.round(vector / scale).astype(np.int8).tobytes()


def unpack(data: bytes, length: int) -> Array | None:
    """Read what :func:`pack` wrote; None for bytes that are no vector of this length."""
    if len(data) != length + 4:
        return None
    scale = np.frombuffer(data[:4], np.float32)[0]
    vector: Array = np.frombuffer(data[4:], np.int8).astype(np.float32) * scale
    return vector if np.isfinite(vector).all() else None
