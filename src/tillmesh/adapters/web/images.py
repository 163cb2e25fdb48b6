"""How a picture of a product is handed to a browser: as an image that runs nothing."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from tillmesh.shop.pictures import MEDIA

HASH: Final = re.compile(r"[0-9a-f]{64}")
# Its address names its bytes, so it never changes. Whatever somebody may find in it, it is a picture and runs nothing.
SHOWN: Final = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


def image(media: str, data: bytes) -> Response:
    """Answer with a picture; ``media`` is as a product names it."""
    return Response(data, media_type=MEDIA[media], headers=SHOWN)
