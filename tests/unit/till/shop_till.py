"""A till with a database in memory, three people and a shelf of goods: commands go in, events come out."""

from collections.abc import Sequence
from typing import Any, TypeVar

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import in_memory
from tillmesh.adapters.sqlite.identity import till_of
from tillmesh.adapters.sqlite.ledger import log
from tillmesh.adapters.sqlite.store import Origin, Writer
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop import events as e
from tillmesh.shop.settings import STORE
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited
from tillmesh.till.effects import Outcome

T = TypeVar("T", bound=Record)
START_MS = 1_795_356_000_000  # a Sunday afternoon in November 2026
ORIGIN = Origin(store="corner0shop0", terminal="k3m7qx2p", actor="k3m7qx2p.4f9a2c77")
CASHIER = c.Who(user_id="cara", role="cashier")
SUPERVISOR = c.Who(user_id="sam", role="supervisor")
MANAGER = c.Who(user_id="mona", role="manager")
PEOPLE = {"cara": "cashier", "sam": "supervisor", "mona": "manager"}
GOODS: dict[str, dict[str, e.Value]] = {
    "milk": {"name": "Oat milk", "price_minor": 199, "tax_code": "reduced", "barcodes": ["4006381333931"]},
    "mug": {"name": "Enamel mug", "price_minor": 1_250, "tax_code": "standard", "barcodes": ["5012345678900"]},
    "apples": {"name": "Apples", "price_minor": 320, "tax_code": "zero", "unit": "kg", "barcodes": ["2100123000005"]},
    "old": {"name": "Last year's calendar", "price_minor": 100, "tax_code": "standard", "active": False},
}


class Shop:
    """One till and the shop behind it; every command comes a second after the one before."""

    def __init__(self, origin: Origin = ORIGIN, db: apsw.Connection | None = None) -> None:
        self.writer = Writer(in_memory() if db is None else db, origin)
        self.clock_ms = START_MS
        self.till = till_of(self.writer, origin, self.clock_ms)

    @property
    def books(self) -> Books:
        return self.writer.books

    def do(self, command: c.Command, who: c.Who = CASHIER, *, approved: Sequence[str] = ()) -> Outcome:
        """Do something as somebody, with approvals of these actions by the supervisor."""
        self.clock_ms += 1_000
        approvals = tuple(e.Approval(action=action, approved_by=SUPERVISOR.user_id) for action in approved)
        asking = c.Who(user_id=who.user_id, role=who.role, approvals=approvals)
        return self.writer.execute(self.till, asking, command, self.clock_ms)

    def read(self, event_id: object, kind: type[T]) -> T:
        """Read the body of a stored event."""
        event = self.books.event(str(event_id))
        assert event is not None, f"{event_id} is not there"
        return decode(event.body, kind)

    def furnish(self) -> "Shop":
        """Hire three people and fill the shelves."""
        people = tuple(e.Change(key=key, fields={"name": key, "role": role}) for key, role in PEOPLE.items())
        goods = tuple(e.Change(key=sku, fields={"sku": sku, **fields}) for sku, fields in GOODS.items())
        self.do(c.ChangeRecords(entity="person", changes=people), MANAGER)
        self.do(c.ChangeRecords(entity="product", changes=goods), MANAGER)
        return self

    def set_store(self, **fields: e.Value) -> None:
        self.do(c.ChangeRecords(entity="setting", changes=(e.Change(key=STORE, fields=fields),)), MANAGER)

    def get_a_scale(self) -> None:
        fields: dict[str, e.Value] = {"scale_kind": "mettler8217", "scale_target": "scale:4001"}
        changes = (e.Change(key=self.till.identity.terminal, fields=fields),)
        self.do(c.ChangeRecords(entity="setting", changes=changes), MANAGER)

    def open(self, float_minor: int = 10_000) -> "Shop":
        self.do(c.OpenShift(float_minor=float_minor))
        return self

    def sell(self, *lines: c.WantedLine, cart_id: str = "cart-1", paid: int | None = None, method: str = "cash") -> str:
        """Sell lines (a mug, when none are named) for exactly their price or for ``paid``; give the sale's id."""
        wanted = lines or (line("mug"),)
        if paid is None:
            paid = sum(
                (one.unit_price_minor if one.unit_price_minor is not None else price_of(one.sku)) * one.quantity_milli
                for one in wanted
            ) // 1000 - sum(one.discount_minor for one in wanted)
        payments = (e.Payment(method=method, amount_minor=paid),)
        return str(self.do(c.CloseSale(cart_id=cart_id, lines=wanted, payments=payments)).reply)

    def ops(self, *operations: c.CartOperation, cart_id: str = "cart-1", who: c.Who = CASHIER) -> Edited:
        """Change a working cart."""
        reply = self.do(c.EditCart(cart_id=cart_id, operations=operations), who).reply
        assert isinstance(reply, Edited)
        return reply

    def log(self) -> list[Envelope]:
        """Everything that happened, by actor."""
        return list(log(self.writer.db))

    def types(self) -> list[str]:
        return [event.type for event in self.log()]


def line(sku: str = "mug", pieces: int = 1, **more: Any) -> c.WantedLine:
    """Ask for some pieces of a product."""
    return c.WantedLine(sku=sku, quantity_milli=more.pop("milli", pieces * 1000), **more)


def price_of(sku: str) -> int:
    price = GOODS[sku]["price_minor"]
    assert isinstance(price, int)
    return price


def cash(amount_minor: int) -> tuple[e.Payment, ...]:
    return (e.Payment(method="cash", amount_minor=amount_minor),)


def add(line_id: str, sku: str = "mug", **more: Any) -> c.CartOperation:
    """Put a product into a cart; the operation is called like its line."""
    return c.CartOperation(op_id=f"add-{line_id}", op="add", line_id=line_id, sku=sku, **more)


def op(name: str, op_id: str, **more: Any) -> c.CartOperation:
    return c.CartOperation(op_id=op_id, op=name, **more)
