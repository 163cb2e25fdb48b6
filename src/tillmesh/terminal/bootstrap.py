"""Open a terminal's data directory: keys, database, identity, and the question whether this is still the original."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key, secret, signing_key
from tillmesh.adapters.host.reserve import Reserve
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.store import FILE, Origin, Reader, Writer, open_database, read_origin, write_origin
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.ids import mint_actor, mint_terminal, spell, terminal_of
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX
from tillmesh.till.desk import Identity
from tillmesh.till.node import Till


@dataclass(slots=True)
class Opened:
    """An opened data directory."""

    data_dir: Path
    key: bytes
    pepper: bytes
    origin: Origin
    till: Till
    writer: Writer
    anchor: Anchor
    reserve: Reserve
    vfs: str | None
    notices: tuple[tuple[str, str], ...]  # (action, detail): what a manager should know about this start

    def reader(self) -> Reader:
        """Open one more connection that only reads."""
        return Reader(self.data_dir / FILE, self.key, self.origin)

    def close(self) -> None:
        """Close database and files."""
        self.writer.close()
        self.anchor.close()


def open_terminal(data_dir: Path, *, key_file: Path | None = None, vfs: str | None = None) -> Opened:
    """Open a data directory, making a new terminal of an empty one."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = database_key(data_dir, key_file)
    db = open_database(data_dir / FILE, key, vfs=vfs)
    anchor = Anchor.beside(data_dir)
    held = read_origin(db)
    notices: list[tuple[str, str]] = []
    if held is None:
        terminal = mint_terminal(secrets.token_bytes(16))
        held = Origin(store=spell(secrets.token_bytes(16), 12), terminal=terminal, actor=_new_actor(terminal))
    elif doubt := _doubt(held, anchor, _chain_head(db, held)):
        notices.append(("new_incarnation", doubt))
        held = msgspec.structs.replace(held, actor=_new_actor(held.terminal))
    nonce = secrets.token_hex(16)
    origin = msgspec.structs.replace(held, nonce=nonce, place=anchor.place())
    anchor.agree(held.nonce, nonce)
    write_origin(db, origin)
    signing_key(data_dir, origin.actor)
    writer = Writer(db, origin)
    reserve = Reserve(data_dir)
    reserve.hold()
    till = Till(
        Identity(store=origin.store, terminal=origin.terminal, actor=origin.actor, series=_series(origin.actor)),
        HybridLogicalClock(origin.actor, last=writer.last_hlc(), max_drift_ms=HLC_DRIFT_MS_MAX),
        writer.head(origin.actor),
        writer.receipts_used(origin.actor),
    )
    anchor.remember(till.head)
    pepper = secret(data_dir, "pepper.key")
    return Opened(data_dir, key, pepper, origin, till, writer, anchor, reserve, vfs, tuple(notices))


def reopen(opened: Opened) -> Opened:
    """Open the database anew after an I/O error, and go on from what is really on disk."""
    with suppress(Exception):
        opened.writer.close()
    writer = Writer(open_database(opened.data_dir / FILE, opened.key, vfs=opened.vfs), opened.origin)
    opened.writer = writer
    opened.till.head = writer.head(opened.origin.actor)
    opened.till.receipts = writer.receipts_used(opened.origin.actor)
    return opened


def _chain_head(db: apsw.Connection, origin: Origin) -> Head:
    return Ledger(db, origin.store).head(origin.actor)


def _doubt(held: Origin, anchor: Anchor, head: Head) -> str:
    """Say why this database may not be the newest original, or nothing."""
    if held.nonce not in anchor.nonces():
        return "the database and the anchor file beside it do not belong together: an old copy was put back"
    if held.place != anchor.place():
        return "the data directory was copied or moved to another disk or machine"
    noted = anchor.head()
    if noted is not None and noted.actor == head.actor:
        if noted.seq > head.seq:
            return f"events {head.seq + 1} to {noted.seq} of {head.actor} were committed and are gone"
        if noted.seq == head.seq and noted.hash != head.hash:
            return f"event {head.seq} of {head.actor} is not the one that was committed"
    return ""


def _new_actor(terminal: str) -> str:
    return mint_actor(terminal_of(terminal), secrets.token_bytes(16))


def _series(actor: str) -> str:
    """Start receipt numbers with four characters of the incarnation, so that no copy ever repeats a number."""
    return actor.partition(".")[2][:4].upper()
