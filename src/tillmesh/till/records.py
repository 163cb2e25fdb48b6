"""Products, customers, people and settings: changed field by field, last writer wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.kernel.errors import Conflict, Invalid, TooLarge
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX, KEY_CHARS_MAX, PRICE_KEY_CHARS_MAX, PRODUCTS_PER_EVENT_MAX
from tillmesh.shop.events import ENTITIES, Audited, Change, CustomersSealed, Value
from tillmesh.shop.people import Action
from tillmesh.shop.personal import CUSTOMER, is_erased, is_sealed
from tillmesh.shop.settings import STORE, StoreSettings
from tillmesh.till.commands import ChangeRecords, Note
from tillmesh.till.desk import Desk

_RIGHTS: Final = {
    "product": Action.CHANGE_PRODUCT,
    "customer": Action.CHANGE_CUSTOMER,
    "person": Action.CHANGE_PERSON,
    "setting": Action.CHANGE_SETTING,
    "promotion": Action.CHANGE_OFFER,
    "price_list": Action.CHANGE_OFFER,
    "price": Action.CHANGE_OFFER,
    "gift_card": Action.CHANGE_OFFER,
    "supplier": Action.CHANGE_PRODUCT,
}
_PRICED: Final = {"group", "credit_limit_minor"}  # fields of a customer that change what the customer pays
_BODIES: Final = {entity: kind for kind, entity in ENTITIES.items() if kind is not CustomersSealed}


def change_records(desk: Desk, command: ChangeRecords) -> EventId:
    """Write new values of some fields; the caller has checked each field, here is checked what they do together."""
    if command.entity not in _RIGHTS:
        raise Invalid(f"{command.entity[:40]!r} is not a kind of record", hint=f"Use one of {', '.join(_RIGHTS)}.")
    desk.require(_RIGHTS[command.entity])
    if not 1 <= len(command.changes) <= PRODUCTS_PER_EVENT_MAX:
        raise TooLarge(f"{len(command.changes)} changes; allowed are 1 to {PRODUCTS_PER_EVENT_MAX}", hint="Split them.")
    for change in command.changes:
        most = PRICE_KEY_CHARS_MAX if command.entity == "price" else KEY_CHARS_MAX
        if not 1 <= len(change.key) <= most:
            raise Invalid(
                f"the key {change.key[:40]!r} has {len(change.key)} characters", hint=f"1 to {most} are allowed."
            )
    if command.entity == CUSTOMER:
        _check_customers(desk, command.changes)
    if command.entity == "person":
        _check_people(desk, command.changes)
    elif command.entity == "setting":
        _check_settings(desk, command.changes)
    return desk.record(_body(command, desk.who.user_id, _authority(desk, command)))


def _authority(desk: Desk, command: ChangeRecords) -> int:
    """Give the authority this change needs to count: that of what it changes.

    One more if that was written by a clock far ahead, or nobody could change it again for years.
    """
    needed = command.authority
    for change in command.changes:
        authority, hlc = desk.books.newest_write(command.entity, change.key)
        is_ahead = physical_ms(hlc) > desk.now_ms + HLC_DRIFT_MS_MAX
        needed = max(needed, authority + is_ahead if not command.authority else 0)
    return needed


def _check_customers(desk: Desk, changes: Sequence[Change]) -> None:
    """Leave what a customer pays to managers, and an erased customer erased."""
    if any(_PRICED & change.fields.keys() for change in changes):
        desk.require(Action.CHANGE_OFFER)
    for change in changes:
        if is_erased(desk.books.fields(CUSTOMER, change.key)):
            raise Conflict(f"customer {change.key[:40]!r} was erased", hint="Make a new customer.")


def _check_people(desk: Desk, changes: Sequence[Change]) -> None:
    """Keep at least one manager, and every PIN for one person: a PIN alone signs in."""
    before = dict(desk.books.records("person"))
    after = dict(before)
    for change in changes:
        after[change.key] = {**after.get(change.key, {}), **change.fields}
    if _managers(before) and not _managers(after):
        raise Conflict("this is the last manager", hint="Make somebody else a manager first.")
    for change in changes:
        tag = change.fields.get("pin_tag")
        if tag and any(fields.get("pin_tag") == tag for key, fields in after.items() if key != change.key):
            raise Conflict("this PIN can't be used", hint="Choose another PIN.")


def _managers(people: Mapping[str, Mapping[str, Value]]) -> int:
    return sum(fields.get("role") == "manager" and fields.get("active") is not False for fields in people.values())


def _check_settings(desk: Desk, changes: Sequence[Change]) -> None:
    """Refuse store settings under which today's products could not be sold, or money would change its meaning."""
    for change in changes:
        if change.key != STORE:
            continue
        after = StoreSettings.of({**(desk.books.fields("setting", STORE) or {}), **change.fields})
        if after.currency != desk.store().currency and desk.books.has_sales():
            raise Conflict("the currency can't change once something was sold", hint="Start a new store.")
        missing = sorted(desk.books.tax_codes() - set(after.rates_ppm())) if "tax_rates" in change.fields else []
        if missing:
            raise Conflict(
                f"products or open carts are taxed with {missing[0][:40]!r}, which has no rate any more",
                hint="Give these products another tax code, and finish these carts, first.",
            )


def _body(command: ChangeRecords, by: str, authority: int) -> Record:
    kind = CustomersSealed if command.entity == CUSTOMER and _holds_seals(command) else _BODIES[command.entity]
    fields: dict[str, object] = {"changes": command.changes, "by": by, "authority": authority}
    if "source" in kind.__struct_fields__:
        fields["source"] = command.source
    return kind(**fields)


def _holds_seals(command: ChangeRecords) -> bool:
    return any(is_sealed(value) for change in command.changes for value in change.fields.values())


def note(desk: Desk, command: Note) -> EventId:
    """Put something into the audit log."""
    return desk.record(
        Audited(action=command.action, subject=command.subject, detail=command.detail, by=desk.who.user_id)
    )
