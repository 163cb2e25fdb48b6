"""The scale of this till: opened as the settings say, watched, and asked by the page that weighs."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Final, NamedTuple

from tillmesh.adapters.devices.targets import open_scale
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import SCALE_HELD_MS, SCALE_READINGS_HELD
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal.driver import Driver, now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.till.effects import Outcome
from tillmesh.till.scales import Reading, Scale

log = logging.getLogger(__name__)

WAIT_S: Final = 1.0  # how long a page's question waits for something new
WATCHED_S: Final = 3.0  # a page that has not asked for so long has gone
OFF: Final = Reading("off")
TROUBLES: Final[dict[str, str]] = {
    "silent": "The scale does not answer: look at its switch, its cable and the settings. Weights can be typed.",
    "pounds": "The scale does not weigh in kilograms: a technician has to set it. Weights can be typed.",
    "refused": "The scale refuses this till: it takes none that is not certified with it. Weights can be typed.",
}


class _Held(NamedTuple):
    number: int
    grams: int
    until_ms: list[int]  # when it stops to count, once something else lay on the scale


class ScaleDesk:
    """Lives on the event loop. ``number`` names a reading: a sale says which one it takes."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._scale: Scale | None = None
        self._settings = TerminalSettings()
        self._reading = OFF
        self._number = now_ms()  # numbers of an earlier run of the program name nothing
        self._held: deque[_Held] = deque(maxlen=SCALE_READINGS_HELD)
        self._fresh = True  # what lies on the scale was not sold yet
        self._changed = asyncio.Event()
        self._gone: asyncio.TimerHandle | None = None
        self._opening = asyncio.Lock()
        self._errands = Errands("the scale")

    async def start(self) -> None:
        """Open the scale of the settings, and follow their changes."""
        self._driver.listen(self._follow)
        await self.refresh()

    async def refresh(self) -> None:
        """Use the scale that the settings name now."""
        async with self._opening:
            now = await self._driver.look(lambda books: books.terminal())
            before, self._settings = self._settings, now
            if (before.scale_kind, before.scale_target) == (now.scale_kind, now.scale_target):
                return
            await self._close()
            self._hear(OFF if now.scale_kind == "none" else Reading("silent"))
            try:
                self._scale = open_scale(now.scale_kind, now.scale_target)
            except TillmeshError as error:
                log.warning("no scale: %s", error.detail)
                return
            if self._scale is not None:
                loop = asyncio.get_running_loop()
                self._scale.start(lambda reading: _unless_closed(loop, self._hear, reading))

    async def stop(self) -> None:
        """Let go of it."""
        await self._errands.stop()
        await self._close()
        self._changed.set()

    def view(self) -> dict[str, Any]:
        """Show what lies on the scale."""
        reading = self._reading
        return {
            "kind": self._settings.scale_kind,
            "state": reading.state,
            "grams": reading.grams,
            "number": self._number,
            "least_g": self._settings.scale_least_g,
            "tares_g": [int(grams) for grams in self._settings.scale_tares.split(", ") if grams],
            "auto": self._settings.scale_auto,
            "fresh": self._fresh,
        }

    def check(self) -> tuple[bool, str] | None:
        """Say whether the scale is well, in words; nothing where none is set up."""
        state = self._reading.state
        if state == "off":
            return None
        return state not in TROUBLES, TROUBLES.get(state, "The scale answers.")

    async def ask(self, seen: int, price_minor: int) -> dict[str, Any]:
        """Show what lies on the scale, once that is not what was ``seen``, or after a moment; somebody is weighing."""
        if self._scale is not None:
            self._scale.weigh(price_minor)
            if self._gone is not None:
                self._gone.cancel()
            self._gone = asyncio.get_running_loop().call_later(WATCHED_S, self._nobody)
            if seen == self._number:
                try:
                    async with asyncio.timeout(WAIT_S):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        return self.view()

    def grams_of(self, number: int) -> int | None:
        """Give the weight of a reading that a page was shown, if it still counts: it is being sold."""
        now = steady_ms()
        grams = next((one.grams for one in self._held if one.number == number and now <= one.until_ms[0]), None)
        if grams is not None and number == self._number:
            self._fresh = False
        return grams

    def _nobody(self) -> None:
        self._gone = None
        if self._scale is not None:
            self._scale.weigh(None)

    def _hear(self, reading: Reading) -> None:
        if self._held:
            last = self._held[-1]
            last.until_ms[0] = min(last.until_ms[0], steady_ms() + SCALE_HELD_MS)
        self._reading = reading
        self._number += 1
        self._fresh |= reading.state != "stable" or (reading.grams or 0) < self._settings.scale_least_g
        if reading.state == "stable" and reading.grams is not None:
            self._held.append(_Held(self._number, reading.grams, [2**62]))
        self._changed.set()
        self._changed = asyncio.Event()

    def _follow(self, outcome: Outcome) -> None:
        if any(event.type == "settings_changed" for event in outcome.events):
            self._errands.run(self.refresh())

    async def _close(self) -> None:
        if self._gone is not None:
            self._gone.cancel()
            self._gone = None
        scale, self._scale = self._scale, None
        if scale is not None:
            await asyncio.to_thread(scale.stop)


def _unless_closed(loop: asyncio.AbstractEventLoop, work: Any, reading: Reading) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work, reading)
