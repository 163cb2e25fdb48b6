"""The customer's pole display of this till: each scan with its price, the total, what is to pay, change, a greeting."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from tillmesh.adapters.devices.targets import open_pole
from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import SaleClosed
from tillmesh.shop.receipt import Words
from tillmesh.shop.settings import StoreSettings, TerminalSettings
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.till.effects import DropCart, Outcome, SaveCart
from tillmesh.till.offers import priced
from tillmesh.till.pole import Pole, Row, Screen, greeting

log = logging.getLogger(__name__)

THANKS_S: Final = 20.0  # how long change stays, as on the display in a window


class PoleDesk:
    """Lives on the event loop, and works after the commit: no sale waits for it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._pole: Pole | None = None
        self._terminal, self._store = TerminalSettings(), StoreSettings()
        self._cart = Cart(cart_id="")
        self._thanks: asyncio.TimerHandle | None = None
        self._opening = asyncio.Lock()
        self._errands = Errands("the pole display")

    async def start(self) -> None:
        """Open the display of the settings, and follow what is sold."""
        self._driver.listen(self._follow)
        await self.refresh()

    async def refresh(self) -> None:
        """Use the display and the greeting that the settings name now."""
        async with self._opening:
            before = self._terminal
            self._terminal, self._store = await self._driver.look(lambda books: (books.terminal(), books.store()))
            if _device(before) != _device(self._terminal):
                await self._close()
                try:
                    self._pole = open_pole(*_device(self._terminal))
                except TillmeshError as error:
                    log.warning("no pole display: %s", error.detail)
                if self._pole is not None:
                    self._pole.start()
            if not self._cart.lines and self._thanks is None:
                self._greet()

    async def stop(self) -> None:
        """Let go of it."""
        await self._errands.stop()
        await self._close()

    def check(self) -> tuple[bool, str] | None:
        """Say whether the display is well, in words; nothing where none is set up."""
        if self._terminal.pole_kind == "none":
            return None
        if self._pole is None or self._pole.silent():
            return False, "The pole display can't be written to: look at its switch, its cable and the settings."
        return True, "The pole display takes what it is sent."

    def _follow(self, outcome: Outcome) -> None:
        if any(event.type == "settings_changed" for event in outcome.events):
            self._errands.run(self.refresh())
        if self._pole is None:
            return
        sale = next((body for body in outcome.bodies if isinstance(body, SaleClosed)), None)
        if sale is not None:
            self._sold(sale)
        for effect in outcome.effects:
            if isinstance(effect, SaveCart):
                self._changed(effect.cart)
            elif isinstance(effect, DropCart) and sale is None and effect.cart_id == self._cart.cart_id:
                self._changed(Cart(cart_id=effect.cart_id))

    def _changed(self, cart: Cart) -> None:
        """Show the line that changed and what all come to; nothing else of the sale waits for the sums."""
        before = self._cart
        if not cart.lines and cart.cart_id != before.cart_id:
            return  # an empty cart that was just begun beside this one, or after a sale
        self._cart = cart
        if not cart.lines:
            self._greet()
            return
        self._stay()

        def query(_: Any, books: Books) -> Screen:
            return _of_cart(books, cart, before)

        self._driver.later(query, lambda screen: self._show(screen) if self._cart is cart else None)

    def _sold(self, sale: SaleClosed) -> None:
        self._cart = Cart(cart_id="")
        words = words_of(self._store.locale, self._store.time_zone)
        money = words.formats.money
        top = Row(words("total"), money(sale.total_minor + sale.rounding_minor, sale.currency))
        bottom = Row(words("change"), money(sale.change_minor, sale.currency)) if sale.change_minor else Row()
        self._stay()
        self._show(Screen(top, bottom))
        self._thanks = asyncio.get_running_loop().call_later(THANKS_S, self._greet)

    def _greet(self) -> None:
        self._stay()
        self._show(greeting(self._terminal.pole_greeting or self._store.name))

    def _stay(self) -> None:
        if self._thanks is not None:
            self._thanks.cancel()
            self._thanks = None

    def _show(self, screen: Screen) -> None:
        if self._pole is not None:
            self._pole.show(screen)

    async def _close(self) -> None:
        self._stay()
        pole, self._pole = self._pole, None
        if pole is not None:
            await asyncio.to_thread(pole.stop)


def _device(settings: TerminalSettings) -> tuple[str, str, str]:
    return settings.pole_kind, settings.pole_target, settings.pole_page


def _of_cart(books: Books, cart: Cart, before: Cart) -> Screen:
    """Show the line that came or changed, else the newest, above the total."""
    store = books.store()
    words: Words = words_of(store.locale, store.time_zone)
    sums, known = priced(books, cart), set(before.lines)
    row = next((row for row in reversed(sums.lines) if row.line not in known), sums.lines[-1])
    amount = words.formats.money(row.total_minor + row.cart_discount_minor, store.currency)
    total = words.formats.money(sums.total_minor, store.currency)
    return Screen(Row(row.line.name, amount), Row(words("total"), total))
