"""Those who have asked a model and wait: each is answered once, or told to go on without."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tillmesh.adapters.inference.tally import Tally
from tillmesh.kernel.errors import TillmeshError


class NoAnswer(TillmeshError):
    """The model did not answer in time, or at all: a person goes on by hand. ``reason`` is one word for counters."""

    status = 503
    kind = "no-answer"
    title = "Go on without the model"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or f"the model gave no answer ({reason})", hint="Scan the barcode or search by name.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said."""

    output: Any
    version: int
    ms: float  # in the worker, for the batch


@dataclass(slots=True)
class _Question:
    model: str
    given: bytes
    asked_at: float
    future: asyncio.Future[Reply]


@dataclass(slots=True)
class Questions:
    """The open questions by ticket, and how those of each model ended."""

    tallies: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    _open: dict[int, _Question] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._open)

    def ask(self, ticket: int, model: str, given: bytes) -> asyncio.Future[Reply]:
        """Open a question; its answer, or a :class:`NoAnswer`, comes in the future."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._open[ticket] = _Question(model, given, time.perf_counter(), future)
        return future

    def given(self, ticket: int) -> bytes:
        """What was asked; nothing if nobody waits for that any more."""
        held = self._open.get(ticket)
        return b"" if held is None else held.given

    def answer(self, ticket: int, reply: Reply) -> None:
        """Give the answer to whoever still waits for it."""
        held = self._open.pop(ticket, None)
        if held is not None and not held.future.done():
            self.tallies[held.model].latencies_ms.append((time.perf_counter() - held.asked_at) * 1e3)
            held.future.set_result(reply)

    def end(self, ticket: int, why: NoAnswer) -> None:
        """Tell whoever still waits that there is no answer."""
        held = self._open.pop(ticket, None)
        if held is not None and not held.future.done():
            held.future.set_exception(why)

    def end_all(self, reason: str) -> None:
        """Tell it to everybody."""
        for ticket in list(self._open):
            self.end(ticket, NoAnswer(reason))
