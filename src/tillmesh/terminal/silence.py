"""Looks at how long other tills of the store have been silent: for whoever would wait for them, and for people."""

from __future__ import annotations

from collections.abc import Callable

from tillmesh.adapters.sqlite import watching
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.mesh import Mesh
from tillmesh.till.agreement import Belonging
from tillmesh.till.silence import counted


class Silence:
    """What this till knows of silent ones. ``ahead_ms`` says how far its clock is ahead of the store's."""

    def __init__(self, driver: Driver, mesh: Mesh, known: Callable[[], Belonging]) -> None:
        self.ahead_ms: Callable[[], int] = lambda: 0
        self._driver, self._mesh, self._known = driver, mesh, known
        self._ms: dict[str, int] = {}  # as the last look found it

    async def look(self) -> dict[str, int]:
        """Say of each other till of the store for how many milliseconds it has been silent."""
        others = self._members() - {self._driver.identity.terminal}
        lacked, now = self._mesh.exchange.lacked(others), now_ms() - self.ahead_ms()
        silences = await self._driver.read(lambda db, _: watching.silences_ms(db, lacked, now))
        self._ms = dict.fromkeys(others, 0) | silences
        return self._ms

    def counted(self) -> frozenset[str]:
        """Name the terminals of the store without those that were silent for too long at the last look."""
        return counted(self._members(), self._ms)

    def _members(self) -> frozenset[str]:
        return frozenset(terminal_of(actor) for actor in self._known().members)
