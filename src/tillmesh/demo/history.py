"""Two weeks in the life of the demo shop, as commands for the very use cases that the UI calls.

A script is a generator: it yields a step, is sent the outcome, and goes on from there (a refund needs the id of its
sale). It is a pure function of products, seed and the moment "now"; nothing in it reads a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from random import Random
from typing import Final, NamedTuple, TypeAlias

from tillmesh.demo.shop_data import CASHIER, CUSTOMERS, MANAGER, PEOPLE, SUPERVISOR, Person
from tillmesh.demo.shoppers import OPENS_HOUR, Choice, Shoppers, at_ms
from tillmesh.kernel.codec import Record
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop.cart import Cart, CartLine, Policy
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import Approval, CashMoved, SaleClosed, SaleRefunded, SaleVoided, ShiftOpened
from tillmesh.shop.pricing import price
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited
from tillmesh.till.effects import Outcome

DAYS: Final = 14
FLOAT_MINOR: Final = 10_000
SAFE_MINOR: Final = 30_000  # above this, cash goes to the safe
FRESH_MILLI: Final = 25_000  # what a day may need of one fresh thing
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
CLOSES_HOUR: Final = 20
_CASHIERS: Final = tuple(person for person in PEOPLE if person.role == "cashier")
_REFUND_REASONS: Final = ("Damaged packaging", "Wrong item", "Past its date", "Changed their mind")
_VOID_REASONS: Final = ("Scanned twice", "Customer left without paying", "Wrong payment method")
_LOSSES: Final = ("Broken on the shelf", "Past its date", "Staff tasting")


class Step(NamedTuple):
    """One thing that somebody did, and when."""

    at_ms: int
    who: c.Who
    command: c.Command


Script: TypeAlias = Generator[Step, Outcome, None]


def tell(
    products: Sequence[Product], policy: Policy, *, seed: int, now_ms: int, zone: tzinfo, days: int = DAYS
) -> Script:
    """Tell the last ``days`` days and today's open shift, up to ``now_ms``."""
    today = datetime.fromtimestamp(now_ms / 1_000, UTC).astimezone(zone).date()
    first = today - timedelta(days=days)
    rng = Random(f"{seed} {first}")  # noqa: S311 - invented shoppers need no secrets
    shop = _Shop(rng, Shoppers(rng, products), policy, zone, now_ms, at_ms(first, zone, 6))
    yield from shop.stock_up()
    for day in (first + timedelta(days=n) for n in range(days)):
        yield from shop.day(day)
    yield from shop.today(today)


@dataclass
class _Shop:
    """What a shop keeper would know: the time, the drawer, the shelves, the last receipts."""

    rng: Random
    shoppers: Shoppers
    policy: Policy
    zone: tzinfo
    now_ms: int
    clock_ms: int
    cash_minor: int = 0
    carts: int = 0
    stock_milli: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    recent: list[tuple[str, SaleClosed]] = field(default_factory=list)  # sales that may still come back

    def do(
        self, person: Person, command: c.Command, *approved: str, after_ms: int = 1
    ) -> Generator[Step, Outcome, Outcome]:
        """Do one thing a moment later, and note what it did to drawer and shelves."""
        self.clock_ms = min(self.clock_ms + after_ms, self.now_ms)
        approvals = tuple(Approval(action=action, approved_by=SUPERVISOR.user_id) for action in approved)
        outcome = yield Step(
            self.clock_ms, c.Who(user_id=person.user_id, role=person.role, approvals=approvals), command
        )
        for body in outcome.bodies:
            self._note(body)
        return outcome

    def _note(self, body: Record) -> None:
        match body:
            case ShiftOpened():
                self.cash_minor = body.float_minor
            case CashMoved():
                self.cash_minor += body.amount_minor
            case SaleClosed():
                self.cash_minor += sum(p.amount_minor for p in body.payments if p.method == "cash") - body.change_minor
                for line in body.lines:
                    self.stock_milli[line.sku] -= line.quantity_milli
            case SaleVoided() | SaleRefunded():
                self.cash_minor -= sum(p.amount_minor for p in body.payments if p.method == "cash")
            case _:
                pass

    # Shelves.

    def stock_up(self) -> Script:
        """Receive the opening stock: more of what is cheap, little of what is dear."""
        for product in self.shoppers.assortment:
            if product.track_stock:
                fewest, most = (40, 80) if _fresh(product) else (8, 36) if product.price_minor < 300 else (5, 16)
                yield from self._receive(product, self.rng.randint(fewest, most), "Opening stock")

    def _receive(self, product: Product, amount: int, reason: str) -> Script:
        quantity = amount * 1_000
        command = c.ReceiveStock(sku=product.sku, quantity_milli=quantity, reason=reason)
        yield from self.do(MANAGER, command, after_ms=900)
        self.stock_milli[product.sku] += quantity

    def deliveries(self, day: date) -> Script:
        """Fill up what is fresh every morning, and twice a week most of what ran low."""
        lorry = day.weekday() in {0, 3}
        for product in self.shoppers.assortment:
            left = self.stock_milli[product.sku]
            if not product.track_stock or left > max(
                product.low_stock_milli, FRESH_MILLI if _fresh(product) else 3_000
            ):
                continue
            if _fresh(product) or (lorry and self.rng.random() < 0.8):
                yield from self._receive(product, self.rng.randint(12, 40), "Delivery")

    def losses(self) -> Script:
        """Write off a few things, and count a shelf."""
        for _ in range(self.rng.randint(1, 3)):
            product = self.rng.choice(self.shoppers.assortment)
            if product.track_stock and self.stock_milli[product.sku] >= 3_000:
                reason = self.rng.choice(_LOSSES)
                yield from self.do(SUPERVISOR, c.AdjustStock(sku=product.sku, quantity_milli=-1_000, reason=reason))
                self.stock_milli[product.sku] -= 1_000
        product = self.rng.choice(self.shoppers.assortment)
        if product.track_stock and self.stock_milli[product.sku] >= 2_000:
            counted = self.stock_milli[product.sku] - self.rng.choice((0, 0, 1_000))
            yield from self.do(SUPERVISOR, c.CountStock(sku=product.sku, quantity_milli=counted, reason="Shelf check"))
            self.stock_milli[product.sku] = counted

    # Days.

    def day(self, day: date) -> Script:
        """Live a whole day: deliveries, a shift, its Z report."""
        self.clock_ms = max(self.clock_ms, at_ms(day, self.zone, 6, self.rng.randint(0, 1_500)))
        yield from self.deliveries(day)
        cashier = self.rng.choice(_CASHIERS)
        self.clock_ms = max(self.clock_ms, at_ms(day, self.zone, OPENS_HOUR - 1, 45 * 60))
        yield from self.do(cashier, c.OpenShift(float_minor=FLOAT_MINOR))
        for moment in self.shoppers.times(day, self.zone, self.now_ms):
            yield from self.serve(cashier, moment)
        self.clock_ms = max(self.clock_ms, at_ms(day, self.zone, CLOSES_HOUR, self.rng.randint(300, 1_500)))
        yield from self.losses()
        yield from self.close(cashier)

    def close(self, cashier: Person) -> Script:
        """Count the drawer, now and then a little wrong, and close."""
        variance = self.rng.choices((0, -5, 10, -20, 50, -100, -200), (55, 12, 12, 8, 5, 5, 3))[0]
        counted = max(0, self.cash_minor + variance)
        yield from self.do(cashier, c.CloseShift(counted_minor=counted), "close_shift", after_ms=5 * MINUTE_MS)

    def today(self, today: date) -> Script:
        """Open today's shift and sell until now; somebody's cart stays parked."""
        opens = min(at_ms(today, self.zone, OPENS_HOUR - 1, 45 * 60), self.now_ms - 3 * HOUR_MS)
        self.clock_ms = max(self.clock_ms, opens - 2 * HOUR_MS)
        yield from self.deliveries(today)
        self.clock_ms = max(self.clock_ms, opens)
        yield from self.do(CASHIER, c.OpenShift(float_minor=FLOAT_MINOR))
        moments = self.shoppers.times(today, self.zone, self.now_ms - MINUTE_MS)
        if len(moments) < 12:  # an early start, or a very late one: a quiet shop is still a shop
            moments = sorted(self.rng.randint(self.clock_ms, self.now_ms - MINUTE_MS) for _ in range(12))
        for moment in moments:
            yield from self.serve(CASHIER, moment)
        yield from self.park(CASHIER)

    # Sales.

    def serve(self, cashier: Person, moment_ms: int) -> Script:
        """Serve one shopper, and whatever else happens at the till around it."""
        self.clock_ms = max(self.clock_ms, min(moment_ms, self.now_ms))
        hour = datetime.fromtimestamp(self.clock_ms / 1_000, UTC).astimezone(self.zone).hour
        basket = self.shoppers.basket(hour, self.stock_milli)
        if not basket:
            return
        special = self.rng.random() < 0.07
        yield from self.discounted(cashier, basket) if special else self.plain(cashier, basket)
        event = self.rng.random()
        if not self.recent:
            return
        if event < 0.007:
            yield from self.void(cashier)
        elif event < 0.022:
            yield from self.refund(cashier)
        elif event < 0.026:
            yield from self.do(cashier, c.OpenDrawer(reason="Change for a note"), "open_drawer", after_ms=MINUTE_MS)
        if self.cash_minor > SAFE_MINOR + FLOAT_MINOR:
            yield from self.do(
                SUPERVISOR, c.MoveCash(amount_minor=-SAFE_MINOR, reason="To the safe"), after_ms=MINUTE_MS
            )

    def plain(self, cashier: Person, basket: Sequence[Choice]) -> Script:
        """Sell a basket as it is."""
        cart = Cart(cart_id="", lines=tuple(_line(n, choice) for n, choice in enumerate(basket)))
        payments = self.shoppers.pay(price(cart, self.policy).total_minor)
        lines = tuple(self.shoppers.line(choice) for choice in basket)
        command = c.CloseSale(cart_id=self._cart_id(), lines=lines, payments=payments, customer_id=self._customer())
        self._remember((yield from self.do(cashier, command, after_ms=len(basket) * 2_500)))

    def discounted(self, cashier: Person, basket: Sequence[Choice]) -> Script:
        """Sell a basket of which something is reduced."""
        cart_id = self._cart_id()
        operations = [*_adds(basket), self._discount(basket)]
        edit = c.EditCart(cart_id=cart_id, operations=tuple(operations))
        edited = (yield from self.do(cashier, edit, "discount", "price_override", after_ms=len(basket) * 3_000)).reply
        assert isinstance(edited, Edited), "editing a cart gives the cart"
        total = price(edited.cart, self.policy).total_minor
        pay = c.PayCart(cart_id=cart_id, payments=self.shoppers.pay(total))
        self._remember((yield from self.do(cashier, pay, "discount", "price_override", after_ms=20_000)))

    def _discount(self, basket: Sequence[Choice]) -> c.CartOperation:
        choice = self.rng.choice(basket)
        line_id = f"l{basket.index(choice)}"
        match self.rng.randrange(4):
            case 0:
                return c.CartOperation(op_id="d", op="discount_cart", percent="10", reason="Staff")
            case 1:
                return c.CartOperation(
                    op_id="d", op="discount_line", line_id=line_id, percent="50", reason="Short date"
                )
            case 2:
                reduced = choice.product.price_minor * 8 // 10
                return c.CartOperation(op_id="d", op="set_price", line_id=line_id, unit_price_minor=reduced,
                                       reason="Shelf label says so")  # fmt: skip
            case _:
                return c.CartOperation(
                    op_id="d", op="discount_line", line_id=line_id, percent="20", reason="Damaged box"
                )

    def park(self, cashier: Person) -> Script:
        """Leave a cart for somebody who forgot the purse."""
        basket = self.shoppers.basket(12, self.stock_milli)
        if basket:
            edit = c.EditCart(cart_id=self._cart_id(), operations=tuple(_adds(basket)))
            yield from self.do(cashier, edit)
            yield from self.do(cashier, c.ParkCart(cart_id=edit.cart_id, label="Mr Lindley, back in 10 minutes"))

    def void(self, cashier: Person) -> Script:
        """Take the sale of a moment ago back."""
        sale_id, _ = self.recent.pop()
        command = c.VoidSale(sale_id=sale_id, reason=self.rng.choice(_VOID_REASONS))
        yield from self.do(cashier, command, "void", after_ms=MINUTE_MS)

    def refund(self, cashier: Person) -> Script:
        """Take one line of an earlier sale back, once per sale."""
        index = self.rng.randrange(len(self.recent))
        sale_id, sale = self.recent.pop(index)
        number = self.rng.randrange(len(sale.lines))
        line = sale.lines[number]
        quantity = line.quantity_milli if line.unit != "piece" else 1_000
        wanted = c.WantedRefund(quantity_milli=quantity, line=number, restock=self.rng.random() < 0.6)
        if line.total_minor < quantity // 1_000:
            return  # nothing was paid for it
        command = c.RefundSale(sale_id=sale_id, lines=(wanted,), reason=self.rng.choice(_REFUND_REASONS))
        yield from self.do(cashier, command, "refund", after_ms=2 * MINUTE_MS)
        if wanted.restock:
            self.stock_milli[line.sku] += quantity

    def _remember(self, outcome: Outcome) -> None:
        for body in outcome.bodies:
            if isinstance(body, SaleClosed):
                self.recent.append((str(outcome.reply), body))
        del self.recent[:-200]

    def _cart_id(self) -> str:
        self.carts += 1
        return f"demo-{self.carts:05d}"

    def _customer(self) -> str:
        return self.rng.choice(CUSTOMERS).customer_id if self.rng.random() < 0.12 else ""


def _fresh(product: Product) -> bool:
    """Say whether it comes every morning: our own goods and what everybody buys."""
    return product.favourite or product.sku.startswith("FM-")


def _line(number: int, choice: Choice) -> CartLine:
    product, quantity = choice
    return CartLine(
        line_id=f"l{number}", sku=product.sku, name=product.name, unit=product.unit, quantity_milli=quantity,
        list_price_minor=product.price_minor, tax_code=product.tax_code,
    )  # fmt: skip


def _adds(basket: Sequence[Choice]) -> list[c.CartOperation]:
    return [
        c.CartOperation(
            op_id=f"a{n}", op="add", line_id=f"l{n}", sku=choice.product.sku,
            quantity=format_quantity(choice.quantity_milli),
        )
        for n, choice in enumerate(basket)
    ]  # fmt: skip
