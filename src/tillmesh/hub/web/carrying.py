"""Bundles of models on their way to a store: whole, or from where a transfer broke off (RFC 9110, one range)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from tillmesh.adapters.host.blobs import Blobs
from tillmesh.fleet.models import Published
from tillmesh.kernel.errors import TillmeshError

MEDIA: Final = "application/vnd.tillmesh.model"
PART_BYTES: Final = 256 << 10
_RANGE: Final = re.compile(r"bytes=([0-9]{1,12})-([0-9]{0,12})")


class BeyondEnd(TillmeshError):
    """A transfer that wants to go on behind the end."""

    status = 416
    kind = "beyond-end"
    title = "There is no such part of it"


class BundleGone(TillmeshError):
    """The registry names a file that is not there."""

    status = 503
    kind = "bundle-gone"
    title = "Head office lacks this model's files"


async def carried(blobs: Blobs, version: Published, headers: Headers) -> Response:
    """Answer with a bundle, or with the part of it that is asked for."""
    tag = f'"{version.sha256}"'
    asked = _RANGE.fullmatch(headers.get("range", ""))
    if asked and headers.get("if-range", tag) == tag:
        first, last = int(asked[1]), min(int(asked[2] or version.size), version.size - 1)
        if not first <= last:
            raise BeyondEnd(f"from {first} of {version.size} bytes", hint="Begin anew.")
        status, part = 206, {"Content-Range": f"bytes {first}-{last}/{version.size}"}
    else:
        first, last, status, part = 0, version.size - 1, 200, {}
    if not await asyncio.to_thread(blobs.has, version.sha256):
        raise BundleGone(f"the bundle of {version.name} {version.version} is gone", hint="Publish the model again.")
    return StreamingResponse(
        _parts(blobs, version.sha256, first, last), status, media_type=MEDIA,
        headers={"ETag": tag, "Accept-Ranges": "bytes", "Content-Length": str(last - first + 1), **part},
    )  # fmt: skip


async def _parts(blobs: Blobs, name: str, first: int, last: int) -> AsyncIterator[bytes]:
    while first <= last:
        data = await asyncio.to_thread(blobs.part, name, first, min(last, first + PART_BYTES - 1))
        if not data:
            return
        first += len(data)
        yield data
