"""How the till itself is: health, metrics, sync, hashes, the catalogue as a whole."""

from __future__ import annotations

import contextlib
import gzip
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tillmesh.adapters.sqlite import card_payments, reporting, searching
from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.web.speaking import say, spoken
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import money_conflicts
from tillmesh.till.room import Stage, words

GZIP_LEVEL = 5


async def catalogue(context: Context) -> Response:
    """Give the whole catalogue as columns, compressed once per version."""
    extra = context.services.extra
    now = context.now_ms()

    def named(db: Any, books: Any) -> str:
        return searching.catalogue_version(db, books.priced_for_all(now))

    version = await context.driver.read(named)
    tag = f'"{version}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if context.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    held = extra.get("catalogue")
    if held is None or held[0] != version:

        def build(db: Any, books: Any) -> bytes:
            found = {"version": version, **searching.catalogue(db, books.priced_for_all(now))}
            return gzip.compress(msgspec.json.encode(found), GZIP_LEVEL, mtime=0)

        held = version, await context.driver.read(build)
        extra["catalogue"] = held
    body = held[1]
    if "gzip" in context.request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type="application/json", headers=headers)


async def sync(context: Context) -> Any:
    """Say where sales stand on their way to other tills and head office."""
    return await context.services.extra["sync"]()


async def raft(context: Context) -> Any:
    """Say who leads the store, whether a majority of it is in reach, and what this till is doing."""
    extra = context.services.extra
    return {**extra["raft"](), "terminal_state": extra["standings"].stage()}


async def store(context: Context) -> Any:
    """Show the store as this till sees it: who leads, every till, which of them hear each other, and the queue."""
    return await context.services.extra["standings"].store()


async def state_hash(context: Context) -> Any:
    """Give the hash of everything applied, equal on converged replicas."""
    return await context.driver.read(reporting.state_hash)


def _card_checks(db: Any) -> list[dict[str, Any]]:
    """Say what of the card terminal somebody should look at: what has no end, and money that no sale has taken."""
    found = []
    waiting = len(card_payments.still_open(db))
    if waiting:
        text = f"The card terminal has not said how {waiting} payments ended: they are asked for."
        found.append({"check": "cards", "ok": False, "text": text})
    free = sum(one.is_free for one in card_payments.newest(db))
    if free:
        text = f"The card terminal took money {free} times that is in no sale: finish the sale or give it back."
        found.append({"check": "cards", "ok": False, "text": text})
    return found


def _said(check: dict[str, Any], language: str) -> dict[str, Any]:
    """Say a check in a language, and what caused it as a sentence of its own."""
    text, cause = (say(str(part), language) for part in (check["text"], check.pop("cause", "")))
    if cause:
        text += f" {cause[:1].upper()}{cause[1:]}{'' if cause.endswith(('.', '?')) else '.'}"
    return {**check, "text": text}


async def health(context: Context) -> Any:
    """Say in plain words how the till is."""
    driver = context.driver
    checks = []
    events = await driver.read(lambda db, _: one(db, "SELECT coalesce(sum(seq), 0) FROM version_vector"))
    checks.append({"check": "database", "ok": True, "text": f"The database answers; it holds {events} events."})
    checks.append(
        {
            "check": "writing",
            "ok": not driver.storage_error,
            "text": f"The last write failed: {driver.storage_error}." if driver.storage_error else "Writing works.",
        }
    )
    keeping = context.services.extra["room"]
    await keeping.look()
    is_enough = keeping.stage < Stage.TIGHT  # before that the till helps itself
    checks.append({"check": "disk", "ok": is_enough, "text": words(keeping.room, keeping.stage)})
    clocks = context.services.extra.get("clocks", list)()
    checks += [{"check": "clock", "ok": False, "text": clock["text"]} for clock in clocks]
    for action, detail in driver.opened.notices:
        checks.append({"check": action, "ok": False, "text": f"At the last start: {detail}."})
    twice = await driver.look(lambda books: len(money_conflicts.open_conflicts(books)))
    if twice:
        text = f"Money was taken or given back twice in {twice} cases: a manager has to look at the conflicts."
        checks.append({"check": "money", "ok": False, "text": text})
    checks += await driver.read(lambda db, _: _card_checks(db))
    if trouble := context.services.extra.get("hub_trouble", str)():
        text = f"Head office takes nothing now: {trouble}. The tills sell on, and what they sold waits."
        checks.append({"check": "hub", "ok": False, "text": text})
    for till in context.services.extra.get("flooding", list)():
        text = f"{till} writes more than a shop does: its events are taken in slowly. If nobody knows why, remove it."
        checks.append({"check": "flood", "ok": False, "text": text})
    found = await context.services.extra["watch"].concerns()
    checks += [{"check": one.check, "ok": False, "text": one.text} for one in found]
    printer = context.services.extra["printer"]()
    checks.append(
        {
            "check": "printer",
            "ok": printer["state"] in {"ready", "off"},
            "text": f"Printer: {printer['state']}.",
            "cause": printer.get("detail", ""),
        }
    )
    for name in ("scale", "pole"):
        if (found := context.services.extra[name].check()) is not None:
            checks.append({"check": name, "ok": found[0], "text": found[1]})
    if "ai" in context.services.extra:
        found = context.services.extra["ai"].findings()
        checks += [{"check": "ai", "ok": False, "text": text} for text in found]
        if not found:
            checks.append({"check": "ai", "ok": True, "text": "The models answer in time, or nobody asked them yet."})
    language = spoken.get()
    checks = [_said(check, language) for check in checks]
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


async def printer(context: Context) -> Any:
    """Say how the printer is and how many jobs wait."""
    return context.services.extra["printer"]()


async def metrics(context: Context) -> Response:
    """Give the metrics in Prometheus' text format."""
    with contextlib.suppress(TillmeshError):  # a database that does not answer has a metric of its own
        await context.services.extra["watch"].look()
    return Response(generate_latest(context.services.extra["registry"]), media_type=CONTENT_TYPE_LATEST)


async def openapi(context: Context) -> Response:
    """Give the OpenAPI description of these calls."""
    return Response(context.services.extra["openapi"], media_type="application/json")


CALLS = [
    Call("GET", "/catalogue", catalogue, "The whole catalogue as columns"),
    Call("GET", "/sync", sync, "Where sales are on their way", role=None),
    Call("GET", "/raft", raft, "Who leads the store", role=None),
    Call("GET", "/store", store, "The tills of the store, their links and queues, and who leads"),
    Call("GET", "/state-hash", state_hash, "Hash of everything applied", role=None),
    Call("GET", "/health", health, "How the till is, in words", role=None),
    Call("GET", "/printer", printer, "How the printer is"),
    Call("GET", "/metrics", metrics, "Prometheus metrics", role=None, gives=("text/plain",)),
    Call("GET", "/openapi.json", openapi, "This description", role=None),
]
