"""Wrong PINs are counted over restarts of the till, and stand in the audit log."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request

from tests.services.sqlite.disk_shop import shop_at
from tests.unit.till.shop_till import MANAGER
from tillmesh.kernel.errors import TooMany
from tillmesh.kernel.limits import PIN_FREE_TRIES, PIN_QUIET_MS
from tillmesh.shop import events as e
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.program import restore_pins
from tillmesh.terminal.web.api import Context, Services
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.session_calls import WrongPin, prove
from tillmesh.terminal.web.sessions import Person, Sessions
from tillmesh.till import commands as c

pytestmark = pytest.mark.slow


def try_pins(data_dir: Path, *pins: str, ahead_ms: int = 0) -> list[Any]:
    """Start a till, type PINs one after the other, stop it; give the person or the kind of problem for each."""

    async def run() -> list[Any]:
        opened = open_terminal(data_dir)
        driver = Driver(opened)
        hashing = Pins(opened.pepper, opened.origin.store)
        services = Services(driver, Sessions(), hashing, Live(), clock=lambda: now_ms() + ahead_ms)
        try:
            await restore_pins(services)
            # Proving a PIN looks at nothing of the request.
            context = Context(services, cast("Request", None), None)
            return [await outcome(context, pin) for pin in pins]
        finally:
            hashing.close()
            driver.close()

    return asyncio.run(run())


async def outcome(context: Context, pin: str) -> Person | type[Exception]:
    try:
        return await prove(context, pin)
    except (WrongPin, TooMany) as error:
        return type(error)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with shop_at(tmp_path) as shop:
        pins = Pins(shop.opened.pepper, shop.opened.origin.store)
        tag = pins.tag_now("4711")
        pins.close()
        mona = e.Change(key="mona", fields={"name": "Mona", "role": "manager", "pin_tag": tag})
        shop.do(c.ChangeRecords(entity="person", changes=(mona,)), MANAGER)
    return tmp_path


def test_a_restart_gives_no_free_tries(data_dir: Path) -> None:
    assert try_pins(data_dir, *["0000"] * PIN_FREE_TRIES) == [WrongPin] * PIN_FREE_TRIES
    assert try_pins(data_dir, "4711") == [TooMany]
    assert try_pins(data_dir, "0000", ahead_ms=PIN_QUIET_MS) == [WrongPin]


def test_a_right_pin_between_wrong_ones_forgives_none(data_dir: Path) -> None:
    found = try_pins(data_dir, "0000", "4711", "0001", "4711", "0002", "4711")
    assert [one if isinstance(one, type) else one.name for one in found] == [
        WrongPin, "Mona", WrongPin, "Mona", WrongPin, TooMany,
    ]  # fmt: skip


def test_an_hour_of_quiet_forgives(data_dir: Path) -> None:
    try_pins(data_dir, *["0000"] * PIN_FREE_TRIES)
    found = try_pins(data_dir, "4711", "0000", "0000", "4711", ahead_ms=PIN_QUIET_MS)
    assert [one if isinstance(one, type) else one.name for one in found] == ["Mona", WrongPin, WrongPin, "Mona"]


def test_wrong_pins_stand_in_the_audit_log_without_the_pin(data_dir: Path) -> None:
    try_pins(data_dir, "0815", "0816")
    with shop_at(data_dir) as shop:
        noted = [shop.read(event.id, e.Audited) for event in shop.log() if event.type == "audited"]
        assert [note.action for note in noted] == ["wrong_pin", "wrong_pin"]
        assert not any("081" in note.detail + note.subject for note in noted)


def test_somebody_who_left_does_not_sign_in(data_dir: Path) -> None:
    with shop_at(data_dir) as shop:
        sam = e.Change(key="sam", fields={"name": "Sam", "role": "manager"})
        gone = e.Change(key="mona", fields={"active": False})
        shop.do(c.ChangeRecords(entity="person", changes=(sam, gone)), MANAGER)
    assert try_pins(data_dir, "4711") == [WrongPin]
