"""Asking the till that keeps a purse, or a coupon's last use, before it is taken; who does not answer stops nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import count
from typing import Final

from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, KEY_CHARS_MAX, PURSE_ANSWER_MS, PURSE_HEAR_S, PURSES_SERVED_MAX
from tillmesh.shop import purses
from tillmesh.shop.events import PurseMove
from tillmesh.sync.channels import Channel
from tillmesh.sync.purse_messages import Answer, Ask, AskTurn, read_purse, write_purse
from tillmesh.terminal.driver import Driver, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh
from tillmesh.till.desk import Company
from tillmesh.till.holds import Holds, keeper_of
from tillmesh.till.purses import available_at
from tillmesh.till.turns import NEW_CARD, Turn, left_of

SALE: Final = "sale"  # no purse: the right to give something of a sale back, which one till has at a time
GIVING_BACK: Final = "giving-back"  # in the place of a cart: one till may do so again and again


class PurseHolds:
    """The reservations that this till keeps, and its questions to the tills that keep the others. On the event loop."""

    def __init__(
        self,
        driver: Driver,
        mesh: Mesh | None = None,
        company: Callable[[], Company] = Company,
        *,
        clock_ms: Callable[[], int] = steady_ms,
        patience_ms: int = PURSE_ANSWER_MS,
    ) -> None:
        self._driver = driver
        self._mesh = mesh
        self._company = company
        self._clock_ms, self._patience_s = clock_ms, patience_ms / 1_000
        self._holds = Holds()
        self._serving: Counter[str] = Counter()  # questions of a till that are under way
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._errands = Errands("reservations of purses")
        if mesh is not None:
            mesh.on(Channel.PURSES, self._heard)

    async def stop(self) -> None:
        """Answer nobody any more."""
        await self._errands.stop()

    async def ask(self, cart_id: str, takings: Sequence[PurseMove], turns: Sequence[Turn] = ()) -> bool:
        """Reserve what a cart takes; False if a till that was to be asked about a purse did not answer in time.

        Raises :class:`Conflict` if another cart is taking so much of a purse that too little is left, or has the last
        use of what this one has its turn for.
        """
        if not takings and not turns:
            return True
        await self._until_heard()
        wanted: list[PurseMove | Turn] = [*purses.summed(takings), *turns]  # a card scanned twice pays both amounts
        answers = await asyncio.gather(*(self._asked(cart_id, one) for one in wanted))
        for one, answer in zip(wanted, answers, strict=True):
            if answer is not None and not answer.granted and await self._believed(one):
                raise _refusal(one)
        return all(answer is not None or isinstance(one, Turn) for one, answer in zip(wanted, answers, strict=True))

    async def keep_sale(self, sale_id: str) -> None:
        """Keep a sale for this till while something of it goes back; raises :class:`Conflict` if another till does."""
        await self._until_heard()
        answer = await self._asked(GIVING_BACK, PurseMove(purse=SALE, account=sale_id, amount=-1))
        if answer is not None and not answer.granted:
            raise Conflict(
                "another till gives something of this sale back at this moment",
                hint="Look at the sale again in a few seconds.",
            )

    async def _until_heard(self) -> None:
        """Wait a moment for what other tills wrote and is on its way: without it less may be taken out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PURSE_HEAR_S):
                while self._company().behind:  # noqa: ASYNC110 - what is waited for is a message on any link
                    await asyncio.sleep(0.01)

    async def _asked(self, cart_id: str, one: PurseMove | Turn) -> Answer | None:
        me, company = self._driver.identity.terminal, self._company()
        ask = _question(next(self._numbers), cart_id, one)
        kind, name = (ask.kind, ask.name) if isinstance(ask, AskTurn) else (ask.purse, ask.account)
        if len(name) > KEY_CHARS_MAX or (isinstance(ask, AskTurn) and len(ask.customer_id) > KEY_CHARS_MAX):
            return None  # nobody has it, and no other till could read the question
        keeper = keeper_of(kind, name, [me, *company.others])
        if keeper == me:
            return await self._answer(ask, me)
        waiting = self._waiting[ask.number] = asyncio.get_running_loop().create_future()
        try:
            if self._mesh is None or not self._mesh.tell(keeper, Channel.PURSES, write_purse(ask)):
                return None
            return await asyncio.wait_for(waiting, self._patience_s)
        except TimeoutError:
            return None
        finally:
            del self._waiting[ask.number]

    async def _believed(self, one: PurseMove | Turn) -> bool:
        """Say whether it is there as far as this till knows; if not, the command itself says so in better words."""
        if isinstance(one, Turn):
            return all(left > 0 for _, left in await self._left(one))
        return await self._held(one.purse, one.account) >= abs(one.amount)

    async def _held(self, purse: str, account: str) -> int:
        if purse == SALE:
            return 1
        return await self._driver.look(
            lambda books: available_at(books, self._driver.identity, Company(), purse, account)
        )

    async def _left(self, turn: Turn) -> list[tuple[str, int]]:
        return await self._driver.look(lambda books: left_of(books, turn))

    async def _answer_turn(self, ask: AskTurn, till: str) -> Answer:
        """Keep one use, within each limit that this till knows of."""
        left = await self._left(Turn(kind=ask.kind, name=ask.name, code=ask.code, customer_id=ask.customer_id))
        now_ms, cart = self._clock_ms(), ask.cart_id
        kept = [self._holds.ask(ask.kind, place, cart, 1, free, now_ms, till=till) for place, free in left]
        granted = all(found for found, _ in kept)
        return Answer(ask.number, granted, int(granted))

    async def _answer(self, ask: Ask | AskTurn, till: str) -> Answer:
        """Keep what is asked for; what this till knows to be gone the other may not have heard of yet."""
        if isinstance(ask, AskTurn):
            return await self._answer_turn(ask, till)
        held = await self._held(ask.purse, ask.account)
        granted, free = self._holds.ask(
            ask.purse, ask.account, ask.cart_id, ask.amount, held, self._clock_ms(), till=till
        )
        return Answer(ask.number, granted, min(free, AMOUNT_MINOR_MAX))

    def _heard(self, actor: str, body: bytes) -> None:
        message = read_purse(body)
        if isinstance(message, Ask | AskTurn):
            if (
                self._serving[actor] < PURSES_SERVED_MAX
            ):  # whoever asks more is not answered, and takes what it may apart
                self._serving[actor] += 1
                self._errands.run(self._reply(actor, message))
        elif message is not None and (waiting := self._waiting.get(message.number)) is not None and not waiting.done():
            waiting.set_result(message)

    async def _reply(self, actor: str, ask: Ask | AskTurn) -> None:
        terminal = terminal_of(actor)
        try:
            answer = await self._answer(ask, terminal)
        finally:
            self._serving[actor] -= 1
        if self._mesh is not None:
            self._mesh.tell(terminal, Channel.PURSES, write_purse(answer))


def _question(number: int, cart_id: str, one: PurseMove | Turn) -> Ask | AskTurn:
    cart = sha256(cart_id.encode()).hexdigest()[:40]  # a caller's cart may be called anything
    if isinstance(one, Turn):
        return AskTurn(number, one.kind, one.name, cart, one.code, one.customer_id)
    return Ask(number, one.purse, one.account, cart, min(abs(one.amount), AMOUNT_MINOR_MAX))


def _refusal(one: PurseMove | Turn) -> Conflict:
    """Say in the cashier's words what another cart has at this moment."""
    if not isinstance(one, Turn):
        return Conflict("another till is taking from this at this moment", hint="Try again in a few seconds.")
    if one.kind == NEW_CARD:
        return Conflict("another till is selling this gift card at this moment", hint="Take another card.")
    if one.code:
        what = f"another till is using the coupon {one.code} at this moment"
        return Conflict(what, hint="Try again in a few seconds.")
    return Conflict("another till is giving the last of an offer at this moment", hint="Try again in a few seconds.")
