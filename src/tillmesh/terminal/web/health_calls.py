"""How the till is, in plain words: one check after the other, and what somebody should look at."""

from __future__ import annotations

from typing import Any, TypeAlias

from tillmesh.adapters.sqlite import card_payments
from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.web.speaking import say, spoken
from tillmesh.terminal.web.api import Context
from tillmesh.till import money_conflicts
from tillmesh.till.room import Stage, words

Check: TypeAlias = dict[str, Any]


async def health(context: Context) -> Any:
    """Say in plain words how the till is."""
    checks = [
        await _database(context),
        _writing(context),
        await _disk(context),
        *_clocks(context),
        *_last_start(context),
        *await _money(context),
        *await context.driver.read(lambda db, _: _cards(db)),
        *_head_office(context),
        *_flooding(context),
        *await _watched(context),
        *_devices(context),
        *_models(context),
    ]
    language = spoken.get()
    said = [_said(check, language) for check in checks]
    return {"ok": all(check["ok"] for check in said), "checks": said}


def _wrong(check: str, text: str) -> Check:
    return {"check": check, "ok": False, "text": text}


async def _database(context: Context) -> Check:
    events = await context.driver.read(lambda db, _: one(db, "SELECT coalesce(sum(seq), 0) FROM version_vector"))
    return {"check": "database", "ok": True, "text": f"The database answers; it holds {events} events."}


def _writing(context: Context) -> Check:
    if error := context.driver.storage_error:
        return _wrong("writing", f"The last write failed: {error}.")
    return {"check": "writing", "ok": True, "text": "Writing works."}


async def _disk(context: Context) -> Check:
    keeping = context.services.extra["room"]
    await keeping.look()
    is_enough = keeping.stage < Stage.TIGHT  # before that the till helps itself
    return {"check": "disk", "ok": is_enough, "text": words(keeping.room, keeping.stage)}


def _clocks(context: Context) -> list[Check]:
    return [_wrong("clock", clock["text"]) for clock in context.services.extra.get("clocks", list)()]


def _last_start(context: Context) -> list[Check]:
    return [_wrong(action, f"At the last start: {detail}.") for action, detail in context.driver.opened.notices]


async def _money(context: Context) -> list[Check]:
    twice = await context.driver.look(lambda books: len(money_conflicts.open_conflicts(books)))
    text = f"Money was taken or given back twice in {twice} cases: a manager has to look at the conflicts."
    return [_wrong("money", text)] if twice else []


def _cards(db: Any) -> list[Check]:
    """Say what of the card terminal somebody should look at: what has no end, and money that no sale has taken."""
    found = []
    if waiting := len(card_payments.still_open(db)):
        text = f"The card terminal has not said how {waiting} payments ended: they are asked for."
        found.append(_wrong("cards", text))
    if free := sum(one.is_free for one in card_payments.newest(db)):
        text = f"The card terminal took money {free} times that is in no sale: finish the sale or give it back."
        found.append(_wrong("cards", text))
    return found


def _head_office(context: Context) -> list[Check]:
    trouble = context.services.extra.get("hub_trouble", str)()
    text = f"Head office takes nothing now: {trouble}. The tills sell on, and what they sold waits."
    return [_wrong("hub", text)] if trouble else []


def _flooding(context: Context) -> list[Check]:
    return [
        _wrong(
            "flood",
            f"{till} writes more than a shop does: its events are taken in slowly. If nobody knows why, remove it.",
        )
        for till in context.services.extra.get("flooding", list)()
    ]


async def _watched(context: Context) -> list[Check]:
    return [_wrong(one.check, one.text) for one in await context.services.extra["watch"].concerns()]


def _devices(context: Context) -> list[Check]:
    extra = context.services.extra
    printer = extra["printer"]()
    state = printer["state"]
    paper = {"check": "printer", "ok": state in {"ready", "off"}, "text": f"Printer: {state}."}
    others = {name: extra[name].check() for name in ("scale", "pole")}
    return [
        {**paper, "cause": printer.get("detail", "")},
        *({"check": name, "ok": said[0], "text": said[1]} for name, said in others.items() if said is not None),
    ]


def _models(context: Context) -> list[Check]:
    if "ai" not in context.services.extra:
        return []
    found = context.services.extra["ai"].findings()
    well = {"check": "ai", "ok": True, "text": "The models answer in time, or nobody asked them yet."}
    return [_wrong("ai", text) for text in found] or [well]


def _said(check: dict[str, Any], language: str) -> dict[str, Any]:
    """Say a check in a language, and what caused it as a sentence of its own."""
    text, cause = (say(str(part), language) for part in (check["text"], check.pop("cause", "")))
    if cause:
        text += f" {cause[:1].upper()}{cause[1:]}{'' if cause.endswith(('.', '?')) else '.'}"
    return {**check, "text": text}
