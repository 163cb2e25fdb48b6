"""How far this till's clock is from those of the other tills: each says now and then what time it is.

Nothing is decided by it: stamps order without agreeing clocks. A wrong clock is named, so that somebody sets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tillmesh.adapters.lan.certificates import AHEAD_S_MAX, RELEASED_S
from tillmesh.kernel.hlc import PHYSICAL_MS_MAX
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync.store_messages import Clock
from tillmesh.terminal.driver import now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.store_post import StorePost
from tillmesh.till.upkeep import behind_floor_ms, skew_ms

SAY_EVERY_MS: Final = 10_000
LOOK_S: Final = 1.0  # whether somebody has set this machine's clock meanwhile
SET_MS: Final = 1_000


class Skew:
    """What this till knows of clocks; on the event loop. ``vouched_s`` is the time that the store vouches for."""

    def __init__(self, post: StorePost, mesh: Mesh, vouched_s: Callable[[], int]) -> None:
        self._post, self._mesh, self._vouched_s = post, mesh, vouched_s
        self._from_steady: dict[str, int] = {}  # of each till that is linked: its clock, less ours that nobody sets
        self._errands = Errands("comparing clocks")
        post.on(Clock, self._heard)
        mesh.watch(self._link_changed)

    def start(self) -> None:
        """Begin to say what time it is."""
        self._errands.run(self._saying())

    async def stop(self) -> None:
        """Stop."""
        await self._errands.stop()

    def ahead_ms(self) -> int:
        """Say how far this clock is ahead of the store's, or, below 0, behind it."""
        mine = _from_steady_ms()
        others = [theirs - mine for theirs in self._from_steady.values()]
        return max(skew_ms(others), floored_ms(self._vouched_s() - AHEAD_S_MAX), key=abs)

    def _heard(self, actor: str, message: Clock) -> None:
        self._from_steady[terminal_of(actor)] = message.wall_ms - steady_ms()

    def _link_changed(self, actor: str) -> None:
        terminal = terminal_of(actor)
        if terminal in self._mesh.linked():
            self._post.tell(terminal, _says())
        else:
            self._from_steady.pop(terminal, None)

    async def _saying(self) -> None:
        said_ms, said = 0, 0
        while True:
            now, mine = steady_ms(), _from_steady_ms()
            if now - said_ms >= SAY_EVERY_MS or abs(mine - said) > SET_MS:
                said_ms, said = now, mine
                self._post.tell_all(_says())
            await asyncio.sleep(LOOK_S)


def _says() -> Clock:
    return Clock(min(max(now_ms(), 0), PHYSICAL_MS_MAX))


def _from_steady_ms() -> int:
    return now_ms() - steady_ms()


def floored_ms(vouched_s: int = 0) -> int:
    """Say how far this machine's clock stands before a time that has certainly passed: below 0, or 0."""
    return behind_floor_ms(now_ms(), max(RELEASED_S, vouched_s) * 1_000)
