"""``tillmesh verify``: read the whole log and say whether everything that was promised holds. Writes nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from tillmesh.adapters.host.anchor import noted_head
from tillmesh.adapters.host.keys import database_key, signing_key
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, in_memory, rows, storage_errors, write
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.reporting import state_hash, state_parts
from tillmesh.adapters.sqlite.store import FILE, Origin, log, read_origin
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import NotFound, TillmeshError
from tillmesh.kernel.ids import is_office
from tillmesh.sync.signatures import KeyNotary, SignedHead, Verdict
from tillmesh.terminal.head_office import office_key
from tillmesh.terminal.log_audit import LogAudit
from tillmesh.terminal.provisioning import FOLDER, membership_in

NOBODY = Origin(store="", terminal="", actor="")


def verify(data_dir: Path, *, key_file: Path | None = None, quick: bool = False) -> dict[str, Any]:
    """Check a data directory; ``ok`` is true only if everything holds. Works beside a running till.

    ``quick`` leaves out what takes longest: building the projections anew, in memory, to compare them.
    """
    path = data_dir / FILE
    if not path.exists():
        raise NotFound(f"{data_dir} holds no till", hint="Name the data directory of a terminal.")
    origin, audit, found = NOBODY, LogAudit(""), ""
    try:
        key = database_key(data_dir, key_file)
        with closing(connect(path, key, read_only=True)) as db, storage_errors():
            db.execute("BEGIN")  # one moment of a till that goes on selling
            origin = read_origin(db) or NOBODY
            audit = LogAudit(origin.store)
            _read_log(db, audit)
            _compare_heads(db, origin, audit)
            _check_signatures(db, data_dir, origin, audit)
            _check_anchor(data_dir, audit)
            found = str(state_hash(db, Books(db, origin.terminal))["hash"])
            if not quick:
                _compare_projections(db, origin, audit)
            _check_pages(db, audit)
    except TillmeshError as error:
        audit.wrong(error.detail)
    except OSError as cause:
        audit.wrong(f"{cause.filename or data_dir} can't be read ({cause.strerror})")
    except apsw.Error as cause:  # tables that are not there, or not as this program knows them
        audit.wrong(f"the database is not as this program makes them ({cause})")
    return _report(origin, audit, found)


def _report(origin: Origin, audit: LogAudit, found_hash: str) -> dict[str, Any]:
    return {
        "ok": not (audit.problems or audit.gaps),
        "store": origin.store,
        "terminal": origin.terminal,
        "actor": origin.actor,
        "events": audit.events,
        "sales": audit.sales,
        "heads": {actor: {"seq": head.seq, "hash": head.hash.hex()} for actor, head in sorted(audit.heads.items())},
        "gaps": audit.gaps,
        "money": {"balanced": audit.balanced, **dict(audit.balance)},
        "state_hash": found_hash,
        "problems": audit.problems,
    }


def _read_log(db: apsw.Connection, audit: LogAudit) -> None:
    for event in log(db):
        audit.add(event)
    audit.finish()


def _check_pages(db: apsw.Connection, audit: LogAudit) -> None:
    for (line,) in rows(db, "PRAGMA quick_check(10)"):
        if line != "ok":
            audit.wrong(f"database: {' '.join(line.split())}")


def _compare_heads(db: apsw.Connection, origin: Origin, audit: LogAudit) -> None:
    """The version vector must stand where the log ends: behind it the log was cut, before it something was added."""
    ledger = Ledger(db, origin.store)
    actors = {name for (name,) in rows(db, "SELECT a.name FROM version_vector v JOIN actor a ON a.id = v.actor")}
    for actor in sorted(actors | audit.heads.keys()):
        held, end = ledger.head(actor), audit.heads.get(actor, Head(actor))
        if held != end:
            audit.wrong(f"the version vector of {actor} stands at {held.seq}, its log ends at {end.seq}")


def _check_signatures(db: apsw.Connection, data_dir: Path, origin: Origin, audit: LogAudit) -> None:
    """Signed heads must name events that are there, and carry their actor's signature; in a store all must be signed.

    Of the own actors, whose keys are here, the log may be ahead of what was signed last.
    """
    keys = _public_keys(data_dir, origin.store)
    office = office_key(data_dir) or next((key for name, key in keys.items() if is_office(name)), None)
    notary = KeyNotary(origin.store, lambda name: keys.get(name, office if is_office(name) else None))
    signed_to: dict[str, int] = {}
    sql = (
        "SELECT a.name, s.seq, s.hash, s.signature, e.hash FROM signed_head s JOIN actor a ON a.id = s.actor "
        "LEFT JOIN event e ON e.actor = s.actor AND e.seq = s.seq ORDER BY a.name, s.seq"
    )
    for name, seq, pinned, signature, held in rows(db, sql):
        if held != pinned:
            audit.wrong(f"the signed head {name}-{seq} is not in the log")
            continue
        verdict = notary.judge(SignedHead(Head(name, seq, pinned), signature))
        if verdict is Verdict.UNKNOWN:
            audit.wrong(f"head {name}-{seq} is signed by an actor whose key is not known")
        elif verdict is Verdict.FORGED:
            audit.wrong(f"the signature of head {name}-{seq} does not verify")
        else:
            signed_to[name] = seq
    for name, head in sorted(audit.heads.items()):
        if not _has_key(data_dir, name) and head.seq > signed_to.get(name, 0):
            audit.wrong(f"events {signed_to.get(name, 0) + 1} to {head.seq} of {name} are not signed by it")


def _public_keys(data_dir: Path, store: str) -> dict[str, bytes]:
    """Give the keys that events are signed with: of the own actors, and of everybody on the lists of tills."""
    found = {}
    if (data_dir / FOLDER).exists():
        found = {name: member.sign_public for name, member in membership_in(data_dir, store).members.items()}
    for path in (data_dir / "keys").glob("*.sign"):
        found[path.stem] = signing_key(data_dir, path.stem, create=False).public_key().public_bytes_raw()
    return found


def _has_key(data_dir: Path, actor: str) -> bool:
    return (data_dir / "keys" / f"{actor}.sign").exists()


def _check_anchor(data_dir: Path, audit: LogAudit) -> None:
    """What the anchor file saw committed must still be there."""
    if not (data_dir / "anchor").exists():
        audit.wrong("the anchor file is missing")
        return
    noted = noted_head(data_dir)
    if noted is not None and noted.seq:
        held = audit.heads.get(noted.actor, Head(noted.actor))
        if held.seq < noted.seq:
            audit.wrong(f"events {held.seq + 1} to {noted.seq} of {noted.actor} were committed and are gone")


def _compare_projections(db: apsw.Connection, origin: Origin, audit: LogAudit) -> None:
    """Build everything that is read from the log anew, and compare."""
    with closing(in_memory()) as anew:
        with write(anew):
            Ledger(anew, origin.store).append_own(log(db))
        should = state_parts(anew)
    held = state_parts(db)
    audit.problems += [
        f"the table {table} is not what the log says; run tillmesh doctor --rebuild"
        for table in should
        if held[table] != should[table]
    ]
