"""Keeps an eye on the store for monitoring: who led, how far this till's events have come, what collided.

Leadership is heard as it changes; all else is looked up when somebody asks, so watching costs a till nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import apsw

from tillmesh.adapters.sqlite import watching
from tillmesh.adapters.sqlite.books import Books
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal.driver import Driver, now_ms, steady_ms
from tillmesh.terminal.upkeep import UpkeepWatch
from tillmesh.till import money_conflicts
from tillmesh.till.council_steps import Led
from tillmesh.till.queue import Marks
from tillmesh.till.upkeep import Upkeep, wanting
from tillmesh.till.watching import Concern, Leadership, Reading, concerns

DAY_MS: Final = 86_400_000
_ALONE: Final = Marks(head=0)


class Watch:
    """What monitoring knows of one till. Lives on the event loop.

    ``marks`` says how far this till's own events have come; ``oversold`` counts the products that are oversold.
    """

    def __init__(self, driver: Driver, oversold: Callable[[], int]) -> None:
        self.marks: Callable[[], Marks] = lambda: _ALONE
        self.in_store = False
        self.has_office = False
        self.leadership = Leadership(steady_ms())
        self.reading = Reading(in_store=False)  # the newest one
        self.keeping = UpkeepWatch(driver.opened.data_dir)
        self.upkeep = Upkeep()  # the newest one
        self.silences: Callable[[], Awaitable[Mapping[str, int]]] | None = None  # ms, by terminal; None: none other
        self.silent_s: Mapping[str, float] = {}  # by terminal, as the last look found it
        self._driver, self._oversold = driver, oversold

    def led(self, led: Led) -> None:
        """Hear who leads now."""
        leader = None if led.leader is None else str(led.leader)
        self.leadership.led(leader, led.term, steady_ms())

    async def look(self) -> Reading:
        """Look at everything now."""
        now, marks, actor = now_ms(), self.marks(), self._driver.identity.actor

        def query(db: apsw.Connection, books: Books) -> tuple[watching.Day, int, int, int, int]:
            return (
                watching.day(db, now - DAY_MS),
                len(money_conflicts.open_conflicts(books)),
                watching.age_ms(db, actor, marks.at_leader + 1, now),
                watching.age_ms(db, actor, marks.at_hub + 1, now),
                watching.age_ms(db, actor, 1, now),
            )

        day, money_open, leader_age, hub_age, data_age = await self._driver.read(query)
        upkeep = await asyncio.to_thread(self.keeping.look, data_age)
        self.upkeep = replace(upkeep, silent_s=await self._silent())
        steady, story = steady_ms(), self.leadership
        is_led = self.in_store and not story.leaderless
        self.reading = Reading(
            in_store=self.in_store,
            elections_of_hour=story.elections_of_hour(steady),
            leaderless_s=story.leaderless_ms(steady) / 1000 if self.in_store else 0.0,
            split_brains=story.split_brains,
            leader_lag_s=leader_age / 1000 if is_led else 0.0,
            hub_lag_s=hub_age / 1000 if self.has_office else 0.0,
            queue_leader=max(0, marks.head - marks.at_leader) if is_led else 0,
            queue_hub=max(0, marks.head - marks.at_hub) if self.has_office else 0,
            conflicts_of_day=day.oversells_resolved + day.money_settled + self._oversold() + money_open,
            sales_of_day=day.sales,
        )
        return self.reading

    async def _silent(self) -> dict[str, float]:
        """Say for how long each other till has been silent, by the name that people know it by."""
        found = {} if self.silences is None else await self.silences()
        self.silent_s = {terminal: ms / 1000 for terminal, ms in found.items()}
        names = await self._driver.look(lambda books: {one: _name(books, one) for one in found})
        return {f"{names[one]} ({one})": silent_s for one, silent_s in self.silent_s.items()}

    async def concerns(self) -> list[Concern]:
        """Look, and name what is over its limit."""
        return concerns(await self.look()) + wanting(self.upkeep)


def _name(books: Books, terminal: str) -> str:
    return TerminalSettings.of(books.fields("setting", terminal) or {}).name
