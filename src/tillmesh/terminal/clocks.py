"""Tills whose clock runs far ahead: they drag nobody along, and a manager is told to look at what they changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.till.commands import Note, Who

log = logging.getLogger(__name__)
SYSTEM: Final = Who(user_id="system", role="manager")
PRICED: Final = frozenset(
    {"products_changed", "settings_changed", "people_changed", "promotions_changed", "prices_changed"}
)
TILLS_MAX: Final = 64
DAY_MS: Final = 86_400_000


class Clocks:
    """What is known of other tills' clocks since the start of this program."""

    def __init__(self, driver: Driver, leads: Callable[[], bool]) -> None:
        self._driver, self._leads = driver, leads
        self._ahead_ms: dict[str, int] = {}
        self._told: set[tuple[str, bool]] = set()
        self._errands = Errands("telling of clocks")

    def look(self, events: Sequence[Envelope]) -> None:
        """Look at the stamps of events that were just stored; the leader notes what a manager should check."""
        now = now_ms()
        for event in events:
            ahead = physical_ms(event.hlc) - now
            if ahead <= HLC_DRIFT_MS_MAX:
                continue
            terminal = terminal_of(event.actor)
            if terminal in self._ahead_ms or len(self._ahead_ms) < TILLS_MAX:
                self._ahead_ms[terminal] = ahead
                self._tell(terminal, ahead, changed=event.type in PRICED)

    def _tell(self, terminal: str, ahead_ms: int, *, changed: bool) -> None:
        if (terminal, changed) in self._told or not self._leads():
            return
        self._told.add((terminal, changed))
        told = [f"its clock is {words(ahead_ms)} ahead"]
        if changed:
            told.append("it changed prices or settings, which hold until somebody changes them again: check them")
        detail = "; ".join(told)
        self._errands.run(self._note(Note(action="clock_ahead", subject=terminal, detail=detail)))

    async def _note(self, note: Note) -> None:
        try:
            await self._driver.do(SYSTEM, note)
        except TillmeshError as cause:
            log.warning("could not note that %s: %s", note.detail, cause.detail)

    def view(self) -> list[dict[str, Any]]:
        """Say in words whose clock is wrong, for the health page."""
        return [
            {"terminal_id": terminal, "text": f"The clock of till {terminal} is {words(ahead)} ahead. Set it right."}
            for terminal, ahead in sorted(self._ahead_ms.items())
        ]


def words(span_ms: int) -> str:
    """Say how long something is."""
    if span_ms >= 2 * DAY_MS:
        return f"{span_ms // DAY_MS:,} days"
    return f"{span_ms // 60_000:,} minutes"
