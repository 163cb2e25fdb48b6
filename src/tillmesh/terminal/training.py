"""Practice at a real till: a till of its own in a database that is thrown away, with the shop's goods and people.

Nothing that is practised enters the log: no sale, number, stock, report or total of the shop knows of it, and no other
till or head office hears of it. While a till practises every call goes to the practice till, its paper says so, and it
ends by itself: a till that is forgotten in practice would lose real sales.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.sqlite.practice_shelf import fill
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import mint_actor, terminal_of
from tillmesh.kernel.limits import TRAINING_MS_MAX
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import Change, Value
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.card_desk import CardDesk
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.printing_setup import Printing, start_printing
from tillmesh.terminal.web.live import Live
from tillmesh.till.commands import ChangeRecords, Note, OpenShift, Who

log = logging.getLogger(__name__)
FOLDER: Final = "training"
FLOAT_MINOR: Final = 10_000
_CUSTOMER: Final = "Alex Example"
_SALES: Final = "SELECT count(*) FROM receipt"


@dataclass(slots=True)
class Practice:
    """One stretch of practice."""

    driver: Driver
    printing: Printing
    cards: CardDesk  # a simulated terminal, if the till has one: practice charges nobody
    by: str
    began_ms: int
    ends_ms: int

    def view(self) -> dict[str, Any]:
        """Show it to the pages."""
        return {"by": self.by, "began_at": rfc3339(self.began_ms), "ends_at": rfc3339(self.ends_ms)}


class Training:
    """Whether this till practises. Nothing of it outlives the program: a till that starts is in earnest."""

    def __init__(self, driver: Driver, live: Live, entropy: Callable[[int], bytes]) -> None:
        self._driver = driver
        self._live = live
        self._entropy = entropy
        self._folder = driver.opened.data_dir / FOLDER
        self._errands = Errands("practice")
        self._changing = asyncio.Lock()
        self.practice: Practice | None = None
        shutil.rmtree(self._folder, ignore_errors=True)  # of a run that was killed

    async def begin(self, who: Who, name: str, tell: Callable[[Driver], None]) -> Practice:
        """Begin to practise; ``tell`` is given the practice till, so that pages hear what happens there."""
        async with self._changing:
            if self.practice is not None:
                raise Conflict("this till is in training already", hint="End the training first.")
            driver = Driver(await asyncio.to_thread(self._opened))
            await self._furnish(driver, who)
            tell(driver)
            printing = await start_printing(driver, self._live)
            began_ms = now_ms()
            cards = CardDesk(driver, lambda _: None)
            await cards.start()
            practice = Practice(driver, printing, cards, name, began_ms, began_ms + TRAINING_MS_MAX)
            await self._driver.do(who, Note(action="training_began", subject=name))
            self.practice = practice
        self._errands.run(self._end_in_time(practice))
        self._live.send("training", practice.view())
        return practice

    async def end(self, who: Who, why: str = "") -> None:
        """End the practice and throw away what was practised."""
        async with self._changing:
            practice, self.practice = self.practice, None
            if practice is None:
                return
            sales = await practice.driver.read(lambda db, _: one(db, _SALES))
            await practice.cards.stop()
            await practice.printing.stop()
            await asyncio.to_thread(practice.driver.close)
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            note = Note(action="training_ended", subject=practice.by, detail=why or f"receipts: {sales}")
            await self._driver.do(who, note)
        self._live.send("training", {})

    async def stop(self) -> None:
        """End with the program."""
        await self._errands.stop()
        if self.practice is not None:
            practice, self.practice = self.practice, None
            await practice.cards.stop()
            await practice.printing.stop()
            await asyncio.to_thread(practice.driver.close)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _end_in_time(self, practice: Practice) -> None:
        await asyncio.sleep(max(0, practice.ends_ms - now_ms()) / 1000)
        if self.practice is practice:
            log.warning("the training ends: its time is over")
            await self.end(Who(user_id="system", role="manager"), "time over")

    def _opened(self) -> Opened:
        """Open the practice till and fill its shelves; of the real one only a reader is used."""
        origin = self._driver.opened.origin
        shutil.rmtree(self._folder, ignore_errors=True)
        opened = open_terminal(
            _place(self._folder), store=origin.store, actor=mint_actor(terminal_of(origin.actor), self._entropy(16))
        )
        try:
            reader = self._driver.opened.reader()
            try:
                fill(reader.db, opened.writer.db, opened.origin.actor)
            finally:
                reader.close()
            opened.writer.books.forget()
        except BaseException:
            opened.close()
            raise
        return opened

    async def _furnish(self, driver: Driver, who: Who) -> None:
        """Mark the till as one for practice, open its shift and give it a customer."""
        held = await driver.look(lambda books: books.terminal())
        fields: dict[str, Value] = {"training": True, "signature_device": "none", "card_simulation": "ask"}
        fields["card_terminal"] = "none" if held.card_terminal == "none" else "simulated"
        mark = Change(key=driver.identity.terminal, fields=fields)
        await driver.do(who, ChangeRecords(entity="setting", changes=(mark,)))
        await driver.do(who, OpenShift(float_minor=FLOAT_MINOR))
        customer = Change(key="practice", fields={"name": _CUSTOMER})
        await driver.do(who, ChangeRecords(entity="customer", changes=(customer,)))


def _place(folder: Path) -> Path:
    """Give the practice till's data directory: its anchor lies beside it, so it has a folder around it."""
    return folder / "till"
