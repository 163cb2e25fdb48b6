"""Signing in, approving, and what a page needs to start."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from tillmesh import __version__
from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Invalid, NotAllowed, NotSignedIn, TillmeshError
from tillmesh.kernel.money import exponent
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import Change, Value
from tillmesh.shop.people import APPROVABLE, Role, approver, covers, may_approve
from tillmesh.shop.settings import quick_keys, shelf
from tillmesh.terminal.office_door import OFFICE
from tillmesh.terminal.web.api import COOKIE, Call, Context, token_of
from tillmesh.terminal.web.languages import checked_language, languages
from tillmesh.terminal.web.sessions import SESSION_MS, Person
from tillmesh.till import views
from tillmesh.till.commands import ChangeRecords, Note, Who

SYSTEM = Who(user_id="system", role="manager")
WRONG_PIN = "wrong_pin"  # the action in the audit log


class WrongPin(TillmeshError):
    """Nobody active has this PIN."""

    status = 401
    kind = "wrong-pin"
    title = "Wrong PIN"


class PinBody(msgspec.Struct):
    """A PIN."""

    pin: str


class ApprovalBody(msgspec.Struct):
    """A PIN of somebody who approves an action."""

    pin: str
    action: str


async def prove(context: Context, pin: str) -> Person:
    """Find the person behind a PIN, or raise :class:`WrongPin`; wrong tries cost growing time."""
    pins = context.services.pins
    async with pins.turn():
        pins.admit(context.now_ms())
        tag = await pins.tag(pin)
        real = context.services.driver  # also while people practise: who may sign in is no game
        person = await real.look(lambda books: _with_tag(books, tag))
        if person is not None:
            return person
        failures = pins.failed(context.now_ms())
        await real.do(SYSTEM, Note(action=WRONG_PIN, detail=f"{failures} without an hour of quiet"))
        raise WrongPin("nobody here has this PIN", hint="Try again; after three wrong ones the wait grows.")


def _with_tag(books: Books, tag: str) -> Person | None:
    for user_id, fields in books.records("person"):
        if fields.get("pin_tag") == tag and fields.get("active") is not False:
            name, role = str(fields.get("name") or user_id), str(fields.get("role") or "cashier")
            return Person(user_id, name, role, str(fields.get("language") or ""))
    return None


def _shown(person: Person) -> dict[str, Any]:
    shown = {"user": person.name, "user_id": person.user_id, "name": person.name, "role": person.role}
    return {**shown, "language": person.language}


async def sign_in(context: Context, body: PinBody) -> Response:
    """Sign a person in by PIN; the token comes in the body and as a cookie."""
    person = await prove(context, body.pin)
    if context.request.scope.get(OFFICE) and not covers(person.role, Role.SUPERVISOR):
        raise NotAllowed("other devices are for supervisors and managers", hint="Sign in at the till itself.")
    token = context.services.sessions.open(person, context.now_ms())
    response = Response(msgspec.json.encode({"token": token, **_shown(person)}), 201, media_type="application/json")
    secure = context.request.url.scheme == "https"
    response.set_cookie(COOKIE, token, SESSION_MS // 1000, httponly=True, samesite="strict", secure=secure)
    return response


async def who_am_i(context: Context) -> Any:
    """Say who is signed in."""
    return _shown(context.signed_in())


async def sign_out(context: Context) -> Response:
    """Sign out."""
    context.services.sessions.close(token_of(context.request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


class LanguageBody(msgspec.Struct):
    """A language of the pages, or nothing for the store's."""

    language: str


async def speak(context: Context, body: LanguageBody) -> Any:
    """Choose the language in which this person sees the pages, on every till."""
    person = context.signed_in()
    fields: dict[str, Value] = {"language": checked_language(body.language)}
    change = Change(key=person.user_id, fields=fields)
    # Of themselves everybody may say it; the right to change people is another one.
    await context.services.driver.do(SYSTEM, ChangeRecords(entity="person", changes=(change,)))
    context.services.sessions.speak(person.user_id, body.language)
    return _shown(replace(person, language=body.language))


async def approve(context: Context, body: ApprovalBody) -> tuple[int, Any]:
    """Give a token for one action that the person with this PIN may approve."""
    action = next((action for action in APPROVABLE if action == body.action), None)
    if action is None:
        raise Invalid(f"{body.action[:40]!r} can't be approved", hint=f"Use one of {', '.join(APPROVABLE)}.")
    person = await prove(context, body.pin)
    if not may_approve(person.role, action):
        least = approver(action)
        raise NotAllowed(f"{person.name} may not approve this", action=action, needs=least, hint=f"Ask a {least}.")
    token = context.services.sessions.approve(action, person, context.now_ms())
    return 201, {"approval": token, "approved_by": person.name, "role": person.role}


async def is_new(context: Context) -> bool:
    """Say whether nobody can sign in here yet: nobody is known, and there are no other tills to hear of people from."""
    if context.request.scope.get(OFFICE):
        return False
    if await context.services.driver.look(lambda books: any(True for _ in books.records("person"))):
        return False
    return not (await context.services.extra["sync"]())["peers"]


async def state(context: Context) -> Any:
    """Give what a page needs to start; without a session only what the sign-in page shows."""
    services = context.services
    identity = context.driver.identity

    def query(db: Any, books: Books) -> dict[str, Any]:
        settings, terminal = books.store(), books.terminal()
        shift = books.current_shift()
        found: dict[str, Any] = {
            "terminal": {
                "terminal_id": identity.terminal,
                "actor": identity.actor,
                "name": terminal.name,
                "number": terminal.number,
                "card_terminal": terminal.card_terminal,
                "scale_kind": terminal.scale_kind,
                "version": __version__,
            },
            "quick_keys": quick_keys(settings, terminal),
            "shelf": shelf(settings, terminal),
            "store": {**views.store(settings, exponent(settings.currency)), "languages": languages()},
            "shift": None if shift is None else {"shift_id": shift.shift_id, "opened_at": rfc3339(shift.opened_ms)},
            "cart_id": None,
        }
        if context.person is not None:
            held = listings.carts(db)
            found["cart_id"] = next((cart.cart_id for cart, _ in held if cart.lines), None)
            found["parked"] = sum(1 for _ in listings.parked(books))
            found["people"] = [
                {"user_id": key, "name": fields.get("name"), "role": fields.get("role")}
                for key, fields in books.records("person")
                if fields.get("active", True)
            ]
        return found

    result = await context.driver.read(query)
    result["session"] = None if context.person is None else _shown(context.person)
    result["new"] = context.person is None and await is_new(context)
    result["terminal"]["state"] = services.extra["standings"].stage()
    result["sync"] = await services.extra["sync"]()
    result["printer"] = services.extra["printer"]()
    if context.person is not None and covers(context.person.role, Role.SUPERVISOR):
        result["oversold"] = services.oversold.count
    result["training"] = None if services.practising is None else services.practising.view()
    result["storage"] = {"error": context.driver.storage_error}
    return result


async def events(context: Context) -> Response:
    """Stream what changes, from the last event the page has seen on."""
    if context.request.method == "HEAD":
        return Response(media_type="text/event-stream")
    last = context.request.headers.get("last-event-id", "")
    last_id = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None
    frames = _while_signed_in(context, context.services.live.stream(last_id))
    return StreamingResponse(frames, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _while_signed_in(context: Context, frames: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Pass frames on until the person has signed out, was signed out, or the day is over."""
    token = token_of(context.request)
    async with aclosing(frames):
        async for frame in frames:
            try:
                context.services.sessions.person(token, context.now_ms())
            except NotSignedIn:
                return
            yield frame


CALLS = [
    Call("POST", "/session", sign_in, "Sign in with a PIN", PinBody, role=None, status=201),
    Call("GET", "/session", who_am_i, "Who is signed in"),
    Call("PATCH", "/session", speak, "Choose one's own language", LanguageBody),
    Call("DELETE", "/session", sign_out, "Sign out", role=None, status=204),
    Call("POST", "/approvals", approve, "Approve an action with a PIN", ApprovalBody, status=201),
    Call("GET", "/state", state, "What a page needs to start", role=None),
    Call("GET", "/events", events, "Live events (server-sent)", gives=("text/event-stream",)),
]
