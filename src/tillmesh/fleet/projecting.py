"""Events as rows: what the master database and analytics store, decided once for every adapter.

Rows of events of different actors never depend on each other, so entries can be applied in any order of actors and the
tables are a pure function of the set of events. Of one actor an event counts only as long as all of its numbers so far
stay within a bound: a till that is broken or lies can't make a sum pass 64 bits, which would stop head office.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from tillmesh.crdt import LWWMap, Stamp
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.limits import ACTOR_SUM_MAX, AMOUNT_MINOR_MAX, KEY_CHARS_MAX, SALE_LINES_MAX
from tillmesh.shop import events as e
from tillmesh.shop.personal import CUSTOMER, ERASED
from tillmesh.shop.stock import movements

NUMBER_MAX: Final = AMOUNT_MINOR_MAX * SALE_LINES_MAX
NOTHING_YET: Final[Mapping[str, int]] = {}


class Kind(IntEnum):
    """What a receipt is for."""

    SALE = 0
    REFUND = 1
    VOID = 2


class SaleRow(NamedTuple):
    """One receipt. Amounts as they stand on it; a refund or void counts against the total of its store."""

    actor: str
    seq: int
    kind: int
    at_ms: int
    number: str
    person: str
    customer_id: str
    currency: str
    total_minor: int
    tax_minor: int
    discount_minor: int
    rounding_minor: int
    answers: str  # event id of the sale that is taken back


class LineRow(NamedTuple):
    """One line of a sale or refund."""

    actor: str
    seq: int
    line: int
    kind: int
    at_ms: int
    sku: str
    name: str
    quantity_milli: int
    total_minor: int
    tax_minor: int


class PaymentRow(NamedTuple):
    """One payment, given or given back."""

    actor: str
    seq: int
    payment: int
    kind: int
    method: str
    amount_minor: int


class MoveRow(NamedTuple):
    """How one event moved the stock of one product."""

    actor: str
    sku: str
    plus_milli: int
    minus_milli: int


class WriteRow(NamedTuple):
    """Fields that one event wrote into one register."""

    entity: str
    key: str
    written: LWWMap


@dataclass(slots=True)
class Rows:
    """What events of one store add."""

    sales: list[SaleRow] = field(default_factory=list)
    lines: list[LineRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    moves: list[MoveRow] = field(default_factory=list)
    writes: list[WriteRow] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)  # by how much each actor's sums may have grown
    aside: dict[str, int] = field(default_factory=dict)  # how many events of an actor do not count

    def add(self, more: Rows) -> None:
        """Add the rows of one more event."""
        self.sales += more.sales
        self.lines += more.lines
        self.payments += more.payments
        self.moves += more.moves
        self.writes += more.writes

    def of(self, actor: str) -> tuple[int, int]:
        """Give what an actor's sums may have grown by, and how many of its events do not count."""
        return self.weights.get(actor, 0), self.aside.get(actor, 0)

    def set_aside(self, actor: str) -> None:
        """Note that an event of an actor does not count; its chain and the log have it all the same."""
        self.aside[actor] = self.aside.get(actor, 0) + 1


def project(events: Iterable[Envelope], carried: Mapping[str, int] = NOTHING_YET) -> Rows:
    """Turn events into rows; types of a newer program, and what can't count, are kept in the log only.

    ``carried`` is what each actor's events before these weigh, as :attr:`Rows.weights` has added up.
    """
    rows = Rows()
    for event in events:
        kind = e.known(event.type, event.version)
        if kind is None:
            continue
        one = Rows()
        try:
            body = decode(event.body, kind)
            one.moves += [MoveRow(event.actor, sku, max(0, by), -by if by < 0 else 0) for sku, by in movements(body)]
            _receipt(one, event, body)
        except TillmeshError:
            rows.set_aside(event.actor)  # hostile or newer: the chain holds its bytes, and no sum depends on it
            continue
        weight, before = _weight(one), rows.weights.get(event.actor, 0)
        if _sane(one, weight) and carried.get(event.actor, 0) + before + weight <= ACTOR_SUM_MAX:
            rows.add(one)
            rows.weights[event.actor] = before + weight
        else:
            rows.set_aside(event.actor)
    return rows


def fits(found: Rows, carried: Mapping[str, int]) -> bool:
    """Say whether rows that were made without what their actors carry already are those to be had with it."""
    return all(carried.get(actor, 0) + weight <= ACTOR_SUM_MAX for actor, weight in found.weights.items())


def _weight(rows: Rows) -> int:
    """Give a bound for how much one event can add to any one sum."""
    return max(
        sum([abs(r.total_minor) for r in rows.sales]),
        sum([max(abs(r.tax_minor), abs(r.discount_minor), abs(r.rounding_minor)) for r in rows.sales]),
        sum([max(abs(r.total_minor), abs(r.tax_minor), abs(r.quantity_milli)) for r in rows.lines]),
        sum([abs(r.amount_minor) for r in rows.payments]),
        sum([max(r.plus_milli, r.minus_milli) for r in rows.moves]),
    )


def _sane(rows: Rows, weight: int) -> bool:
    """Say whether every database can store it: a broken till must not break a report, or head office itself.

    Sums of very many numbers must fit 64 bits, keys an index, and no text may hold a NUL. No number is larger than
    the ``weight`` of all of them.
    """
    return (weight <= NUMBER_MAX or _sane_numbers(rows)) and _sane_texts(rows)


def _sane_numbers(rows: Rows) -> bool:
    return (
        all(max(abs(r.total_minor), abs(r.tax_minor)) <= NUMBER_MAX for r in rows.sales)
        and all(max(abs(r.discount_minor), abs(r.rounding_minor)) <= NUMBER_MAX for r in rows.sales)
        and all(max(abs(r.total_minor), abs(r.tax_minor), abs(r.quantity_milli)) <= NUMBER_MAX for r in rows.lines)
        and all(abs(r.amount_minor) <= NUMBER_MAX for r in rows.payments)
        and all(max(r.plus_milli, r.minus_milli) <= NUMBER_MAX for r in rows.moves)
    )


def _sane_texts(rows: Rows) -> bool:
    texts: list[str] = []
    keys: list[str] = [write.key for write in rows.writes]
    for sale in rows.sales:
        if not 0 <= sale.at_ms <= NUMBER_MAX:
            return False
        texts += (sale.number, sale.person, sale.customer_id, sale.currency, sale.answers)
    for line in rows.lines:
        keys.append(line.sku)
        texts.append(line.name)
    keys += [move.sku for move in rows.moves]
    texts += [payment.method for payment in rows.payments]
    return all(len(key) <= KEY_CHARS_MAX for key in keys) and "\0" not in "".join(texts + keys)


def _receipt(rows: Rows, event: Envelope, body: object) -> None:
    match body:
        case e.SaleClosed():
            _sale(rows, event, body)
        case e.SaleRefunded():
            _refund(rows, event, body)
        case e.SaleVoided():
            at_ms = body.voided_at_ms or physical_ms(event.hlc)
            rows.sales.append(
                SaleRow(event.actor, event.seq, Kind.VOID, at_ms, body.receipt_number, body.by, "", "",
                        body.total_minor, body.tax_minor, 0, body.rounding_minor, body.sale_id)
            )  # fmt: skip
            _payments(rows, event, Kind.VOID, body.payments)
        case e.CustomerErased():
            rows.writes.append(WriteRow(CUSTOMER, body.customer_id, ERASED))
        case _ if isinstance(body, e.RegistersChanged):
            stamp = Stamp(e.counted(body.authority), event.hlc, event.actor)
            for change in body.changes:
                rows.writes.append(WriteRow(e.ENTITIES[type(body)], change.key, LWWMap.of(change.fields, stamp)))
        case _:
            pass


def _sale(rows: Rows, event: Envelope, body: e.SaleClosed) -> None:
    at_ms = body.closed_at_ms or physical_ms(event.hlc)
    rows.sales.append(
        SaleRow(event.actor, event.seq, Kind.SALE, at_ms, body.receipt_number, body.cashier, body.customer_id,
                body.currency, body.total_minor, body.tax_minor, body.discount_minor, body.rounding_minor, "")
    )  # fmt: skip
    for number, line in enumerate(body.lines):
        rows.lines.append(
            LineRow(event.actor, event.seq, number, Kind.SALE, at_ms, line.sku, line.name, line.quantity_milli,
                    line.total_minor, line.tax_minor)
        )  # fmt: skip
    _payments(rows, event, Kind.SALE, body.payments)


def _refund(rows: Rows, event: Envelope, body: e.SaleRefunded) -> None:
    at_ms = body.refunded_at_ms or physical_ms(event.hlc)
    rows.sales.append(
        SaleRow(event.actor, event.seq, Kind.REFUND, at_ms, body.receipt_number, body.by, body.customer_id,
                body.currency, body.total_minor, body.tax_minor, 0, body.rounding_minor, body.sale_id)
    )  # fmt: skip
    for number, line in enumerate(body.lines):
        rows.lines.append(
            LineRow(event.actor, event.seq, number, Kind.REFUND, at_ms, line.sku, line.name, line.quantity_milli,
                    line.total_minor, line.tax_minor)
        )  # fmt: skip
    _payments(rows, event, Kind.REFUND, body.payments)


def _payments(rows: Rows, event: Envelope, kind: Kind, payments: Iterable[e.Payment]) -> None:
    for number, payment in enumerate(payments):
        rows.payments.append(PaymentRow(event.actor, event.seq, number, kind, payment.method, payment.amount_minor))
