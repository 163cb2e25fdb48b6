"""Looks now and then for tills that are gone for good: has the store agree on it, tells it, tidies up after them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

import apsw

from tillmesh.adapters.sqlite import folding, replica
from tillmesh.adapters.sqlite.database import write
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.kernel.limits import FOLD_PRODUCTS_PER_TURN_MAX
from tillmesh.terminal.council_driver import CouncilDriver
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.till.agreement import Belonging, FoldDecided
from tillmesh.till.commands import FoldActors
from tillmesh.till.folding import Ends, gone

EVERY_S: Final = 60.0  # guess: nobody waits for it
TIDY_EVERY: Final = 60  # looks
REST_S: Final = 0.1  # between turns: sales go first
log = logging.getLogger(__name__)


class Folding:
    """One till's part in folding. ``office`` says what head office holds, None: there is none."""

    def __init__(
        self,
        driver: Driver,
        mesh: Mesh,
        council: CouncilDriver,
        known: Callable[[], tuple[Belonging, int]],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        """``known`` says who belongs to the store, and of which version the list of tills is that says so."""
        self.office: Callable[[], Mapping[str, int] | None] = lambda: None
        self.is_understood: Callable[[], bool] = lambda: True  # by the programs of all tills
        self._driver, self._mesh, self._council, self._known = driver, mesh, council, known
        self._every_s = every_s
        self._errands = Errands("folding")

    def start(self) -> None:
        """Begin."""
        self._errands.run(self._working())

    async def stop(self) -> None:
        """Stop after the turn that is being written."""
        await self._errands.stop()

    async def _working(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(self._every_s)
            looks += 1
            try:
                self.propose()
                told = await self.tell()
                if told or looks % TIDY_EVERY == 1:
                    await self.tidy(rest_s=REST_S)
            except TillmeshError as cause:
                log.warning("what tills that are gone have left is not tidied up for now: %s", cause.detail)

    def counts(self) -> dict[str, int]:
        """Count the actors on the list of tills: those that belong to the store, those that are gone, those folded."""
        known, _ = self._known()
        folded = len(self._council.council.agreed.folded)
        left = sum(not is_office(actor) for actor in known.revoked - known.members)
        return {"member": len(known.members), "gone": left, "folded": folded}

    def propose(self) -> None:
        """As the leader, have the store agree on who is gone for good."""
        if not (self._council.council.leads and self.is_understood()):
            return
        known, epoch = self._known()
        status, agreed = self._council.council.status(), self._council.council.agreed
        ended = self._mesh.exchange.ended(self._council.silence.counted())
        seated = {str(node) for node in (*status.voters, *status.learners)}
        finals = gone(known, seated, Ends(ended, self.office()), agreed.folded)
        if finals:
            self._council.offer(FoldDecided(op_id=secrets.token_hex(12), finals=finals, epoch=epoch))

    async def tell(self) -> bool:
        """As the leader, make an event of what was agreed and is none yet; say whether that was so.

        Any later leader does, whatever became of the one before: what was agreed stands in the agreement's snapshot.
        """
        if not self._council.council.leads:
            return False
        agreed, told = self._council.council.agreed, await self._driver.look(lambda books: books.folded())
        new = {actor: last for actor, last in agreed.folded.items() if told.get(actor, 0) < last}
        if new:
            log.info("gone for good, and folded from now on: %s", ", ".join(sorted(new)))
            await self._driver.do(SYSTEM, FoldActors(finals=tuple(sorted(new.items())), epoch=agreed.epoch))
        return bool(new)

    async def tidy(self, *, rest_s: float = 0.0) -> int:
        """Carry rows of folded actors over, some products at a time; give how many."""
        known, _ = self._known()
        gone_for_good = {terminal_of(actor) for actor in known.revoked - known.members}
        peers = sorted(gone_for_good - {terminal_of(actor) for actor in known.members})
        await self._driver.on_writer(lambda db: replica.forget_acks(db, peers), spare=False)
        carried, last = 0, ""
        while skus := await self._waiting(last, known.members):
            carried += await self._driver.on_writer(partial(_carry, skus, known.members), spare=False)
            last = skus[-1]
            await asyncio.sleep(rest_s)
        if carried:
            log.info("%d rows of stock of tills that are gone were joined with others", carried)
        return carried

    async def _waiting(self, after: str, but: Collection[str]) -> list[str]:
        most = FOLD_PRODUCTS_PER_TURN_MAX
        return await self._driver.read(lambda db, _: folding.waiting(db, after, most, but=but))


def _carry(skus: list[str], but: Collection[str], db: apsw.Connection) -> int:
    with write(db):
        return folding.carry(db, skus, but=but)
