"""How stores stand at head office: their day by their own clock, who is behind, what each till took."""

import pytest

from tests.laws.hub_world import sale, sealed
from tillmesh.fleet.ports import Entry, Master, Reading
from tillmesh.fleet.standing import Contact, ShopRow, Takings, behind, decimals, tills, today, unsent
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import Change, SaleVoided, SettingsChanged

A, B, OFFICE = "tilla.aaaaaaaa", "tillb.bbbbbbbb", "headoffice.aaaaaaaa"
HOUR_MS = 3_600_000
NOON_2026_06_10_MS = 1_781_092_800_000  # 12:00 UTC


def shop(heads: dict[str, int], fenced: tuple[str, ...] = ()) -> ShopRow:
    return ShopRow("corner", "Corner", "EUR", "UTC", 1, A, 0, heads, {A: 5, "tilla.cccccccc": 9}, fenced)


def chain(actor: str, *bodies: object) -> tuple[Envelope, ...]:
    events: list[Envelope] = []
    head = Head(actor)
    for number, body in enumerate(bodies, 1):
        events.append(sealed(head, body, number))  # type: ignore[arg-type] # every body is a record
        head = Head(actor, number, events[-1].hash)
    return tuple(events)


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 12), ("Europe/Vienna", 14), ("Asia/Kolkata", 17.5), ("no/zone", 12)]
)
def test_a_stores_day_begins_at_its_own_midnight(zone: str, hours: float) -> None:
    day = today(zone, NOON_2026_06_10_MS)
    assert NOON_2026_06_10_MS - day.first_ms == hours * HOUR_MS
    assert day.before_now_ms - day.before_first_ms == hours * HOUR_MS
    assert day.first_ms - day.before_first_ms == 7 * 24 * HOUR_MS


def test_what_the_leader_held_and_head_office_lacks_is_behind() -> None:
    held = shop({A: 5, B: 7, OFFICE: 4}, fenced=(B,))
    assert behind(held, Contact(1, {A: 8, B: 9, OFFICE: 3})) == 3
    assert unsent(held, Contact(1, {A: 8, OFFICE: 3})) == 1
    assert unsent(held, Contact()) is None


def test_a_till_with_a_new_life_is_one_till_and_head_office_is_none() -> None:
    assert tills(shop({A: 5, "tilla.cccccccc": 2, OFFICE: 4})) == {"tilla": (7, 9)}


def test_a_currency_that_does_not_exist_breaks_no_page() -> None:
    assert [decimals(name) for name in ("JPY", "EUR", "KWD", "none")] == [0, 2, 3, 2]


def test_takings_are_of_one_store_one_span_and_less_what_was_given_back(read_master: tuple[Master, Reading]) -> None:
    master, reading = read_master
    settings = SettingsChanged(changes=(Change(key="store", fields={"name": "Corner", "currency": "JPY"}),), by="ann")
    mine = chain(A, sale(1, 100), sale(2, 250), sale(3, 700), settings)
    void = SaleVoided(
        sale_id=f"{A}-1", receipt_number="4", by="ann", shift_id="s", reason="mistake", total_minor=100, tax_minor=0,
        payments=(), voided_at_ms=2_500,
    )  # fmt: skip
    master.apply({"log": 1}, Entry("corner", 1, A, 9_000, mine))
    master.apply({"log": 2}, Entry("corner", 1, A, 9_000, chain(B, void)))
    office = Entry("corner", 1, OFFICE, 99_000, chain(OFFICE, settings))
    master.apply({"log": 4}, office)
    master.apply({"log": 5}, Entry("other", 1, B, 9_000, chain(B, sale(2, 5_000))))
    assert reading.takings("corner", 1_000, 3_000) == Takings(2, 250, 0)
    assert reading.takings("corner", 3_000, 9_000) == Takings(1, 700, 0)
    assert reading.takings("nobody", 0, 9_000) == Takings()
    assert reading.takings_by_till("corner", 0, 9_000) == {"tilla": Takings(3, 1_050, 0), "tillb": Takings(0, -100, 0)}
    assert [sold.receipt_number for sold in reading.latest("corner", 2)] == ["3", "4"]
    corner, other = reading.shops()
    assert (corner.name, corner.currency, corner.heads) == ("Corner", "JPY", {A: 4, B: 1, OFFICE: 1})
    assert (corner.sender, corner.last_sync_ms) == (A, 9_000), "what head office writes is no word from the store"
    assert (other.name, other.heads) == ("other", {B: 1})
