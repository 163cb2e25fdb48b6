"""When a store needs somebody to look at it: how its leadership went, and the limits that monitoring knows.

One table of limits serves the words on the till, the rules of alerts and the tests that hold the two together.
The limits are those of the original design; docs/operations/monitoring.md lists them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

ELECTIONS_HOUR_MAX: Final = 3
FAILOVER_S_MAX: Final = 10.0
LEADER_LAG_S_MAX: Final = 60.0
QUEUE_EVENTS_MAX: Final = 10_000
CONFLICT_SHARE_MAX: Final = 0.01
CONFLICT_SALES_MIN: Final = 100  # Guess: one conflict among fewer sales is no rate yet.

HOUR_MS: Final = 3_600_000
_KEPT_MAX: Final = 1_000  # moments of elections, and terms whose leader is remembered


@dataclass(slots=True)
class Leadership:
    """Who led the store since this till began to look, as far as this till heard.

    Invariant: ``split_brains`` counts terms in which this till heard of a second leader; the protocol allows none.
    """

    since_ms: int  # when nobody began to lead, or when the look began
    leaderless: bool = True
    elections: int = 0  # that somebody won, after the first leader that was heard of
    split_brains: int = 0
    last_failover_ms: int = 0
    failovers: list[int] = field(default_factory=list)  # ms without a leader, each once: what nobody took away yet
    _moments: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT_MAX))
    _leaders: dict[int, str] = field(default_factory=dict)
    _last: str | None = None

    def led(self, leader: str | None, term: int, now_ms: int) -> None:
        """Hear who leads now, or that nobody does; ``now_ms`` never goes back."""
        if leader is None:
            if not self.leaderless:
                self.leaderless, self.since_ms = True, now_ms
            return
        if self._leaders.setdefault(term, leader) != leader:
            self.split_brains += 1
        while len(self._leaders) > _KEPT_MAX:
            del self._leaders[min(self._leaders)]
        if self._last is not None and (leader != self._last or self.leaderless):
            self._won(now_ms, leader)
        self._last, self.leaderless = leader, False

    def _won(self, now_ms: int, leader: str) -> None:
        if leader != self._last:
            self.elections += 1
            self._moments.append(now_ms)
        self.last_failover_ms = now_ms - self.since_ms if self.leaderless else 0
        self.failovers.append(self.last_failover_ms)
        del self.failovers[:-_KEPT_MAX]

    def elections_of_hour(self, now_ms: int) -> int:
        """Count the elections of the last hour."""
        return sum(now_ms - moment < HOUR_MS for moment in self._moments)

    def leaderless_ms(self, now_ms: int) -> int:
        """Say for how long nobody has led; 0 while somebody does."""
        return now_ms - self.since_ms if self.leaderless else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a till and its store stand at one moment; times in seconds."""

    in_store: bool = True  # whether there are other tills
    elections_of_hour: int = 0
    leaderless_s: float = 0.0
    split_brains: int = 0
    leader_lag_s: float = 0.0  # age of the oldest of this till's events that the leader does not hold
    hub_lag_s: float = 0.0  # the same for head office; 0 without one
    queue_leader: int = 0  # events that the leader does not hold
    queue_hub: int = 0  # events that head office does not hold
    conflicts_of_day: int = 0
    sales_of_day: int = 0

    def conflict_share(self) -> float:
        """Give conflicts per sale of the last day; 0 while the sales are too few to say."""
        return self.conflicts_of_day / self.sales_of_day if self.sales_of_day >= CONFLICT_SALES_MIN else 0.0


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that somebody should look at; ``check`` is the alert's name in snake case."""

    check: str
    text: str


def concerns(reading: Reading) -> list[Concern]:
    """Name what is over its limit, in words; nothing when all is well."""
    found = []
    if reading.in_store:
        found += _of_leadership(reading)
    queue = max(reading.queue_leader if reading.in_store else 0, reading.queue_hub)
    if queue > QUEUE_EVENTS_MAX:
        found.append(Concern("queue", f"{queue} events wait to be passed on. Look at the network and at head office."))
    if reading.conflict_share() > CONFLICT_SHARE_MAX:
        found.append(Concern("conflicts", _conflicts(reading)))
    return found


def _of_leadership(reading: Reading) -> list[Concern]:
    found = []
    if reading.elections_of_hour > ELECTIONS_HOUR_MAX:
        found.append(Concern("elections", _elections(reading)))
    if reading.leaderless_s > FAILOVER_S_MAX:
        found.append(Concern("failover", _leaderless(reading)))
    if reading.split_brains:
        found.append(Concern("split_brain", _split_brain(reading)))
    if reading.leader_lag_s > LEADER_LAG_S_MAX:
        found.append(Concern("lag", _lag(reading)))
    return found


def _conflicts(reading: Reading) -> str:
    conflicts, sales = reading.conflicts_of_day, reading.sales_of_day
    return f"{conflicts} conflicts in {sales} sales of the last day. Look at stock, and at tills that were cut off."


def _elections(reading: Reading) -> str:
    times = reading.elections_of_hour
    return f"The leading till changed {times} times in an hour. Look at the network between the tills."


def _leaderless(reading: Reading) -> str:
    return f"No till leads since {reading.leaderless_s:.0f} s. Selling goes on; settings and head office wait."


def _split_brain(reading: Reading) -> str:
    times = reading.split_brains
    return f"Two tills led at the same time, {times} times. That must never be: keep all data and ask for help."


def _lag(reading: Reading) -> str:
    return f"The leading till has lacked sales of this till for {reading.leader_lag_s:.0f} s. Look at its cable."
