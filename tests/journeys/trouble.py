"""What is seldom on the screen of a till: a scale as things are put on it, a silent one, warnings, out of order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
from playwright.sync_api import Page, Route, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.places import DIALOG, close_dialogs
from tests.services.simulated_devices import TcpScale
from tillmesh.adapters.web.speaking import say
from tillmesh.kernel.errors import StorageFailed
from tillmesh.terminal.out_of_order import OutOfOrder
from tillmesh.till.upkeep import DAY_S, Backups, Upkeep, wanting

ARRIVES_MS: Final = 60_000  # of a loaded machine
CHEESE: Final = "Farmhouse cheddar, cut to order"
WANTING: Final = (
    *wanting(Upkeep(skew_s=3_600, left_s={"till": 3.0 * DAY_S}, backups=Backups(age_s=5.0 * DAY_S, made=True))),
    *wanting(Upkeep(skew_s=-9.0 * DAY_S, left_s={"office": -1.0}, backups=Backups(age_s=9.0 * DAY_S, why="no room"))),
)
OFFICE_WANTING: Final = wanting(
    Upkeep(left_s={"stores": 5.0 * DAY_S, "gateway": -1.0}, backups=Backups(age_s=5.0 * DAY_S, made=True, why="full"))
)


def at_the_scale(person: Cashier) -> Iterator[str]:
    """Weigh cheese: nothing there, still moving, still and without its wrapping; then the scale falls silent."""
    with TcpScale() as scale:
        _set(person, scale_kind="mettler8217", scale_target=scale.address, scale_tares="5, 20")
        _weigh(person, "empty")
        yield "weigh-empty"
        scale.put(520)
        expect(person.page.locator(".weigh-box[data-state='stable']")).to_be_visible(timeout=ARRIVES_MS)
        person.key("t")
        yield "weigh-still"
        scale.shake()
        expect(person.page.locator(".weigh-box[data-state='moving']")).to_be_visible(timeout=ARRIVES_MS)
        yield "weigh-moving"
        close_dialogs(person)
        _health(person, "The scale answers.")
        yield "health-scale"
        scale.mute()
        _weigh(person, "silent")
        yield "weigh-silent"
        person.key("4")
        expect(person.dialog.locator(".numfield")).to_be_visible()
        yield "weigh-typed"
        close_dialogs(person)
    _set(person, scale_kind="none", scale_target="")


def warned(person: Cashier) -> Iterator[str]:
    """See the page of this till with every warning about clock, certificates and back-ups, in the till's own words."""

    def answer(route: Route) -> None:
        found: dict[str, Any] = route.fetch().json()
        told = [{"check": one.check, "ok": False, "text": say(one.text, person.language)} for one in WANTING]
        found["checks"] += told
        route.fulfill(body=json.dumps(found), content_type="application/json")

    person.page.route("**/api/v1/health", answer)
    _health(person, WANTING[0].text)
    yield "health-warnings"
    person.page.get_by_text(say(WANTING[-1].text, person.language)).scroll_into_view_if_needed()
    yield "health-warnings-end"
    person.page.unroute_all(behavior="ignoreErrors")  # one may be under way


def office_warned(page: Page, language: str) -> Iterator[str]:
    """See head office's first page with what it warns of: its own back-up, its gateway's certificate and a store's."""

    def answer(route: Route) -> None:
        found: dict[str, Any] = route.fetch().json()
        found["concerns"] = [{"check": one.check, "text": say(one.text, language)} for one in OFFICE_WANTING]
        route.fulfill(body=json.dumps(found), content_type="application/json")

    page.route("**/api/v1/overview*", answer)
    for name in ("people", "stores"):
        page.evaluate("page => { location.hash = `#/${page}` }", name)
    expect(page.get_by_text(say(OFFICE_WANTING[0].text, language))).to_be_visible(timeout=ARRIVES_MS)
    yield "warnings"
    page.unroute_all(behavior="ignoreErrors")  # one may be under way


def out_of_order(page: Page, url: str, language: str) -> Iterator[str]:
    """See what a till shows that can't open its data."""
    told = StorageFailed("the disk is full", hint="Free some space, or use another till.")

    async def fetch() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(OutOfOrder(told)), base_url="http://till") as client:
            return (await client.get("/", headers={"Accept-Language": language})).text

    with ThreadPoolExecutor(1) as apart:  # the browser's driver keeps an event loop open in this thread
        body = apart.submit(asyncio.run, fetch()).result()
    page.route(url, lambda route: route.fulfill(status=503, body=body, content_type="text/html"))
    page.goto(url)
    expect(page.get_by_role("alert")).to_be_visible(timeout=ARRIVES_MS)
    yield "out-of-order"
    page.unroute(url)


def _set(person: Cashier, **fields: str) -> None:
    """Change settings of the till, and let the page know."""
    person.till.ask("/settings", "PATCH", {"terminal": fields})
    person.page.reload()
    person.go("sell")
    expect(person.page.get_by_role("searchbox")).to_be_visible(timeout=ARRIVES_MS)
    expect(person.page.locator(".grid .tile").first).to_be_visible(timeout=ARRIVES_MS)


def _weigh(person: Cashier, state: str) -> None:
    person.go("sell")
    expect(person.page.get_by_role("searchbox")).to_be_visible()
    person.scan(code_of(CHEESE))
    expect(person.page.locator(f"{DIALOG} .weigh-box[data-state='{state}']")).to_be_visible(timeout=ARRIVES_MS)


def _health(person: Cashier, english: str) -> None:
    person.go("sell")
    person.go("health")
    expect(person.page.get_by_text(say(english, person.language)).first).to_be_visible(timeout=ARRIVES_MS)
    expect(person.page.locator(".waiting:visible")).to_have_count(0, timeout=ARRIVES_MS)
