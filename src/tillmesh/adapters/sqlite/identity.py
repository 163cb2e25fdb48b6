"""Who a database is: settled anew at every start, because it may be a copy or an old backup of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import DatabaseDamaged, one, rows
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.raft_storage import promise
from tillmesh.adapters.sqlite.store import Origin, Writer, read_origin, write_origin
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.ids import mint_actor, mint_terminal, series, spell, terminal_of
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX
from tillmesh.till.agreement import Promise
from tillmesh.till.desk import Identity
from tillmesh.till.node import Till

Entropy = Callable[[int], bytes]  # gives so many random bytes


class Former(msgspec.Struct, frozen=True):
    """Who lived here before, as the files beside the database tell."""

    store: str
    actor: str  # the last incarnation
    series: frozenset[str] = frozenset()  # how receipt numbers of all incarnations start


class Noted(Protocol):
    """What is known of this database outside of it: the anchor file, or its stand-in under simulation."""

    def nonces(self) -> tuple[str, ...]:
        """Give the nonces that the database may carry."""
        ...

    def agree(self, before: str, now: str) -> None:
        """Note the nonce that the database is about to take; durable before the database moves."""

    def place(self) -> str:
        """Give what a copied directory can't bring along."""
        ...

    def head(self) -> Head | None:
        """Give the head noted last, or None when there is none that can be read."""
        ...

    def promised(self) -> Promise | None:
        """Give the promise to other tills noted last, or None when there is none that can be read."""
        ...


def agree(
    db: apsw.Connection,
    noted: Noted,
    store: str,
    entropy: Entropy,
    *,
    former: Former | None = None,
    doubt: str = "",
    actor: str = "",
) -> tuple[Origin, str]:
    """Settle who this database is, with a new incarnation if it may not be the newest original; and say why.

    An empty database where a ``former`` lived is the next incarnation of that terminal. The caller may have a ``doubt``
    of its own: a peer that holds more of this till than the till does.
    """
    held = read_origin(db)
    if held is None and former is not None:
        terminal = terminal_of(former.actor)
        held = Origin(former.store, terminal, _new_actor(db, terminal, entropy, former.series))
    elif held is None and actor:  # it was paired under this name before there was a database
        held = Origin(store=store, terminal=terminal_of(actor), actor=actor)
    elif held is None:
        terminal = mint_terminal(entropy(16))
        held = Origin(store=store or spell(entropy(16), 12), terminal=terminal, actor=_new_actor(db, terminal, entropy))
    elif store and held.store != store:
        raise Conflict(f"this data directory belongs to store {held.store}", hint="Join with an empty directory.")
    elif doubt := doubt or _doubt(db, held, noted):
        _check_pages(db)
        held = msgspec.structs.replace(held, actor=_new_actor(db, held.terminal, entropy))
    nonce = entropy(16).hex()
    origin = msgspec.structs.replace(held, nonce=nonce, place=noted.place())
    noted.agree(held.nonce, nonce)
    write_origin(db, origin, anew=bool(doubt))
    return origin, doubt


def till_of(writer: Writer, origin: Origin, now_ms: int) -> Till:
    """Make the till that goes on from what is on disk.

    Its clock goes on behind its own last event, and takes in the others' as if they had just come: a till that holds
    events of one whose clock is years ahead is not dragged along by a restart either.
    """
    hlcs = writer.last_hlcs()
    clock = HybridLogicalClock(origin.actor, last=hlcs.pop(origin.actor, 0), max_drift_ms=HLC_DRIFT_MS_MAX)
    for hlc in hlcs.values():
        clock.observe(hlc, now_ms)
    return Till(
        Identity(store=origin.store, terminal=origin.terminal, actor=origin.actor, series=series(origin.actor)),
        clock,
        writer.head(origin.actor),
        writer.receipts_used(origin.actor),
    )


def _doubt(db: apsw.Connection, held: Origin, noted: Noted) -> str:
    """Say why this database may not be the newest original, or nothing."""
    if held.nonce not in noted.nonces():
        return "the database and the anchor file beside it do not belong together: an old copy was put back"
    if held.place != noted.place():
        return "the data directory was copied or moved to another disk or machine"
    return _lost_events(db, held, noted.head()) or _forgotten_promise(db, held, noted.promised())


def _check_pages(db: apsw.Connection) -> None:
    """Refuse a database that fits together no more: a disk that lost commits may have lost some pages of others too.

    Only a till in doubt looks at all pages; selling would touch a few of them, and go on.
    """
    for (line,) in rows(db, "PRAGMA quick_check(1)"):
        if line != "ok":
            raise DatabaseDamaged(f"the database is damaged ({' '.join(line.split())})", hint="Recover from a peer.")


def _forgotten_promise(db: apsw.Connection, held: Origin, promised: Promise | None) -> str:
    """Say which promise is forgotten.

    Under its old name this till could give a vote a second time, or lack for ever what the leader counts it to have.
    """
    if promised is None or promised.actor != held.actor:
        return ""
    if not promised.is_kept_by(promise(db, held.actor)):
        return f"what was promised to other tills in term {promised.term} is gone: an old copy was put back"
    return ""


def _lost_events(db: apsw.Connection, held: Origin, end: Head | None) -> str:
    if end is None:
        return ""
    head = Ledger(db, held.store).head(end.actor)
    if end.seq > head.seq:
        lost = f"events {head.seq + 1} to {end.seq} of {head.actor} were committed and are gone"
        return f"{lost}; the last receipt of series {series(head.actor)} that is still here is {_receipts(db, head)}"
    if end.seq == head.seq and end.hash != head.hash:
        return f"event {head.seq} of {head.actor} is not the one that was committed"
    return ""


def _receipts(db: apsw.Connection, head: Head) -> str:
    sql = "SELECT number FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ? ORDER BY r.seq DESC LIMIT 1"
    return one(db, sql, (head.actor,)) or "none"


def _new_actor(db: apsw.Connection, terminal: str, entropy: Entropy, taken: frozenset[str] = frozenset()) -> str:
    """Mint an incarnation whose receipt numbers start like those of no other that is known here."""
    taken |= {series(name) for (name,) in rows(db, "SELECT name FROM actor")}
    while True:
        actor = mint_actor(terminal_of(terminal), entropy(16))
        if series(actor) not in taken:
            return actor
