"""A till that was taken over writes whatever it likes: every other till takes it in, and counts what can be counted."""

import random
from collections.abc import Sequence
from contextlib import closing
from datetime import date

import apsw
import msgspec
import pytest

from tests.hostile_bodies import ALL_KINDS, hostile, numbers_of
from tests.unit.till.shop_till import ORIGIN, START_MS, SUPERVISOR, Shop
from tillmesh.adapters.sqlite import listings, oversold, purses, reporting
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import in_memory, rows, write
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.hlc import pack
from tillmesh.kernel.limits import COLUMN_MILLI_MAX, EVENT_NUMBER_MAX
from tillmesh.shop import events as e
from tillmesh.till import commands as c

HOSTILE = "hostile0.aaaaaaaa"


def chained(bodies: Sequence[tuple[str, bytes]], actor: str = HOSTILE) -> list[Envelope]:
    """Seal bodies as their actor would, one a second."""
    head, events = Head(actor), []
    for number, (kind, body) in enumerate(bodies):
        event = seal(ORIGIN.store, head, hlc=pack(START_MS + 1_000 * number), kind=kind, version=1, body=body)
        events.append(event)
        head = Head(actor, event.seq, event.hash)
    return events


def written(*bodies: Record) -> list[Envelope]:
    return chained([(e.NAMES[type(body)], encode(body)) for body in bodies])


def replica(events: Sequence[Envelope], step: int = 0) -> apsw.Connection:
    db = in_memory()
    ledger = Ledger(db, ORIGIN.store)
    for first in range(0, len(events), step or len(events)):
        with write(db):
            ledger.append_foreign(events[first : first + (step or len(events))])
    return db


def aside(db: apsw.Connection) -> list[int]:
    return [seq for (seq,) in rows(db, "SELECT seq FROM aside ORDER BY seq")]


def test_every_number_in_every_event_has_a_range() -> None:
    found = [one for _, kind in ALL_KINDS for one in numbers_of(kind)]
    assert len(found) > 100
    assert [name for name, hint in found if hint is int] == []


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_till_writes_the_others_take_in_and_end_in_one_state_and_their_pages_open(seed: int) -> None:
    rng = random.Random(seed)
    mixed = [tame for tame in (0.5, 0.9, 1.0) for _ in range(6)]
    bodies = [(name, hostile(kind, rng, tame=tame)) for tame in mixed for name, kind in ALL_KINDS]
    rng.shuffle(bodies)
    events = chained(bodies)
    with closing(replica(events)) as whole, closing(replica(events, 7)) as parts:
        assert state_parts(whole) == state_parts(parts)
        assert 0 < len(aside(whole)) < len(events)
        books = Books(whole, "front000")
        reporting.days(whole, books, date(1970, 1, 1), date(1970, 1, 3))
        for page in (
            purses.totals, purses.below_zero, purses.owing, listings.stock_levels, listings.stock_value,
            oversold.below_zero,
        ):  # fmt: skip
            page(whole)
        list(listings.parked(books))
        list(books.records("product"))
        books.tax_codes()
        before = state_parts(whole)
        with write(whole):
            Ledger(whole, ORIGIN.store).rebuild()
        assert state_parts(whole) == before


def test_numbers_near_2_to_the_62_in_a_delivery_stop_nobody_and_count_nowhere() -> None:
    huge = (e.StockMove(sku="mug", quantity_milli=2**62),)
    events = written(
        e.StockReceived(moves=(e.StockMove(sku="mug", quantity_milli=5_000),), by="x"),
        e.StockReceived(moves=huge, by="x"),
        e.StockReceived(moves=huge, by="x"),
        e.StockReceived(moves=(e.StockMove(sku="mug", quantity_milli=7_000),), by="x"),
    )
    with closing(replica(events)) as db:
        assert aside(db) == [2, 3]
        assert Books(db, "front000").stock_milli("mug") == 12_000
        assert Books(db, "front000").vector() == ((HOSTILE, 4),), "its chain goes on, here and wherever it is passed on"


def test_very_many_of_the_largest_numbers_add_up_to_no_more_than_a_count_can_put_right() -> None:
    """As many as it likes: of one actor a column stops, in whatever parts the events come."""
    most = e.StockMove(sku="mug", quantity_milli=EVENT_NUMBER_MAX)
    less = e.StockMove(sku="mug", quantity_milli=-EVENT_NUMBER_MAX)
    events = written(*[e.StockReceived(moves=moves, by="x", limited=("mug",)) for moves in ((most,), (less,)) * 3])
    with closing(replica(events)) as whole, closing(replica(events, 1)) as singly:
        assert state_parts(whole) == state_parts(singly)
        assert Books(whole, "front000").stock_columns("mug") == {HOSTILE: (COLUMN_MILLI_MAX, COLUMN_MILLI_MAX)}
        assert Books(whole, "front000").rights("mug").rights(HOSTILE) == 0
    shop = Shop().furnish().open()
    with shop.writer.transaction():
        shop.writer.ledger.append_foreign(events[:1])
    shop.books.forget()
    assert shop.books.stock_milli("mug") == COLUMN_MILLI_MAX
    shop.do(c.CountStock(sku="mug", quantity_milli=3_000), SUPERVISOR)
    shop.sell()
    assert shop.books.stock_milli("mug") == 2_000


def test_sums_of_money_that_pass_64_bits_fail_no_report_and_no_list_of_purses() -> None:
    """A hundred thousand of the largest sales would do it; a few rows of the sum's size stand for them."""
    with closing(in_memory()) as db:
        for seq in range(1, 4):
            db.execute("INSERT INTO purse_entry VALUES ('points', 'ann', 1, ?, 0, 0, ?)", (seq, 2**62))
            db.execute("INSERT INTO receipt VALUES (1, ?, 0, 0, 'x', 's', 'p', '', ?, 0, 0, NULL, NULL)", (seq, 2**62))
        with pytest.raises(apsw.Error, match="overflow"):
            db.execute("SELECT sum(amount) FROM purse_entry").fetchall()
        assert purses.balance(db, "points", "ann") == 3 * 2**62
        assert purses.totals(db)["points"]["held"] > 2**62
        (day,) = reporting.days(db, Books(db, "front000"), date(1970, 1, 1), date(1970, 1, 1))
        assert day["total_minor"] == 3 * 2**62
        db.execute("DELETE FROM purse_entry WHERE seq > 1")
        db.execute("INSERT INTO purse_entry VALUES ('points', 'ann', 1, 9, 0, 0, -12345)")
        assert purses.balance(db, "points", "ann") == 2**62 - 12_345, "to the last point where it fits"


def test_a_refund_of_no_sale_a_close_of_no_shift_and_a_cart_of_noise_are_set_aside() -> None:
    sale = encode(e.SaleRefunded(
        sale_id="", refund_key="k", receipt_number="1", shift_id="s", by="x", reason="y", currency="EUR", lines=(),
        taxes=(), payments=(), tax_minor=0, total_minor=0,
    ))  # fmt: skip
    fields = list(msgspec.msgpack.decode(sale))
    events = chained([
        ("sale_refunded", sale),
        ("sale_refunded", msgspec.msgpack.encode(["no event at all", *fields[1:]])),
        ("receipt_signed", msgspec.msgpack.encode(["-1", "d", 1, "s", "a", "p", "x", 1, False])),
        ("receipt_signed", msgspec.msgpack.encode(["", "d", 1, "s", "a", "p", "x", 1, False])),
        ("cart_parked", encode(e.CartParked(cart_id="c", label="l", cart=b"\x92noise", by="x"))),
    ])  # fmt: skip
    with closing(replica(events)) as db:
        assert aside(db) == [2, 3, 4, 5]
        assert list(listings.parked(Books(db, "front000"))) == []


def test_fields_that_no_register_can_hold_are_set_aside_and_a_price_that_is_no_number_is_none() -> None:
    fields: dict[str, e.Value] = {"name": 5, "price_minor": "free", "barcodes": True, "active": "yes", "min_age": -3}
    events = written(
        e.ProductsChanged(changes=(e.Change(key="mug", fields={"name": "Mug", "price_minor": 1_200}),), by="x"),
        e.ProductsChanged(changes=(e.Change(key="mug", fields={"x" * 101: 1}),), by="x"),
        e.ProductsChanged(changes=(e.Change(key="tea", fields=fields),), by="x"),
    )
    with closing(replica(events)) as db:
        books = Books(db, "front000")
        mug, tea = books.product("mug"), books.product("tea")
        assert aside(db) == [2]
        assert mug is not None
        assert tea is not None
        assert (mug.name, mug.price_minor, tea.name, tea.price_minor, tea.barcodes) == ("Mug", 1_200, "tea", 0, ())


def test_a_record_with_too_many_fields_keeps_those_that_are_known_in_whatever_order_they_come() -> None:
    def change(fields: dict[str, e.Value]) -> e.SettingsChanged:
        return e.SettingsChanged(changes=(e.Change(key="store", fields=fields),), by="x")

    first = written(change({f"!{n}": 1 for n in range(128)}), change({f"~{n}": 1 for n in range(128)}))
    second = chained(
        [("settings_changed", encode(change({"name": "Fernhill", "currency": "EUR"})))], "front000.aaaaaaaa"
    )
    with closing(replica([*first, *second])) as one_way, closing(replica([*second, *first])) as other_way:
        assert state_parts(one_way) == state_parts(other_way)
        assert Books(one_way, "front000").store().name == "Fernhill"


def test_a_till_is_refused_what_no_other_till_could_read() -> None:
    shop = Shop().furnish().open()
    held = len(shop.log())
    shop.do(signed(counter=2**62))
    for counter in (-1, 2**62 + 1, 2**64):
        with pytest.raises(Invalid):
            shop.do(signed(counter=counter))
    assert len(shop.log()) == held + 1


def signed(counter: int) -> c.NoteSigned:
    return c.NoteSigned(
        receipt=f"front000.aaaaaaaa-{abs(counter) % 1_000 + 1}", device="d", counter=counter, signature="s",
        algorithm="a", public_key="k",
        data="x", signed_at_ms=START_MS,
    )  # fmt: skip
