"""All tills of a store are lost: head office gives it back to a new machine, checked event by event."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.faults.corner_shop import MANAGER, driving, read_books
from tests.servers import ON_SERVERS, Servers
from tests.services.hub.recovered import (
    NOW_MS,
    Direct,
    burn,
    found_store,
    permitted,
    recovered,
    sell,
    upload,
)
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.adapters.wan.certificates import serial_of
from tillmesh.hub.bootstrap import EMBEDDED, Opened, enrol_store, open_hub
from tillmesh.hub.recovery import claim, permit
from tillmesh.hub.settings import Settings
from tillmesh.kernel.errors import Conflict, Damaged, Invalid, NotAllowed, NotFound, StorageFailed
from tillmesh.kernel.ids import series
from tillmesh.kernel.limits import RECOVERY_MS_MAX
from tillmesh.shop.events import Change
from tillmesh.sync.recovery import Claim, Page, Unsigned
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.joining import store_of
from tillmesh.terminal.store_recovery import Refused
from tillmesh.terminal.verifying import verify
from tillmesh.till.commands import ChangeRecords

pytestmark = [pytest.mark.slow]
CUSTOMER = ChangeRecords(entity="customer", changes=(Change(key="ada", fields={"name": "Ada"}),))


@contextmanager
def head_office(folder: Path, places: list[Path], settings: Settings = EMBEDDED) -> Iterator[tuple[Opened, str]]:
    """Run head office in this thread, with everything that the tills have sold so far."""
    store = store_of(places[0])
    hub = open_hub(folder, settings)
    try:
        enrol_store(hub, store, NOW_MS, provisioning.store_authority(places[0]))
        for place in places:
            upload(hub, place)
        yield hub, store
    finally:
        hub.close()


def revenue(hub: Opened, store: str) -> tuple[int, int]:
    reading = hub.reading()
    try:
        (shown,) = [one for one in reading.stores() if one.store == store]
        return shown.sales, shown.revenue_minor
    finally:
        reading.close()


@pytest.mark.parametrize("where", ["embedded", pytest.param("servers", marks=ON_SERVERS)])
def test_a_shop_with_one_till_that_burnt_down_sells_on_where_it_stopped(
    where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = EMBEDDED
    if where == "servers":
        servers: Servers = request.getfixturevalue("servers")
        settings = servers.room()
    (place,) = places = found_store(tmp_path, 1)
    old = sell(place, 1, 2, 3, 4)
    with driving(place) as driver:
        driver.do_now(MANAGER, CUSTOMER)
    with head_office(tmp_path / "hub", places, settings) as (hub, store):
        before = revenue(hub, store)
        was = verify(place)
        burn(place)
        found = recovered(tmp_path / "new", bundle := permitted(hub, store), Direct(hub, bundle))
        assert found["state_hash"] == was["state_hash"]
        assert (found["terminal_id"], found["new_pin_for"]) == (was["terminal"], "ruth")
        assert found["actor"] != was["actor"]
        assert found["customers_unreadable"] == 1  # the key of her name was on the lost till only
        assert [each["last_event"] for each in found["tills"]] == [was["heads"][was["actor"]]["seq"]]  # type: ignore[attr-defined]
        new = sell(tmp_path / "new", 5, 6)  # the shift that was open goes on
        report = verify(tmp_path / "new")
        assert report["ok"], report["problems"]
        sales = {sale.sale_id: sale for sale in read_books(tmp_path / "new")[0]}
        assert sales.keys() == {*old, *new}
        assert len({sale.receipt_number for sale in sales.values()}) == 6
        assert {sales[number].receipt_number.partition("-")[0] for number in new} == {series(str(found["actor"]))}
        upload(hub, tmp_path / "new", term=int(str(found["term"])))
        assert before == (4, sum(sales[number].total_minor for number in old))
        assert revenue(hub, store) == (6, sum(sale.total_minor for sale in sales.values()))


def test_a_recovery_that_is_cut_off_again_and_again_goes_on_and_nothing_sells_meanwhile(tmp_path: Path) -> None:
    places = found_store(tmp_path, 2)
    sold = sell(places[0], *range(12)) + sell(places[1], *range(5))
    with head_office(tmp_path / "hub", places) as (hub, store):
        heads = hub.service.state(store).acked
        burn(*places)
        bundle, new = permitted(hub, store), tmp_path / "new"
        seen = [0]
        for runs in (1, 2, 3):

            def dark(page: Page, runs: int = runs) -> Page:
                return msgspec.structs.replace(page, runs=page.runs[:runs], place="log:0", whole=False)

            with pytest.raises(Damaged, match="does not go on"):
                recovered(new, bundle, Direct(hub, bundle, dark))
            with pytest.raises(StorageFailed, match="filled from head office"):
                open_terminal(new, recover=True)
            seen.append(sum(head["seq"] for head in verify(new, quick=True)["heads"].values()))
            assert seen[-1] > seen[-2]
        recovered(new, bundle, Direct(hub, bundle))
        assert {actor: int(head["seq"]) for actor, head in verify(new)["heads"].items() if actor in heads} == heads
        assert verify(new)["ok"]
        assert {sale.sale_id for sale in read_books(new)[0]} == set(sold)


def test_no_event_counts_that_its_till_did_not_sign_whatever_head_office_says(tmp_path: Path) -> None:
    places = found_store(tmp_path, 2)
    sell(places[1], 1, 2)
    with head_office(tmp_path / "hub", places) as (hub, store):
        bundle = permitted(hub, store)

        def unsigned(page: Page) -> Page:
            runs = [msgspec.structs.replace(run, signature=b"s" * 64) for run in page.runs]
            return msgspec.structs.replace(page, runs=runs)

        def halved(page: Page) -> Page:
            return msgspec.structs.replace(page, runs=page.runs[: len(page.runs) // 2])

        for spoil, error in ((unsigned, Unsigned), (halved, Damaged)):
            with pytest.raises(error):
                recovered(tmp_path / spoil.__name__, bundle, Direct(hub, bundle, spoil))
        with pytest.raises(StorageFailed):
            open_terminal(tmp_path / "halved")
        # Nothing was changed at head office: the tills that are there after all upload on.
        upload(hub, places[0])


def test_the_lost_tills_are_no_tills_any_more_and_a_stolen_bundle_is_worth_nothing(tmp_path: Path) -> None:
    places = found_store(tmp_path, 3)
    sell(places[2], 1)
    with head_office(tmp_path / "hub", places) as (hub, store):
        serials = {one.serial for one in hub.office.issued()}
        found = recovered(tmp_path / "new", bundle := permitted(hub, store), Direct(hub, bundle))
        assert {one.serial for one in hub.office.issued() if one.revoked_ms is not None} == serials
        assert hub.office.certificate_store(serial_of(bundle.certificate)) == store
        lists = provisioning.membership_in(tmp_path / "new", store)
        assert [actor for actor, member in lists.members.items() if member.state == "active"] == [found["actor"]]
        assert len(lists.revoked) == 4  # three tills, and head office's key for its own events
        trusted = hub.office.trust(store)
        assert trusted is not None
        assert trusted[0] == provisioning.store_authority(tmp_path / "new")
        assert trusted[0] != provisioning.store_authority(places[0])
        # What an old till sold before, and still passes on under its own signature, counts all the same.
        sell(tmp_path / "new", 2)
        upload(hub, tmp_path / "new", term=int(str(found["term"])))
        assert revenue(hub, store)[0] == 2


def test_only_who_was_permitted_fetches_a_log_and_not_for_ever(tmp_path: Path) -> None:
    places = found_store(tmp_path, 1)
    with head_office(tmp_path / "hub", places) as (hub, store):
        usual = permitted(hub, store)
        bundle = permitted(hub, store)  # a later permission takes the place of an earlier one
        with pytest.raises(Refused, match="may not fetch"):
            recovered(tmp_path / "new", usual, Direct(hub, usual))
        assert hub.office.certificate_store(serial_of(usual.certificate)) is None  # nor does it upload any more
        assert hub.office.key_owner(usual.api_key) is None
        line = Direct(hub, bundle)
        line.now_ms = NOW_MS + RECOVERY_MS_MAX + 1
        with pytest.raises(Refused, match="expired"):
            recovered(tmp_path / "new", bundle, line)
        with pytest.raises(NotFound):
            permit(hub, "nobody", NOW_MS)
        line.now_ms = NOW_MS
        recovered(tmp_path / "new", bundle, line)
        trusted = hub.office.trust(store)
        assert trusted is not None
        lists = msgspec.msgpack.decode(trusted[1], type=list[bytes])
        serial = serial_of(bundle.certificate)
        assert claim(hub, store, serial, Claim(authority=trusted[0], lists=lists), NOW_MS) == 0  # said again
        with pytest.raises(Conflict, match="already"):
            claim(hub, store, serial, Claim(authority=b"another", lists=lists), NOW_MS)
        with pytest.raises(NotAllowed):
            claim(hub, store, b"x" * 20, Claim(authority=trusted[0], lists=lists), NOW_MS)


def test_a_directory_that_holds_a_till_is_left_alone_and_a_wrong_name_is_said_before_anything_happens(
    tmp_path: Path,
) -> None:
    places = found_store(tmp_path, 1)
    with head_office(tmp_path / "hub", places) as (hub, store):
        bundle = permitted(hub, store)
        with pytest.raises(Conflict, match="holds a till"):
            recovered(places[0], bundle, Direct(hub, bundle))
        with pytest.raises(NotFound, match="no till of this store"):
            recovered(tmp_path / "new", bundle, Direct(hub, bundle), terminal="zzzzzzzz")
        with pytest.raises(Invalid, match="no manager"):
            recovered(tmp_path / "new", bundle, Direct(hub, bundle), person="maya")
        assert hub.office.trust(store) is None
        assert recovered(tmp_path / "new", bundle, Direct(hub, bundle), person="ruth")["new_pin_for"] == "ruth"
        with driving(tmp_path / "new") as driver:
            assert driver.opened.writer.books.current_shift() is not None


def test_what_only_the_lost_tills_held_is_named(tmp_path: Path) -> None:
    (place,) = places = found_store(tmp_path, 1)
    sell(place, 1, 2)
    with head_office(tmp_path / "hub", places) as (hub, store):
        (actor,) = hub.service.state(store).acked
        last = hub.service.state(store).acked[actor]
        hub.service.seen[store].has = {actor: last + 3}  # the leader said so with its last upload
        found = recovered(tmp_path / "new", bundle := permitted(hub, store), Direct(hub, bundle))
        assert found["tills"] == [
            {
                "terminal_id": actor.partition(".")[0], "name": actor.partition(".")[0], "actor": actor,
                "last_event": last, "last_receipt": f"{series(actor)}-000002",
                "events_known_lost": [last + 1, last + 3],
            }
        ]  # fmt: skip


@pytest.mark.parametrize("tills", [1, 2])
def test_a_store_that_is_lost_twice_comes_back_twice(tmp_path: Path, tills: int) -> None:
    places = found_store(tmp_path, tills)
    old = sell(places[0], 1, 2, 3)
    with head_office(tmp_path / "hub", places) as (hub, store):
        burn(*places)
        once, again = tmp_path / "once", tmp_path / "again"
        found = recovered(once, bundle := permitted(hub, store), Direct(hub, bundle))
        new = sell(once, 4, 5)
        upload(hub, once, term=int(str(found["term"])))
        burn(once)
        recovered(again, bundle := permitted(hub, store), Direct(hub, bundle))
        assert {sale.sale_id for sale in read_books(again)[0]} == {*old, *new}


def test_a_power_cut_while_a_store_is_given_back_leaves_no_stolen_bundle_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = found_store(tmp_path, 2)
    sell(places[0], 1)
    with head_office(tmp_path / "hub", places) as (hub, store):
        stolen = read_bundle(enrol_store(hub, store, NOW_MS))
        burn(*places)
        bundle, writes = permitted(hub, store), [0]
        for name in ("put_trust", "note", "revoke_one", "audit"):
            done = getattr(hub.office, name)

            def cut(*said: object, done: Callable[..., object] = done) -> object:
                writes[0] += 1
                if writes[0] == 3:
                    raise Conflict("the power is gone", hint="Run it again.")
                return done(*said)

            monkeypatch.setattr(hub.office, name, cut)
        line = Direct(hub, bundle)
        with pytest.raises(Refused):
            recovered(tmp_path / "new", bundle, line)
        monkeypatch.undo()
        recovered(tmp_path / "new", bundle, line)
        assert hub.office.certificate_store(serial_of(stolen.certificate)) is None
        assert hub.office.key_owner(stolen.api_key) is None
