"""Head office cuts a store's log where its tills have signed, and vouches only where it is asked to."""

import pytest

from tests.laws.hub_world import OFFICE, STORE, sale, sealed
from tillmesh.fleet.ports import Entry, Stretch
from tillmesh.fleet.recovering import page_of, read_place, write_place
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import is_office
from tillmesh.kernel.limits import SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.signatures import SignedHead

A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"


def chain(actor: str, count: int) -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(1, count + 1):
        events.append(sealed(head, sale(number, 100), number))
        head = Head(actor, number, events[-1].hash)
    return events


def entry(events: list[Envelope], *signed: int) -> Entry:
    ends = tuple(
        SignedHead(Head(events[at].actor, events[at].seq, events[at].hash), f"{events[at].actor}-{at}".encode())
        for at in signed
    )
    return Entry(STORE, 1, A, 0, tuple(events), ends)


def office_only(head: Head) -> bytes | None:
    return b"office" if is_office(head.actor) else None


def cuts(*entries: Entry, vouch: object = office_only) -> list[tuple[str, int, int, bytes]]:
    page = page_of(STORE, Stretch({"log": 7}, entries, whole=False), vouch)  # type: ignore[arg-type]
    assert (page.store, page.place, page.whole) == (STORE, "log:7", False)
    return [(run.actor, run.first, len(run.items), run.signature) for run in page.runs]


def test_an_entry_is_cut_where_its_tills_have_signed() -> None:
    found = cuts(entry([*chain(A, 5), *chain(B, 3)], 1, 4, 7))
    assert found == [(A, 1, 2, f"{A}-1".encode()), (A, 3, 3, f"{A}-4".encode()), (B, 1, 3, f"{B}-7".encode())]


def test_head_office_signs_its_own_log_and_that_of_a_till_without_any_list() -> None:
    both = entry([*chain(OFFICE, 2), *chain(A, 2)], 3)
    assert cuts(both) == [(OFFICE, 1, 2, b"office"), (A, 1, 2, f"{A}-3".encode())]
    assert cuts(both, vouch=lambda _: b"office") == [(OFFICE, 1, 2, b"office"), (A, 1, 2, b"office")]


def test_no_stretch_is_longer_than_a_till_takes() -> None:
    count = SYNC_EVENTS_PER_BATCH_MAX + 1
    assert cuts(entry(chain(OFFICE, count))) == [
        (OFFICE, 1, SYNC_EVENTS_PER_BATCH_MAX, b"office"),
        (OFFICE, count, 1, b"office"),
    ]


def test_a_place_in_the_log_is_read_as_it_was_written_and_nothing_else_is() -> None:
    for place in ({}, {"log": 12}, {"0": 3, "11": 0}):
        assert read_place(write_place(place)) == place
    for bad in ("log", "log:", "log:-1", "log:01", "a b:1", "log:1,", "log:1;drop", "x:" + "9" * 30, "a:1," * 2_000):
        with pytest.raises(Invalid):
            read_place(bad)
