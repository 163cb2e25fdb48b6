"""What was said to be gone may come back: a till that was off has it. Then nobody should enter it again from paper."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tillmesh.adapters.sqlite.restoration import Missing
from tillmesh.kernel.envelope import Envelope
from tillmesh.terminal.bootstrap import SYSTEM
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.till.commands import Note

log = logging.getLogger(__name__)


class Lacking:
    """Watches what other tills bring, until the events that were reported as gone are all here."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._errands = Errands("what came back")

    def came(self, events: Sequence[Envelope]) -> None:
        """Look at events that another till has brought and that are stored now; on the event loop."""
        gone = self._driver.opened.lacking
        if gone is not None and any(event.actor == gone.actor and event.seq >= gone.last for event in events):
            self._driver.opened.lacking = None
            told = self._told(gone)
            log.warning(told)
            note = Note(action="came_back", subject=gone.actor, detail=told)
            self._errands.run(self._driver.do(SYSTEM, note))

    def _told(self, gone: Missing) -> str:
        """Take the alarm down: it stands in the audit log."""
        opened = self._driver.opened
        events = f"events {gone.first} to {gone.last} of {gone.actor}"
        told = f"{events} were reported as gone and came back: enter nothing again"
        alarms = {"restored", "new_incarnation"}
        opened.notices = (*(notice for notice in opened.notices if notice[0] not in alarms), ("came_back", told))
        return told
