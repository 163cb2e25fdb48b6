"""A whole till in this process: the real application, the real disk, and people who are signed in."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.events import KINDS, Change
from tillmesh.terminal.belonging import ALONE, join_store
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.card_desk import CardDesk
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.fiscal_desk import FiscalDesk
from tillmesh.terminal.mailing import Mailing
from tillmesh.terminal.pole_desk import PoleDesk
from tillmesh.terminal.printing_setup import Printing, start_printing
from tillmesh.terminal.scale_desk import ScaleDesk
from tillmesh.terminal.web.api import PREFIX, Services
from tillmesh.terminal.web.app import build
from tillmesh.terminal.web.card_calls import telling
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.session_calls import SYSTEM
from tillmesh.terminal.web.sessions import Person, Sessions
from tillmesh.till.commands import ChangeRecords

Json = dict[str, Any]
T = TypeVar("T")
HOST = "127.0.0.1:8081"
PINS = {"cashier": "1111", "supervisor": "5555", "manager": "9999"}
NAMES = {"cashier": "Cara", "supervisor": "Sam", "manager": "Mona"}
WAIT_S = 60.0


class Loop:
    """An event loop on a thread of its own, so that tests stay plain functions."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="till", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.start(work).result(WAIT_S)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()


class Clock:
    """A wall clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


class Shop:
    """One till with a cashier, a supervisor and a manager, and an open shift."""

    def __init__(self, loop: Loop, data_dir: Path, *, open_shift: bool = True) -> None:
        self.loop = loop
        self.data_dir = data_dir
        self.clock = Clock()
        self.tokens: dict[str, str] = {}
        loop.run(self._start())
        if open_shift:
            assert self.call("POST", "/shifts/open", {"float_minor": 0}).status_code == 201

    async def _start(self) -> None:
        opened = open_terminal(self.data_dir)
        self.driver = Driver(opened)
        pins = Pins(opened.pepper, opened.origin.store)
        live = Live()
        self.services = Services(self.driver, Sessions(), pins, live, clock=self.clock)
        await join_store(self.services, ALONE)
        self.fiscal = self.services.extra["fiscal"] = FiscalDesk(self.driver, clock=self.clock, sign_ms=60_000)
        await self.fiscal.start()
        self.printing: Printing = await start_printing(self.driver, live, signed=self.fiscal.signed)
        self.services.extra["printer"] = self.printing.view
        self.services.extra["mailing"] = self.mailing = Mailing(self.driver)
        self.mailing.start()
        self.cards = self.services.extra["cards"] = CardDesk(self.driver, telling(live))
        await self.cards.start()
        self.scale = self.services.extra["scale"] = ScaleDesk(self.driver)
        await self.scale.start()
        self.pole = self.services.extra["pole"] = PoleDesk(self.driver)
        await self.pole.start()
        people = tuple(
            Change(key=role, fields={"name": NAMES[role], "role": role, "pin_tag": pins.tag_now(pin), "active": True})
            for role, pin in PINS.items()
        )
        await self.driver.do(SYSTEM, ChangeRecords(entity="person", changes=people))
        self.app = build(self.services, {"127.0.0.1", "localhost"})
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True), base_url=f"http://{HOST}"
        )
        for role in PINS:
            self.tokens[role] = self.services.sessions.open(Person(role, NAMES[role], role), self.clock())

    def close(self) -> None:
        async def stop() -> None:
            await self.client.aclose()
            await self.cards.stop()
            await self.scale.stop()
            await self.pole.stop()
            await self.printing.stop()
            await self.fiscal.stop()
            await self.mailing.stop()
            self.services.pins.close()
            self.driver.close()

        self.loop.run(stop())

    def call(
        self, method: str, path: str, body: object = None, *, role: str | None = "manager", **more: Any
    ) -> httpx.Response:
        """Call the API as somebody of a role, or as nobody; ``more`` goes to httpx."""
        return self.loop.run(self.ask(method, path, body, role=role, **more))

    async def ask(
        self, method: str, path: str, body: object = None, *, role: str | None = "manager", **more: Any
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens[role]}")
        if body is not None:
            more["json"] = body
        self.client.cookies.clear()  # whoever signed in before is nobody here: it is said who asks
        return await self.client.request(method, PREFIX + path, headers=headers, **more)

    def ok(self, method: str, path: str, body: object = None, *, role: str = "manager", **more: Any) -> Any:
        """Call the API and give what a call that went well answers."""
        answer = self.call(method, path, body, role=role, **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def approval(self, action: str, role: str = "manager", asker: str = "cashier") -> str:
        """Let somebody approve an action in front of the cashier."""
        answer = self.ok("POST", "/approvals", {"pin": PINS[role], "action": action}, role=asker)
        return str(answer["approval"])

    def product(self, sku: str = "tea", **fields: object) -> Json:
        given = {"sku": sku, "name": "Green tea", "price_minor": 250, **fields}
        shown: Json = self.ok("POST", "/products", given)
        return shown

    def sale(self, cart_id: str, *, sku: str = "tea", quantity: str = "1", role: str = "cashier") -> Json:
        """Sell something, paid by card to the cent."""
        price = self.ok("GET", f"/products/{sku}")["price_minor"]
        answer: Json = self.ok(
            "POST", "/sales",
            {"cart_id": cart_id, "lines": [{"sku": sku, "quantity": quantity}],
             "payments": [{"method": "card", "amount_minor": price * int(quantity)}]}, role=role,
        )  # fmt: skip
        return answer

    def state_hash(self) -> str:
        return str(self.ok("GET", "/state-hash")["hash"])

    def events(self) -> int:
        """Count the events of this till."""
        return sum(self.ok("GET", "/state-hash")["version_vector"].values())

    def look(self, query: Callable[[Books], T]) -> T:
        return self.loop.run(self.driver.look(query))

    def body(self, event_id: str) -> Record:
        """Give what the ledger holds of an event."""

        def query(books: Books) -> Record:
            event = books.event(event_id)
            assert isinstance(event, Envelope)
            return decode(event.body, KINDS[event.type])

        return self.look(query)

    def wait_for(self, found: Callable[[], T | None], seconds: float = 10.0) -> T:
        """Ask again until there is an answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (answer := found()) is not None:
                return answer
            self.loop.run(asyncio.sleep(0.01))
        raise AssertionError("nothing came")
