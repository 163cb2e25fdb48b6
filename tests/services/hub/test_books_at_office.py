"""The books of several stores at head office: the very files that the stores write themselves, packed together."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.faults.corner_shop import MANAGER, driving
from tests.services.hub.recovered import NOW_MS, found_store, sell, upload
from tillmesh.hub.bookkeeping import LIST, OfStore, StoresLackAccounts, booked, packed
from tillmesh.hub.bootstrap import Opened, enrol_store, open_hub
from tillmesh.hub.running import Hub
from tillmesh.shop.accounting_files import DATEV, PLAIN
from tillmesh.shop.events import Change
from tillmesh.terminal import provisioning
from tillmesh.terminal.bookkeeping import read_days, write
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.joining import store_of
from tillmesh.till.commands import ChangeRecords, CloseShift, MoveCash, OpenShift

pytestmark = [pytest.mark.slow]
DAY_MS = 86_400_000
ACCOUNTS = [
    "cash=1000", "clearing=1590", "transit=1361", "over_short=2300", "revenue.standard=8400", "tax.standard=1776",
    "consultant=29098", "client=55003",
]  # fmt: skip


def shop(folder: Path, name: str, accounts: list[str]) -> Path:
    """A shop of one till that sold, moved cash and counted its drawer."""
    (place,) = found_store(folder, 1)
    settings = Change(key="store", fields={"name": name, "accounts": accounts, "time_zone": "Europe/Berlin"})
    with driving(place) as driver:
        driver.do_now(MANAGER, ChangeRecords(entity="setting", changes=(settings,)))
    sell(place, 1, 2, 3)
    with driving(place) as driver:
        driver.do_now(MANAGER, MoveCash(amount_minor=-1_500, reason="to the bank"))
        driver.do_now(MANAGER, CloseShift(counted_minor=9_999))
        driver.do_now(MANAGER, OpenShift(float_minor=5_000))
    sell(place, 4, 5)
    return place


def own_file(place: Path, first: str, last: str, form: str, then_ms: int) -> tuple[str, bytes]:
    """Give name and content of the file that a till writes itself."""
    opened = open_terminal(place)
    try:
        file = write(read_days(opened.writer.db, opened.writer.books, first, last, then_ms), form, then_ms)
        return f"{opened.origin.store}-{file.name}", file.content
    finally:
        opened.close()


def at_office(opened: Opened, first: str, last: str, then_ms: int) -> list[OfStore]:
    """Book all stores, as the page asks for it."""

    async def ask() -> list[OfStore]:
        hub = Hub(opened)
        shops = await hub.read(lambda reading: reading.shops())
        return [await booked(hub, one, first, last, then_ms) for one in shops]

    return asyncio.run(ask())


def test_head_office_packs_the_very_files_that_the_stores_write_themselves(tmp_path: Path) -> None:
    places = [shop(tmp_path / "north", "North", ACCOUNTS), shop(tmp_path / "south", "=South", ACCOUNTS)]
    then_ms = now_ms() + 3 * DAY_MS
    today = date.fromordinal(719_163 + now_ms() // DAY_MS)
    first, last = (str(today + timedelta(days=by)) for by in (-1, 1))
    opened = open_hub(tmp_path / "hub")
    try:
        for place in places:
            enrol_store(opened, store_of(place), NOW_MS, provisioning.store_authority(place))
            upload(opened, place)
            upload(opened, place)  # again is no news
        found = at_office(opened, first, last, then_ms)
        for form in (PLAIN, DATEV):
            with zipfile.ZipFile(io.BytesIO(packed(found, form, then_ms))) as pack:
                inside = {name: pack.read(name) for name in pack.namelist()}
            listed = list(csv.DictReader(io.StringIO(inside.pop(LIST).decode())))
            assert inside == dict(own_file(place, first, last, form, then_ms) for place in places)
            assert {row["file"] for row in listed} == inside.keys()
            assert [(row["name"], row["documents"]) for row in sorted(listed, key=lambda row: row["name"])] == [
                ("'=South", "1"), ("North", "1"),
            ]  # fmt: skip
            assert all(row["not_heard_since"] for row in listed), "nobody was heard of after these days"
    finally:
        opened.close()


def test_a_store_whose_accountant_gave_no_numbers_is_named_and_no_file_has_a_hole(tmp_path: Path) -> None:
    place = shop(tmp_path / "north", "North", ["cash=1000"])
    opened = open_hub(tmp_path / "hub")
    try:
        enrol_store(opened, store_of(place), NOW_MS, provisioning.store_authority(place))
        upload(opened, place)
        today = date.fromordinal(719_163 + now_ms() // DAY_MS)
        then_ms = now_ms() + 3 * DAY_MS
        found = at_office(opened, str(today - timedelta(days=1)), str(today + timedelta(days=1)), then_ms)
        with pytest.raises(StoresLackAccounts, match="North: clearing, over_short") as refused:
            packed(found, PLAIN, then_ms)
        assert refused.value.members()["roles"] == {
            "North": ["clearing", "over_short", "revenue.standard", "tax.standard", "transit"]
        }
    finally:
        opened.close()
