"""Giving out rights that nobody holds: the store agrees on each grant first, so no two tills give out the same goods.

A grant names the one before it that its till had seen carried out. So of two that were made without knowing each
other, by two tills that both led for an instant or by one that asked twice, the store's log takes the first and voids
the other. What was agreed is carried out by its own till as an event, once, whatever crashed in between.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from tillmesh.kernel.errors import Conflict
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.mesh import SYSTEM
from tillmesh.till.agreement import RightsGranted
from tillmesh.till.commands import IssueRights


class Agreement(Protocol):
    """The store's agreement, as far as rights are concerned."""

    def granted(self, sku: str) -> RightsGranted | None:
        """Give the last grant of a product."""
        ...

    def grants_of(self, actor: str) -> list[RightsGranted]:
        """List the last grants of all products that were an actor's."""
        ...

    async def grant(self, wanted: RightsGranted) -> bool:
        """Have the store agree, and say whether it counts; raises :class:`NoQuorum`."""
        ...


class Granting:
    """One till's part. Lives on the event loop."""

    def __init__(self, driver: Driver, agreement: Agreement) -> None:
        self._driver, self._agreement = driver, agreement
        self._done: dict[str, str] = {}  # sku -> the last own grant that was carried out

    async def is_open(self, sku: str) -> bool:
        """Say whether the last grant of a product is not carried out yet, as far as is known here."""
        last = self._agreement.granted(sku)
        return last is not None and not await self._is_done(last)

    async def _is_done(self, one: RightsGranted) -> bool:
        return await self._driver.look(lambda books: books.is_carried_out(one.actor, one.after, one.op_id))

    async def give_out(self, sku: str, quantity_milli: int, *, by: str = "", reason: str = "") -> bool:
        """Have the store agree that this till gives out so much, and do it; says whether it was agreed.

        Of a till that left the store and never said so, only a person gives the rest out again.
        """
        last = self._agreement.granted(sku)
        if last is not None and await self.is_open(sku):
            gone = last.actor not in self._driver.company().members
            if not (by and gone):
                return False
        wanted = RightsGranted(
            op_id=secrets.token_hex(12),
            sku=sku,
            actor=self._driver.identity.actor,
            quantity_milli=quantity_milli,
            after=self._driver.opened.till.head.seq,
            before="" if last is None else last.op_id,
            by=by,
            reason=reason,
        )
        if not await self._agreement.grant(wanted):
            return False
        await self.carry_out(wanted)
        return True

    async def carry_out_all(self) -> None:
        """Carry out what was agreed while this till did not hear of it, or before it stopped."""
        for each in self._agreement.grants_of(self._driver.identity.actor):
            if self._done.get(each.sku) != each.op_id and not await self._is_done(each):
                await self.carry_out(each)
            self._done[each.sku] = each.op_id

    async def carry_out(self, agreed: RightsGranted) -> None:
        """Write down that the rights are this till's, unless that was done."""
        command = IssueRights(
            sku=agreed.sku, reason=agreed.reason, by=agreed.by, grant=agreed.op_id,
            granted_milli=agreed.quantity_milli, granted_after=agreed.after,
        )  # fmt: skip
        await self._driver.do(SYSTEM, command)


def refuse_unless(agreed: bool) -> None:
    """Raise if rights were not given out."""
    if not agreed:
        raise Conflict(
            "another till is giving rights of this out at this moment", hint="Look who holds any, and try again."
        )
