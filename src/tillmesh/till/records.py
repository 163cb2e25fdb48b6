"""Products, customers, people and settings: changed field by field, last writer wins."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import KEY_CHARS_MAX, PRODUCTS_PER_EVENT_MAX
from tillmesh.shop.events import Change, CustomersChanged, PeopleChanged, ProductsChanged, SettingsChanged
from tillmesh.till.commands import ChangeRecords, Note
from tillmesh.till.desk import Desk

_LEAST: Final = {"product": "manager", "customer": "cashier", "person": "manager", "setting": "manager"}


def change_records(desk: Desk, command: ChangeRecords) -> EventId:
    """Write new values of some fields; the caller has checked the fields themselves."""
    least = _LEAST.get(command.entity)
    if least is None:
        raise Invalid(f"{command.entity[:40]!r} is not a kind of record", hint=f"Use one of {', '.join(_LEAST)}.")
    desk.require(f"change_{command.entity}", least)
    if not 1 <= len(command.changes) <= PRODUCTS_PER_EVENT_MAX:
        raise TooLarge(f"{len(command.changes)} changes; allowed are 1 to {PRODUCTS_PER_EVENT_MAX}", hint="Split them.")
    for change in command.changes:
        if not 1 <= len(change.key) <= KEY_CHARS_MAX:
            raise Invalid(f"the key {change.key[:40]!r} has {len(change.key)} characters", hint="1 to 100 are allowed.")
    return desk.record(_body(command, desk.who.user_id))


def _body(command: ChangeRecords, by: str) -> Record:
    changes: tuple[Change, ...] = command.changes
    match command.entity:
        case "product":
            return ProductsChanged(changes=changes, by=by, source=command.source)
        case "customer":
            return CustomersChanged(changes=changes, by=by)
        case "person":
            return PeopleChanged(changes=changes, by=by)
        case _:
            return SettingsChanged(changes=changes, by=by)


def note(desk: Desk, command: Note) -> None:
    """Put something into the audit log."""
    desk.audit(command.action, command.subject, command.detail)
