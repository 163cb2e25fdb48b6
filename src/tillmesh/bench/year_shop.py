"""A shop of many tills through a year of business days, in the time that its work takes.

What is sold goes through the real nodes, databases, signatures and sessions of every till, while tills restart, are
replaced and are upgraded. The simulation keeps its own sums beside it; reports, stock and ``tillmesh verify`` of every
till have to agree with them. Virtual time jumps from one moment of business to the next, and commits are not synced:
this measures growth, not the disk.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.adapters.sqlite import reporting
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.bench.goods import START_MS, invented
from tillmesh.bench.year_till import Wire, YearTill
from tillmesh.kernel.errors import Conflict
from tillmesh.shop.events import Payment
from tillmesh.shop.product_file import batches
from tillmesh.terminal import provisioning
from tillmesh.terminal.verifying import verify
from tillmesh.till.agreement import Belonging
from tillmesh.till.commands import (
    ChangeRecords,
    CloseSale,
    CloseShift,
    Command,
    FoldActors,
    OpenShift,
    ReceiveStock,
    VoidSale,
    WantedLine,
)
from tillmesh.till.folding import Ends, gone
from tillmesh.till.retention import DAY_MS

PRODUCTS: Final = 5_000
HOUR_MS: Final = 3_600_000
ROUNDS: Final = 2  # a morning and an afternoon: what is sold in one is synced at its end
_LINES: Final = (1, 1, 2, 2, 3, 3, 4, 5, 6, 8)
_VOIDED: Final = 100  # every so-manyth sale is taken back
_PUT_AWAY_DAYS: Final = 7
_BUG: Final = "This is a bug: please report it."


class YearShop:
    """The tills, what they are expected to say, and the calendar."""

    def __init__(self, place: Path, tills: int, products: int = PRODUCTS) -> None:
        self.place, self.day = place, 0
        self.wire = Wire()
        self.tills: list[YearTill] = []
        self.opened_ms: list[float] = []  # how long each start of a program took
        self.opened_cpu_ms: list[float] = []
        self.upgraded_ms: list[float] = []  # ... that found an older database
        self.sums: dict[int, Counter[str]] = {}  # day -> what the simulation itself counted
        self.stock: Counter[str] = Counter()
        self._leader = self._machines = 0
        self._is_folded = True  # all tills that are gone
        self._goods = list(invented(products))
        self._prices = {change.key: int(str(change.fields["price_minor"])) for change in self._goods}
        self._skus = list(self._prices)
        for _ in range(tills):
            self._join()
        self._furnish()

    # Tills --------------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        """A new machine becomes a till of the store."""
        place = self.place / f"till-{self._machines}"
        self._machines += 1
        now_s = int(time.time())
        till = YearTill(place, self.tills[0].opened.origin.store if self.tills else "", self.wire)
        origin = till.opened.origin
        if not self.tills:
            provisioning.found(place, origin.store, origin.actor, now_s)
        else:
            provisioning.enrol(self.tills[0].place, place, origin.store, origin.actor, now_s)
        self.tills.append(till)
        self._tell_lists()
        for each in self.tills:  # everybody goes on with the new list
            if each is not till:
                each.reader.close()
            each.begin(self._now_ms())
        self.relink()

    def _tell_lists(self) -> None:
        first = self.tills[0]
        store = first.opened.origin.store
        lists = provisioning.membership_in(first.place, store).lists
        authority = provisioning.authority_in(first.place, store).certificate
        for till in self.tills[1:]:
            provisioning.settle_in(till.place, authority, lists)

    def replace(self, number: int) -> None:
        """A till's machine is thrown away and another one takes its place; the store revokes the old one."""
        assert number, "the first till issues certificates here"
        old, first = self.tills.pop(number), self.tills[0]
        store = first.opened.origin.store
        membership = provisioning.membership_in(first.place, store)
        authority = provisioning.authority_in(first.place, store)
        membership.merge(provisioning.revoke(authority, membership, old.name, membership.as_of_s))
        provisioning.write_lists(first.place, membership.lists)
        old.throw_away()
        self._leader, self._is_folded = 0, False
        self._join()
        self.tills[-1].execute([OpenShift(float_minor=10_000)], self._now_ms())
        self.deliver()

    def restart(self, number: int, *, gently: bool, between: Callable[[Path], None] | None = None) -> None:
        """End a till's program and start it again; ``between`` is done to its data directory meanwhile."""
        till = self.tills[number]
        till.end(gently=gently)
        if between is not None:
            between(till.place)
        if between is None:
            with _timed(self.opened_ms), _cpu(self.opened_cpu_ms):
                till.start(self._now_ms())
        else:
            with _timed(self.upgraded_ms):
                till.start(self._now_ms())
            till.join_columns()  # its tables were made anew
        if number == self._leader:
            self._leader = (number + 1) % len(self.tills)
        self.relink()

    def relink(self) -> None:
        """Link everybody with who leads, as tills do after one of them was away."""
        leader, now_ms = self.tills[self._leader], self._now_ms()
        for till in self.tills:
            till.unlink()
        for till in self.tills:
            if till is not leader:
                till.link(leader.name, now_ms)
                leader.link(till.name, now_ms)
        for till in self.tills:
            till.follow(leader.name, now_ms)
        self.deliver()

    def deliver(self) -> None:
        """Bring everything that is said to whom it is said to, until nobody has more to say."""
        by_name, now_ms = {till.name: till for till in self.tills}, self._now_ms()
        while self.wire.frames:
            sender, receiver, frame = self.wire.frames.popleft()
            by_name[receiver].hear(sender, frame, now_ms)

    # Days ---------------------------------------------------------------------------------------------------------

    def _now_ms(self, hour: int = 8) -> int:
        return START_MS + self.day * DAY_MS + hour * HOUR_MS

    def _furnish(self) -> None:
        changes: list[Command] = [
            ChangeRecords(entity="product", changes=batch, source="bench") for batch in batches(self._goods)
        ]
        self.tills[0].execute(changes, self._now_ms(7))
        self.deliver()
        for till in self.tills:
            till.execute([OpenShift(float_minor=10_000)], self._now_ms(7))
        self.deliver()

    def live(self, sales: int) -> None:
        """Live through one day of so many sales."""
        draw, counted = Random(self.day), Counter[str]()  # noqa: S311 - shoppers need no secrets
        self.sums[self.day] = counted
        for turn in range(ROUNDS):
            for number, till in enumerate(self.tills):
                share = range(number * ROUNDS + turn, sales, len(self.tills) * ROUNDS)
                self._sell(till, [f"{self.day}-{one}" for one in share], 9 + 5 * turn, draw, counted)
            self.deliver()
        for till in self.tills:
            shift: list[Command] = [CloseShift(counted_minor=10_000), OpenShift(float_minor=10_000)]
            till.execute(shift, self._now_ms(20))
        self._receive(draw)
        self.deliver()

    def _sell(self, till: YearTill, carts: list[str], hour: int, draw: Random, counted: Counter[str]) -> None:
        wanted: list[Command] = []
        baskets: list[list[str]] = []
        for cart in carts:
            basket = draw.choices(self._skus, k=draw.choice(_LINES))
            total = sum(self._prices[sku] for sku in basket)
            lines = tuple(WantedLine(sku=sku, quantity_milli=1_000) for sku in basket)
            paid = (Payment(method="cash", amount_minor=-(-total // 1_000) * 1_000),)
            wanted.append(CloseSale(cart_id=cart, lines=lines, payments=paid))
            counted["total"] += total
            counted["sales"] += 1
            self.stock.subtract(basket)
            baskets.append(basket)
        outcomes = till.execute(wanted, self._now_ms(hour))
        undone = range(self.day % _VOIDED, len(carts), _VOIDED)
        till.execute(
            [VoidSale(sale_id=str(outcomes[n].reply), reason="wrong goods") for n in undone], self._now_ms(hour + 1)
        )
        for n in undone:
            back = sum(self._prices[sku] for sku in baskets[n])
            counted["total"] -= back
            counted["back"] += back
            self.stock.update(baskets[n])

    def _receive(self, draw: Random) -> None:
        """Goods come in at one till."""
        skus = draw.sample(self._skus, k=min(20, len(self._skus)))
        commands: list[Command] = [ReceiveStock(sku=sku, quantity_milli=50_000) for sku in skus]
        self.tills[self.day % len(self.tills)].execute(commands, self._now_ms(21))
        for sku in skus:
            self.stock[sku] += 50

    def night(self) -> None:
        """Tidy up, and put old sales away once a week; then it is the next day."""
        for till in self.tills:
            till.tidy()
        if self.day % _PUT_AWAY_DAYS == 0:
            leader = self.tills[self._leader]
            cut = leader.exchange.stable([till.name for till in self.tills])
            for till in self.tills:
                till.put_away(cut or {}, self._now_ms(22))
        if not self._is_folded:
            self._fold()
        self.day += 1

    def _fold(self) -> None:
        """The leader folds tills that are gone, and every till joins their columns."""
        leader, place = self.tills[self._leader], self.tills[0].place
        membership = provisioning.membership_in(place, leader.opened.origin.store)
        members = frozenset(till.opened.origin.actor for till in self.tills)
        ends = Ends(leader.exchange.ended([till.name for till in self.tills]), None)
        told = leader.opened.writer.books.folded()
        finals = gone(Belonging(members, membership.revoked), members, ends, told)
        if not finals:
            return
        epoch = membership.roster.version
        leader.execute([FoldActors(finals=tuple(finals.items()), epoch=epoch)], self._now_ms(23))
        self.deliver()
        for till in self.tills:
            till.join_columns()
        self._is_folded = True

    # What must be right -------------------------------------------------------------------------------------------

    def check_reports(self, number: int, first: int, last: int) -> int:
        """Compare a till's report of each day from one to another with the simulation's own sums; give how many."""
        till = self.tills[number]
        db, books = till.opened.writer.db, till.opened.writer.books
        begin = datetime.fromtimestamp(START_MS / 1e3, UTC).date()
        told = reporting.days(db, books, begin + timedelta(days=first), begin + timedelta(days=last))
        for day, said in zip(range(first, last + 1), told, strict=True):
            own = self.sums[day]
            found = (said["total_minor"], said["sales"], said["refunds_minor"])
            if found != (own["total"], own["sales"], own["back"]):
                raise Conflict(f"till {number} reports {said} for day {day}; it was {dict(own)}", hint=_BUG)
        return len(told)

    def check_stock(self, number: int) -> None:
        """Compare a till's stock of everything with the simulation's own."""
        db = self.tills[number].opened.writer.db
        held = rows(db, "SELECT sku, sum(p) - sum(n) FROM stock GROUP BY sku")
        wrong = {sku: (milli, self.stock[sku]) for sku, milli in held if milli != self.stock[sku] * 1_000}
        if wrong:
            raise Conflict(f"till {number} counts other stock: {wrong}", hint=_BUG)
        columns = one(db, "SELECT count(DISTINCT actor) FROM stock_column")
        if self._is_folded and columns > len(self.tills) + 1:  # those that are gone have one together
            raise Conflict(f"till {number} has {columns} columns of stock", hint=_BUG)

    def verify(self, number: int, *, quick: bool) -> str:
        """Run ``tillmesh verify`` on a till's data directory; give the hash of its state."""
        found = verify(self.tills[number].place, quick=quick)
        if not found["ok"]:
            raise Conflict(f"till {number} does not verify: {found['problems'][:3]} {found['gaps'][:3]}", hint=_BUG)
        return str(found["state_hash"])

    def close(self) -> None:
        """End all programs."""
        for till in self.tills:
            till.end()


@contextmanager
def _timed(into: list[float]) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    into.append((time.perf_counter() - begin) * 1e3)


@contextmanager
def _cpu(into: list[float]) -> Iterator[None]:
    begin = time.process_time()
    yield
    into.append((time.process_time() - begin) * 1e3)
