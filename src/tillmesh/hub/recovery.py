"""A store that lost all its tills comes back: who may fetch its log, for how long, and who is believed afterwards.

An administrator permits it once. The bundle that comes of it reads the store's log for some days, and may name the
store's new authority once; from then on every older certificate and key of the store is refused.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tillmesh.adapters.lan.certificates import read_authority
from tillmesh.adapters.lan.roster import Membership
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.adapters.wan.certificates import serial_of
from tillmesh.fleet.ports import Held
from tillmesh.hub.bootstrap import Opened, enrol_store
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict, NotAllowed, NotFound
from tillmesh.kernel.ids import is_office
from tillmesh.kernel.limits import RECOVERY_MS_MAX
from tillmesh.sync.messages import Mark
from tillmesh.sync.recovery import Claim, Estate, Name

_NOTE: Final = "recovery "  # and the store, among head office's notes


class Permit(msgspec.Struct, frozen=True):
    """That a store may be recovered with one certificate."""

    serial: bytes
    until_ms: int
    alone: bool  # the store was a till without others: no list says with which keys its events are signed
    authority: bytes = b""  # what the recovered store has named


def permit(opened: Opened, store: str, now_ms: int, *, by: str = "system") -> bytes:
    """Let a store be recovered, and give the bundle for the machine that will be its first till."""
    if not opened.service.held(store).heads:
        raise NotFound(f"head office holds nothing of a store {store[:64]!r}", hint="Look at the list of stores.")
    noted = opened.office.meta(_NOTE + store)
    before = None if noted is None else msgspec.msgpack.decode(noted, type=Permit)
    if before is not None and not before.authority:  # nobody came with that one: it must not stay a key to the store
        opened.office.revoke_one(store, before.serial, now_ms)
    data = enrol_store(opened, store, now_ms, by=by)
    serial = serial_of(read_bundle(data).certificate)
    _put(opened, store, Permit(serial, now_ms + RECOVERY_MS_MAX, alone=opened.office.trust(store) is None))
    opened.office.audit(now_ms, by, "recovery_permitted", store, serial.hex()[-12:])
    return data


def estate(opened: Opened, store: str, serial: bytes, now_ms: int) -> tuple[Estate, Held]:
    """Say what there is of a store, to whom that was permitted; names and what was heard are added by the caller."""
    _require(opened, store, serial, now_ms)
    opened.service.catch_up()
    held = opened.service.held(store)
    believed = None if _permitted(opened, store, serial).alone else opened.office.trust(store)
    authority, lists = believed or (b"", msgspec.msgpack.encode([]))
    heads = {actor: Mark(head.seq, head.hash) for actor, head in held.heads.items()}
    signed = msgspec.msgpack.decode(lists, type=list[bytes])
    return Estate(store=store, term=held.term, heads=heads, authority=authority, lists=signed), held


def named(found: Estate, heard: dict[str, int], names: dict[str, dict[str, object]]) -> Estate:
    """Add what people call the tills, and what the last leader held."""
    tills = {till: Name(str(said.get("name", till))[:200], _number(said.get("number"))) for till, said in names.items()}
    return msgspec.structs.replace(found, heard=heard, tills=tills)


def vouching(opened: Opened, store: str, serial: bytes, now_ms: int) -> frozenset[str]:
    """Name the tills that head office signs for: their own keys are not known, as the store had no lists.

    One that came back from that before has lists, and these name head office's key for its former tills.
    """
    _require(opened, store, serial, now_ms)
    believed = opened.office.trust(store)
    if _permitted(opened, store, serial).alone or believed is None:
        return frozenset(opened.service.held(store).heads)
    authority, lists = believed
    signed = msgspec.msgpack.decode(lists, type=list[bytes])
    members = Membership(read_authority(authority), store, *signed).members if signed else {}
    return frozenset(actor for actor, member in members.items() if member.sign_public == opened.sign_public)


def vouch(opened: Opened, store: str, head: Head, tills: frozenset[str]) -> bytes | None:
    """Sign a head of head office's own log, or of a till that it signs for."""
    return opened.service.sign(store, head) if head.actor in tills or is_office(head.actor) else None


def claim(opened: Opened, store: str, serial: bytes, said: Claim, now_ms: int) -> int:
    """Believe the recovered store's new authority, and refuse its older certificates; gives how many those were.

    Said again with the same authority it changes nothing. The older ones end first: whatever is cut off in between,
    the store is not believed to be back while a stolen one is still in force.
    """
    held = _permitted(opened, store, serial)
    if held.authority == said.authority and held.authority:
        return 0
    _require(opened, store, serial, now_ms)
    if held.authority:
        raise Conflict(f"the store {store} was recovered already", hint="Permit it anew: tillmesh hub recovery.")
    Membership(read_authority(said.authority), store, *said.lists)
    others = [one.serial for one in opened.office.issued() if (one.store, one.revoked_ms) == (store, None)]
    gone = sum(opened.office.revoke_one(store, other, now_ms) for other in others if other != serial)
    opened.office.put_trust(store, said.authority, msgspec.msgpack.encode(said.lists))
    _put(opened, store, msgspec.structs.replace(held, authority=said.authority))
    opened.office.audit(now_ms, "system", "store_recovered", store, f"{gone} older certificates refused from now on")
    return gone


def _require(opened: Opened, store: str, serial: bytes, now_ms: int) -> None:
    if now_ms > _permitted(opened, store, serial).until_ms:
        raise NotAllowed("the permission to recover this store has expired", hint="Ask head office for a new one.")


def _permitted(opened: Opened, store: str, serial: bytes) -> Permit:
    noted = opened.office.meta(_NOTE + store)
    held = None if noted is None else msgspec.msgpack.decode(noted, type=Permit)
    if held is None or held.serial != serial:
        raise NotAllowed(
            f"this certificate of {store} may not fetch the store's log",
            hint="Ask head office for a bundle to recover the store: tillmesh hub recovery.",
        )
    return held


def _put(opened: Opened, store: str, what: Permit) -> None:
    opened.office.note(_NOTE + store, msgspec.msgpack.encode(what))


def _number(said: object) -> int:
    return said if isinstance(said, int) and 0 <= said < 2**31 else 0
