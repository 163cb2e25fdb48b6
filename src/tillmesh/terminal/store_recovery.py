"""``tillmesh store recover --bundle``: all tills of a store are lost; head office gives its log to a new first till.

Every event is checked as if another till had sent it. The store gets a new authority, which head office believes from
then on; the lost tills are on its first list as revoked, so that what they sold counts and nothing else of them does.
A run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec

from tillmesh.adapters.host.keys import write_file
from tillmesh.adapters.lan.certificates import read_authority
from tillmesh.adapters.lan.roster import Member, Membership
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.adapters.sqlite.restoration import Restoring, begin_restoring, end_restoring, restoring
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.wan.bundle import FILE as BUNDLE
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.client import HubClient, Reply, Unreachable
from tillmesh.kernel.errors import Conflict, Damaged, Invalid, NotFound, TillmeshError
from tillmesh.kernel.ids import is_office, mint_actor, mint_terminal, series, terminal_of
from tillmesh.kernel.limits import NOTE_CHARS_MAX
from tillmesh.shop.events import Change
from tillmesh.sync.recovery import Checked, Claim, Estate, Replay, heads_hash, lacking, read_estate, read_page
from tillmesh.sync.signatures import KeyNotary
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import SYSTEM, Opened, open_to_fill
from tillmesh.terminal.council_recovery import begin_again
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.signing import Signatures
from tillmesh.terminal.web.pins import Pins, check_pin
from tillmesh.till.commands import ChangeRecords, Note

TRIES_MAX: Final = 60  # of one question to head office
AGAIN_S: Final = 2.0
AGAIN_S_MAX: Final = 60.0
LATER: Final = frozenset({408, 425, 429, 502, 503, 504})
WHY: Final = "its store is recovered from head office"
_RECEIPTS: Final = (
    "SELECT r.number FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ? ORDER BY r.seq DESC LIMIT 1"
)
T = TypeVar("T")


class Line(Protocol):
    """The way to head office."""

    def estate(self) -> Reply:
        """Ask what there is."""
        ...

    def page(self, after: str) -> Reply:
        """Ask for the log behind a place."""
        ...

    def claim(self, body: bytes) -> Reply:
        """Name the new authority."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person at the machine says."""

    bundle: bytes
    terminal: str = ""  # as which till to go on; empty: the one with the lowest number
    person: str = ""  # the manager who gets the new PIN; empty: the only one
    pin: str = ""


class Refused(TillmeshError):
    """Head office said no; the detail is what it said."""

    kind = "refused-by-hub"
    title = "Head office did not do that"


def recover_from_office(data_dir: Path, asked: Asked, url: str, *, key_file: Path | None = None) -> dict[str, Any]:
    """Make an empty data directory the first till of a store that lost all of its tills; it must not be running."""
    check_pin(asked.pin)
    bundle = read_bundle(asked.bundle)
    with closing(HubClient(url, bundle)) as line:
        return recover(data_dir, asked, bundle, line, key_file=key_file)


def recover(
    data_dir: Path, asked: Asked, bundle: Bundle, line: Line, *, key_file: Path | None = None
) -> dict[str, Any]:
    """Do it over a line."""
    estate = _ask(line.estate, read_estate)
    if estate.store != bundle.store:
        raise Conflict(f"head office speaks of store {estate.store}, the bundle of {bundle.store}")
    members = _former(estate, bundle)
    opened = _open(data_dir, asked, estate, set(members), key_file)
    try:
        _fetch(opened, line, estate, members)
        state = state_hash(opened.writer.db, opened.writer.books)
        _manager(opened, asked)  # before anything is changed at head office
        _found_again(data_dir, opened, estate, members, line)
        _fetch(opened, line, estate, members)  # what came in until the older certificates were refused
        found = _settle(opened, asked, estate)
        write_file(data_dir / BUNDLE, asked.bundle)
        end_restoring(opened.writer.db)
        return {**found, "state_hash": state["hash"]}
    finally:
        opened.close()


# Who was there before, and who comes now --------------------------------------------------------------------------


def _former(estate: Estate, bundle: Bundle) -> dict[str, Member]:
    """Give the keys of everybody who wrote events: from the store's lists, or head office's for a till without any."""
    found: dict[str, Member] = {}
    if estate.lists:
        found |= Membership(read_authority(estate.authority), estate.store, *estate.lists).members
    vouched = Member("revoked", bundle.office_public, b"")
    found |= {actor: vouched for actor in estate.heads if is_office(actor)}
    if not estate.authority:
        found |= dict.fromkeys(estate.heads, vouched)
    return found | {bundle.office: vouched}


def _open(data_dir: Path, asked: Asked, estate: Estate, known: set[str], key_file: Path | None) -> Opened:
    """Open the data directory: an empty one, or one that is on the way already."""
    actor = ""
    if not (data_dir / FILE).exists():
        actor = _mint(asked, estate, known | estate.heads.keys())
    opened = open_to_fill(data_dir, store=estate.store, actor=actor, key_file=key_file)
    db = opened.writer.db
    what = restoring(db)
    if what is None and not replica.heads(db):
        begin_restoring(db, Restoring(WHY, "", from_office=True))
    elif what is None or not what.from_office:
        opened.close()
        raise Conflict(f"{data_dir} holds a till already", hint="Use an empty data directory.")
    return opened


def _mint(asked: Asked, estate: Estate, known: set[str]) -> str:
    """Make the new incarnation of a till of the store, whose receipts are told from all that were ever printed."""
    terminal = asked.terminal or _first(estate)
    if asked.terminal and asked.terminal not in estate.tills:
        names = ", ".join(f"{till} ({said.name})" for till, said in sorted(estate.tills.items()))
        raise NotFound(f"{terminal[:40]} was no till of this store", hint=f"Its tills were {names}.")
    taken = {series(actor) for actor in known}
    while True:
        actor = mint_actor(terminal_of(terminal), secrets.token_bytes(16))
        if series(actor) not in taken:
            return actor


def _first(estate: Estate) -> str:
    ranked = sorted((said.number or 1 << 31, till) for till, said in estate.tills.items())
    return ranked[0][1] if ranked else mint_terminal(secrets.token_bytes(16))


# The log ----------------------------------------------------------------------------------------------------------


def _fetch(opened: Opened, line: Line, estate: Estate, members: dict[str, Member]) -> None:
    """Fetch, check and store the log, page by page."""
    db = opened.writer.db
    what = restoring(db)
    assert what is not None, "it was noted that this database is not whole"
    own = opened.origin.actor

    def key_of(actor: str) -> bytes | None:
        return members[actor].sign_public if actor in members else None

    heads = {actor: head for actor, head in replica.heads(db).items() if actor != own}
    replay = Replay(estate.store, heads, KeyNotary(estate.store, key_of))
    while True:
        place = what.place
        page = _ask(lambda: line.page(place), read_page)  # noqa: B023 - asked before it changes
        for checked in replay.take(page):
            _keep(opened, checked)
        what = msgspec.structs.replace(what, place=page.place)
        begin_restoring(db, what)
        if page.whole:
            break
        if page.place == place:
            raise Damaged("head office's log does not go on", hint="Look at head office.")
    replica.thin_signatures(db, Signatures(opened.data_dir, estate.store).actors)
    if left := lacking(estate, replay.heads):
        names = ", ".join(f"{actor} after {seq}" for actor, seq in sorted(left.items()))
        raise Damaged(f"head office's log ends before what it holds: {names}", hint="Restore its event log first.")


def _keep(opened: Opened, checked: Checked) -> None:
    for part in replica.parts(checked.events):
        signed = [checked.signed] if part[-1].seq == checked.signed.head.seq else []
        replica.merge(opened.writer, opened.till, part, now_ms(), signed)


def _ask(question: Callable[[], Reply], read: Callable[[bytes], T]) -> T:
    """Ask head office, again and again if it is away or busy."""
    wait_s, why = AGAIN_S, ""
    for _ in range(TRIES_MAX):
        try:
            reply = question()
        except Unreachable as cause:
            reply, why = Reply(503, b""), cause.detail
        if reply.status == 200:
            return read(reply.body)
        said = reply.problem()
        why = str(said.get("detail", why))[:300]
        if reply.status not in LATER:
            raise Refused(f"{reply.status}: {why}", hint=str(said.get("hint", ""))[:200])
        time.sleep(min(max(float(reply.retry_after_s), wait_s), AGAIN_S_MAX))
        wait_s = min(2 * wait_s, AGAIN_S_MAX)
    raise Unreachable(f"head office did not answer in {TRIES_MAX} tries: {why}", hint="Run it again: it goes on.")


# The store --------------------------------------------------------------------------------------------------------


def _found_again(data_dir: Path, opened: Opened, estate: Estate, members: dict[str, Member], line: Line) -> None:
    """Make the store's new authority, and have head office believe it. Said twice it is the same one."""
    store, actor = estate.store, opened.origin.actor
    if provisioning.certificate_in(data_dir) is None:
        shutil.rmtree(data_dir / provisioning.FOLDER, ignore_errors=True)  # half of one, that nobody has heard of
        provisioning.found(data_dir, store, actor, _as_of_s(estate), members)
    lists = list(provisioning.membership_in(data_dir, store).lists)
    body = msgspec.json.encode(Claim(authority=provisioning.store_authority(data_dir), lists=lists))
    _ask(lambda: line.claim(body), bytes)


def _as_of_s(estate: Estate) -> int:
    """Give the time to begin with: never before what the lost authority had vouched for."""
    vouched = 0
    if estate.lists:
        vouched = Membership(read_authority(estate.authority), estate.store, *estate.lists).as_of_s
    return max(int(time.time()), vouched)


def _settle(opened: Opened, asked: Asked, estate: Estate) -> dict[str, Any]:
    """Let the till decide alone and a manager sign in, and write down what was found."""
    me, books = opened.origin, opened.writer.books
    person = _manager(opened, asked)
    held = {actor: head for actor, head in replica.heads(opened.writer.db).items() if actor != me.actor}
    lost = _lost(opened, estate)
    term = begin_again(opened, books.settings_authority(), estate.term)
    tag = Pins(opened.pepper, me.store).tag_now(asked.pin)
    last = ", ".join(f"{each['name']} {each['last_receipt'] or '-'}" for each in lost)
    detail = f"from head office, as {me.actor} in term {term}; the last receipts that came back: {last}"
    opened.writer.execute_all(
        opened.till,
        [
            (SYSTEM, Note(action="store_recovered", subject=me.actor, detail=detail[:NOTE_CHARS_MAX])),
            (SYSTEM, ChangeRecords(entity="person", changes=(Change(key=person, fields={"pin_tag": tag}),))),
        ],
        now_ms(),
    )
    opened.anchor.remember(opened.till.head, opened.till.receipts)
    return {
        "store": me.store,
        "terminal_id": me.terminal,
        "actor": me.actor,
        "events": sum(head.seq for head in held.values()),
        "heads_hash": heads_hash(held),
        "term": term,
        "new_pin_for": person,
        "customers_unreadable": _unreadable(opened),
        "tills": lost,
    }


def _unreadable(opened: Opened) -> int:
    """Count the customers whose data stands sealed under keys that only the lost tills had."""
    customers = opened.writer.books.records("customer")
    return sum(not fields.get("erased") and not fields.get("name") for _, fields in customers)


def _manager(opened: Opened, asked: Asked) -> str:
    """Say who gets the new PIN: no other one of the store is known any more, since the tills' secret is lost."""
    people = opened.writer.books.records("person")
    managers = [key for key, fields in people if fields.get("role") == "manager" and fields.get("active", True)]
    chosen = asked.person or (managers[0] if len(managers) == 1 else "")
    if chosen not in managers:
        raise Invalid(
            f"{asked.person[:40]!r} is no manager of this store" if asked.person else "which manager gets the new PIN",
            hint=f"Say --person and one of {', '.join(managers[:20]) or 'nobody: there is no manager'}.",
        )
    return chosen


def _lost(opened: Opened, estate: Estate) -> list[dict[str, Any]]:
    """Say of every former till up to where it came back, and what is known to have existed beyond that."""
    found = []
    for actor, mark in sorted(estate.heads.items()):
        if is_office(actor):
            continue
        said = estate.tills.get(terminal_of(actor))
        known = estate.heard.get(actor, 0)
        found.append(
            {
                "terminal_id": terminal_of(actor),
                "name": said.name if said is not None else terminal_of(actor),
                "actor": actor,
                "last_event": mark.seq,
                "last_receipt": one(opened.writer.db, _RECEIPTS, (actor,)) or "",
                "events_known_lost": [mark.seq + 1, known] if known > mark.seq else [],
            }
        )
    return found
