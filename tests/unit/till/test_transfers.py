"""Goods between two stores: out of stock in one, in transit, in stock of the other; what is lost is written down."""

import itertools
from collections.abc import Sequence

import pytest

from tests.contracts.memory_hub import MemoryLog, MemoryMaster
from tests.unit.till.shop_till import CASHIER, SUPERVISOR, Shop
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.fleet.ports import Entry, Held
from tillmesh.fleet.syncing import SyncService
from tillmesh.fleet.transfers import carry, news
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, StorageFailed
from tillmesh.kernel.limits import EVENT_BODY_BYTES_MAX
from tillmesh.shop.events import (
    TransferAnswered,
    TransferClosed,
    TransferComing,
    TransferLine,
    TransferReceived,
    TransferSent,
)
from tillmesh.shop.transfers import Transfer, transfers
from tillmesh.till import commands as c
from tillmesh.till.transfers import standing

MARKET = Origin(store="market0shop0", terminal="z9x8w7v6", actor="z9x8w7v6.11112222")


@pytest.fixture
def corner() -> Shop:
    return Shop().furnish()


@pytest.fixture
def market() -> Shop:
    return Shop(MARKET).furnish()


def send(shop: Shop, to: str = "market0shop0", key: str = "k", milli: int = 5_000) -> str:
    quantities = (("mug", milli), ("milk", 2_000))
    return str(shop.do(c.SendTransfer(key=key, to_store=to, quantities=quantities), SUPERVISOR).reply)


def only(shop: Shop) -> Transfer:
    (found,) = standing(shop.books)
    return found


class Office:
    """Head office between the two, in memory: carries what a store has uploaded, perhaps twice."""

    def __init__(self, *shops: Shop) -> None:
        self.shops = {shop.till.identity.store: shop for shop in shops}
        self.service = SyncService(
            MemoryLog(), MemoryMaster(), "headoffice.aaaaaaaa", lambda *_: b"s" * 64, mint=lambda: "headoffice.bbbbbbbb"
        )
        self.up: dict[str, int] = {}
        for store, shop in self.shops.items():
            self._hear(store, shop.log())

    def _hear(self, store: str, events: Sequence[Envelope]) -> None:
        new = tuple(one for one in events if one.seq > self.up.get(one.actor, 0) and one.actor != self.service.actor)
        for one in new:
            self.up[one.actor] = one.seq
        self.service.store(Entry(store, 0, "x", 1, new))

    def sync(self, shop: Shop, *, cut_off: bool = False) -> None:
        """Take what a store has, say the rest to the others; cut off in between, it hears all of it again."""
        store = shop.till.identity.store
        events = [one for one in shop.log() if one.seq > self.up.get(one.actor, 0)]
        carry(store, events, self.service.said, lambda target, body: self.service.tell(target, body, shop.clock_ms))
        if not cut_off:
            self._hear(store, events)

    def deliver(self, shop: Shop) -> None:
        """Give a store what head office has for it."""
        store = shop.till.identity.store
        held = {actor: seq for actor, seq in shop.books.vector() if actor == self.service.actor}
        updates = self.service._master.outbox(store, held, 1_000, 1 << 20)
        with shop.writer.transaction():
            shop.writer.ledger.append_foreign(updates)


def test_goods_leave_one_store_and_enter_the_other_and_both_see_the_difference(corner: Shop, market: Shop) -> None:
    office = Office(corner, market)
    before = corner.books.stock_milli("mug")
    transfer_id = send(corner)
    assert send(corner) == transfer_id  # the same key
    assert corner.books.stock_milli("mug") == before - 5_000
    assert (only(corner).state, only(corner).direction) == ("transit", "out")
    office.sync(corner)
    office.deliver(market)
    coming = only(market)
    assert (coming.state, coming.direction, coming.other, coming.transfer_id) == (
        "transit", "in", "corner0shop0", transfer_id,
    )  # fmt: skip
    came = c.ReceiveTransfer(transfer_id=transfer_id, key="van", quantities=(("mug", 4_000), ("milk", 2_000)))
    for _ in range(2):
        market.do(came)
    assert market.books.stock_milli("mug") == 4_000
    with pytest.raises(NotAllowed):
        market.do(c.CloseTransfer(transfer_id=transfer_id, reason="broken on the way"), CASHIER)
    market.do(c.CloseTransfer(transfer_id=transfer_id, reason="broken on the way"), SUPERVISOR)
    with pytest.raises(Conflict, match="was closed"):
        market.do(c.ReceiveTransfer(transfer_id=transfer_id, key="late", quantities=(("mug", 1_000),)))
    office.sync(market)
    office.deliver(corner)
    for shop in (corner, market):
        done = only(shop)
        assert (done.state, done.reason, done.came_milli["mug"]) == ("closed", "broken on the way", 4_000)
        assert [done.missing_milli(line) for line in done.lines] == [1_000, 0]
    assert corner.books.stock_milli("mug") + market.books.stock_milli("mug") == before - 1_000


def test_news_that_is_carried_twice_counts_once(corner: Shop, market: Shop) -> None:
    office = Office(corner, market)
    transfer_id = send(corner)
    office.sync(corner, cut_off=True)
    office.sync(corner)
    office.deliver(market)
    market.do(c.ReceiveTransfer(transfer_id=transfer_id, key="van", quantities=(("mug", 5_000), ("milk", 2_000))))
    office.sync(market, cut_off=True)
    office.sync(market)
    office.deliver(corner)
    assert [event.type for event in market.log()].count("transfer_coming") == 1
    assert [event.type for event in corner.log()].count("transfer_answered") == 2
    assert (only(corner).state, only(market).state) == ("received", "received")
    assert only(corner).came_milli == {"mug": 5_000, "milk": 2_000}


def test_goods_for_a_store_that_nobody_knows_are_taken_back_once(corner: Shop) -> None:
    office = Office(corner)
    before = corner.books.stock_milli("mug")
    transfer_id = send(corner, to="nowhere99")
    with pytest.raises(Conflict, match="on its way"):
        corner.do(c.TakeTransferBack(transfer_id=transfer_id), SUPERVISOR)
    office.sync(corner)
    office.deliver(corner)
    assert only(corner).state == "undeliverable"
    for _ in range(2):
        corner.do(c.TakeTransferBack(transfer_id=transfer_id), SUPERVISOR)
    assert (only(corner).state, corner.books.stock_milli("mug")) == ("back", before)


def test_a_store_that_sends_without_end_gets_back_what_is_too_much_and_the_other_one_is_told_once(
    corner: Shop, market: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tillmesh.fleet.transfers.TRANSFERS_OPEN_MAX", 2)
    office = Office(corner, market)
    before = corner.books.stock_milli("mug")
    sent = [send(corner, key=str(number), milli=1_000) for number in range(4)]
    office.sync(corner, cut_off=True)
    office.sync(corner)
    office.deliver(market)
    office.deliver(corner)
    assert sorted(one.transfer_id for one in standing(market.books)) == sorted(sent[:2])
    states = {one.transfer_id: (one.state, one.reason) for one in standing(corner.books)}
    assert [states[each] for each in sent] == [
        *[("transit", "")] * 2, *[("undeliverable", "2 transfers to market0shop0 wait already")] * 2,
    ]  # fmt: skip
    for each in sent[2:]:
        corner.do(c.TakeTransferBack(transfer_id=each), SUPERVISOR)
    market.do(c.ReceiveTransfer(transfer_id=sent[0], key="van", quantities=(("mug", 1_000), ("milk", 2_000))))
    office.sync(market)
    again = send(corner, key="again", milli=1_000)
    office.sync(corner)
    office.deliver(market)
    assert {one.transfer_id for one in standing(market.books)} == {*sent[:2], again}, "there is room for one more"
    assert corner.books.stock_milli("mug") == before - 3_000


def test_only_supervisors_send_and_only_what_is_known_to_another_store(corner: Shop) -> None:
    with pytest.raises(NotAllowed):
        corner.do(c.SendTransfer(key="k", to_store="market0shop0", quantities=(("mug", 1_000),)), CASHIER)
    for store in ("corner0shop0", "", "no such store"):
        with pytest.raises(Invalid, match="number of another store"):
            send(corner, to=store)
    for quantities in ((), (("mug", 0),), (("mug", 1), ("mug", 1)), (("mug", 500),)):
        with pytest.raises(Invalid):
            corner.do(c.SendTransfer(key="k", to_store="market0shop0", quantities=quantities), SUPERVISOR)
    with pytest.raises(NotFound):
        corner.do(c.SendTransfer(key="k", to_store="market0shop0", quantities=(("nothing", 1_000),)), SUPERVISOR)


def test_what_tills_and_head_office_noted_adds_up_in_any_sequence() -> None:
    line = TransferLine(sku="a", name="A", quantity_milli=3_000)
    part = TransferLine(sku="a", name="A", quantity_milli=1_000)
    sent = TransferSent(to_store="market", from_name="Corner", lines=(line,), by="x", sent_at_ms=1)
    first = TransferAnswered(transfer_id="t", event="m-1", received=(part,))
    last = TransferAnswered(transfer_id="t", event="m-2", lost=(part, part), closed=True, reason="lost")
    for notes in itertools.permutations([sent, first, first, last]):
        (one,) = transfers(("t", body) for body in notes)
        assert (one.state, one.came_milli) == ("closed", {"a": 1_000})
    coming = TransferComing(transfer_id="t", from_store="c", from_name="Corner", lines=(line,))
    assert [one.other_name for one in transfers([("t", coming)])] == ["Corner"]
    assert transfers([("t", last)]) == []


def test_a_third_store_can_neither_answer_nor_rename_a_transfer_between_two_others(corner: Shop, market: Shop) -> None:
    office = Office(corner, market)
    transfer_id = send(corner)
    office.sync(corner)
    office.deliver(market)
    line = TransferLine(sku="mug", name="Mug", quantity_milli=5_000)
    lies: list[tuple[str, str, Record]] = [
        ("corner0shop0", "transfer_received",
         TransferReceived(transfer_id=transfer_id, from_store="corner0shop0", key="x", lines=(line,), by="x")),
        ("corner0shop0", "transfer_closed",
         TransferClosed(transfer_id=transfer_id, from_store="corner0shop0", lost=(line,), by="x", reason="gone")),
        ("market0shop0", "transfer_sent", TransferSent(to_store="market0shop0", from_name="x", lines=(), by="x")),
        ("corner0shop0", "transfer_sent", TransferSent(to_store="corner0shop0", from_name="x", lines=(), by="x")),
    ]  # fmt: skip
    actor, _, seq = transfer_id.rpartition("-")
    for target, kind, body in lies:
        named = seal("thief0shop00", Head(actor, int(seq) - 1), hlc=1, kind=kind, version=1, body=encode(body))
        for store, told in news("thief0shop00", [named]):
            assert store == target
            assert office.service.tell(store, told, corner.clock_ms)
    office.deliver(corner)
    office.deliver(market)
    assert (only(corner).state, only(corner).direction, only(corner).came_milli) == ("transit", "out", {})
    assert (only(market).state, only(market).other, len(only(market).lines)) == ("transit", "corner0shop0", 2)


class Strict(MemoryMaster):
    """As PostgreSQL: it refuses a name with a NUL in it."""

    def held(self, store: str) -> Held:
        if "\0" in store:
            raise StorageFailed("PostgreSQL refused", hint="Look into its log.")
        return super().held(store)


def test_goods_for_a_store_that_can_not_be_called_so_stop_nobody_s_upload(corner: Shop) -> None:
    office = Office(corner)
    office.service._master = Strict()
    office.up.clear()
    office._hear("corner0shop0", corner.log())
    told: list[tuple[str, Record]] = []

    def tell(target: str, what: Record) -> bool:
        done = office.service.tell(target, what, 1)
        told.extend([(target, what)] if done else [])
        return done

    for seq, body in enumerate(
        (
            TransferSent(to_store="nul\0", from_name="x", lines=(), by="x"),
            TransferSent(to_store="market0shop0", from_name="x" * (EVENT_BODY_BYTES_MAX - 60), lines=(), by="x"),
        )
    ):
        event = seal(
            "corner0shop0", Head("aaaa1111.bbbb2222", seq), hlc=1, kind="transfer_sent", version=1, body=encode(body)
        )
        carry("corner0shop0", [event], office.service.said, tell)
        target, answer = told.pop()
        assert not told
        assert isinstance(answer, TransferAnswered)
        assert (target, answer.undeliverable, answer.store) == ("corner0shop0", True, body.to_store)
