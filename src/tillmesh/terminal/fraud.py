"""Scores what is done at this till, after it is done: a sale never waits, and nothing is stopped.

Each act of this till is looked at once, in order, beside everything else. Its features come from what is usual here,
which is learned from the log. What the score flags becomes an event for managers; without an answer in time nothing
happens, and that is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.flagged import act_at, past_acts
from tillmesh.edge.acts import DRAWER_OPENED, Act
from tillmesh.edge.features import DAY_MS, Memory, packed
from tillmesh.edge.risk import LOW, Verdict
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import FRAUD_ACTS_MIN, FRAUD_HISTORY_ACTS_MAX, FRAUD_QUEUE_MAX
from tillmesh.shop.events import Audited, FlagReason, SaleClosed, SaleRefunded, SaleVoided
from tillmesh.terminal.ai import Ai, NoAnswer
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.till.commands import FlagAct, Who
from tillmesh.till.effects import Outcome

SYSTEM: Final = Who(user_id="system", role="manager")
MODEL: Final = "fraud"
BEGIN_AFTER_S: Final = 5.0  # Guess: a till that has just started has better things to do than to start a model
HISTORY_MS: Final = 42 * DAY_MS  # three half-lives of what counts as usual
log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What the model said, and which version of it."""

    verdict: Verdict
    model: str


class NotScored(Exception):
    """The model gave no answer; ``reason`` is one word for counters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Score = Callable[[tuple[float, ...]], Awaitable[Answer]]  # raises NotScored


class _Happened(NamedTuple):
    event: Envelope
    body: Record
    is_own: bool


class FraudWatch:
    """The score's place at one till. Lives on the event loop."""

    def __init__(self, driver: Driver, score: Score, *, after_s: float = 0.0, acts_min: int = FRAUD_ACTS_MIN) -> None:
        self.scored = self.flagged = 0
        self.fallbacks: Counter[str] = Counter()
        self._driver = driver
        self._score = score
        self._after_s = after_s
        self._acts_min = acts_min
        self._memory = Memory()
        self._known: dict[str, int] = {}  # how far the log had come when usual was learned from it
        self._queue: asyncio.Queue[_Happened] = asyncio.Queue(FRAUD_QUEUE_MAX)
        self._errands = Errands("the fraud score")

    def start(self, now_ms: int) -> None:
        """Learn what is usual, then look at what happens; listens to the till from now on."""
        self._driver.listen(self._committed)
        self._errands.run(self._run(now_ms))

    async def stop(self) -> None:
        """Leave what waits unscored: it stands in the log, and is history at the next start."""
        await self._errands.stop()

    async def settled(self) -> None:
        """Wait until all that happened so far was looked at."""
        await self._queue.join()

    def heard(self, happened: Iterable[tuple[Envelope, Record]]) -> None:
        """Take in what other tills did: it says what is usual, and is scored where it happened."""
        for event, body in happened:
            self._take(_Happened(event, body, is_own=False))

    def _committed(self, outcome: Outcome) -> None:
        for event, body in zip(outcome.events, outcome.bodies, strict=True):
            self._take(_Happened(event, body, is_own=True))

    def _take(self, happened: _Happened) -> None:
        body = happened.body
        if not isinstance(body, SaleClosed | SaleRefunded | SaleVoided) and not (
            isinstance(body, Audited) and body.action == DRAWER_OPENED
        ):
            return
        try:
            self._queue.put_nowait(happened)
        except asyncio.QueueFull:
            if happened.is_own:
                self.fallbacks["queue"] += 1

    def features(self, act: Act) -> tuple[float, ...]:
        """Give the features of an act as they are now."""
        return self._memory.features(act)

    async def judge(self, features: tuple[float, ...]) -> Answer:
        """Ask the model; raises :class:`NotScored`, counted."""
        try:
            answer = await self._score(features)
        except NotScored as none:
            self.fallbacks[none.reason] += 1
            raise
        self.scored += 1
        return answer

    async def _run(self, now_ms: int) -> None:
        await asyncio.sleep(self._after_s)
        await self._learn_the_past(now_ms)
        while True:
            happened = await self._queue.get()
            try:
                await self._look_at(happened)
            except TillmeshError as error:
                log.warning("an act was not scored: %s", error.detail)
                self.fallbacks["till"] += 1
            except Exception:
                log.exception("an act was not scored")
                self.fallbacks["error"] += 1
            finally:
                self._queue.task_done()

    async def _learn_the_past(self, now_ms: int) -> None:
        def query(books: Books) -> tuple[Memory, dict[str, int]]:
            memory = Memory()
            for act in past_acts(books, now_ms - HISTORY_MS, FRAUD_HISTORY_ACTS_MAX):
                memory.learn(act)
            return memory, dict(books.vector())

        try:
            self._memory, self._known = await self._driver.look(query)
        except TillmeshError as error:
            log.warning("what is usual here can't be read: %s", error.detail)

    async def _look_at(self, happened: _Happened) -> None:
        event, body = happened.event, happened.body
        act = await self._driver.look(lambda books: act_at(books, event, body))
        if act is None:
            return
        features, is_known = self._memory.features(act), self._memory.acts(act.at_ms) >= self._acts_min
        if event.seq > self._known.get(event.actor, 0):
            self._memory.learn(act)
        if not happened.is_own or not is_known:
            return
        try:
            answer = await self.judge(features)
        except NotScored:
            return
        if answer.verdict.level != LOW:
            await self._flag(event, act, answer)

    async def _flag(self, event: Envelope, act: Act, answer: Answer) -> None:
        verdict = answer.verdict
        command = FlagAct(
            event=event.id,
            kind=act.kind,
            person=act.cashier,
            score_ppm=round(verdict.score * 1_000_000),
            level=verdict.level,
            reasons=tuple(
                FlagReason(code=one.code, weight_milli=round(one.weight * 1000), value_milli=round(one.value * 1000))
                for one in verdict.reasons
            ),
            model=answer.model,
        )
        await self._driver.do(SYSTEM, command)
        self.flagged += 1


def asking(ai: Ai) -> Score:
    """Let the till's models score: whatever keeps them from it is a fallback with its reason."""

    async def score(features: tuple[float, ...]) -> Answer:
        try:
            reply = await ai.ask(MODEL, packed(features))
        except NoAnswer as none:
            raise NotScored(none.reason) from None
        verdict = read_verdict(reply.output)
        ai.tally(MODEL).sure(verdict.score)
        return Answer(verdict, f"{MODEL} {reply.version}")

    return score


def read_verdict(output: Any) -> Verdict:
    """Read what a worker answered; raises :class:`NotScored` for anything that is no verdict."""
    try:
        verdict = msgspec.convert(output, Verdict)
    except msgspec.ValidationError:
        raise NotScored("output") from None
    if not 0.0 <= verdict.score <= 1.0:
        raise NotScored("output")
    return verdict
