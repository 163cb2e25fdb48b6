"""Tills that are gone for good leave one column of stock behind, and nobody who asks about anything can tell."""

from collections.abc import Sequence
from contextlib import closing
from functools import cache

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.sqlite.test_hostile_events import HOSTILE, replica, written
from tests.unit.till.shop_till import MANAGER, ORIGIN, SUPERVISOR, Shop, line
from tillmesh.adapters.sqlite import archive, folding, listings, oversold
from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import in_memory, one, rows, write
from tillmesh.adapters.sqlite.folding import RETIRED
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.retention import DAY_MS

FRONT, FIRST, SECOND = "front000.aaaaaaaa", "gone0000.bbbbbbbb", "gone0000.cccccccc"
SKUS = ("milk", "mug", "apples")


def till(actor: str) -> Shop:
    return Shop(Origin(store=ORIGIN.store, terminal=actor.partition(".")[0], actor=actor))


def tell(source: Shop, target: Shop) -> None:
    with target.writer.transaction():
        target.writer.ledger.append_foreign(source.log())
    target.books.forget()
    target.clock_ms = max(source.clock_ms, target.clock_ms)


def head(shop: Shop, actor: str) -> int:
    return dict(shop.books.vector())[actor]


def fold(shop: Shop, *actors: str) -> None:
    finals = tuple((actor, head(shop, actor)) for actor in actors)
    shop.do(c.FoldActors(finals=finals, epoch=7), MANAGER)


def carry(db: apsw.Connection, *, most: int = 1_000, after: str = "") -> int:
    with write(db):
        return folding.carry(db, folding.waiting(db, after, most))


def levels(db: apsw.Connection) -> dict[str, int]:
    return dict(rows(db, "SELECT sku, sum(p) - sum(n) FROM stock GROUP BY sku"))


@cache
def histories() -> tuple[tuple[Envelope, ...], ...]:
    """Tell of a till that was replaced twice, and of the other one, which was told of it and folds both that are gone.

    Of the second one something more comes to light after that: it had sold on, heard by nobody.
    """
    front, first, second = till(FRONT), till(FIRST), till(SECOND)
    front.furnish().open()
    front.do(c.ReceiveStock(sku="mug", quantity_milli=20_000), MANAGER)
    tell(front, first)
    first.open(5_000)
    first.do(c.ReceiveStock(sku="apples", quantity_milli=3_000), MANAGER)
    sold = first.sell(line("mug", 2), line("milk"), cart_id="first-1")
    first.sell(line("apples", 2), cart_id="first-2")
    tell(first, second)
    second.do(c.RefundSale(sale_id=sold, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="x"), SUPERVISOR)
    second.sell(line("milk", 3), line("mug"), cart_id="second-1")
    tell(second, front)
    fold(front, FIRST)
    front.sell(line("mug", 3), cart_id="front-1")
    front.do(c.CountStock(sku="milk", quantity_milli=1_000), SUPERVISOR)
    fold(front, SECOND)
    second.sell(line("mug", 4), cart_id="unheard")
    return tuple(
        tuple(event for event in shop.log() if event.actor == shop.till.identity.actor)
        for shop in (front, first, second)
    )


def deliver(batches: Sequence[Sequence[Envelope]]) -> apsw.Connection:
    db = in_memory()
    for batch in batches:
        with write(db):
            Ledger(db, ORIGIN.store).append_foreign(batch)
    return db


@cache
def expected() -> tuple[dict[str, str], dict[str, int]]:
    with closing(deliver(histories())) as db:
        return state_parts(db), levels(db)


@cache
def never_folded() -> dict[str, int]:
    """Give the stock of a shop in which the same happened, and nobody was ever folded."""
    with closing(in_memory()) as db:
        for events in histories():
            with write(db):
                ledger = Ledger(db, ORIGIN.store)
                for event in events:
                    if event.type != "actors_folded":
                        ledger.project(event)
        return levels(db)


@pytest.mark.slow
@given(data=st.data())
def test_any_order_of_hearing_folding_carrying_and_rebuilding_ends_in_one_state(
    data: st.DataObject,
) -> None:
    logs = histories()
    reached = [0] * len(logs)
    with closing(in_memory()) as db:
        while any(done < len(events) for done, events in zip(reached, logs, strict=True)):
            which = data.draw(st.sampled_from([i for i, done in enumerate(reached) if done < len(logs[i])]))
            start = data.draw(st.integers(0, reached[which]), label="sent again from")
            end = data.draw(st.integers(reached[which] + 1, len(logs[which])), label="up to")
            with write(db):
                Ledger(db, ORIGIN.store).append_foreign(logs[which][start:end])
            reached[which] = end
            match data.draw(st.sampled_from(["nothing", "carry some", "carry all", "rebuild"])):
                case "carry some":
                    carry(db, most=1, after=data.draw(st.sampled_from(["", *SKUS])))
                case "carry all":
                    carry(db)
                case "rebuild":
                    with write(db):
                        Ledger(db, ORIGIN.store).rebuild()
                case _:
                    pass
        assert (state_parts(db), levels(db)) == expected()
        carry(db)
        assert (state_parts(db), levels(db)) == expected()
    assert expected()[1] == never_folded()


def test_the_columns_of_tills_that_are_gone_are_one_and_add_up_to_what_they_were() -> None:
    logs = histories()
    with closing(deliver([events[:-1] for events in logs])) as db:
        books = Books(db, "front000")
        assert {FRONT, RETIRED, SECOND} == set(books.stock_columns("mug")), "the second one is not folded yet"
        before = {sku: sum(p - n for p, n in books.stock_columns(sku).values()) for sku in SKUS}
        with write(db):
            Ledger(db, ORIGIN.store).append_foreign(logs[0])
        assert set(books.stock_columns("mug")) == {FRONT, RETIRED}
        assert books.folded().keys() == {FIRST, SECOND}
        assert {sku: books.stock_milli(sku) for sku in SKUS} == before
        assert books.stock_columns("mug")[RETIRED] == (1_000, 3_000)
        columns = {sku: books.stock_columns(sku) for sku in SKUS}
        assert carry(db) > 0
        assert {sku: books.stock_columns(sku) for sku in SKUS} == columns
        assert one(db, "SELECT count(*) FROM stock_column s JOIN folded f ON f.actor = s.actor") == 0


def test_lists_of_stock_and_of_what_was_sold_too_often_are_the_same_before_and_after() -> None:
    with closing(deliver(histories())) as db:
        seen = []
        for _ in range(2):
            listed = listings.stock(db, text="", low=False, limit=10)
            books = Books(db, "front000")
            seen.append((listed, listings.stock_levels(db), oversold.below_zero(db), books.stocks_milli(SKUS)))
            carry(db)
    assert seen[0] == seen[1]


def test_what_a_folded_till_had_sold_unheard_still_counts_and_is_carried_over_the_next_time() -> None:
    logs = histories()
    with closing(deliver([logs[0], logs[1], logs[2][:-1]])) as db:
        carry(db)
        before = levels(db)["mug"]
        with write(db):
            Ledger(db, ORIGIN.store).append_foreign(logs[2])
        assert levels(db)["mug"] == before - 4_000
        assert set(Books(db, "front000").stock_columns("mug")) == {FRONT, RETIRED}
        assert carry(db) == 1
        assert carry(db) == 0
        assert (state_parts(db), levels(db)) == expected()


def put_away(shop: Shop, actor: str) -> int:
    """Put all sales of an actor into the archive, however young, and give how many that were."""
    number = shop.books.actors.id(actor)
    chunk = archive.gather(shop.writer.db, number, head(shop, actor), shop.clock_ms + DAY_MS, least=1)
    assert chunk is not None
    with write(shop.writer.db):
        archive.put_away(shop.writer.db, chunk)
    return len(chunk.sizes)


def test_an_archived_sale_of_a_till_that_is_gone_is_found_and_refunded_after_it_was_folded() -> None:
    front, first = till(FRONT), till(FIRST)
    front.furnish().open()
    tell(front, first)
    sold = first.open().sell(line("mug", 2), line("milk"), cart_id="old")
    tell(first, front)
    number = front.read(sold, e.SaleClosed).receipt_number
    fold(front, FIRST)
    carry(front.writer.db)
    assert put_away(front, FIRST) == 1
    (found,) = listings.sales(front.books, listings.SaleFilter(receipt=number))
    assert found.id == sold
    assert front.books.requested("old") is not None, "its cart is still that sale"
    front.do(c.RefundSale(sale_id=sold, lines=(c.WantedRefund(line=0, quantity_milli=2_000),), reason="x"), SUPERVISOR)
    assert (front.books.stock_milli("mug"), front.books.stock_milli("milk")) == (0, -1_000)
    before = state_parts(front.writer.db)
    with front.writer.transaction():
        front.writer.ledger.rebuild()
    assert state_parts(front.writer.db) == before
    assert front.writer.receipts_used(FIRST) == 1, "its numbers stay taken"


def test_a_count_names_no_log_of_a_till_that_is_gone_unless_more_of_it_is_known() -> None:
    front, first = till(FRONT), till(FIRST)
    front.furnish().open()
    tell(front, first)
    first.open()
    tell(first, front)
    fold(front, FIRST)
    counted = front.read(front.do(c.CountStock(sku="mug", quantity_milli=0), SUPERVISOR).reply, e.StockCounted)
    assert [actor for actor, _ in counted.vector] == [FRONT]
    first.sell(line("milk"), cart_id="late")
    tell(first, front)
    counted = front.read(front.do(c.CountStock(sku="mug", quantity_milli=0), SUPERVISOR).reply, e.StockCounted)
    assert dict(counted.vector) == dict(front.books.vector()) | {FRONT: head(front, FRONT) - 1}


def test_what_was_told_before_is_not_told_again() -> None:
    front, first = till(FRONT), till(FIRST)
    front.furnish()
    tell(front, first)
    first.open()
    tell(first, front)
    fold(front, FIRST)
    fold(front, FIRST)
    assert front.types().count("actors_folded") == 1


def test_a_hostile_till_that_folds_tills_which_sell_and_names_nobody_changes_no_stock() -> None:
    front = till(FRONT)
    front.furnish().open()
    front.sell(line("mug", 2), line("milk"), cart_id="before")
    finals = ((FRONT, 1 << 62), (RETIRED, 5), ("", 1), ("x" * 500, 1), ("gone0000.bbbbbbbb", -1))
    with write(front.writer.db):
        folding.project(front.writer.db, Actors(front.writer.db), e.ActorsFolded(finals=finals, epoch=0))
    front.sell(line("mug"), line("milk"), cart_id="after")
    carry(front.writer.db)
    assert {sku: front.books.stock_milli(sku) for sku in SKUS} == {"mug": -3_000, "milk": -2_000, "apples": 0}
    assert set(front.books.folded()) == {FRONT}


def test_a_till_that_folds_itself_and_writes_on_leaves_all_with_one_stock() -> None:
    """Its column stops at a limit, so it would stop elsewhere where it had been carried over before."""
    most = e.StockMove(sku="mug", quantity_milli=10**14)
    small = e.StockMove(sku="mug", quantity_milli=10**9)
    events = written(
        e.StockReceived(moves=(small,), by="ruth"), e.ActorsFolded(finals=((HOSTILE, 1),), epoch=1),
        e.StockReceived(moves=(most,), by="ruth"),
    )  # fmt: skip
    with closing(replica(events[:2])) as eager, closing(replica(events)) as lazy:
        with write(eager):
            skus = folding.waiting(eager, "", 10, but=[HOSTILE, FRONT])
            assert folding.carry(eager, ["mug"], but=[HOSTILE, FRONT]) == 0
        assert skus == []
        with write(eager):
            Ledger(eager, ORIGIN.store).append_foreign(events[2:])
        assert state_parts(eager) == state_parts(lazy)
