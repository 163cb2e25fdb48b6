"""People at the tills: they buy, bring back, count, correct and change things, and try again when no answer came."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import StorageFailed, TillmeshError
from tillmesh.shop import events as e
from tillmesh.shop.settings import STORE as STORE_SETTINGS
from tillmesh.sim.history import Attempt, History
from tillmesh.sim.shop import CASHIER, MANAGER, PRICES, SUPERVISOR
from tillmesh.sim.station import Station
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited
from tillmesh.till.effects import Outcome

SKUS: Final = tuple(sorted(PRICES))


class Shoppers:
    """Everybody who walks up to a till, from one source of chance."""

    def __init__(self, draw: Random, history: History) -> None:
        self._draw = draw
        self._history = history
        self._number = 0
        self._parked: list[str] = []
        self._open_carts: dict[int, list[str]] = {}
        self._unanswered: list[tuple[Attempt, c.Who]] = []

    def visit(self, station: Station) -> None:
        """Do one thing at a till that is running."""
        if station.look(lambda books: books.current_shift()) is None:
            self._open_shift(station)
            return
        again = [(attempt, who) for attempt, who in self._unanswered if attempt.till == station.number]
        if again and self._draw.random() < 0.5:
            attempt, who = self._draw.choice(again)
            self._unanswered.remove((attempt, who))
            self._history.counts["asked again"] += 1
            self._ask(station, who, attempt.key, attempt.command)
            return
        self._draw.choices(
            [act for act, _ in self._ACTS], [weight for _, weight in self._ACTS]
        )[0](self, station)  # fmt: skip

    def _ask(self, station: Station, who: c.Who, key: str, command: c.Command) -> None:
        attempt = self._history.ask(key, station.number, command)

        def told(result: Outcome | TillmeshError | None) -> None:
            match result:
                case Outcome():
                    self._take(station, attempt, result)
                case StorageFailed() | None:
                    # Not saved, or nobody knows: whoever sees that tries again, and must not be charged twice.
                    attempt.answer = "unknown"
                    if isinstance(command, c.CloseSale | c.PayCart | c.RefundSale | c.VoidSale):
                        self._unanswered.append((attempt, who))
                case TillmeshError():
                    attempt.answer = "no"
            self._history.counts[f"{type(command).__name__} {attempt.answer}"] += 1

        station.do(who, command, told)

    def _take(self, station: Station, attempt: Attempt, outcome: Outcome) -> None:
        """Take an answer in, as the till shows it once it is durable."""
        attempt.answer = "ok"
        if isinstance(outcome.reply, Edited):
            return
        attempt.event_id = str(outcome.reply or "")
        if isinstance(attempt.command, c.ParkCart):
            self._parked.append(attempt.event_id)
        if isinstance(attempt.command, c.CloseSale | c.PayCart):
            event = station.look(lambda books: books.event(attempt.event_id))
            assert event is not None, "a sale was answered and can't be read"
            sale = decode(event.body, e.SaleClosed)
            attempt.total_minor, attempt.receipt_number = sale.total_minor, sale.receipt_number

    def _new(self, what: str) -> str:
        self._number += 1
        return f"{what}-{self._number}"

    def _sku(self) -> str:
        return self._draw.choice(SKUS)

    # What people do -----------------------------------------------------------------------------------------------

    def _open_shift(self, station: Station) -> None:
        self._number += 1
        float_minor = 10_000 + self._number
        self._ask(station, CASHIER, f"open-{float_minor}", c.OpenShift(float_minor=float_minor))

    def _buy(self, station: Station) -> None:
        lines = tuple(
            c.WantedLine(sku=self._sku(), quantity_milli=1000 * self._draw.randrange(1, 4))
            for _ in range(self._draw.randrange(1, 4))
        )
        total = sum(self._price(station, line.sku) * line.quantity_milli // 1000 for line in lines)
        command = c.CloseSale(cart_id=self._new("cart"), lines=lines, payments=self._payments(total))
        self._ask(station, CASHIER, command.cart_id, command)

    def _price(self, station: Station, sku: str) -> int:
        product = station.look(lambda books: books.product(sku))
        assert product is not None
        return product.price_minor

    def _payments(self, total_minor: int) -> tuple[e.Payment, ...]:
        """Pay in cash, by card, or a part by card, and now and then too little."""
        kind = self._draw.randrange(10)
        if kind == 0:
            return (e.Payment("cash", max(1, total_minor // 2)),)
        if kind < 4:
            return (e.Payment("card", total_minor),)
        if kind < 6:
            return (e.Payment("card", total_minor // 3 + 1), e.Payment("cash", total_minor))
        return (e.Payment("cash", -(-total_minor // 500) * 500),)

    def _fill_cart(self, station: Station) -> None:
        cart_id = self._new("cart")
        add = c.CartOperation(
            op_id="1", op="add", line_id="1", sku=self._sku(), quantity=str(self._draw.randrange(1, 4))
        )
        self._open_carts.setdefault(station.number, []).append(cart_id)
        self._ask(station, CASHIER, "", c.EditCart(cart_id=cart_id, operations=(add,)))

    def _finish_cart(self, station: Station) -> None:
        """Pay a working cart, or park it for any till."""
        carts = self._open_carts.get(station.number, [])
        if not carts:
            self._fill_cart(station)
            return
        cart_id = carts.pop(self._draw.randrange(len(carts)))
        if self._draw.random() < 0.5:
            label = self._new("park")
            self._ask(station, CASHIER, label, c.ParkCart(cart_id=cart_id, label=label))
        else:
            paid = e.Payment("cash", 100_000)
            self._ask(station, CASHIER, cart_id, c.PayCart(cart_id=cart_id, payments=(paid,)))

    def _resume(self, station: Station) -> None:
        """Take up a cart that any till parked; perhaps another till does so at the same time."""
        if not self._parked:
            self._finish_cart(station)
            return
        park_id = self._draw.choice(self._parked)
        parked = station.look(lambda books: books.parked(park_id))
        if parked is not None and parked.event is not None and not parked.removed:
            cart_id = decode(parked.event.body, e.CartParked).cart_id
            self._open_carts.setdefault(station.number, []).append(cart_id)
        self._ask(station, CASHIER, "resume-" + park_id, c.ResumeCart(park_id=park_id))

    def _refund(self, station: Station) -> None:
        sales = self._history.sales()
        if not sales:
            self._buy(station)
            return
        sale = self._draw.choice(sales)
        back = c.WantedRefund(quantity_milli=1000, line=0, restock=self._draw.random() < 0.7)
        key = self._new("refund")
        command = c.RefundSale(sale_id=sale.event_id, lines=(back,), reason="back", refund_key=key)
        self._ask(station, SUPERVISOR, key, command)

    def _void(self, station: Station) -> None:
        sales = self._history.sales()
        if not sales:
            self._buy(station)
            return
        sale, key = self._draw.choice(sales), self._new("void")
        self._ask(station, SUPERVISOR, key, c.VoidSale(sale_id=sale.event_id, reason=key))

    def _receive(self, station: Station) -> None:
        key, quantity = self._new("receive"), 1000 * self._draw.randrange(1, 20)
        self._ask(station, CASHIER, key, c.ReceiveStock(sku=self._sku(), quantity_milli=quantity, reason=key))

    def _adjust(self, station: Station) -> None:
        key, quantity = self._new("adjust"), 1000 * self._draw.choice((-3, -2, -1, 1, 2))
        self._ask(station, SUPERVISOR, key, c.AdjustStock(sku=self._sku(), quantity_milli=quantity, reason=key))

    def _count(self, station: Station) -> None:
        key, quantity = self._new("count"), 1000 * self._draw.randrange(40)
        self._ask(station, SUPERVISOR, key, c.CountStock(sku=self._sku(), quantity_milli=quantity, reason=key))

    def _move_cash(self, station: Station) -> None:
        key, amount = self._new("cash"), self._draw.choice((-2_000, -500, 1_000))
        self._ask(station, SUPERVISOR, key, c.MoveCash(amount_minor=amount, reason=key))

    def _close_shift(self, station: Station) -> None:
        self._number += 1
        counted_minor = 10_000 + self._number
        self._ask(station, CASHIER, f"close-{counted_minor}", c.CloseShift(counted_minor=counted_minor))

    def _reprice(self, station: Station) -> None:
        key = self._new("price")
        fields: dict[str, e.Value] = {"price_minor": self._draw.randrange(50, 2_000), "name": key}
        change = e.Change(key=self._sku(), fields=fields)
        self._ask(station, MANAGER, key, c.ChangeRecords(entity="product", changes=(change,)))

    def _customer(self, station: Station) -> None:
        key = self._new("customer")
        change = e.Change(key=f"c{self._draw.randrange(5)}", fields={"name": key, "phone": str(self._number)})
        self._ask(station, CASHIER, key, c.ChangeRecords(entity="customer", changes=(change,)))

    def _setting(self, station: Station) -> None:
        if station.seat is not None:
            self.decide(station)
            return
        key = self._new("setting")
        self._ask(station, MANAGER, key, _footer(key))

    def decide(self, station: Station) -> Attempt:
        """Have the store decide on a setting."""
        assert station.seat is not None
        key = self._new("setting")
        command = _footer(key)
        attempt = self._history.ask(key, station.number, command)

        def told(taken: bool) -> None:
            attempt.answer = "ok" if taken else "unknown"
            self._history.counts["decided" if taken else "not decided in time"] += 1

        attempt.answer = "open"
        station.seat.decide(key, command.changes, MANAGER, told)
        return attempt

    _ACTS: Final[list[tuple[Callable[[Shoppers, Station], None], int]]] = [
        (_buy, 30), (_fill_cart, 5), (_finish_cart, 8), (_resume, 5), (_refund, 5), (_void, 3), (_receive, 4),
        (_adjust, 2), (_count, 3), (_move_cash, 2), (_close_shift, 2), (_reprice, 4), (_customer, 3), (_setting, 4),
    ]  # fmt: skip


def _footer(key: str) -> c.ChangeRecords:
    change = e.Change(key=STORE_SETTINGS, fields={"receipt_footer": key})
    return c.ChangeRecords(entity="setting", changes=(change,))
