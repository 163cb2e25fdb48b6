"""Closes days after midnight, and has receipts signed by the device of the till, after they are on the disk.

A sale never waits for the device: what it does not sign in time is printed with a notice, the outage is noted, and what
may be signed late is signed when the device answers again, in the order of the receipts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tillmesh.adapters.signature import SimulatedDevice
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import SIGN_MS_MAX, SIGN_RETRY_MS, SIGN_WAITING_MAX
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.till.commands import ClosePeriods, NoteSigned, NoteSigningResumed, NoteSigningStopped, Who
from tillmesh.till.effects import Outcome
from tillmesh.till.fiscal import RECEIPTS, DeviceSilent, Signature, SignatureDevice, to_sign

SYSTEM = Who(user_id="system", role="manager")
CLOSE_S = 60.0
log = logging.getLogger(__name__)


class FiscalDesk:
    """Signs one receipt after the other.

    Invariant: ``_waiting`` holds the receipts of this run that are not signed, oldest first.
    """

    def __init__(self, driver: Driver, *, clock: Callable[[], int] = now_ms, sign_ms: int = SIGN_MS_MAX) -> None:
        """``sign_ms`` is how long the device may take, and a paper waits for it."""
        self.device: SignatureDevice | None = None
        self.is_out = False
        self._driver = driver
        self._clock = clock
        self._sign_ms = sign_ms
        self._late = True
        self._waiting: list[str] = []
        self._done: dict[str, asyncio.Event] = {}  # of receipts that somebody may want to print now
        self._awake = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, "signing")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sign what is new, and what the run before this one left."""
        settings, unsigned, outage = await self._driver.look(
            lambda books: (books.terminal(), list(books.unsigned_receipts()), books.signing_outage())
        )
        self._use(settings)
        self.is_out = outage is not None
        self._waiting = unsigned[:SIGN_WAITING_MAX]
        self._driver.listen(self._follow)
        self._tasks = [asyncio.create_task(self._sign_all()), asyncio.create_task(self._close_days())]

    async def stop(self) -> None:
        """End; what is not signed is signed when the program runs again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def signed(self, event_id: str) -> None:
        """Wait until a receipt is signed, or for as long as a print may wait for it."""
        done = self._done.get(event_id)
        if done is not None and not self.is_out:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), self._sign_ms / 1000)

    @property
    def waiting(self) -> int:
        """Count the receipts without a signature."""
        return len(self._waiting)

    def _use(self, settings: TerminalSettings) -> None:
        self._late = settings.signature_late
        self.device = open_device(settings, self._driver.opened.data_dir, self.device)

    def _follow(self, outcome: Outcome) -> None:
        if self.device is not None:
            for event in outcome.events:
                if event.type in RECEIPTS and len(self._waiting) < SIGN_WAITING_MAX:
                    self._waiting.append(event.id)
                    self._done[event.id] = asyncio.Event()
                    self._awake.set()
        if any(event.type == "settings_changed" for event in outcome.events):
            self._driver.later(lambda _, books: books.terminal(), self._use)

    def retry(self) -> None:
        """Try the device again now."""
        self._awake.set()

    async def _sign_all(self) -> None:
        while True:
            if not self._waiting or self.is_out:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), SIGN_RETRY_MS / 1000 if self.is_out else None)
                self._awake.clear()
            if self._waiting and self.device is not None:
                try:
                    await self._sign_first(self.device)
                except TillmeshError as error:  # the disk refuses: it is said elsewhere
                    log.warning("a signature was not noted: %s", error.detail)
                    await asyncio.sleep(SIGN_RETRY_MS / 1000)

    async def _sign_first(self, device: SignatureDevice) -> None:
        receipt = self._waiting[0]
        data = await self._data(receipt)
        try:
            signature = await self._ask(device, data)
        except DeviceSilent as error:
            if not self.is_out:
                stopped = NoteSigningStopped(device=device.serial, reason=error.detail, first=receipt)
                await self._driver.do(SYSTEM, stopped)
                self.is_out = True
            self._let_go()
            return
        if self.is_out:
            count = len(self._waiting)
            await self._driver.do(SYSTEM, NoteSigningResumed(unsigned=count, signed_late=self._late))
        late = self.is_out
        self.is_out = False
        if late and not self._late:
            self._waiting.clear()
            return
        await self._note(receipt, signature, data, late=late)
        while late and self._waiting:  # all that waited was made during the outage
            receipt = self._waiting[0]
            data = await self._data(receipt)
            try:
                await self._note(receipt, await self._ask(device, data), data, late=True)
            except DeviceSilent:
                return

    async def _data(self, receipt: str) -> str:
        return await self._driver.look(lambda books: to_sign(books, receipt))

    async def _note(self, receipt: str, signature: Signature, data: str, *, late: bool) -> None:
        command = NoteSigned(
            receipt=receipt, device=signature.device, counter=signature.counter, signature=signature.signature,
            algorithm=signature.algorithm, public_key=signature.public_key, data=data,
            signed_at_ms=signature.signed_at_ms, late=late,
        )  # fmt: skip
        await self._driver.do(SYSTEM, command)
        self._waiting.remove(receipt)
        if (done := self._done.pop(receipt, None)) is not None:
            done.set()

    async def _ask(self, device: SignatureDevice, data: str) -> Signature:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, device.sign, data, self._clock())
        try:
            return await asyncio.wait_for(asked, self._sign_ms / 1000)
        except TimeoutError:
            raise DeviceSilent(f"no signature within {self._sign_ms} ms") from None

    def _let_go(self) -> None:
        """Let papers come out with the notice."""
        for done in self._done.values():
            done.set()
        self._done.clear()

    async def _close_days(self) -> None:
        while True:
            with contextlib.suppress(TillmeshError):  # the disk may refuse; the next receipt closes them
                if await self._driver.look(lambda books: books.store().fiscal_closes):
                    await self._driver.do(SYSTEM, ClosePeriods())
            await asyncio.sleep(CLOSE_S)


def open_device(settings: TerminalSettings, folder: Path, held: SignatureDevice | None) -> SignatureDevice | None:
    """Open the device that the settings name, or go on with the one that is open."""
    if settings.signature_device != "simulated":
        return None
    return held if isinstance(held, SimulatedDevice) else SimulatedDevice(folder)
