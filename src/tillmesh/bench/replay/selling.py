"""Acting a plan out on a till: many steps per transaction, a shift per day, X and Z taken as a manager would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from tillmesh.bench.replay.invoices import Invoice
from tillmesh.bench.replay.planning import MANAGER, SETTINGS, Plan, Script, Step, records, settings
from tillmesh.shop.events import Change, ShiftTotals
from tillmesh.terminal.bootstrap import Opened
from tillmesh.till import commands as c
from tillmesh.till.effects import Outcome
from tillmesh.till.shifts import shift_totals

STEPS_PER_COMMIT: Final = 400
CHANGES_PER_STEP: Final = 500
FOUNDED_MS_BEFORE: Final = 86_400_000


@dataclass
class Replay:
    """A running replay. ``x_reports`` are the totals of each shift just before it was closed, by day."""

    opened: Opened
    plan: Plan = field(default_factory=Plan)
    x_reports: list[ShiftTotals] = field(default_factory=list)
    events: int = 0

    def found(self, invoices: Iterable[Invoice], first_ms: int) -> None:
        """Write down settings, products and customers."""
        goods, customers = records(invoices)
        steps = [settings(SETTINGS), *_batches("product", goods), *_batches("customer", customers)]
        self._commit((MANAGER, step, first_ms - FOUNDED_MS_BEFORE) for step in steps)

    def sell(self, invoices: Iterable[Invoice]) -> None:
        """Do everything the invoices say, and leave no shift open."""
        script = self._with_closings(self.plan.script(invoices))
        feed = _Feed(script)
        while True:
            before = self.events
            self._commit(islice(feed, STEPS_PER_COMMIT), feed)
            if self.events == before:
                return

    def _commit(self, steps: Iterable[tuple[c.Who, c.Command, int]], feed: _Feed | None = None) -> None:
        opened = self.opened

        def tell(outcome: Outcome) -> None:
            self.events += len(outcome.events)
            if feed is not None:
                feed.outcome = outcome

        opened.writer.execute_script(opened.till, steps, tell)
        opened.anchor.remember(opened.till.head, opened.till.receipts)

    def _with_closings(self, script: Script) -> Script:
        """Close the open shift before the next is opened, and at the end."""
        outcome: Outcome | None = None
        last_ms = 0
        while True:
            try:
                step = next(script) if outcome is None else script.send(outcome)
            except StopIteration:
                break
            if isinstance(step.command, c.OpenShift) and last_ms:
                yield self._closing(last_ms)
            outcome = yield step
            last_ms = step.at_ms
        if last_ms:
            yield self._closing(last_ms)

    def _closing(self, at_ms: int) -> Step:
        """Take the X report and count exactly what it says: the difference to the file would show there."""
        books = self.opened.writer.books
        shift = books.current_shift()
        assert shift is not None, "a day was replayed without a shift"
        totals = shift_totals(books, shift)
        self.x_reports.append(totals)
        return Step(at_ms, c.CloseShift(counted_minor=totals.expected_cash_minor))


class _Feed:
    """Turns a script into an iterator: asks for the next step with the outcome of the one before."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._begun = False
        self.outcome: Outcome | None = None

    def __iter__(self) -> Iterator[tuple[c.Who, c.Command, int]]:
        return self

    def __next__(self) -> tuple[c.Who, c.Command, int]:
        if self._begun:
            assert self.outcome is not None, "a step was asked for before the last one was told"
            step = self._script.send(self.outcome)
        else:
            step = next(self._script)
            self._begun = True
        self.outcome = None
        return MANAGER, step.command, step.at_ms


def _batches(entity: str, changes: list[Change]) -> Iterator[c.Command]:
    for start in range(0, len(changes), CHANGES_PER_STEP):
        yield c.ChangeRecords(entity=entity, changes=tuple(changes[start : start + CHANGES_PER_STEP]), source="replay")
