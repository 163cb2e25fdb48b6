"""Replicas: the same events, in any order between actors and delivered again and again, are the same shop."""

from collections.abc import Sequence
from contextlib import closing
from functools import cache

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.till.shop_till import MANAGER, ORIGIN, START_MS, SUPERVISOR, Shop, add, line
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import in_memory, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_hash, state_parts
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited
from tillmesh.till.oversell_views import conflicts
from tillmesh.till.oversells import open_oversell
from tillmesh.till.views import View

pytestmark = pytest.mark.slow
NOW_MS = START_MS + 3_600_000


def till(actor: str) -> Shop:
    return Shop(Origin(store=ORIGIN.store, terminal=actor.partition(".")[0], actor=actor))


def tell(source: Shop, target: Shop) -> None:
    """Bring what one till knows to another."""
    with target.writer.transaction():
        target.writer.ledger.append_foreign(source.log())
    target.books.forget()
    target.clock_ms = max(source.clock_ms, target.clock_ms)


@cache
def histories() -> tuple[tuple[Envelope, ...], ...]:
    """Tell a day of three tills that hear of each other now and then; give each actor's log."""
    front, back = till("front000.aaaaaaaa"), till("back0000.bbbbbbbb")
    front.furnish().open()
    tell(front, back)
    back.open(5_000)
    for number in range(3):
        front.sell(line("mug", 1 + number), cart_id=f"front-{number}")
        back.sell(line("milk", 2), cart_id=f"back-{number}")
    # Both change one product while they can't hear each other: fields merge, the later writer of a field wins.
    change(front, "mug", name="Enamel mug, blue", price_minor=1_300)
    change(back, "mug", price_minor=1_350, barcodes=["5012345678900", "96385074"])
    change(back, "cocoa", name="Cocoa", price_minor=450, tax_code="zero")
    back.do(c.CountStock(sku="mug", quantity_milli=7_000), SUPERVISOR)
    front.ops(add("1"), cart_id="aside")
    parked = front.do(c.ParkCart(cart_id="aside")).reply
    sold = front.sell(line("milk", 3), cart_id="big")
    tell(front, back)
    oversell(front, back)
    edited = back.do(c.ResumeCart(park_id=str(parked))).reply
    assert isinstance(edited, Edited)
    back.do(c.RefundSale(sale_id=sold, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="x"), SUPERVISOR)
    back.do(c.VoidSale(sale_id=back.sell(line("milk"), cart_id="oops"), reason="mistake"), SUPERVISOR)
    # The front till is restored from a copy; it and the copy both close the shift that was open.
    restored = till("front000.cccccccc")
    tell(front, restored)
    restored.do(c.CloseShift(counted_minor=1))
    restored.open(7_000).sell(line("milk"), cart_id="restored")
    front.do(c.CloseShift(counted_minor=2))
    return tuple(tuple(own(shop)) for shop in (front, back, restored))


def oversell(front: Shop, back: Shop) -> None:
    """Both sell the same apples apart, both answer the oversell apart, and what came second is taken back."""
    front.do(c.ReceiveStock(sku="apples", quantity_milli=1_000))
    tell(front, back)
    for shop, name in ((front, "f"), (back, "b")):
        shop.sell(line("apples"), cart_id=f"apples-{name}")
    tell(front, back)
    tell(back, front)
    found = [open_oversell(shop.books, "apples") for shop in (front, back)]
    assert found[0] is not None
    assert found[0] == found[1], "both see the same oversell under the same name"
    for shop in (front, back):
        shop.do(c.ResolveOversell(conflict_id=found[0].conflict_id, sku="apples", action="adjust"), MANAGER)
    tell(front, back)
    tell(back, front)
    for shop in (front, back):
        shop.do(c.SettleOversells(skus=("apples",)), MANAGER)
    tell(front, back)
    tell(back, front)
    assert [shop.books.stock_milli("apples") for shop in (front, back)] == [0, 0], "adjusted once, not twice"
    held = len(front.log())
    front.do(c.SettleOversells(skus=("apples",)), MANAGER)
    assert len(front.log()) == held, "nothing is taken back twice"


def change(shop: Shop, sku: str, **fields: e.Value) -> None:
    shop.do(c.ChangeRecords(entity="product", changes=(e.Change(key=sku, fields=fields),)), MANAGER)


def own(shop: Shop) -> list[Envelope]:
    return [event for event in shop.log() if event.actor == shop.till.identity.actor]


def deliver(batches: Sequence[Sequence[Envelope]]) -> apsw.Connection:
    """Give batches of events to an empty replica, one transaction each."""
    db = in_memory()
    ledger = Ledger(db, ORIGIN.store)
    for batch in batches:
        with write(db):
            ledger.append_foreign(batch)
    return db


@cache
def expected() -> dict[str, str]:
    with closing(deliver(histories())) as db:
        return state_parts(db)


@cache
def expected_conflicts() -> View:
    """What a manager is asked on any till that has heard everything, at one moment."""
    with closing(deliver(histories())) as db:
        found = conflicts(Books(db, "front000"), NOW_MS)
    assert found["conflicts"], "there is something to be asked about"
    assert sorted(one["status"] for one in found["resolved"]) == ["done", "second"]
    return found


@given(data=st.data())
def test_any_order_of_delivery_ends_in_the_same_shop(data: st.DataObject) -> None:
    logs = histories()
    reached = [0] * len(logs)
    batches: list[Sequence[Envelope]] = []
    while any(done < len(events) for done, events in zip(reached, logs, strict=True)):
        which = data.draw(st.sampled_from([i for i, done in enumerate(reached) if done < len(logs[i])]), label="actor")
        start = data.draw(st.integers(0, reached[which]), label="sent again from")
        end = data.draw(st.integers(reached[which] + 1, len(logs[which])), label="up to")
        batches.append(logs[which][start:end])
        reached[which] = end
    with closing(deliver(batches)) as db:
        assert state_parts(db) == expected()
        assert conflicts(Books(db, "front000"), NOW_MS) == expected_conflicts()
        assert len(list(log(db))) == sum(map(len, logs))


@given(data=st.data())
def test_a_rebuild_in_the_middle_changes_nothing(data: st.DataObject) -> None:
    logs = histories()
    prefixes = [events[: data.draw(st.integers(0, len(events)))] for events in logs]
    with closing(deliver(prefixes)) as db:
        before = state_parts(db)
        with write(db):
            assert Ledger(db, ORIGIN.store).rebuild() == sum(map(len, prefixes))
        assert state_parts(db) == before
        with write(db):
            Ledger(db, ORIGIN.store).append_foreign([event for events in logs for event in events])
        assert state_parts(db) == expected()


def test_replicas_with_other_events_have_another_hash() -> None:
    logs = histories()
    hashes = set()
    for cut in range(len(logs[1]) + 1):
        with closing(deliver([logs[0], logs[1][:cut]])) as db:
            hashes.add(state_hash(db, Books(db, "front000"))["hash"])
    assert len(hashes) >= len(logs[1]) - 1  # a resume of a cart that is known to be gone changes nothing


def test_a_searched_product_is_found_after_a_rebuild_as_before() -> None:
    with closing(deliver(histories())) as db:
        sql = "SELECT p.sku FROM product_search s JOIN product p ON p.id = s.rowid WHERE product_search MATCH ?"
        found = [db.execute(sql, (word,)).fetchall() for word in ("cocoa", "blue", "enam*", "96385074")]
        with write(db):
            Ledger(db, ORIGIN.store).rebuild()
        assert [db.execute(sql, (word,)).fetchall() for word in ("cocoa", "blue", "enam*", "96385074")] == found
        assert found == [[("cocoa",)], [("mug",)], [("mug",)], [("mug",)]]
