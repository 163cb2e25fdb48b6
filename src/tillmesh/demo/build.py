"""Build the demo shop's data once: settings, people, products, customers, then two weeks of history.

It is built beside its place and moved there when it is whole, so an interrupted build leaves nothing behind that could
be taken for a shop.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol, TypeAlias

from tillmesh.demo import buying, catalogue, offers, shop_data
from tillmesh.demo.history import DAYS, Script, Step, tell
from tillmesh.demo.shop_data import MANAGER, PEOPLE, TIME_ZONE
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.times import zone
from tillmesh.shop.events import Change
from tillmesh.shop.product_file import batches
from tillmesh.shop.settings import StoreSettings
from tillmesh.till.commands import ChangeRecords, Command, Who
from tillmesh.till.effects import Outcome

SEED = 1
DAY_MS = 86_400_000
_OWNER = Who(user_id=MANAGER.user_id, role=MANAGER.role)


class Till(Protocol):
    """A terminal's data directory, opened without its web page."""

    terminal_id: str

    def do(self, who: Who, command: Command, at_ms: int) -> Outcome:
        """Decide and store one command as of a moment."""

    def pin_tag(self, pin: str) -> str:
        """Give what the shop stores instead of a PIN."""

    def close(self) -> None:
        """Make everything durable and close."""


OpenTill: TypeAlias = Callable[[Path], Till]


def build(place: Path, open_till: OpenTill, *, now_ms: int, products: Path | None = None, seed: int = SEED) -> int:
    """Build the shop's data in ``place``, which must not exist; give the number of products."""
    records = catalogue.load(products)
    site = place.with_name(place.name + ".building")
    shutil.rmtree(site, ignore_errors=True)  # an earlier build that was interrupted
    try:
        till = open_till(site)
        try:
            _found(till, records, now_ms - (DAYS + 1) * DAY_MS)
            policy = StoreSettings.of(shop_data.SETTINGS).policy()
            goods = catalogue.products(records)
            _play(till, tell(goods, policy, seed=seed, now_ms=now_ms, zone=_zone()))
            for who, command in (*offers.commands(now_ms), *buying.commands()):
                till.do(who, command, now_ms)
        finally:
            till.close()
    except BaseException:
        shutil.rmtree(site, ignore_errors=True)
        raise
    site.rename(place)
    return len(records)


def _zone() -> tzinfo:
    """Give the shop's time zone; UTC on a machine without time zone data."""
    try:
        return zone(TIME_ZONE)
    except Invalid:
        return UTC


def _found(till: Till, records: list[Change], at_ms: int) -> None:
    """Write down what a shop is before it opens."""

    def change(entity: str, *changes: Change) -> None:
        till.do(_OWNER, ChangeRecords(entity=entity, changes=changes, source="demo"), at_ms)

    change("setting", shop_data.store_settings())
    change("setting", Change(key=till.terminal_id, fields={"name": "Till 1", "number": 1}))
    people = [
        Change(
            key=one.user_id,
            fields={"name": one.name, "role": one.role, "pin_tag": till.pin_tag(one.pin), "active": True},
        )
        for one in PEOPLE
    ]
    change("person", *people)
    change("customer", *shop_data.customers())
    for batch in batches(records):
        change("product", *batch)


def _play(till: Till, script: Script) -> None:
    """Act a script out, telling it the outcome of each step."""
    step: Step = next(script)
    while True:
        outcome = till.do(step.who, step.command, step.at_ms)
        try:
            step = script.send(outcome)
        except StopIteration:
            return
