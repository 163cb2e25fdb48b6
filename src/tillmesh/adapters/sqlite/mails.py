"""Receipts on their way to a mail server: who gets which, and when the next try is due."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.limits import MAILS_WAITING_MAX

_SETUP: Final = "mail"
_PUT: Final = (
    "INSERT INTO mail (mail_id, event, recipient, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (mail_id) DO NOTHING"
)
_NEXT: Final = (
    "SELECT mail_id, event, recipient, attempts, next_ms, created_ms FROM mail ORDER BY next_ms, created_ms LIMIT 1"
)


class MailSetup(msgspec.Struct, frozen=True, kw_only=True):
    """How this till reaches its mail server. It may hold a password: it stays in this encrypted database."""

    host: str = ""
    port: int = 587
    security: str = "starttls"  # none | starttls | tls
    user: str = ""
    password: str = ""
    sender: str = ""


class Mail(msgspec.Struct, frozen=True):
    """A receipt for somebody."""

    mail_id: str
    event: str
    recipient: str
    attempts: int
    next_ms: int
    created_ms: int


def read_setup(db: apsw.Connection) -> MailSetup:
    """Give how the mail server is reached; without a host none is."""
    held = one(db, "SELECT value FROM meta WHERE name = ?", (_SETUP,))
    return MailSetup() if held is None else msgspec.msgpack.decode(held, type=MailSetup)


def write_setup(db: apsw.Connection, setup: MailSetup) -> None:
    """Set how the mail server is reached, in the caller's transaction."""
    sql = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    db.execute(sql, (_SETUP, msgspec.msgpack.encode(setup)))


def put(db: apsw.Connection, mail_id: str, event: str, recipient: str, now_ms: int) -> None:
    """Queue a receipt, once under its id, in the caller's transaction."""
    if waiting(db)[0] >= MAILS_WAITING_MAX:
        raise Conflict(f"{MAILS_WAITING_MAX} mails wait already", hint="Look at the mail server under Settings.")
    db.execute(_PUT, (mail_id, event, recipient, now_ms))


def due(db: apsw.Connection) -> Mail | None:
    """Give the mail that is tried next, whenever that is."""
    found = rows(db, _NEXT)
    return Mail(*found[0]) if found else None


def sent(db: apsw.Connection, mail_id: str) -> None:
    """Forget a mail: it is sent, or given up; with it goes the address."""
    db.execute("DELETE FROM mail WHERE mail_id = ?", (mail_id,))


def failed(db: apsw.Connection, mail_id: str, error: str, next_ms: int) -> None:
    """Note why a try failed, and when the next one is."""
    sql = "UPDATE mail SET attempts = attempts + 1, error = ?, next_ms = ? WHERE mail_id = ?"
    db.execute(sql, (error, next_ms, mail_id))


def waiting(db: apsw.Connection) -> tuple[int, str]:
    """Count what waits, and give what went wrong last, or nothing."""
    ((count, error),) = rows(db, "SELECT count(*), coalesce(max(error), '') FROM mail")
    return count, error
