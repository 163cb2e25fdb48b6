"""Pictures as a browser makes them, for whoever needs one."""

from __future__ import annotations

import io
from typing import Any, Final

from PIL import Image

COLOUR: Final = (214, 90, 40)


def drawn(width: int = 32, height: int = 24, mode: str = "RGB", colour: Any = COLOUR) -> Image.Image:
    """Draw something with an edge in it, so that it does not come out as one colour."""
    image = Image.new(mode, (width, height), colour)
    image.paste(Image.new(mode, (max(1, width // 2), max(1, height // 2))), (0, 0))
    return image


def jpeg(width: int = 32, height: int = 24, colour: Any = COLOUR, **how: Any) -> bytes:
    """Give a JPEG file; ``how`` is what Pillow takes. One number for a colour makes it grey."""
    return _saved(drawn(width, height, "L" if isinstance(colour, int) else "RGB", colour), "JPEG", how)


def webp(width: int = 32, height: int = 24, mode: str = "RGB", **how: Any) -> bytes:
    """Give a WebP file; ``how`` is what Pillow takes."""
    colour = COLOUR if mode == "RGB" else (*COLOUR, 120)
    return _saved(drawn(width, height, mode, colour), "WEBP", how)


def _saved(image: Image.Image, kind: str, how: dict[str, Any]) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **how)
    return held.getvalue()
