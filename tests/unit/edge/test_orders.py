"""What a till makes of head office's orders: only signed ones, never an old one again, and what is to be done next."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.edge.bundle import Contract, Manifest, Refused
from tillmesh.edge.orders import Due, OrderBook, due, gone_back
from tillmesh.edge.pacing import PIECE_MS, Pace
from tillmesh.edge.rollout import is_chosen
from tillmesh.edge.slots import Standing, check_install, lifted, switched, with_spare
from tillmesh.sync.model_orders import Kind, Order, OrderRefused, SignedOrder, sign_order

OFFICE = Ed25519PrivateKey.from_private_bytes(b"h" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PUBLIC = OFFICE.public_key().public_bytes_raw()
STORE, TILL = "corner", "ab12"
SOON, LATER = 1_000, 2_000


def order(version: int, serial: int, **more: Any) -> Order:
    fields = {"store": STORE, "name": "fruit", "share": 100, "sha256": "0" * 64, "size": 10, "expires_ms": LATER}
    return Order(version=version, serial=serial, **{**fields, **more})


def signed(version: int, serial: int, **more: Any) -> SignedOrder:
    return sign_order(order(version, serial, **more), OFFICE)


def back(version: int, serial: int, **more: Any) -> Order:
    return order(version, serial, kind=Kind.ROLLBACK, **more)


def running(*versions: int) -> Standing:
    standing = Standing()
    for version in versions:
        standing = switched(with_spare(standing, version))
    return standing


def manifest(version: int) -> Manifest:
    return Manifest(
        name="fruit", version=version, task="fruit", engine="none", licence="MIT", contract=Contract(input=""), files={}
    )


def test_an_order_that_head_office_did_not_sign_for_this_store_is_not_followed() -> None:
    book = OrderBook(STORE)
    forged = sign_order(order(2, 1), OTHER)
    elsewhere = signed(2, 1, store="market")
    over = signed(2, 1, expires_ms=SOON - 1)
    for wrong, why in ((forged, "signature"), (elsewhere, "store"), (over, "expired")):
        with pytest.raises(OrderRefused) as caught:
            book.take(wrong, PUBLIC, SOON)
        assert caught.value.reason == why
    assert book.names() == []
    assert book.take(signed(2, 1), PUBLIC, SOON)
    assert book.of("fruit", TILL) == order(2, 1)


def test_an_old_order_that_is_played_again_changes_nothing() -> None:
    book = OrderBook(STORE)
    assert book.take(signed(2, 1), PUBLIC, SOON)
    assert book.take(sign_order(back(1, 2), OFFICE), PUBLIC, SOON)
    assert not book.take(sign_order(back(1, 2), OFFICE), PUBLIC, SOON)
    assert book.take(signed(3, 3), PUBLIC, SOON)
    with pytest.raises(OrderRefused) as caught:
        book.take(sign_order(back(1, 2), OFFICE), PUBLIC, SOON)
    assert caught.value.reason == "older"
    assert book.of("fruit", TILL) == order(3, 3)


def test_what_some_tills_try_is_for_the_chosen_ones_until_all_get_something_newer() -> None:
    book = OrderBook(STORE)
    tills = [f"till{n}" for n in range(40)]
    assert book.take(signed(2, 1), PUBLIC, SOON)
    assert book.take(signed(3, 2, share=25), PUBLIC, SOON)
    takes = {till: book.of("fruit", till) for till in tills}
    assert {till for till, found in takes.items() if found == order(3, 2, share=25)} == {
        till for till in tills if is_chosen("fruit", 3, till, 25)
    }
    assert sum(found == order(2, 1) for found in takes.values()) > 20
    assert [held.serial for held in book.orders()] == [1, 2]
    assert book.take(signed(3, 3), PUBLIC, SOON)
    assert {book.of("fruit", till) for till in tills} == {order(3, 3)}


def test_who_missed_orders_is_told_these_and_no_others() -> None:
    book, behind = OrderBook(STORE), OrderBook(STORE)
    for one in (signed(2, 1), signed(3, 2, share=25), signed(7, 4, name="voice")):
        assert book.take(one, PUBLIC, SOON)
    assert behind.take(signed(2, 1), PUBLIC, SOON)
    lacks = book.newer_than(behind.serials())
    assert lacks == [signed(3, 2, share=25), signed(7, 4, name="voice")]
    for one in lacks:
        assert behind.take(one, PUBLIC, SOON)
    assert book.newer_than(behind.serials()) == []


def test_an_order_whose_time_passed_while_the_till_was_off_is_remembered_and_not_begun() -> None:
    book = OrderBook(STORE)
    book.recall(signed(2, 1), PUBLIC)
    found = book.of("fruit", TILL)
    assert found is not None
    assert due(found, running(1), TILL, LATER + 1) is Due.EXPIRED
    assert due(found, running(2), TILL, LATER + 1) is Due.RUNS
    assert due(back(1, 2), running(1, 2), TILL, LATER + 1) is Due.EXPIRED


def test_an_order_signed_anew_holds_for_longer() -> None:
    book = OrderBook(STORE)
    assert book.take(signed(2, 1), PUBLIC, SOON)
    assert book.take(signed(2, 1, expires_ms=9 * LATER), PUBLIC, SOON)
    assert not book.take(signed(2, 1), PUBLIC, SOON)
    assert [held.expires_ms for held in book.orders()] == [9 * LATER]


@pytest.mark.parametrize(
    ("wanted", "standing", "what"),
    [
        (order(2, 1), running(1), Due.FETCH),
        (order(2, 1), Standing(), Due.FETCH),
        (order(2, 1), running(2), Due.RUNS),
        (order(2, 1), running(3), Due.OLDER),
        (back(2, 1), running(3), Due.GO_BACK),
        (back(2, 1), running(2), Due.GO_BACK),  # nothing moves, but the serial is used up
        (back(2, 1), msgspec.structs.replace(running(3), serial=2), Due.OLDER),
        (order(4, 1), msgspec.structs.replace(running(3), serial=2), Due.OLDER),
        (order(4, 3), msgspec.structs.replace(running(3), serial=2), Due.FETCH),
    ],
)
def test_what_is_to_be_done_follows_from_the_order_and_the_slots(wanted: Order, standing: Standing, what: Due) -> None:
    assert due(wanted, standing, TILL, SOON) is what


def test_a_till_that_is_not_chosen_waits() -> None:
    tills = [f"till{n}" for n in range(40)]
    found = {till: due(order(2, 1, share=30), running(1), till, SOON) for till in tills}
    assert set(found.values()) == {Due.FETCH, Due.WAITS}
    assert {till for till, what in found.items() if what is Due.FETCH} == {
        till for till in tills if is_chosen("fruit", 2, till, 30)
    }


def test_going_back_runs_the_other_slot_and_counts_once() -> None:
    gone = gone_back(running(1, 2), back(1, 5))
    assert (gone.version, gone.floor, gone.serial) == (1, 1, 5)
    assert due(back(1, 5), gone, TILL, SOON) is Due.RUNS
    with pytest.raises(Refused):
        gone_back(gone, back(1, 5))


def test_going_back_to_what_lies_in_no_slot_is_to_be_fetched() -> None:
    gone = gone_back(running(2, 3), back(1, 5))
    assert gone.version == 0
    assert due(back(1, 5), gone, TILL, SOON) is Due.FETCH
    check_install(gone, manifest(1), SOON)


def test_a_till_that_never_had_what_is_taken_back_goes_on_and_gets_the_version_too() -> None:
    gone = gone_back(running(1), back(2, 5))
    assert (gone.version, gone.serial) == (1, 5)
    assert due(back(2, 5), gone, TILL, SOON) is Due.FETCH


def test_after_going_back_a_new_program_s_own_model_waits_for_an_order() -> None:
    gone = gone_back(running(1, 2), back(1, 5))
    with pytest.raises(Refused) as caught:
        check_install(gone, manifest(3), SOON)
    assert caught.value.reason == "held"
    check_install(lifted(gone, 3), manifest(3), SOON)


def test_pieces_grow_while_they_are_quick_and_the_line_rests_as_long_as_it_works() -> None:
    pace = Pace(8, 64)
    assert [pace.took(1) for _ in range(5)] == [10] * 5
    assert pace.size == 64
    assert pace.took(4 * PIECE_MS) == 4 * PIECE_MS
    assert pace.size == 32
    assert pace.took(PIECE_MS) == PIECE_MS
    assert pace.size == 32
    pace.failed()
    assert pace.size == 8
