"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tillmesh.adapters.web.speaking import HEADER, known, spoken, translated
from tillmesh.kernel.errors import TillmeshError, TooMany

TYPE = "https://tillmesh.org/problems/"  # Names the kind; nothing is fetched from it.
log = logging.getLogger(__name__)


class BadRequest(TillmeshError):
    """The request can't be read at all."""

    status = 400
    kind = "bad-request"
    title = "The request can't be read"


class UnsupportedType(TillmeshError):
    """The body is of a type that this call does not take."""

    status = 415
    kind = "unsupported-media-type"
    title = "Wrong content type"


class NotAvailable(TillmeshError):
    """A part of the product that is not running here."""

    status = 503
    kind = "not-available"
    title = "Not available on this till"


class Forbidden(TillmeshError):
    """The request comes from a page or host that is not ours."""

    status = 403
    kind = "forbidden"
    title = "Not from this till's own pages"


def problem(error: TillmeshError) -> dict[str, Any]:
    """Write an error as the members of a problem document, in the language of the request."""
    members = {
        "type": TYPE + error.kind,
        "kind": error.kind,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "hint": error.hint,
        **error.members(),
    }
    return translated(members)


def answer(error: TillmeshError) -> Response:
    """Answer a request with a problem document."""
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, -(-error.retry_after_ms // 1000)))
    if getattr(error, "hang_up", False):
        headers["Connection"] = "close"
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = msgspec.json.encode(problem(error))
    return Response(body, error.status, headers, "application/problem+json")


def _unexpected(error: Exception) -> Response:
    """Answer for a mistake of ours: the log gets the cause, the caller learns only that it is our fault."""
    log.error("unexpected error", exc_info=error)

    class Unexpected(TillmeshError):
        status = 500
        kind = "unexpected"
        title = "Something went wrong in the till program"

    return answer(Unexpected("the till program made a mistake", hint="See if it was done; if not, try once more."))


def endpoint(serve: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Serve in the language that the caller asks for; what is raised is an answer too, in that language."""

    async def served(request: Request) -> Response:
        spoken.set(known(request.headers.get(HEADER, "")))
        try:
            return await serve(request)
        except TillmeshError as error:
            return answer(error)
        except Exception as error:  # noqa: BLE001 - the last line before the caller; logged with its cause
            return _unexpected(error)

    return served
