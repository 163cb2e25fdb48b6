"""How much of one actor's log a till takes in: what a shop makes and far more, but not all that a till can write.

A till that was taken over signs what it likes, so its log is taken in like any other; without a limit it would fill
every disk of the store. Each actor has an allowance of bytes that grows with time up to a burst. When it is used up,
what that actor wrote is left where it is and asked for later: nothing is dropped, nothing that was acknowledged is
lost, and nobody else's events wait.

Events that were written before this till began to listen are no flood: for them time passes as their own stamps say,
so a till that was away, or that is new, takes in years of logs at once, and a log denser than any shop's slowly. What
is held of a log at the start counts in the same way, so that no till gains anything by having another one start anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import is_office
from tillmesh.kernel.limits import INTAKE_BURST_BYTES, INTAKE_DAY_BYTES, INTAKE_EVENT_BYTES, INTAKE_WAIT_MS_MAX

DAY_MS: Final = 86_400_000
WAIT_MS_MIN: Final = 1_000
SAVING_MS: Final = INTAKE_BURST_BYTES * DAY_MS // INTAKE_DAY_BYTES  # so long it takes to save a burst up
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(slots=True)
class _Allowance:
    """What one actor may still send.

    Invariant: ``left`` is at most a burst; one batch may take it below zero, and then time has to pass.
    """

    left: int
    grown_ms: int  # until when it has grown
    stamp_ms: int  # up to which stamp time has passed in the log
    seq: int = 0  # the last event that was counted: one that comes twice counts once


class Intake:
    """The allowances of all actors at one till; all its links share them.

    ``stamps_ms`` says when each log that is held ended, ``wall_ms`` when this till began to listen, ``taken_bytes``
    what the newest part of each log costs, as long as it takes to save a burst up. A ``newcomer``
    takes a log that it holds nothing of from its beginning; any other till has heard of that actor for the first time.
    """

    def __init__(
        self,
        stamps_ms: Mapping[str, int],
        wall_ms: int,
        *,
        taken_bytes: Mapping[str, int] = NOTHING,
        newcomer: bool = False,
        burst_bytes: int = INTAKE_BURST_BYTES,
        day_bytes: int = INTAKE_DAY_BYTES,
    ) -> None:
        self._stamps_ms, self._wall_ms, self._newcomer = dict(stamps_ms), wall_ms, newcomer
        self._burst_bytes, self._day_bytes, self._taken_bytes = burst_bytes, day_bytes, dict(taken_bytes)
        self._allowances: dict[str, _Allowance] = {}

    def wait_ms(self, actor: str, now_ms: int) -> int:
        """Say how long an actor's next events have to wait; 0: they can be taken in now.

        Nothing is kept of an actor that nothing was ever taken in of: a peer may name new ones for ever.
        """
        if is_office(actor) or not (actor in self._allowances or actor in self._taken_bytes):
            return 0
        left = self._of(actor, now_ms).left
        if left > 0:
            return 0
        return min(max(-left * DAY_MS // self._day_bytes, WAIT_MS_MIN), INTAKE_WAIT_MS_MAX)

    def took(self, events: Iterable[Envelope], now_ms: int) -> None:
        """Count events that were stored."""
        for event in events:
            held = self._of(event.actor, now_ms)
            if event.seq > held.seq:
                held.seq = event.seq
                self._let_pass(held, min(physical_ms(event.hlc), self._wall_ms))
                held.left -= len(event.body) + INTAKE_EVENT_BYTES

    def waiting(self, now_ms: int) -> list[str]:
        """List the actors that have used up what they may send."""
        return sorted(actor for actor in list(self._allowances) if self.wait_ms(actor, now_ms))

    def _of(self, actor: str, now_ms: int) -> _Allowance:
        held = self._allowances.get(actor)
        if held is None:
            begin = self._stamps_ms.get(actor, 0 if self._newcomer else self._wall_ms)
            left = max(0, self._burst_bytes - self._taken_bytes.get(actor, 0))
            held = self._allowances[actor] = _Allowance(left, now_ms, begin)
        grown = (now_ms - held.grown_ms) * self._day_bytes // DAY_MS
        if grown > 0:
            held.left, held.grown_ms = min(self._burst_bytes, held.left + grown), now_ms
        return held

    def _let_pass(self, held: _Allowance, stamp_ms: int) -> None:
        """Let the time pass that lies between two events of a log, as far as it lies before this till listened."""
        grown = (stamp_ms - held.stamp_ms) * self._day_bytes // DAY_MS
        if grown > 0:
            held.left, held.stamp_ms = min(self._burst_bytes, held.left + grown), stamp_ms
