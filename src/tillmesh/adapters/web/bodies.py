"""Bodies of requests, read within their limits and turned into values."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec
from starlette.requests import ClientDisconnect, Request

from tillmesh.adapters.web.problems import BadRequest, UnsupportedType
from tillmesh.kernel.errors import Invalid, TooLarge

JSON: Final = "application/json"
ANY: Final = "application/octet-stream"  # images and sound say themselves what they are
T = TypeVar("T")


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read a body within its limit, whatever its declared length says."""
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) < 20):
        raise BadRequest("Content-Length is not a number")
    parts: list[bytes] = []
    size = 0
    too_large = TooLarge(f"the body is over {bytes_max} bytes", hint="Send less at once.")
    if int(declared) > bytes_max:
        raise too_large
    try:
        async for part in request.stream():
            size += len(part)
            if size > bytes_max:
                raise too_large
            parts.append(part)
    except ClientDisconnect as cause:
        raise BadRequest("the body ended early") from cause
    return b"".join(parts)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def check_media(request: Request, media_wanted: str) -> None:
    """Take a body only of its own type: a form of another site can't send those without asking first."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_wanted not in {media, ANY}:
        raise UnsupportedType(
            f"the body is {media[:60] or 'of no type'}, not {media_wanted}", hint=f"Send {media_wanted}."
        )


def parse(raw: bytes, kind: type[T]) -> T:
    """Decode a JSON body, or raise :class:`Invalid` or :class:`BadRequest`."""
    try:
        return cast("T", _decoder(cast("Hashable", kind)).decode(raw))
    except msgspec.ValidationError as error:
        raise Invalid(str(error), hint="See /api/v1/openapi.json for the fields.") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}", hint="Send one JSON object.") from error
