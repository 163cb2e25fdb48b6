"""The till's end of the worker: starts it when somebody asks, hands it batches, and goes on without it.

Everything here runs on the till's event loop and never blocks it. Whoever asks gets an answer or :class:`NoAnswer` by
the deadline, whatever the worker does: crash, stall, say NaN, run out of memory, or refuse its model.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tillmesh.adapters.inference.frames import Answered, FromWorker, Load, Loaded, Run, Tell
from tillmesh.adapters.inference.process import TASKS, WorkerProcess, steady_ms
from tillmesh.adapters.inference.questions import NoAnswer, Questions, Reply
from tillmesh.adapters.inference.shelf import Shelf
from tillmesh.adapters.inference.tally import Tally
from tillmesh.edge.batching import Batch, Waiting
from tillmesh.kernel.limits import (
    INFERENCE_DEADLINE_MS,
    INFERENCE_LOAD_MS_MAX,
    INFERENCE_MEMORY_MIB,
    INFERENCE_RESTART_MS_MAX,
    INFERENCE_STALL_MS,
)

WRONG_INPUT: Final = "input"
log = logging.getLogger(__name__)

Did = Callable[[str, int, str], None]  # model, version, and why it failed; empty: it answered


@dataclass(slots=True)
class _Loading:
    """A model that the worker is loading; ``tryout`` is told how it went."""

    load: Load
    until_ms: int
    tryout: asyncio.Future[Loaded] | None = None


@dataclass(slots=True)
class Runner:
    """One worker process at most, and everybody who waits for it.

    Invariant: at most one question is in the worker's hands, so an answer belongs to that one.
    """

    shelf: Shelf
    memory_mib: int = INFERENCE_MEMORY_MIB
    tasks: str = TASKS
    stall_ms: int = INFERENCE_STALL_MS
    memory_bytes: int = 0
    refused: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # name -> reason, detail, not before
    loaded: dict[str, int] = field(default_factory=dict)  # name -> version, in the process that runs now
    did: Did = lambda _model, _version, _reason: None  # told what is a model's own doing, batch by batch
    _waiting: Waiting = field(default_factory=Waiting)
    _questions: Questions = field(default_factory=Questions)
    _worker: WorkerProcess = field(init=False)
    _working: _Loading | Batch | None = None
    _tryouts: list[_Loading] = field(default_factory=list)
    _states: dict[str, bytes] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)  # models whose state the worker has as it is now
    _timer: asyncio.TimerHandle | None = None
    _is_stopped: bool = False

    def __post_init__(self) -> None:
        """Know how long a worker may say nothing, and whom to tell what becomes of it."""
        self._waiting.stall_ms = self.stall_ms
        self._worker = WorkerProcess(self._step, self._heard, self._ended, self.memory_mib, self.tasks)

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while none runs."""
        return self._worker.pid

    @property
    def restarts(self) -> int:
        """How often a worker ended."""
        return self._worker.ends

    @property
    def tallies(self) -> defaultdict[str, Tally]:
        """How the questions to each model ended."""
        return self._questions.tallies

    async def ask(self, model: str, given: bytes, wait_ms: int | None = None) -> Reply:
        """Give what the model says, or raise :class:`NoAnswer` by the deadline at the latest."""
        tally = self.tallies[model]
        tally.asked += 1
        try:
            reply = await self._ask(model, given, wait_ms)
        except NoAnswer as none:
            if none.reason == WRONG_INPUT:
                tally.asked -= 1  # nobody could have answered that
            else:
                tally.fallbacks[none.reason] += 1
            raise
        tally.answered += 1
        return reply

    async def _ask(self, model: str, given: bytes, wait_ms: int | None) -> Reply:
        now = steady_ms()
        if self._is_stopped:
            raise NoAnswer("off")
        if not self.shelf.standing(model).active:
            raise NoAnswer("none", f"this till has no model {model}")
        if held := self.refused.get(model):
            if now < held[2]:
                raise NoAnswer(held[0], held[1])
            del self.refused[model]
        manifest = self.shelf.manifest(model)
        deadline_ms = INFERENCE_DEADLINE_MS if manifest is None else manifest.contract.deadline_ms
        ticket = self._waiting.ask(model, now, wait_ms or deadline_ms)
        if ticket is None:
            raise NoAnswer("busy")
        future = self._questions.ask(ticket, model, given)
        self._step()
        return await future

    async def load(self, model: str) -> None:
        """Start the worker and load a model before somebody asks; raises :class:`NoAnswer` if that does not work."""
        standing = self.shelf.standing(model)
        if not standing.active:
            raise NoAnswer("none", f"this till has no model {model}")
        if self.loaded.get(model) == standing.version:
            return
        self.refused.pop(model, None)
        result = await self.try_out(model, standing.active, standing.version)
        if result.refused:
            raise NoAnswer(result.refused, result.detail)

    async def try_out(self, model: str, slot: str, version: int, within_ms: int = 0) -> Loaded:
        """Load what lies in a slot and say how it went; if it works it answers from now on.

        One that is new here is told ``within_ms``, in which its known answer has to come.
        """
        future: asyncio.Future[Loaded] = asyncio.get_running_loop().create_future()
        load = msgspec.structs.replace(self._load_of(model, slot, version), within_ms=within_ms)
        self._tryouts.append(_Loading(load, 0, future))
        self._step()
        return await future

    def tell(self, model: str, state: bytes) -> None:
        """Hand a model what the till knows, now and whenever it is loaded anew."""
        self._states[model] = state
        self._told.discard(model)
        self._step()

    async def stop(self) -> None:
        """End the worker; whoever waits is told to go on without."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        await self._worker.stop()
        self._fail("off")

    # ------------------------------------------------------------ one step

    def _step(self) -> None:
        """Do whatever can be done now: called after each question, answer and moment that passed."""
        now = steady_ms()
        for ticket in self._waiting.expire(now):
            self._questions.end(ticket, NoAnswer("deadline"))
        if self._silent(now):
            log.warning("the model worker says nothing any more; it is ended")
            self._worker.kill()
        elif self._worker.is_up and self._working is None:
            self._hand_over(now)
        elif self._may_start() and now >= self._worker.not_before_ms:
            self._worker.start()
        self._wake_later(now)

    def _may_start(self) -> bool:
        return self._worker.is_gone and not self._is_stopped and bool(self._questions or self._tryouts)

    def _silent(self, now: int) -> bool:
        if isinstance(self._working, _Loading):
            return now > self._working.until_ms
        return self._waiting.is_stalled(now)

    def _hand_over(self, now: int) -> None:
        """Give the idle worker what is to be done next: what it should know, what to load, then a batch."""
        for model in [model for model in self._states if model in self.loaded and model not in self._told]:
            self._told.add(model)
            self._worker.send(Tell(model, self._states[model]))
        if self._tryouts:
            self._start_loading(self._tryouts.pop(0), now)
            return
        batch = self._waiting.next_batch()
        if batch is None:
            return
        standing = self.shelf.standing(batch.model)
        if self.loaded.get(batch.model) != standing.version or not standing.active:
            self._waiting.put_back()
            self._start_loading(_Loading(self._load_of(batch.model, standing.active or "a", standing.version), 0), now)
            return
        self._working = batch
        self._worker.send(Run(batch.model, [self._questions.given(ticket) for ticket in batch.tickets]))

    def _load_of(self, model: str, slot: str, version: int) -> Load:
        folder = str(self.shelf.folder(model, slot))
        return Load(model, folder, version, self.shelf.trusted, self._states.get(model, b""))

    def _start_loading(self, loading: _Loading, now: int) -> None:
        loading.until_ms = now + INFERENCE_LOAD_MS_MAX
        self._working = loading
        self._told.add(loading.load.name)
        self._worker.send(loading.load)

    def _wake_later(self, now: int) -> None:
        moments = [self._waiting.wake_at_ms()]
        if isinstance(self._working, _Loading):
            moments.append(self._working.until_ms)
        if self._may_start():
            moments.append(self._worker.not_before_ms)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        known = [moment for moment in moments if moment is not None]
        if known and not self._is_stopped:
            delay_s = max(0, min(known) - now + 1) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._step)

    # ------------------------------------------------------------ the worker ended

    def _ended(self) -> None:
        """Whoever waits for the worker goes on without; the next one starts after a rest."""
        self._blame_for_end()
        self.loaded.clear()
        self._told.clear()
        self._fail("crash")
        if not self._is_stopped:
            self._step()

    def _blame_for_end(self) -> None:
        """Tell whose work the worker ended in; who only waited for it has no part in it."""
        match self._working:
            case _Loading(load=load, tryout=None):
                self.did(load.name, load.version, "crash")
            case Batch(model=model):
                self.did(model, self.loaded.get(model, 0), "crash")
            case _:
                pass

    # ------------------------------------------------------------ answers

    def _heard(self, message: FromWorker) -> None:
        self.memory_bytes = message.memory_bytes or self.memory_bytes
        working, self._working = self._working, None
        match message:
            case Loaded():
                assert isinstance(working, _Loading), "the worker answers what it was asked"
                self._heard_loaded(working, message)
            case Answered():
                assert isinstance(working, Batch), "the worker answers what it was asked"
                self._heard_answers(working, message)
        self._step()

    def _heard_loaded(self, loading: _Loading, message: Loaded) -> None:
        name = message.name
        if not message.refused:
            self.loaded[name] = message.version
        if loading.tryout is not None:
            if not loading.tryout.done():
                loading.tryout.set_result(message)
        elif message.refused:
            self._refuse(name, message.refused, message.detail)
            self.did(name, message.version, message.refused)

    def _refuse(self, name: str, reason: str, detail: str) -> None:
        log.error("%s is not used: %s", name, detail)
        self.refused[name] = (reason, detail, steady_ms() + INFERENCE_RESTART_MS_MAX)
        for ticket in self._waiting.drop(name):
            self._questions.end(ticket, NoAnswer(reason, detail))

    def _heard_answers(self, batch: Batch, message: Answered) -> None:
        tally = self.tallies[batch.model]
        if message.failed == "memory" and self._waiting.again_in_halves():
            return
        late_before = self._waiting.late
        in_time = [] if message.failed == "memory" else self._waiting.answered(steady_ms())
        tally.late += self._waiting.late - late_before
        self.did(batch.model, self.loaded[batch.model], self._fault(batch.model, message))
        if message.failed:
            for ticket in batch.tickets:
                self._questions.end(ticket, NoAnswer(message.failed))
            return
        self._worker.worked()
        for place, ticket in in_time:
            if message.wrong[place]:
                self._questions.end(ticket, NoAnswer(message.wrong[place], str(message.outputs[place] or "")))
            else:
                self._questions.answer(ticket, Reply(message.outputs[place], self.loaded[batch.model], message.ms))
        if self.memory_bytes > self.memory_mib << 20:
            log.warning("the model worker holds %s MiB; it starts anew", self.memory_bytes >> 20)
            self._worker.kill()

    def _fault(self, model: str, message: Answered) -> str:
        """Say in a word what was wrong with a model's answers to a batch; nothing when some input was answered well.

        Late is not slow: the machine may have had other work. Slow is who needs the processor for longer than allowed.
        """
        manifest = self.shelf.manifest(model)
        deadline_ms = INFERENCE_DEADLINE_MS if manifest is None else manifest.contract.deadline_ms
        if message.failed or "not_finite" in message.wrong:
            return message.failed or "not_finite"
        return "slow" if message.cpu_ms > deadline_ms * max(1, len(message.outputs)) else ""

    def _fail(self, reason: str) -> None:
        """Nobody is left who could answer: end all that waits."""
        working, self._working = self._working, None
        self._waiting.fail_all()
        self._questions.end_all(reason)
        loadings = [working] if isinstance(working, _Loading) else []
        if reason == "off":
            loadings += self._tryouts
            self._tryouts = []
        for loading in loadings:
            if loading.tryout is not None and not loading.tryout.done():
                loading.tryout.set_result(Loaded(loading.load.name, loading.load.version, reason, "the worker ended"))
