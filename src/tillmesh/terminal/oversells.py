"""Keeps an eye on the stock: says to the pages how much is oversold, ends what this till decided, follows the policy.

All of it is derived from what is on disk. What is kept here is only what the pages were told last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import OversellResolved, OversellSettled
from tillmesh.shop.oversell import POLICY, by_policy
from tillmesh.shop.settings import StoreSettings
from tillmesh.shop.stock import movements
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.till.commands import ResolveOversell, SettleOversells, Who
from tillmesh.till.oversells import RAISING, Open, open_among, open_oversell, open_oversells

log = logging.getLogger(__name__)
SYSTEM: Final = Who(user_id="system", role="manager")
POLICY_AFTER_S: Final = 10.0  # Guess: a merge that is still going on may bring the delivery that explains a sale.


class Oversold:
    """The oversells of one till's shop. Lives on the event loop.

    ``leads`` says whether this till leads its store: only there the store's written policy acts.
    """

    def __init__(self, driver: Driver, tell: Callable[[int], None]) -> None:
        self.leads: Callable[[], bool] = lambda: True  # a till alone is its own leader
        self.policy_after_s = POLICY_AFTER_S
        self._driver = driver
        self._tell = tell
        self._open: dict[str, Open] = {}
        self._asked = self._answered = 0
        self._errands = Errands("looking after oversells")

    @property
    def count(self) -> int:
        """How many products are oversold that were booked in: what a manager is asked about."""
        return sum(one.ever_booked for one in self._open.values())

    @property
    def busy(self) -> bool:
        """Whether anything is still being looked at."""
        return bool(self._errands)

    def look_at_all(self) -> None:
        """Look at every product: at the start, and after changes that can concern all of them."""
        self._errands.run(self._look_at_all())

    def asked(self) -> int:
        """Number a question about the stock, before it is read: answers can come in another order."""
        self._asked += 1
        return self._asked

    def looked(self, number: int, skus: Iterable[str], found: Mapping[str, Open], *, tell: bool = False) -> None:
        """Take in how some products stood; ``tell`` the pages even if the oversells are the same."""
        if number < self._answered:  # a later question was answered first: this may be older news
            self._errands.run(self._look(list(skus)))
            return
        self._answered = number
        before = {sku: self._open.pop(sku) for sku in skus if sku in self._open}
        self._open |= found
        if before != found or tell:
            self._tell(self.count)
        known = {one.conflict_id for one in before.values()}
        new = [one for one in found.values() if one.ever_booked and one.conflict_id not in known]
        if new:
            self._errands.run(self._follow_policy(new))

    def heard(self, bodies: Iterable[Record]) -> None:
        """Other tills brought goods in or decided something: end what of this till's decisions it ends."""
        skus: set[str] = set()
        for body in bodies:
            if isinstance(body, OversellResolved | OversellSettled):
                skus.add(body.sku)
            elif isinstance(body, RAISING):
                skus |= {sku for sku, delta in movements(body) if delta > 0}
        if skus:
            self._errands.run(self._settle(tuple(sorted(skus))))

    def led(self) -> None:
        """Who leads has changed: what waits for the policy is this till's to answer now, or not any more."""
        self._errands.run(self._follow_policy(list(self._open.values())))

    async def stop(self) -> None:
        """Leave everything as it is."""
        await self._errands.stop()

    async def _look_at_all(self) -> None:
        number = self.asked()
        found = await self._driver.look(open_oversells)
        self.looked(number, list(self._open), {one.sku: one for one in found})

    async def _look(self, skus: list[str]) -> None:
        number = self.asked()
        found = await self._driver.look(lambda books: open_among(books, books.stocks_milli(skus)))
        self.looked(number, skus, found, tell=True)

    async def _settle(self, skus: tuple[str, ...]) -> None:
        await self._driver.do(SYSTEM, SettleOversells(skus=skus))

    async def _follow_policy(self, found: list[Open]) -> None:
        """Let the store's written policy answer what it may, if there is one and this till leads."""
        settings = await self._driver.look(lambda books: books.store())
        if settings.oversell_policy == "ask":
            return
        await asyncio.sleep(self.policy_after_s)
        for one in found:
            if self.leads():
                await self._answer(settings, one.sku)

    async def _answer(self, settings: StoreSettings, sku: str) -> None:
        one = await self._driver.look(lambda books: open_oversell(books, sku))
        if one is None or not one.ever_booked:
            return
        action = by_policy(settings.oversell_policy, settings.oversell_adjust_max_milli, one.missing_milli)
        if action is not None:
            who = Who(user_id=POLICY + (settings.oversell_policy_name or settings.oversell_policy), role="manager")
            command = ResolveOversell(conflict_id=one.conflict_id, sku=sku, action=action)
            await self._driver.do(who, command)
