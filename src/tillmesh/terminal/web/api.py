"""Calls as data: path, body, role and handler in one place, served by Starlette and described in OpenAPI from it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.web.asked import Asked
from tillmesh.adapters.web.bodies import ANY, JSON, check_media, parse, read_body
from tillmesh.adapters.web.problems import endpoint
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, NotAllowed, TillmeshError
from tillmesh.kernel.limits import REQUEST_BODY_BYTES_MAX
from tillmesh.shop.events import Change
from tillmesh.shop.people import Role, covers
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.oversells import Oversold
from tillmesh.terminal.training import Practice, Training
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.sessions import Person, Sessions
from tillmesh.till.commands import Command, Who
from tillmesh.till.desk import checked_key
from tillmesh.till.effects import Outcome

PREFIX = "/api/v1"
COOKIE = "tillmesh_session"
NAME_HEADER = "Idempotency-Key"
CSV = "text/csv"
__all__ = ["ANY", "COOKIE", "CSV", "JSON", "PREFIX", "Call", "Context", "Services", "routes", "token_of"]


@dataclass(slots=True)
class Services:
    """What the handlers share: made once by the composition root."""

    driver: Driver
    sessions: Sessions
    pins: Pins
    live: Live
    clock: Callable[[], int] = now_ms
    # How the store agrees on its settings; a till alone decides by itself.
    decide: Callable[[tuple[Change, ...], Who], Awaitable[None]] | None = None
    replicated_to: Callable[[str, int], tuple[str, ...]] = lambda actor, seq: ()  # noqa: ARG005 - alone, nobody holds it
    sync_state: Callable[[str, int], str] = lambda actor, seq: "pending"  # noqa: ARG005 - alone, it goes nowhere
    check_room: Callable[[], None] = lambda: None  # refuses what is no sale while the disk is nearly full
    extra: dict[str, Any] = field(default_factory=dict)
    trainer: Training | None = None
    oversold: Oversold = field(init=False)

    def __post_init__(self) -> None:
        """Let the pages hear how much is oversold."""
        self.oversold = Oversold(self.driver, lambda count: self.live.send("oversold", {"open": count}))

    def training(self) -> Training:
        """Give what knows whether this till practises."""
        if self.trainer is None:
            self.trainer = Training(self.driver, self.live, secrets.token_bytes)
        return self.trainer

    @property
    def practising(self) -> Practice | None:
        """The stretch of practice this till is in, if it is in one."""
        return None if self.trainer is None else self.trainer.practice


@dataclass(slots=True)
class Context(Asked):
    """One request on its way through a handler."""

    services: Services
    request: Request
    person: Person | None
    name: str = ""  # of this request, by its caller: sent again, it is done once
    commands: int = 0  # asked for by this request so far

    @property
    def driver(self) -> Driver:
        """The till behind everything: while people practise, the one that they practise on."""
        practice = self.services.practising
        return self.services.driver if practice is None else practice.driver

    def now_ms(self) -> int:
        """Read the wall clock."""
        return self.services.clock()

    def signed_in(self) -> Person:
        """Give the person; the call is declared with a role, so there is one."""
        assert self.person is not None, "this call was declared without a role"
        return self.person

    def who(self, approval: str = "") -> Who:
        """Say who asks, with the approval that came along."""
        given = self.services.sessions.redeem(approval, self.now_ms()) if approval else None
        person = self.signed_in()
        return Who(user_id=person.user_id, role=person.role, approvals=() if given is None else (given,))

    async def do(self, command: Command, approval: str = "") -> Outcome:
        """Run a command as the person who asks."""
        self.commands += 1
        name = f"{self.name} {self.commands}" if self.name else ""
        return await self.driver.do(self.who(approval), command, name)

    def new_id(self) -> str:
        """Make up the id of something new; sent again, the same request makes the same."""
        return sha256(self.name.encode()).hexdigest()[:20] if self.name else listings.new_id()

    def replication(self, event: Envelope) -> dict[str, Any]:
        """Say which other tills hold an event durably, and where it stands on its way to the hub."""
        return {
            "replicated_to": list(self.services.replicated_to(event.actor, event.seq)),
            "sync_state": self.services.sync_state(event.actor, event.seq),
        }


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: type | None = None
    role: Role | None = Role.CASHIER  # the least role; None: open to anyone on the allow-list of hosts
    status: int = 200
    query: tuple[str, ...] = ()
    media: str = JSON  # of the request body
    gives: tuple[str, ...] = (JSON,)  # media types of the answer
    in_training: bool = False  # whether a manager may make this change while the till practises
    bytes_max: int = REQUEST_BODY_BYTES_MAX
    takes_room: bool = False  # much of it, for what can wait until the disk has some


def routes(calls: list[Call], services: Services) -> list[Route]:
    """Make Starlette routes of the calls; a last part of a path may hold slashes, as the codes of some goods do."""
    return [
        Route(
            PREFIX + re.sub(r"{(\w+)}$", r"{\1:path}", call.path),
            endpoint(partial(_serve, call, services)),
            methods=[call.method],
        )
        for call in sorted(calls, key=lambda call: call.path.endswith("}"))
    ]


async def _serve(call: Call, services: Services, request: Request) -> Response:
    person = _person(call, services, request)
    if call.role is Role.MANAGER and call.method != "GET" and not call.in_training and services.practising:
        raise Conflict("this till is in training", hint="End the training first.")
    context = Context(services, request, person, _name(call, request))
    if call.takes_room:
        services.check_room()
    if call.body is None:
        result = await call.handler(context)
    else:
        check_media(request, call.media)
        raw = await read_body(request, call.bytes_max)
        result = await call.handler(context, raw if call.body is bytes else parse(raw, call.body))
    if isinstance(result, Response):
        return result
    status = call.status
    if isinstance(result, tuple):
        status, result = result
    if result is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(result), status, media_type=JSON)


def _name(call: Call, request: Request) -> str:
    """Read what the caller names this request; names are apart for each call."""
    given = request.headers.get(NAME_HEADER, "")
    return f"{call.method} {request.url.path} {checked_key(given, NAME_HEADER)}" if given else ""


def token_of(request: Request) -> str:
    """Give the session token of a request: the bearer header, or the page's cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def _person(call: Call, services: Services, request: Request) -> Person | None:
    token = token_of(request)
    if call.role is None:
        try:
            return services.sessions.person(token, services.clock()) if token else None
        except TillmeshError:
            return None
    person = services.sessions.person(token, services.clock())
    if not covers(person.role, call.role):
        raise NotAllowed(
            f"{call.summary.lower()}: this needs a {call.role}",
            needs=call.role,
            hint=f"Sign in as {call.role}.",
        )
    return person
