"""Prices and records: the later write wins, and every till agrees on what "later" means."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import fields, stamps, values
from tillmesh.crdt import UNSET, LWWMap, LWWRegister, Stamp
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.hlc import HybridLogicalClock, pack
from tillmesh.kernel.limits import CRDT_FIELDS_MAX, CRDT_VALUE_BYTES_MAX

HUB, OFFICE = "hub.00", "t1.aa"
NOW_MS = 1_700_000_000_000


def at(ms: int, actor: str = OFFICE, authority: int = 0) -> Stamp:
    return Stamp(authority, pack(NOW_MS + ms), actor)


def test_the_later_of_two_concurrent_prices_wins_on_every_replica() -> None:
    from_hub = LWWRegister().set(999, at(1000, HUB))
    from_office = LWWRegister().set(899, at(1001, OFFICE))
    assert (from_hub | from_office).value == 899
    assert (from_hub | from_office) == (from_office | from_hub)


def test_prices_set_in_the_same_millisecond_resolve_the_same_everywhere() -> None:
    prices = [
        LWWRegister().set(price, at(0, actor)) for price, actor in ((999, "t1.aa"), (899, "t2.bb"), (949, "t3.cc"))
    ]
    results = {a | b | c for a, b, c in permutations(prices)}
    assert [register.value for register in results] == [949]  # the greatest actor, by name


def test_a_price_changed_after_hearing_the_old_one_wins_though_the_wall_clock_went_back_an_hour() -> None:
    """The original's edge case: the hub's clock is ahead. Wall time alone would revert the change."""
    hub, office = HybridLogicalClock(HUB), HybridLogicalClock(OFFICE)
    from_hub = LWWRegister().set(999, Stamp(0, hub.tick(NOW_MS + 200_000), HUB))
    office.observe(from_hub.stamp.hlc, NOW_MS)
    changed = from_hub.set(899, Stamp(0, office.tick(NOW_MS - 3_600_000), OFFICE))
    assert changed.value == 899
    assert (from_hub | changed) == changed


def test_a_higher_authority_wins_over_a_later_clock() -> None:
    decided = LWWRegister().set(999, at(0, authority=2))
    assert decided.set(1, at(500_000, authority=1)) == decided


def test_a_price_from_ten_years_ahead_is_overridden_with_a_higher_authority() -> None:
    ahead = LWWRegister().set(1, at(10 * 365 * 86_400_000))
    assert ahead.set(999, at(0)) == ahead
    assert ahead.set(999, at(0, authority=1)).value == 999


def test_a_write_that_is_older_than_what_is_there_changes_nothing() -> None:
    price = LWWRegister().set(899, at(1))
    assert price.set(999, at(0)) is price


def test_a_register_that_was_never_written_holds_nothing() -> None:
    assert (LWWRegister().value, LWWRegister().stamp) == (None, UNSET)
    assert LWWRegister().set(None, at(0)) != LWWRegister()


def test_yes_and_one_are_different_values() -> None:
    yes, one = LWWRegister().set(True, at(0)), LWWRegister().set(1, at(0))
    assert yes != one
    assert (yes | one) == (one | yes)
    assert LWWMap().set("active", True, at(0)) != LWWMap().set("active", 1, at(0))
    assert LWWRegister().set([1], at(0)) != LWWRegister().set([True], at(0))


@given(values, values, stamps)
def test_two_values_under_one_stamp_resolve_the_same_everywhere(one: Any, other: Any, stamp: Stamp) -> None:
    a, b = LWWRegister().set(one, stamp), LWWRegister().set(other, stamp)
    assert (a | b) == (b | a)
    assert (a | b) in (a, b)


def test_lists_are_kept_as_tuples() -> None:
    product = LWWMap().set("barcodes", ["4006381333931", ["x"]], at(0))
    assert product.get("barcodes") == ("4006381333931", ("x",))
    assert LWWMap.from_bytes(product.to_bytes()).get("barcodes") == ("4006381333931", ("x",))


def test_two_people_editing_different_fields_of_a_customer_both_keep_their_change() -> None:
    customer = LWWMap.of({"name": "Ada", "phone": "1", "mail": "a@x"}, at(0))
    merged = customer.set("phone", "2", at(1)) | customer.set("mail", "b@x", at(2, HUB))
    assert merged.items() == [("mail", "b@x"), ("name", "Ada"), ("phone", "2")]


def test_a_removed_field_is_not_brought_back_by_an_older_write() -> None:
    product = LWWMap.of({"name": "Milk", "note": "old"}, at(0)).remove("note", at(5))
    assert product.set("note", "older", at(3)).get("note", "-") == "-"
    assert "note" not in product
    assert (list(product), len(product)) == (["name"], 1)
    assert product.set("note", "newer", at(6)).get("note") == "newer"


def test_a_removal_that_is_older_than_the_write_changes_nothing() -> None:
    product = LWWMap().set("name", "Milk", at(5))
    assert product.remove("name", at(4)) == product


def test_at_one_stamp_a_value_beats_a_removal() -> None:
    written, removed = LWWMap().set("name", None, at(0)), LWWMap().remove("name", at(0))
    assert (written | removed) == (removed | written) == written
    assert "name" in written
    assert written.get("name", "there, and nothing") is None


def test_a_field_tells_when_it_was_written() -> None:
    product = LWWMap().set("name", "Milk", at(1)).remove("note", at(2))
    assert (product.stamp("name"), product.stamp("note"), product.stamp("price")) == (at(1), at(2), UNSET)


@given(st.lists(st.tuples(fields, values, stamps), max_size=12), st.randoms(use_true_random=False))
def test_a_record_holds_per_field_what_a_register_would(writes: list[tuple[str, Any, Stamp]], dice: Any) -> None:
    record, registers = LWWMap(), dict.fromkeys([field for field, _, _ in writes], LWWRegister())
    for field, value, stamp in writes:
        registers[field] = registers[field].set(value, stamp)
    dice.shuffle(writes)
    for field, value, stamp in writes:
        record = record.set(field, value, stamp)
    assert {field: (record.get(field), record.stamp(field)) for field in record} == {
        field: (register.value, register.stamp) for field, register in registers.items()
    }


def test_an_imported_product_pays_for_its_stamp_once() -> None:
    names = {f"field{n}": n for n in range(10)}
    actor = "k3m7qx2p.4f9a2c00"
    together = LWWMap.of(names, at(0, actor)).to_bytes()
    apart = LWWMap()
    for n, field in enumerate(names):
        apart = apart.set(field, n, at(n, actor))
    assert together.count(actor.encode()) == 1
    assert len(together) + 9 * len(actor) < len(apart.to_bytes())


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        2**63,
        -(2**63) - 1,
        pytest.param(10**5000, id="5000 digits"),
        {"a": 1},
        {1},
        object(),
        "\ud800",
        [["\udfff"]],
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        LWWRegister().set(value, at(0))


TOO_LONG = [
    "x" * CRDT_VALUE_BYTES_MAX,
    "é" * (CRDT_VALUE_BYTES_MAX // 2),
    b"x" * CRDT_VALUE_BYTES_MAX,
    [0] * CRDT_VALUE_BYTES_MAX,
]


@pytest.mark.parametrize("value", TOO_LONG, ids=["ASCII", "more bytes than characters", "bytes", "a list"])
def test_a_value_over_the_limit_is_refused(value: Any) -> None:
    with pytest.raises(TooLarge, match=f"the limit is {CRDT_VALUE_BYTES_MAX}"):
        LWWRegister().set(value, at(0))


def test_values_nest_four_deep_and_no_deeper() -> None:
    four = LWWRegister().set([[[["bottom"]]]], at(0))
    assert LWWRegister.from_bytes(four.to_bytes()) == four
    with pytest.raises(Invalid, match="4 deep"):
        LWWRegister().set([[[[["below"]]]]], at(0))
    bottomless: list[Any] = []
    bottomless.append(bottomless)
    with pytest.raises(Invalid, match="4 deep"):
        LWWRegister().set(bottomless, at(0))


@pytest.mark.parametrize(
    "stamp",
    [UNSET, (0, 0), (0, -1, "a"), (-1, 0, "a"), (0, 2**63, "a"), (0, 0.5, "a"), (0, 0, "x" * 65), (0, 0, 7), None],
)
def test_a_write_needs_a_real_stamp(stamp: Any) -> None:
    with pytest.raises(Invalid):
        LWWRegister().set(1, stamp)
    with pytest.raises(Invalid):
        LWWMap().remove("name", stamp)


def test_a_plain_tuple_is_as_good_as_a_stamp() -> None:
    assert LWWRegister().set(1, (0, 5, "a")).stamp == Stamp(0, 5, "a")


@pytest.mark.parametrize("field", ["", "x" * 101, "\ud800", 1])
def test_a_field_needs_a_name(field: Any) -> None:
    with pytest.raises(Invalid, match="not the name of a field"):
        LWWMap().set(field, 1, at(0))


def test_one_field_more_than_the_limit_is_refused_also_when_two_tills_share_the_blame() -> None:
    half = CRDT_FIELDS_MAX // 2 + 1
    a = LWWMap.of({f"a{n}": n for n in range(half)}, at(0))
    b = LWWMap.of({f"b{n}": n for n in range(half)}, at(0))
    with pytest.raises(TooLarge, match=f"the limit is {CRDT_FIELDS_MAX}"):
        a.merge(b)
