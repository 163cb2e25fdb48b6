"""One suite for whatever says who may do what at head office: a file of one machine, or PostgreSQL for services."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import ON_SERVERS, Servers, office_in
from tillmesh.adapters.sqlite.hub.office import SqliteOffice
from tillmesh.fleet.office import KEPT, Issued, Office, Person, Whom, hashed

KEY = bytes(range(32))
ANN, BOB = Person("ann", "admin", "hash of ann"), Person("bob", "buyer", "hash of bob")
Open = Callable[[], Office]


@pytest.fixture(params=["sqlite", pytest.param("servers", marks=ON_SERVERS)])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same office database, as often as a test wants."""
    made: list[Office] = []
    room = request.getfixturevalue("servers").room() if request.param == "servers" else None

    def open_one() -> Office:
        made.append(SqliteOffice(tmp_path / "office.db", KEY) if room is None else office_in(room))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def office(again: Open) -> Office:
    return again()


def test_a_key_that_one_service_revokes_is_unknown_to_the_other_at_its_next_question(again: Open) -> None:
    here, there = again(), again()
    here.put_certificate(b"one", "corner", 10)
    here.put_key("secret", "corner", b"one", 10)
    assert (there.certificate_store(b"one"), there.key_owner("secret")) == ("corner", ("corner", b"one"))
    assert there.in_force() == ([(hashed("secret"), b"one")], [b"one"])
    mark = there.in_force_mark()
    assert here.revoke_one("other", b"one", 20) is False
    assert here.revoke_one("corner", b"one", 20) is True
    assert here.revoke_one("corner", b"one", 30) is False
    assert (there.certificate_store(b"one"), there.key_owner("secret"), there.in_force()) == (None, None, ([], []))
    assert there.in_force_mark() != mark
    assert there.issued() == [Issued(b"one", "corner", 10, 20)]


def test_all_keys_and_certificates_of_a_store_are_revoked_and_those_of_no_other(office: Office) -> None:
    for number, store in enumerate(("corner", "corner", "market")):
        serial = bytes([number])
        office.put_certificate(serial, store, number)
        office.put_certificate(serial, "somebody else", number)  # a serial number is given once
        office.put_key(f"key {number}", store, serial, number)
    assert office.revoke("corner", 9) == 4
    assert office.revoke("corner", 9) == 0
    assert office.in_force() == ([(hashed("key 2"), b"\2")], [b"\2"])
    assert [one.serial for one in office.issued()] == [b"\2", b"\1", b"\0"]


def test_of_the_certificates_in_force_the_store_that_was_served_longest_ago_is_known(office: Office) -> None:
    assert office.in_force_since("-gateway") == (None, None, None)
    for number, (store, issued_ms) in enumerate((("corner", 10), ("corner", 40), ("market", 30), ("-gateway", 20))):
        office.put_certificate(bytes([number]), store, issued_ms)
    assert office.in_force_since("-gateway") == (30, 20, 10)
    office.revoke("market", 50)
    assert office.in_force_since("-gateway") == (40, 20, 10)


def test_credentials_of_a_store_are_of_a_later_generation_after_each_that_is_revoked(again: Open) -> None:
    here, there = again(), again()
    for serial in (b"one", b"two", b"three"):
        here.put_certificate(serial, "corner", 10)
    here.put_certificate(b"far", "other", 10)
    assert here.generation("corner") == 0
    assert (here.revoke_one("corner", b"one", 20), there.generation("corner")) == (True, 1)
    assert (there.revoke_one("corner", b"one", 21), here.generation("corner")) == (False, 1)
    assert (there.revoke("corner", 30), here.generation("corner")) == (2, 2)
    assert (there.revoke("corner", 31), here.generation("corner")) == (0, 2)
    assert (here.begin_generation("corner"), there.generation("corner")) == (3, 3)
    assert (here.begin_generation("corner", above=9), there.generation("corner")) == (10, 10)
    assert (here.begin_generation("other", above=4), there.generation("other")) == (5, 5)
    assert here.generation("nobody") == 0


def test_people_come_change_and_go(again: Open) -> None:
    here, there = again(), again()
    assert here.has_people() is False
    for person in (BOB, ANN):
        here.put_person(person)
    assert there.people() == [("ann", "admin"), ("bob", "buyer")]
    assert (there.person("bob"), there.person("nobody"), there.person("b\0b")) == (BOB, None, None)
    assert here.change_role("bob", "viewer") is True
    assert there.person("bob") == BOB._replace(role="viewer")
    assert (here.remove_person("bob"), here.remove_person("bob"), here.change_role("bob", "admin")) == (
        True, False, False,
    )  # fmt: skip
    assert (there.person("bob"), there.people()) == (None, [("ann", "admin")])
    here.put_person(BOB)
    assert there.person("bob") == BOB


def test_who_signed_in_at_one_service_is_signed_in_at_all_of_them_until_it_ends(again: Open) -> None:
    here, there = again(), again()
    here.put_person(ANN)
    here.put_session(b"t1", "ann", 100, 200)
    here.put_session(b"t2", "ann", 100, 300)
    assert (there.session(b"t1", 200), there.session(b"t1", 201), there.session(b"t3", 150)) == (
        ("ann", "admin"), None, None,
    )  # fmt: skip
    here.change_role("ann", "viewer")
    assert there.session(b"t2", 150) == ("ann", "viewer")
    there.end_sessions("ann", b"t2")
    assert (here.session(b"t1", 150), here.session(b"t2", 150)) == (None, ("ann", "viewer"))
    here.remove_person("ann")
    assert there.session(b"t2", 150) is None
    here.put_person(ANN)
    there.end_session(b"t2")
    assert here.session(b"t2", 150) is None
    here.put_session(b"t4", "ann", 150, 160)
    here.put_session(b"t5", "ann", 400, 500)
    assert here.session(b"t4", 155) is None, "a session that is over is forgotten"


def test_of_two_services_that_start_at_once_the_first_one_names_head_office(again: Open) -> None:
    here, there = again(), again()
    assert here.meta("actor") is None
    assert (here.note_once("actor", b"first"), there.note_once("actor", b"second")) == (b"first", b"first")
    there.note("actor", b"third")
    assert here.meta("actor") == b"third"


def test_what_was_done_is_listed_newest_first_in_pages_and_by_words(office: Office) -> None:
    for number in range(1, 6):
        office.audit(number, "ann", "price_planned", f"tea {number}", "from Monday 100%")
    office.audit(6, "b\0b", "signed", "", "")
    newest, *rest = office.audited(3)
    assert (newest[1], newest[3]) == (6, "signed")
    assert [row[4] for row in rest] == ["tea 5", "tea 4"]
    assert [row[4] for row in office.audited(9, before=rest[-1][0])] == ["tea 3", "tea 2", "tea 1"]
    assert [row[4] for row in office.audited(9, words="TEA 2")] == ["tea 2"]
    assert len(office.audited(9, words="100%")) == 5
    assert office.audited(9, words="0%_") == []


def test_groups_hold_stores_and_forget_them(again: Open) -> None:
    here, there = again(), again()
    here.put_group("north", ["b", "a", "a"])
    here.put_group("empty", [])
    assert there.groups() == {"empty": [], "north": ["a", "b"]}
    there.put_group("north", ["c"])
    assert here.groups()["north"] == ["c"]
    assert (here.remove_group("north"), here.remove_group("north")) == (True, False)
    assert there.groups() == {"empty": []}


def test_plans_are_noted_changed_and_ended(again: Open) -> None:
    here, there = again(), again()
    here.put_plan("price", "tea", {"sku": "tea\0", "n": 1}, {"a": "k1"}, Whom("all"), by="ann", at_ms=1)
    whom = Whom("north", ("north",), ("b",))
    here.put_plan("price", "tea", {"sku": "tea"}, {"b": "k2"}, whom, by="bob", at_ms=2)
    here.put_plan("promotion", "week", {}, {}, Whom(), by="ann", at_ms=3)
    newest, older = there.plans("price", 9)
    assert (older.shown, older.places, older.whom.words, older.by, older.at_ms, older.ended_ms) == (
        {"sku": "tea\0", "n": 1}, {"a": "k1"}, "all", "ann", 1, None,
    )  # fmt: skip
    assert there.plan("price", "tea") == newest == there.plan_by_id("price", newest.id)
    assert there.plan_by_id("promotion", newest.id) is None
    assert there.plan("price", "jam") is None
    assert there.following() == [newest]
    assert newest.whom == whom
    here.move_plan(newest.id, {"b": "k2", "d": "k4"})
    newest = newest._replace(places={"b": "k2", "d": "k4"})
    assert there.following() == [newest]
    here.end_plan(newest.id, 50)
    assert there.plan_by_id("price", newest.id) == newest._replace(ended_ms=50)
    here.put_plan("price", "tea", {"x": 2}, {"c": "k3"}, Whom("south"), by="eve", at_ms=60, number=newest.id)
    changed = there.plan_by_id("price", newest.id)
    assert changed is not None
    assert (changed.shown, changed.places, changed.by, changed.ended_ms) == ({"x": 2}, {"c": "k3"}, "eve", None)
    assert there.following() == []
    assert len(there.plans("price", 1)) == 1


def test_the_later_word_of_a_contact_counts(again: Open) -> None:
    here, there = again(), again()
    here.put_contacts([("b", 10, b"x"), ("a", 20, b"y")])
    there.put_contacts([("b", 5, b"old"), ("a", 30, b"new")])
    there.put_contacts([])
    assert sorted(here.contacts(0)) == [("a", 30, b"new"), ("b", 10, b"x")]
    assert here.contacts(10) == [("a", 30, b"new")]


def test_whose_signatures_count_for_a_store_is_known_to_all(again: Open) -> None:
    here, there = again(), again()
    assert here.trust("corner") is None
    here.put_trust("corner", b"authority", b"lists")
    here.put_trust("corner", b"authority", b"newer")
    assert there.trust("corner") == (b"authority", b"newer")
    there.keep_lists("corner", b"authority", b"newest")
    assert here.trust("corner") == (b"authority", b"newest")
    here.put_trust("corner", b"another authority", b"its lists")  # the store was lost and is back
    there.keep_lists("corner", b"authority", b"of the lost one")
    assert here.trust("corner") == (b"another authority", b"its lists")


def test_one_service_at_a_time_writes_for_a_store(again: Open) -> None:
    here, there = again(), again()
    with here.alone("write for corner"), there.alone("write for market"):
        here.note("actor", b"me")
    with there.alone("write for corner"):
        assert there.meta("actor") == b"me"


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.xdist_group("servers")
@pytest.mark.timeout(600)
def test_all_of_it_moves_from_a_file_to_postgresql_and_goes_on_counting(servers: Servers, tmp_path: Path) -> None:
    old, new = SqliteOffice(tmp_path / "office.db", KEY), office_in(servers.room())
    old.note("actor", b"office.aaaaaaaa")
    for person in (ANN, BOB):
        old.put_person(person)
    old.remove_person("bob")
    old.put_certificate(b"one", "corner", 10)
    old.put_key("secret", "corner", b"one", 10)
    old.begin_generation("corner")
    for number in range(3):
        old.audit(number, "ann", "did", f"thing\0 {number}")
    old.put_trust("corner", b"authority", b"lists")
    old.put_group("north", ["corner"])
    old.put_plan("price", "tea", {"n": 1}, {"corner": "k"}, Whom("north", ("north",)), by="ann", at_ms=1)
    old.put_contacts([("corner", 10, b"x")])
    kept = old.kept()
    assert [table for table, found in kept.items() if not found] == [], "a table that this test does not fill"
    assert set(kept) == set(KEPT)
    new.carry(kept)
    new.carry(kept)  # a crash in between: once more changes nothing
    assert new.people() == [("ann", "admin")]
    assert (new.person("ann"), new.key_owner("secret")) == (ANN, ("corner", b"one"))
    assert (new.plans("price", 9), new.groups(), new.trust("corner")) == (
        old.plans("price", 9), old.groups(), (b"authority", b"lists"),
    )  # fmt: skip
    assert (new.meta("actor"), new.contacts(0)) == (b"office.aaaaaaaa", [("corner", 10, b"x")])
    assert [row[:4] for row in new.audited(9)] == [row[:4] for row in old.audited(9)]
    new.audit(9, "ann", "did", "more")
    new.put_plan("price", "jam", {}, {}, Whom(), by="ann", at_ms=2)
    assert [row[0] for row in new.audited(9)] == [4, 3, 2, 1]
    assert [plan.id for plan in new.plans("price", 9)] == [2, 1]
    for each in (old, new):
        each.close()
