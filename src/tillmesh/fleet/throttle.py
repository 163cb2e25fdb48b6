"""How often one store may call: a bucket of tokens each, so that one store in a loop does not take the others' turn."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from tillmesh.kernel.errors import TooMany

BURST: Final = 60  # a day's backlog of 15 tills in one go
PER_S: Final = 10  # guess: 10,000 events a second, far above any store
# Questions pass the one writer like uploads. An honest store asks a few times a minute; a model of 32 MiB is 128
# pieces, and a store that is recovered reads pages in a row: over the burst it waits as it is told.
ASKS_BURST: Final = 200
ASKS_PER_S: Final = 20
# Pictures of products have calls of their own, so that they take no sale's turn. A store that is new brings thousands.
PICTURES_BURST: Final = 50
PICTURES_PER_S: Final = 10
STORES_KEPT_MAX: Final = 100_000


class Throttle:
    """Counts the calls of stores. A store that was quiet for long has a full bucket, remembered or not."""

    def __init__(self, burst: int = BURST, per_s: int = PER_S) -> None:
        self._burst, self._per_s = burst, per_s
        self._stores: OrderedDict[str, tuple[int, int]] = OrderedDict()  # thousandths of calls left, as of (ms)

    def admit(self, store: str, now_ms: int) -> None:
        """Count a call; raises :class:`TooMany` with the time to wait if the store called too often."""
        left, as_of_ms = self._stores.pop(store, (self._burst * 1_000, now_ms))
        left = min(self._burst * 1_000, left + max(0, now_ms - as_of_ms) * self._per_s)
        allowed = left >= 1_000
        self._stores[store] = (left - 1_000 if allowed else left, now_ms)
        while len(self._stores) > STORES_KEPT_MAX:
            self._stores.popitem(last=False)
        if not allowed:
            wait_ms = -(-(1_000 - left) // self._per_s)
            raise TooMany(
                f"{store} calls more than {self._per_s} times a second, and had {self._burst} calls ahead of that",
                retry_after_ms=wait_ms,
                hint="Wait a moment.",
            )
