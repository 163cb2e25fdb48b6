"""``tillmesh store``: create a store on one till, take others in with a code, remove them again."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.keys import signing_key, write_file
from tillmesh.adapters.lan.certificates import issuing_time_s, read_authority
from tillmesh.adapters.lan.enrolment import Enrolled, ask_for, settle
from tillmesh.adapters.lan.hints import Hint, read_peer
from tillmesh.adapters.lan.pairing import Joiner, read_code
from tillmesh.adapters.lan.pairing_messages import PairingFailed, Request
from tillmesh.adapters.lan.pairing_search import find_pairing
from tillmesh.adapters.lan.pairing_wire import join as pair
from tillmesh.adapters.lan.pairing_wire import monotonic_ms
from tillmesh.adapters.lan.roster import Membership
from tillmesh.adapters.sqlite.restoration import begin_restoring, newcomer
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.wan.bundle import FILE as BUNDLE
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.kernel.errors import Conflict, Invalid, NotFound, TillmeshError
from tillmesh.kernel.ids import is_office, mint_actor, mint_terminal, terminal_of
from tillmesh.shop.events import Change
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import SYSTEM, Opened, open_terminal
from tillmesh.terminal.resetting import refuse_to_lose
from tillmesh.till.commands import ChangeRecords, Note

PEPPER: Final = "pepper.key"
LEAVE_S: Final = 30.0
API: Final = "/api/v1"


class Refused(TillmeshError):
    """The running till did not do it; the detail is what it said."""

    kind = "refused-by-till"
    title = "The till did not do that"


def create(data_dir: Path, *, key_file: Path | None = None) -> dict[str, Any]:
    """Make the till in a data directory the first of a store; it must not be running."""
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        origin = opened.origin
        provisioning.found(data_dir, origin.store, origin.actor, int(time.time()))
        _note(opened, "store_created", origin.store)
        return {"store": origin.store, "terminal_id": origin.terminal}
    finally:
        opened.close()


def join(
    data_dir: Path,
    code: str,
    *,
    address: str = "",
    name: str = "",
    interfaces: Sequence[str] = (),
    key_file: Path | None = None,
) -> dict[str, Any]:
    """Make an empty data directory a till of the store whose till shows the code; what was sold comes over the mesh.

    A till that was away for so long that its certificate expired may join its own store again, as a new incarnation.
    """
    read_code(code)
    me = _who_joins(data_dir, key_file)

    def ask(store: str, transcript: bytes) -> Request:
        if me.store and me.store != store:
            raise PairingFailed("stopped", f"this data directory belongs to store {me.store}, that till to {store}")
        return ask_for(me.key, me.signer, store=store, actor=me.actor, transcript=transcript)

    async def talk() -> tuple[Enrolled, str]:
        hint, *others = [read_peer(address)] if address else _the_one(await find_pairing(interfaces))
        joiner = Joiner(actor=me.actor, code=code, now_ms=monotonic_ms())
        grant = await pair(hint.host, hint.port, joiner, ask, others=[other.host for other in others])
        return settle(grant, me.key, me.signer, store=joiner.host[0], actor=me.actor), joiner.host[0]

    enrolled, store = asyncio.run(talk())
    return _settle(data_dir, enrolled, store, me, name, key_file)


@dataclass(frozen=True, slots=True)
class Joining:
    """Who joins: of a directory that is empty, or that belongs to a store already. Keys reach the disk at the end."""

    store: str
    actor: str
    key: Ed25519PrivateKey
    signer: Ed25519PrivateKey


def _who_joins(data_dir: Path, key_file: Path | None) -> Joining:
    if not (data_dir / FILE).exists():
        actor = mint_actor(mint_terminal(secrets.token_bytes(16)), secrets.token_bytes(16))
        return Joining("", actor, Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate())
    opened = open_terminal(data_dir, key_file=key_file, doubt="it joins its store anew")
    opened.close()
    origin = opened.origin
    return Joining(
        origin.store, origin.actor, provisioning.link_key(data_dir), signing_key(data_dir, origin.actor, create=False)
    )


def _the_one(found: Sequence[Hint]) -> Sequence[Hint]:
    if not found:
        raise NotFound(
            "no till on this network shows a code", hint="Show one, or name its place with --address HOST:PORT."
        )
    if len({hint.terminal for hint in found}) > 1:
        places = ", ".join(f"{hint.terminal} at {hint.host}:{hint.port}" for hint in found)
        raise Conflict(f"several tills show a code: {places}", hint="Say which one with --address HOST:PORT.")
    return found


def _settle(
    data_dir: Path, enrolled: Enrolled, store: str, me: Joining, name: str, key_file: Path | None
) -> dict[str, Any]:
    """Write everything down; the certificate last, since it is what counts."""
    keys = data_dir / "keys"
    write_file(keys / PEPPER, enrolled.pepper)
    write_file(keys / provisioning.LINK, me.key.private_bytes_raw())
    write_file(keys / f"{me.actor}.sign", me.signer.private_bytes_raw())
    opened = open_terminal(data_dir, key_file=key_file, store=store, actor=me.actor)
    try:
        credentials = enrolled.credentials
        membership = Membership(read_authority(credentials.authority), store, enrolled.roster)
        # Of tills that are gone, too: no two tills that live may have the same one.
        number = len({terminal_of(each) for each in membership.members if not is_office(each)})
        if enrolled.issuer_secret:
            write_file(keys / provisioning.ISSUER, enrolled.issuer_secret)
        if me.store:  # it joins again, and keeps its number, and its name if no other was given
            known = TerminalSettings.of(opened.writer.books.fields("setting", opened.origin.terminal) or {})
            name, number = name or known.name, known.number
        fields: dict[str, Any] = {"name": name or f"Till {number}", "number": number}
        change = Change(key=opened.origin.terminal, fields=fields)
        _do(opened, ChangeRecords(entity="setting", changes=(change,)))
        provisioning.settle_in(data_dir, credentials.authority, membership.lists, credentials.certificate)
        provisioning.drop_strange_issuer(data_dir)
        if not me.store:
            begin_restoring(opened.writer.db, newcomer())
        issues = bool(enrolled.issuer_secret)
        return {"store": store, "terminal_id": opened.origin.terminal, "number": number, "issues": issues}
    finally:
        opened.close()


def revoke(data_dir: Path, terminal: str) -> dict[str, Any]:
    """Remove a terminal, at the data directory of a till that issues, whether it is running or not."""
    store = provisioning.store_of(data_dir)
    authority, membership = provisioning.authority_in(data_dir, store), provisioning.membership_in(data_dir, store)
    as_of_s = issuing_time_s(membership, wall_s=int(time.time()), running_s=0)
    signed = provisioning.revoke(authority, membership, terminal, as_of_s)
    provisioning.leave_list(data_dir, signed)
    membership.merge(signed)
    return {"terminal_id": terminal, "members": provisioning.terminals(membership)}


def head_office(data_dir: Path, data: bytes) -> dict[str, Any]:
    """Give a till what it proves itself with to head office; it uploads from its next start on, whenever it leads.

    Every till that may lead needs it. At a till that issues it also tells all of them head office's key.
    """
    bundle = read_bundle(data)
    store = provisioning.store_authority(data_dir) and provisioning.store_of(data_dir)
    if store and store != bundle.store:
        raise Conflict(f"this is for store {bundle.store}, the till belongs to {store}", hint="Take the right one.")
    write_file(data_dir / BUNDLE, data)
    told = bool(store) and provisioning.introduce(
        data_dir, bundle.store, bundle.office, bundle.office_public, int(time.time())
    )
    return {"store": bundle.store, "head_office": bundle.office, "told_the_others": told}


def members(data_dir: Path) -> dict[str, Any]:
    """List the tills of a store as the till in a data directory knows them."""
    store = provisioning.store_of(data_dir)
    membership = provisioning.membership_in(data_dir, store)
    return {
        "store": store,
        "issues": (data_dir / "keys" / provisioning.ISSUER).exists(),
        "members": provisioning.terminals(membership),
        "revoked": sorted(actor for actor in membership.revoked if not is_office(actor)),
    }


def leave(data_dir: Path, lose: int | None = None, *, key_file: Path | None = None) -> dict[str, Any]:
    """Have the running till of a data directory leave its store; its sales stay with the others and with it.

    What only it has would never reach them, so that has to be said (``lose`` sales).
    """
    store = provisioning.store_of(data_dir)
    refuse_to_lose(data_dir, lose, key_file)
    provisioning.ask_to_leave(data_dir)
    end = time.monotonic() + LEAVE_S
    while time.monotonic() < end:
        if provisioning.certificate_in(data_dir) is None:
            return {"left": store}
        time.sleep(0.1)
    provisioning.ask_no_more_to_leave(data_dir)
    raise Conflict(
        f"the till did not leave within {LEAVE_S:.0f} s: it is not running, or no till that issues is in reach",
        hint="Start it and its neighbours, or remove it at a till that issues: tillmesh store revoke.",
    )


def ask_till(url: str, pin: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Do something as the manager at a running till."""
    token = _call(url, "/session", {"pin": pin}, "")["token"]
    return _call(url, path, body, str(token))


def _call(url: str, path: str, body: dict[str, Any] | None, token: str) -> dict[str, Any]:
    place = urlsplit(url)
    if place.scheme != "http" or not place.hostname:
        raise Invalid(f"{url[:60]!r} is no address of a till", hint="Write it like http://127.0.0.1:8081.")
    connection = http.client.HTTPConnection(place.hostname, place.port or 80, timeout=15)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request("POST", API + path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        said: dict[str, Any] = json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as cause:
        raise NotFound(f"no till answers at {url} ({cause})", hint="Start it, or name another one.") from cause
    finally:
        connection.close()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise Refused(str(said.get("detail") or said.get("title")), hint=str(said.get("hint", "")))
    return said


def _note(opened: Opened, action: str, subject: str) -> None:
    _do(opened, Note(action=action, subject=subject, detail=""))


def _do(opened: Opened, command: Note | ChangeRecords) -> None:
    opened.writer.execute(opened.till, SYSTEM, command, time.time_ns() // 1_000_000)
    opened.anchor.remember(opened.till.head, opened.till.receipts)
