"""Calls as data: path, body, who may, and handler; two lists of them, one for stores and one for people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tillmesh.adapters.web.asked import Asked
from tillmesh.adapters.web.bodies import JSON, check_media, parse, read_body
from tillmesh.adapters.web.problems import answer, endpoint
from tillmesh.fleet.people import OfficeRole, covers
from tillmesh.fleet.throttle import ASKS_BURST, ASKS_PER_S, PICTURES_BURST, PICTURES_PER_S, Throttle
from tillmesh.hub.metrics import Metrics
from tillmesh.hub.running import Hub, now_ms
from tillmesh.hub.web.people import People, Signed
from tillmesh.kernel.errors import NotAllowed, NotFound
from tillmesh.kernel.limits import REQUEST_BODY_BYTES_MAX

PREFIX: Final = "/api/v1"


@dataclass(slots=True)
class Services:
    """What the handlers share: made once by the composition root."""

    hub: Hub
    people: People
    clock: Callable[[], int] = now_ms
    throttle: Throttle = field(default_factory=Throttle)  # of uploads
    asking: Throttle = field(default_factory=lambda: Throttle(ASKS_BURST, ASKS_PER_S))  # of questions
    pictures: Throttle = field(default_factory=lambda: Throttle(PICTURES_BURST, PICTURES_PER_S))
    booking: asyncio.Lock = field(default_factory=asyncio.Lock)  # books are made one after the other
    metrics: Metrics = field(default_factory=Metrics)
    behind_gateway: bool = False  # stores are believed through the gateway only


@dataclass(slots=True)
class Context(Asked):
    """One request on its way through a handler."""

    services: Services
    request: Request
    signed: Signed | None = None

    @property
    def hub(self) -> Hub:
        """Head office behind everything."""
        return self.services.hub

    async def note(self, action: str, subject: str, detail: str = "") -> None:
        """Note in the audit what the person who asks has done."""
        who, now = self.who().name, self.services.clock()
        await self.hub.ask(lambda office: office.audit(now, who, action, subject, detail))

    def who(self) -> Signed:
        """Give who asks; the call is declared with a role, so somebody does."""
        assert self.signed is not None, "this call was declared without a role"
        return self.signed


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    summary: str
    body: type | None = None
    role: OfficeRole | None = OfficeRole.VIEWER  # the least role; None: the handler itself checks who it is
    status: int = 200
    query: tuple[str, ...] = ()
    media: str = JSON
    gives: tuple[str, ...] = (JSON,)
    bytes_max: int = REQUEST_BODY_BYTES_MAX


def application(calls: Sequence[Call], services: Services, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """Serve calls, and pages beside them."""
    return Starlette(
        routes=[
            *(
                Route(
                    PREFIX + re.sub(r"{(sku)}$", r"{\1:path}", call.path),
                    endpoint(partial(_serve, call, services)),
                    methods=[call.method],
                )
                for call in calls
            ),
            *pages,
        ],
        exception_handlers={HTTPException: _nothing_there},
    )


async def _serve(call: Call, services: Services, request: Request) -> Response:
    context = Context(services, request)
    if call.role is not None:
        context.signed = await services.people.signed(request, services.clock())
        if not covers(context.signed.role, call.role):
            raise NotAllowed(
                f"{call.summary.lower()}: this needs a {call.role}", needs=call.role, hint=f"Sign in as {call.role}."
            )
    if call.body is None:
        result = await call.handler(context)
    else:
        check_media(request, call.media)
        raw = await read_body(request, call.bytes_max)
        result = await call.handler(context, raw if call.body is bytes else parse(raw, call.body))
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(result), call.status, media_type=JSON)


async def _nothing_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = NotFound(f"nothing at {request.method} {request.url.path[:100]}", hint="See /api/v1/openapi.json.")
    return answer(refused)
