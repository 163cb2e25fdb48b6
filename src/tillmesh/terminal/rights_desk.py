"""Rights to sell hard-limited goods, on their way between tills: asked for when few are left, given out, handed on.

A sale never waits for any of it. What was handed on counts once its event has come in, like everything else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

from tillmesh.adapters.sqlite import escrow as stored
from tillmesh.adapters.sqlite.books import Books
from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.codec import Record
from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.limits import RIGHTS_ANSWER_MS, RIGHTS_ASK_MS, RIGHTS_ASKED_MAX, RIGHTS_SERVED_MAX
from tillmesh.shop import escrow
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import MoneyConflictSettled, ProductsChanged, RightsIssued, RightsMoved, RightsReleased
from tillmesh.shop.stock import movements
from tillmesh.sync.channels import Channel
from tillmesh.sync.rights_messages import AskRights, RightsAnswer, read_rights, write_rights
from tillmesh.terminal.driver import Driver, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.terminal.rights_granting import Granting, refuse_unless
from tillmesh.till.commands import HandRights, IssueRights, Who
from tillmesh.till.council_steps import NoQuorum
from tillmesh.till.effects import Outcome
from tillmesh.till.granting import require_limited, require_whole, unheld

# Stand for who waits: all that is asked for is given, not half of what there is.
LEAVING: Final = "leaving"
OWED: Final = "owed"  # sold before the till knew of the limit
Shelf = tuple[Product, BoundedCounter, int]  # a limited product, its rights, and for how much nobody holds any


class RightsDesk:
    """Looks after the limited goods of one till. Lives on the event loop."""

    def __init__(
        self, driver: Driver, mesh: Mesh | None = None, *, clock_ms: Callable[[], int] = steady_ms,
        patience_ms: int = RIGHTS_ANSWER_MS,
    ) -> None:  # fmt: skip
        self.granting: Granting | None = None  # None: at a till alone, which agrees with itself
        self._agreeing = asyncio.Lock()  # one grant at a time
        self._driver = driver
        self._mesh = mesh
        self._clock_ms, self._patience_s = clock_ms, patience_ms / 1_000
        self._limited: set[str] = set()
        self._asked: dict[str, int] = {}  # when this till asked for a product by itself
        self._waits: set[str] = set()  # products that are looked at again in a while
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[RightsAnswer]] = {}
        self._leaving, self._given = False, 0  # the last event that says what was given away before
        self._serving: Counter[str] = Counter()  # questions of a till that are under way
        self._later = False  # whether it is looked again in a while
        self._came = asyncio.Condition()
        self._errands = Errands("rights to sell")
        driver.listen(self._committed)
        if mesh is not None:
            mesh.on(Channel.RIGHTS, self.received)
            mesh.watch(lambda _: self._linked())

    async def stop(self) -> None:
        """Ask and answer nobody any more."""
        await self._errands.stop()

    def _linked(self) -> None:
        """A till came or went: what was asked before may never have arrived."""
        self._asked.clear()
        self.look_at_all()

    def look_at_all(self) -> None:
        """Look at every limited product: at the start, when a till comes or goes, when another one leads."""
        self._errands.run(self._look_at_all())

    def heard(self, bodies: Iterable[Record]) -> None:
        """Look at the limited products that these events are about."""
        found: set[str] = set()
        for body in bodies:
            match body:
                case ProductsChanged():
                    marked = {one.key for one in body.changes if one.fields.get("hard_limited")}
                    self._limited |= marked
                    found |= marked
                case MoneyConflictSettled() if self._limited:
                    self.look_at_all()  # goods that came back twice may be given out now
                case RightsMoved() | RightsIssued() | RightsReleased():
                    self._limited.add(body.sku)
                    found.add(body.sku)
                case _ if self._limited:
                    found |= {sku for sku, _ in movements(body)} & self._limited
                case _:
                    pass
        if found:
            self._errands.run(self._look(sorted(found)))

    async def ask(self, sku: str, quantity_milli: int, by: str) -> int:
        """Ask the richest till in reach for rights that somebody waits for; give what has come in.

        Raises :class:`NotFound` if no till in reach holds any, :class:`Conflict` if it says no or nothing.
        """
        _, rights, _ = await self._shelf(sku)
        held = {actor: rights.rights(actor) for actor in self._reachable()}
        holder = max(held, key=lambda one: (held[one], one), default="")
        if not holder or held[holder] <= 0:
            raise NotFound(
                "no till in reach holds any", hint="Sell something else, or wait until the others are heard."
            )
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._tell(holder, AskRights(number, sku, quantity_milli, by))
            async with asyncio.timeout(self._patience_s):
                answer: RightsAnswer = await waiting
                if answer.quantity_milli:
                    await self._until_here(answer.event)
        except TimeoutError:
            raise Conflict("the other till does not answer", hint="Try again in a few seconds.") from None
        finally:
            del self._waiting[number]
        if not answer.quantity_milli:
            raise Conflict("the other till has just sold its last", hint="Look who holds any now.")
        return answer.quantity_milli

    async def hand_all_on(self) -> bool:
        """Give everything to the tills in reach, as this one is about to leave; says whether one of them has heard it.

        With nobody in reach there is nothing to wait for: a manager takes over what is left.
        """
        heirs, self._leaving = sorted(self._reachable()), True
        if self._mesh is None or not heirs:
            return True
        for place, sku in enumerate(await self._driver.read(lambda db, _: stored.limited(db))):
            _, rights, _ = await self._shelf(sku)
            own = rights.rights(self._driver.identity.actor)
            if own > 0:
                gift = HandRights(sku=sku, to=heirs[place % len(heirs)], quantity_milli=own, by=LEAVING)
                self._given = (await self._driver.do(SYSTEM, gift)).head.seq
        return self._mesh.exchange.held_elsewhere() >= self._given

    def stay(self) -> None:
        """Hear that this till does not leave, or not any more: it asks for rights again."""
        if self._leaving:
            self._leaving, self._given = False, 0
            self.look_at_all()

    async def issue(self, who: Who, sku: str, reason: str) -> None:
        """Give out what nobody holds because somebody wants it; raises what the shop or the store says to it."""
        missing = await self._driver.look(lambda books: unheld(books, sku))
        if self.granting is None or missing <= 0:
            await self._driver.do(who, IssueRights(sku=sku, reason=reason))
            return
        require_limited(await self._driver.look(lambda books: books.product(sku)), sku)
        async with self._agreeing:
            require_whole(self._driver.company())
            refuse_unless(await self.granting.give_out(sku, missing, by=who.user_id, reason=reason))

    def settled(self) -> None:
        """Hear that the store has decided something: perhaps that this till gives rights out."""
        if self.granting is not None:
            self._errands.run(self.granting.carry_out_all())

    async def _until_here(self, event: str) -> None:
        async with self._came:
            while await self._driver.look(lambda books: books.event(event)) is None:
                await self._came.wait()

    def _reachable(self) -> list[str]:
        return [] if self._mesh is None else list(self._mesh.linked().values())

    def _committed(self, outcome: Outcome) -> None:
        self.heard(outcome.bodies)

    async def _look_at_all(self) -> None:
        self._limited |= set(await self._driver.read(lambda db, _: stored.limited(db)))
        self.settled()
        await self._look(sorted(self._limited))

    async def _look(self, skus: Iterable[str]) -> None:
        async with self._came:
            self._came.notify_all()
        for sku in skus:
            try:
                product, rights, missing = await self._shelf(sku)
            except NotFound:
                continue  # its product is yet to come; that is told, too
            if product.hard_limited:
                await self._even_out(product, rights, missing)
                self._ask_for_more(product, rights)

    def _look_later(self) -> None:
        """Look again when what others hold has come in: it may say that the rights are given out already."""
        if not self._later:
            self._later = True
            self._errands.run(self._looking_later())

    async def _looking_later(self) -> None:
        await asyncio.sleep(RIGHTS_ASK_MS / 1_000)
        self._later = False
        await self._look_at_all()

    async def _shelf(self, sku: str) -> Shelf:
        def query(books: Books) -> Shelf:
            product = books.product(sku)
            if product is None:
                raise NotFound(f"no product {sku[:40]!r}", hint="Add the product first.")
            return product, books.rights(sku), unheld(books, sku)

        return await self._driver.look(query)

    async def _even_out(self, product: Product, rights: BoundedCounter, missing: int) -> None:
        """Give out what nobody holds a right for, where the store is led and every till is heard."""
        company = self._driver.company()
        if not company.leads or not missing or (missing > 0 and not company.is_whole):
            return
        if missing > 0 and not company.knows_all:
            self._look_later()
            return
        if missing < 0 and rights.rights(self._driver.identity.actor) <= 0:
            return
        if missing < 0 or self.granting is None:
            await self._driver.do(SYSTEM, IssueRights(sku=product.sku))
        else:
            await self._agree(product.sku, self.granting)

    async def _agree(self, sku: str, granting: Granting) -> None:
        """Have the store agree that this till gives out what nobody holds; without a majority it waits."""
        async with self._agreeing:
            missing = await self._driver.look(lambda books: unheld(books, sku))
            try:
                agreed = missing <= 0 or await granting.give_out(sku, missing)
            except NoQuorum:
                agreed = False
        if not agreed:
            self._look_later()

    def _ask_for_more(self, product: Product, rights: BoundedCounter) -> None:
        """Ask for rights before anybody wants them, once in a while for each product."""
        me, now = self._driver.identity.actor, self._clock_ms()
        wanted = escrow.wish(rights, me, self._reachable(), escrow.step_of(product.unit))
        if wanted is None or self._leaving:
            return
        self._errands.run(self._look_again(product.sku))
        if now - self._asked.get(product.sku, -RIGHTS_ASK_MS) < RIGHTS_ASK_MS:
            return
        if len(self._asked) >= RIGHTS_ASKED_MAX:
            self._asked.clear()
        owes = OWED if rights.rights(me) < 0 else ""
        if self._tell(wanted.holder, AskRights(next(self._numbers), product.sku, wanted.quantity_milli, owes)):
            self._asked[product.sku] = now

    async def _look_again(self, sku: str) -> None:
        """Ask again in a while what was asked too often, got too little or never arrived."""
        if sku in self._waits:
            return
        self._waits.add(sku)
        try:
            await asyncio.sleep(RIGHTS_ASK_MS / 1_000)
        finally:
            self._waits.discard(sku)
        await self._look([sku])

    def _tell(self, actor: str, message: AskRights | RightsAnswer) -> bool:
        if self._mesh is None:
            return False
        terminal = next((name for name, peer in self._mesh.linked().items() if peer == actor), "")
        return self._mesh.tell(terminal, Channel.RIGHTS, write_rights(message))

    def received(self, actor: str, body: bytes) -> None:
        """Take in what another till says about rights."""
        message = read_rights(body)
        if isinstance(message, AskRights):
            if self._serving[actor] < RIGHTS_SERVED_MAX:  # what is asked beyond is asked again
                self._serving[actor] += 1
                self._errands.run(self._hand_on(actor, message))
        elif message is not None and (waiting := self._waiting.get(message.number)) is not None and not waiting.done():
            waiting.set_result(message)

    async def _hand_on(self, actor: str, ask: AskRights) -> None:
        command = HandRights(sku=ask.sku, to=actor, quantity_milli=ask.quantity_milli, by=ask.by)
        try:
            outcome = await self._driver.do(SYSTEM, command)
        finally:
            self._serving[actor] -= 1
        given = sum(body.quantity_milli for body in outcome.bodies if isinstance(body, RightsMoved))
        self._tell(actor, RightsAnswer(ask.number, given, str(outcome.reply or "")))
