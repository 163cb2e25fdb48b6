"""What a side makes of the batches that its peer pushes: what may come now, who signed it, and where it joins on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.sync.intake import Intake
from tillmesh.sync.messages import Run, sealed
from tillmesh.sync.signatures import Notary, SignedHead, Verdict

NOTHING: Final = Head("")


@dataclass(frozen=True, slots=True)
class Sifted:
    """Which runs of a batch come in now, and what is to be said about the others."""

    runs: tuple[Run, ...]
    slow: Mapping[str, int]  # actors that write too much, with how long they have to wait
    is_forged: bool  # something in it was not signed by its own actor
    is_early: bool  # nothing of it comes in now: its actors are yet to be introduced, or were told to wait before


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing before a run."""

    held: int  # the last event here


@dataclass(frozen=True, slots=True)
class TwoHistories:
    """A run disagrees with what is held of the same actor."""

    detail: str
    proven: bool  # the actor signed both


@dataclass(frozen=True, slots=True)
class JoinsOn:
    """A run fits what is held here: behind it comes what is new of it, perhaps nothing."""

    held: int  # the last event here before
    events: tuple[Envelope, ...]
    signed: SignedHead  # where it ends


class Taking:
    """The receiving half of a session; ``heads`` and ``fenced`` are the session's own, as they grow.

    Invariant: one batch at a time is being stored. A peer that does not wait for the answer would fill this side's
    memory with batches, keep its sales waiting behind them, and have what it wrote counted by nobody.
    """

    def __init__(
        self, store: str, heads: Mapping[str, Head], fenced: Set[str], notary: Notary | None, intake: Intake | None
    ) -> None:
        """Without a notary all that joins on is taken for true, without an intake at once."""
        self._store = store
        self._heads = heads
        self._fenced = fenced
        self._notary = notary
        self._intake = intake
        self._storing: tuple[Envelope, ...] = ()
        self._told_slow: dict[str, int] = {}  # actor -> until when this side wants nothing of it

    @property
    def is_busy(self) -> bool:
        """Whether a batch is being stored."""
        return bool(self._storing)

    @property
    def put_off(self) -> Set[str]:
        """The actors that were told to wait."""
        return self._told_slow.keys()

    def storing(self, events: tuple[Envelope, ...]) -> None:
        """These are handed to the driver."""
        self._storing = events

    def stored(self, now_ms: int) -> None:
        """They are on disk: whoever wrote them has used up so much."""
        if self._intake is not None and self._storing:
            self._intake.took(self._storing, now_ms)
        self._storing = ()

    def not_stored(self) -> None:
        """The driver had no room for them."""
        self._storing = ()

    def sift(self, runs: Sequence[Run], now_ms: int) -> Sifted:
        """Leave out what has to wait. A stranger's events wait until it is introduced, those of the others do not."""
        slow, told_before = self._slow(runs, now_ms)
        given = [run for run in runs if run.actor not in slow]
        verdicts = [self._judged(run) for run in given]
        signed = tuple(run for run, verdict in zip(given, verdicts, strict=True) if verdict is Verdict.SIGNED)
        return Sifted(
            signed,
            slow,
            is_forged=Verdict.FORGED in verdicts,
            is_early=not signed and (bool(given) or told_before),
        )

    def _slow(self, runs: Sequence[Run], now_ms: int) -> tuple[dict[str, int], bool]:
        """Name the actors that have to wait, with how long, and whether the peer sends on though it was told so."""
        if self._intake is None:
            return {}, False
        new = {run.actor for run in runs if run.last > self._heads.get(run.actor, NOTHING).seq}
        slow = {actor: wait for actor in sorted(new) if (wait := self._intake.wait_ms(actor, now_ms))}
        told_before = any(now_ms < self._told_slow.get(actor, 0) for actor in slow)
        self._told_slow = {actor: until for actor, until in self._told_slow.items() if now_ms < until}
        self._told_slow |= {actor: now_ms + wait for actor, wait in slow.items()}
        return slow, told_before

    def _judged(self, run: Run) -> Verdict:
        """Say whether the actor itself signed what is new of a run."""
        is_new = run.last > self._heads.get(run.actor, NOTHING).seq
        if self._notary is None or run.actor in self._fenced or not is_new:
            return Verdict.SIGNED
        return self._notary.judge(SignedHead(run.head, run.signature))

    def join(self, run: Run) -> Gap | TwoHistories | JoinsOn:
        """Put a run that was let in on top of what is held here of its actor."""
        held = self._heads.get(run.actor, Head(run.actor))
        if run.first > held.seq + 1:
            return Gap(held.seq)
        events, end = sealed(self._store, run, held)
        if end.hash != run.hash and end.seq <= run.last:
            # What goes beyond the head here was judged before: the actor signed it.
            is_proven = self._notary is not None and run.last > held.seq
            return TwoHistories(f"{run.actor} has two histories before event {end.seq + 1}", is_proven)
        return JoinsOn(held.seq, tuple(events), SignedHead(end, run.signature))
