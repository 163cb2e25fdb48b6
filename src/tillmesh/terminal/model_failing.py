"""Gives a version of a model up that fails at work, and lets the one run again that ran before it. Nobody is asked.

What passed its trial may still crash, say NaN or take too long for what people show to it. Whoever asks goes on by
hand meanwhile, as ever; here it is only seen to that this ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tillmesh.adapters.inference.shelf import Shelf
from tillmesh.edge.failing import Failing
from tillmesh.edge.slots import Standing
from tillmesh.terminal.errands import Errands

log = logging.getLogger(__name__)
Noted = Callable[[str, str, str], Awaitable[None]]  # for the audit: action, subject, detail
FellBack = Callable[[str], None]  # told the model's name, on the event loop


class GivingUp:
    """One till's count of how its models fail. Lives on the event loop."""

    noted: Noted | None = None

    def __init__(
        self, shelf: Shelf, changing: asyncio.Lock, errands: Errands, serial: Callable[[str], int], fell_back: FellBack
    ) -> None:
        self._shelf, self._changing, self._errands = shelf, changing, errands
        self._serial, self._fell_back = serial, fell_back
        self._failing: dict[str, Failing] = {}

    def heard(self, name: str, version: int, reason: str) -> None:
        """Count that a version answered, or failed for a reason."""
        failing = self._failing[name] = self._failing.get(name, Failing()).after(version, reason)
        if reason and failing.is_hopeless and self._is_to_go(name, failing):
            self._errands.run(self._give_up(name, failing))

    def _is_to_go(self, name: str, failing: Failing) -> bool:
        standing = self._shelf.standing(name)
        return standing.version == failing.version and bool(standing.previous)

    async def _give_up(self, name: str, failing: Failing) -> None:
        async with self._changing:  # what is being installed first, then nothing may be left to do
            if not self._is_to_go(name, failing):
                return
            try:
                now = await asyncio.to_thread(self._shelf.fall_back, name, failing.reason, self._serial(name))
            except OSError as cause:
                log.error("%s %s can't be given up: %s", name, failing.version, cause)  # noqa: TRY400
                return
        log.error(
            "%s %s failed again and again (%s); %s runs again", name, failing.version, failing.reason, now.version
        )
        self._fell_back(name)
        if self.noted is not None:
            await self.noted("model_given_up", name, f"{failing.version} -> {now.version}: {failing.reason}")


def finding(name: str, standing: Standing) -> str:
    """Say in words that a version was given up; nothing if none was."""
    if not standing.failed:
        return ""
    return (
        f"Version {standing.failed} of the model for {name} failed at work ({standing.failed_reason}). "
        f"Version {standing.version} runs in its place."
    )
