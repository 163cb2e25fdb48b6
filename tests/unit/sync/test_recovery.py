"""What a store gets back from head office counts only as its tills have signed it."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.laws.hub_world import STORE, sale, sealed
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Damaged
from tillmesh.sync.messages import Mark, Run, runs_of
from tillmesh.sync.packing import FrameDamaged
from tillmesh.sync.recovery import (
    Checked,
    Estate,
    Page,
    Replay,
    Unsigned,
    heads_hash,
    lacking,
    read_estate,
    read_page,
    write_estate,
    write_page,
)
from tillmesh.sync.signatures import KeyNotary, SignedHead, head_message

A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"
KEYS = {A: Ed25519PrivateKey.from_private_bytes(b"a" * 32), B: Ed25519PrivateKey.from_private_bytes(b"b" * 32)}


def chain(actor: str, count: int, total_minor: int = 100) -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(1, count + 1):
        events.append(sealed(head, sale(number, total_minor), number))
        head = Head(actor, number, events[-1].hash)
    return events


def end_of(events: list[Envelope]) -> Head:
    return Head(events[-1].actor, events[-1].seq, events[-1].hash)


def run(events: list[Envelope], by: str = "") -> Run:
    end = end_of(events)
    signature = KEYS[by or end.actor].sign(head_message(STORE, end))
    (made,) = runs_of(events, {(end.actor, end.seq): signature})
    return made


def page(*runs: Run, store: str = STORE) -> Page:
    return Page(store, list(runs), "log:1", whole=True)


def replay(heads: dict[str, Head] | None = None, known: str = A + B) -> Replay:
    publics = {actor: key.public_key().public_bytes_raw() for actor, key in KEYS.items() if actor in known}
    return Replay(STORE, heads or {}, KeyNotary(STORE, publics.get))


def seqs(found: list[Checked]) -> list[tuple[str, int]]:
    return [(event.actor, event.seq) for each in found for event in each.events]


def test_pages_of_two_tills_come_back_as_they_were_sold_each_under_its_signature() -> None:
    a, b = chain(A, 5), chain(B, 3)
    back = replay()
    found = back.take(page(run(a[:2]), run(b), run(a[2:])))
    assert [event for each in found if each.signed.head.actor == A for event in each.events] == a
    ends = [(a[:2], run(a[:2])), (b, run(b)), (a, run(a))]
    assert [each.signed for each in found] == [SignedHead(end_of(log), made.signature) for log, made in ends]
    assert back.heads == {A: end_of(a), B: end_of(b)}


def test_what_comes_twice_is_no_news_and_what_overlaps_gives_the_rest() -> None:
    a = chain(A, 6)
    back = replay({A: end_of(a[:2])})
    assert seqs(back.take(page(run(a[:2]), run(a[:4]), run(a)))) == [(A, 3), (A, 4), (A, 5), (A, 6)]
    assert back.take(page(run(a))) == []


def test_a_sale_that_was_made_up_on_the_way_is_refused_and_nothing_after_it_counts() -> None:
    a = chain(A, 3)
    for bad in (run(a, by=B), msgspec.structs.replace(run(a), signature=b""), run(a, by=A)):
        back = replay(known=B) if bad == run(a) else replay()
        with pytest.raises(Unsigned, match=f"{A}-3"):
            back.take(page(bad))
        assert back.heads == {}


def test_an_amount_that_was_changed_shows_in_the_chain() -> None:
    a, dearer = chain(A, 3), chain(A, 3, 999)
    altered = run(a)
    altered.items[1] = run(dearer).items[1]
    with pytest.raises(Damaged, match="hashes differ"):
        replay().take(page(altered))


def test_a_hole_in_head_offices_log_is_named() -> None:
    a = chain(A, 5)
    with pytest.raises(Damaged, match=f"after {A}-2 head office sent {A}-4"):
        replay({A: end_of(a[:2])}).take(page(run(a[3:])))


def test_another_stores_page_is_refused() -> None:
    with pytest.raises(Damaged, match="another"):
        replay().take(page(store="another"))


def test_what_has_not_come_back_is_named_by_its_till() -> None:
    a, b = chain(A, 5), chain(B, 3)
    marks = {A: Mark(5, end_of(a).hash), B: Mark(3, end_of(b).hash)}
    estate = Estate(store=STORE, term=2, heads=marks)
    assert lacking(estate, {}) == {A: 0, B: 0}
    assert lacking(estate, {A: end_of(a[:4]), B: end_of(b)}) == {A: 4}
    assert lacking(estate, {A: end_of(a), B: end_of(chain(B, 3, 7))}) == {B: 3}
    assert lacking(estate, {A: end_of(a), B: end_of(b)}) == {}
    assert heads_hash({A: end_of(a), B: end_of(b)}) == heads_hash({B: end_of(b), A: end_of(a)})
    assert heads_hash({A: end_of(a), B: end_of(b)}) != heads_hash({A: end_of(a)})


def test_pages_and_accounts_travel_and_come_back_the_same() -> None:
    sent = page(run(chain(A, 40)), run(chain(B, 2)))
    frame = write_page(sent)
    assert read_page(frame) == sent
    estate = Estate(store=STORE, term=3, heads={A: Mark(1, b"h" * 32)}, heard={A: 4}, lists=[b"list"])
    assert read_estate(write_estate(estate)) == estate


def test_bytes_that_are_no_page_are_refused_and_nothing_unpacks_beyond_its_limit() -> None:
    frame = write_page(page(run(chain(A, 40))))
    for bad in (b"", b"tl", frame[:-3], b"xx" + frame[2:], frame[:2] + b"\x09" + frame[3:],
                frame[:4] + b"\xff\xff\xff\xff" + frame[8:], frame[:4] + b"\0\0\0\x10" + frame[8:]):  # fmt: skip
        with pytest.raises(FrameDamaged):
            read_page(bad)
    for bad in (b"", b"{}", b"[", b'{"store": "A b", "term": 1, "heads": {}}'):
        with pytest.raises(FrameDamaged):
            read_estate(bad)
