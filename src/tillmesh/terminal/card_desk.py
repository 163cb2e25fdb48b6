"""Talks to the card terminal about what is stored: sends what is new, asks for what has no end yet.

What is to be done is read off the stored payment, so a till that was killed goes on where it stopped. A payment is
noted as sent before it is sent, and is sent once; from then on it is only asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from tillmesh.adapters.cards import AdyenTerminal, Reach, SimulatedTerminal
from tillmesh.adapters.cards.nexo import Key
from tillmesh.adapters.sqlite.card_payments import Setup, read_setup
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import CARD_ASK_MS_FIRST, CARD_ASK_MS_MAX, CARD_CALLS_MAX
from tillmesh.shop.card_payment import REFUND, CardAnswer, CardPayment, Said, State
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal.driver import Driver
from tillmesh.till.card_payments import CardTerminal, TerminalSilent
from tillmesh.till.commands import CardHeard, CardSent, CardStarted, Command, Who
from tillmesh.till.effects import Outcome, SaveCardPayment

SYSTEM = Who(user_id="system", role="manager")
T = TypeVar("T")
log = logging.getLogger(__name__)


class CardDesk:
    """Works on every open payment in a task of its own.

    Invariant: ``_tasks`` holds at most one task for each payment; it ends when the stored payment has ended.
    """

    def __init__(self, driver: Driver, tell: Callable[[CardPayment], None]) -> None:
        self.terminal: CardTerminal | None = None
        self._driver = driver
        self._tell = tell
        self._threads = ThreadPoolExecutor(CARD_CALLS_MAX, "cards")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._awake: dict[str, asyncio.Event] = {}
        self._used: list[CardTerminal] = []

    async def start(self) -> None:
        """Open the terminal of the settings and take up what the run before left open."""
        self._driver.listen(self._follow)
        await self.refresh()
        for payment in await self._driver.look(lambda books: books.card_payments_open()):
            await self._driver.do(SYSTEM, CardStarted(payment_id=payment.payment_id))

    async def refresh(self) -> None:
        """Use the terminal that the settings name now; what is under way ends with the one that it was sent to."""
        settings, setup = await self._driver.read(lambda db, books: (books.terminal(), read_setup(db)))
        self.use(open_card_terminal(settings, setup, self._driver.opened.data_dir, self._driver.identity.terminal))

    def use(self, terminal: CardTerminal | None) -> None:
        """Use this terminal from the next call on."""
        self.terminal = terminal
        if terminal is not None:
            self._used.append(terminal)

    async def cancel(self, payment: CardPayment) -> None:
        """Ask the terminal to take a payment off its screen; how it ended comes as an answer."""
        terminal = self.terminal
        if terminal is None or not payment.is_open:
            return
        try:
            await self._in_thread(lambda: terminal.cancel(payment))
        except TillmeshError as error:
            log.warning("not cancelled: %s", error.detail)
        self.ask_now(payment.payment_id)

    def ask_now(self, payment_id: str) -> None:
        """Ask for a payment now instead of after the pause."""
        if payment_id in self._awake:
            self._awake[payment_id].set()

    async def stop(self) -> None:
        """End what waits; what is open stays open on the disk."""
        for terminal in self._used:
            terminal.close()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _follow(self, outcome: Outcome) -> None:
        for effect in outcome.effects:
            if isinstance(effect, SaveCardPayment):
                self._tell(effect.payment)
                if effect.payment.is_open and effect.payment.payment_id not in self._tasks:
                    self._begin(effect.payment)
        if any(event.type == "settings_changed" for event in outcome.events):
            self._spawn("settings", self.refresh())

    def _begin(self, payment: CardPayment) -> None:
        self._awake[payment.payment_id] = asyncio.Event()
        self._spawn(payment.payment_id, self._work(payment))

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"card {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and task.exception() is not None:
            log.error("the card desk failed", exc_info=task.exception())

    async def _work(self, payment: CardPayment) -> None:
        pause_ms = CARD_ASK_MS_FIRST
        while payment.is_open:
            terminal = self.terminal
            if terminal is not None and payment.state is State.CREATED:
                payment = await self._note(CardSent(payment_id=payment.payment_id))
                if payment.state is not State.SENT:
                    continue
                answer = await self._answer(terminal.refund if payment.kind == REFUND else terminal.pay, payment)
            else:
                await self._pause(payment.payment_id, pause_ms)
                pause_ms = min(2 * pause_ms, CARD_ASK_MS_MAX)
                if terminal is None or payment.state is State.CREATED:
                    continue
                answer = await self._answer(terminal.status, payment)
            payment = await self._note(CardHeard(payment_id=payment.payment_id, answer=answer))
        self._awake.pop(payment.payment_id, None)

    async def _answer(self, call: Callable[[CardPayment], CardAnswer], payment: CardPayment) -> CardAnswer:
        try:
            return await self._in_thread(lambda: call(payment))
        except TerminalSilent as error:
            log.warning("%s", error.detail)
        except Exception:
            log.exception("the card terminal's answer can't be used")
        return CardAnswer(said=Said.SILENT)

    async def _note(self, command: Command) -> CardPayment:
        """Store a step; a disk that refuses is waited for, so that an answer is not forgotten."""
        while True:
            try:
                outcome = await self._driver.do(SYSTEM, command)
            except TillmeshError as error:
                log.warning("a card payment was not noted: %s", error.detail)
                await asyncio.sleep(CARD_ASK_MS_FIRST / 1000)
            else:
                assert isinstance(outcome.reply, CardPayment)
                return outcome.reply

    async def _pause(self, payment_id: str, pause_ms: int) -> None:
        awake = self._awake[payment_id]
        try:
            await asyncio.wait_for(awake.wait(), pause_ms / 1000)
        except TimeoutError:
            return
        awake.clear()

    def _in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)


def open_card_terminal(
    settings: TerminalSettings, setup: Setup, data_dir: Path, terminal_id: str
) -> CardTerminal | None:
    """Open the terminal that the settings name; None if there is none, or none that can be reached as it is set up."""
    if settings.card_terminal == "simulated":
        return SimulatedTerminal(data_dir, settings.card_simulation)
    if settings.card_terminal != "adyen" or not setup.host:
        return None
    key = Key(setup.key_identifier, setup.key_version, setup.passphrase)
    try:
        return AdyenTerminal(Reach(setup.host, setup.port, setup.poi_id, terminal_id, key, setup.authority))
    except (OSError, ValueError) as cause:
        log.warning("no card terminal: %s", cause)
        return None
