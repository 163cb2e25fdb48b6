"""What administrators call: people and their roles, stores' certificates and keys, and what was done by whom."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any, Final

import msgspec

from tillmesh.fleet.office import Audited, Office
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.bootstrap import enrol_store
from tillmesh.hub.recovery import permit
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.people import make_person
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX, RECOVERY_MS_MAX
from tillmesh.kernel.times import rfc3339

STORE: Final = re.compile(r"[\w-]+")  # what may be the number of a store in a text
AUDIT_NAMES_MAX: Final = 8  # stores of a name that are looked for at once


class PersonBody(msgspec.Struct):
    """Somebody at head office."""

    name: str
    role: str
    password: str


class EnrolBody(msgspec.Struct):
    """The store's authority (DER, base64); empty for a till that works alone."""

    authority: str = ""


async def people(context: Context) -> dict[str, Any]:
    """List who may sign in."""
    found = await context.hub.ask(lambda office: office.people())
    return {"people": [{"name": name, "role": role} for name, role in found]}


async def put_person(context: Context, body: PersonBody) -> dict[str, Any]:
    """Add somebody, or change role and password; signs that person out."""
    person = make_person(body.name, body.role, body.password)
    if body.name == context.who().name and body.role != OfficeRole.ADMIN:
        raise Conflict("you can't take your own rights", hint="Let another administrator do it.")
    await context.hub.ask(lambda office: office.put_person(person))
    await context.services.people.sign_out_everywhere(body.name, but=context.request)
    await context.note("person_changed", body.name, body.role)
    return {"name": person.name, "role": person.role}


async def remove_person(context: Context) -> None:
    """Let somebody sign in no more."""
    name = context.path("name")
    if name == context.who().name:
        raise Conflict("you can't remove yourself", hint="Let another administrator do it.")
    if not await context.hub.ask(lambda office: office.remove_person(name)):
        raise NotFound(f"nobody here is called {name[:60]!r}", hint="Look at the list.")
    await context.services.people.sign_out_everywhere(name)
    await context.note("person_removed", name)


async def enrol(context: Context, body: EnrolBody) -> dict[str, Any]:
    """Give a store a new certificate and a new API key, as a bundle for its tills; older ones go on until revoked."""
    store, hub = context.path("store_id"), context.hub
    try:
        authority = b64decode(body.authority, validate=True)
    except ValueError as cause:
        raise Invalid("the authority is not base64", hint="Send store/authority.der of a till, as base64.") from cause
    who, now = context.who().name, context.services.clock()
    data = await hub.write(lambda: enrol_store(hub.opened, store, now, authority, by=who))
    return {"store": store, "bundle": b64encode(data).decode()}


async def permit_recovery(context: Context) -> dict[str, Any]:
    """Permit that a store which lost all its tills fetches its log; gives the bundle for its new machine."""
    store, hub = context.path("store_id"), context.hub
    who, now = context.who().name, context.services.clock()
    data = await hub.write(lambda: permit(hub.opened, store, now, by=who))
    return {"store": store, "bundle": b64encode(data).decode(), "until": rfc3339(now + RECOVERY_MS_MAX)}


async def revoke(context: Context) -> dict[str, Any]:
    """Revoke every certificate and key of a store, at once."""
    store, now = context.path("store_id"), context.services.clock()
    gone = await context.hub.ask(lambda office: office.revoke(store, now))
    if not gone:
        raise NotFound(f"the store {store[:64]!r} has nothing to revoke", hint="Look at the list of stores.")
    await context.note("store_revoked", store)
    return {"store": store, "revoked": gone}


async def forget_term(context: Context) -> dict[str, Any]:
    """Let the next term that a store's leader names be its first: for a store that a false term keeps out."""
    store = context.path("store_id")
    return {"store": store, "generation": await context.hub.forget_term(store, context.who().name)}


async def audit(context: Context) -> dict[str, Any]:
    """List what was done, the newest first; ``before`` an entry, and with the words ``q`` in it.

    Entries name stores by number; ``stores`` says what those are called now, and a name is found as its number is.
    """
    limit, words, before = context.limit(100, PAGE_ROWS_MAX), context.query("q")[:100].strip(), context.query("before")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Invalid(f"before={before[:20]!r} is no entry", hint="Take it from the last answer.")
    called = {shop.store: shop.name for shop in await context.hub.read(lambda reading: reading.shops()) if shop.name}
    numbers = [store for store, name in called.items() if words and words.casefold() in name.casefold()]

    def look(office: Office) -> list[Audited]:
        ways = [words, *numbers[:AUDIT_NAMES_MAX]]
        found = {row[0]: row for way in ways for row in office.audited(limit, int(before or 0), way)}
        return [found[number] for number in sorted(found, reverse=True)[:limit]]

    found = await context.hub.ask(look)
    names = ("id", "at", "by", "action", "subject", "detail")
    entries = [dict(zip(names, (row[0], rfc3339(row[1]), *row[2:]), strict=True)) for row in found]
    told = {word for row in found for text in row[4:] for word in STORE.findall(text)}
    stores = {store: called[store] for store in sorted(told & called.keys())}
    return {"audit": entries, "before": found[-1][0] if len(found) == limit else None, "stores": stores}


CALLS: Final = [
    Call("GET", "/people", people, "Who may sign in", role=OfficeRole.ADMIN),
    Call("POST", "/people", put_person, "Add or change somebody", body=PersonBody, role=OfficeRole.ADMIN),
    Call("DELETE", "/people/{name}", remove_person, "Remove somebody", role=OfficeRole.ADMIN),
    Call("POST", "/stores/{store_id}/credentials", enrol, "Enrol a store", body=EnrolBody, role=OfficeRole.ADMIN),
    Call("DELETE", "/stores/{store_id}/credentials", revoke, "Revoke a store", role=OfficeRole.ADMIN),
    Call("DELETE", "/stores/{store_id}/term", forget_term, "Forget a store's term", role=OfficeRole.ADMIN),
    Call("POST", "/stores/{store_id}/recovery", permit_recovery, "Permit a recovery", role=OfficeRole.ADMIN),
    Call("GET", "/audit", audit, "What was done", role=OfficeRole.ADMIN, query=("limit", "before", "q")),
]
