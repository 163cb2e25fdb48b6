"""What the card terminal of this till was asked, and what became of it."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.kernel.codec import decode, encode
from tillmesh.kernel.limits import CARD_PAYMENTS_SHOWN_MAX
from tillmesh.shop.card_payment import OPEN, PAYMENT, CardPayment

_SAVE: Final = (
    "INSERT INTO card_payment (payment_id, cart_id, state, asked_ms, changed_ms, body) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (payment_id) DO UPDATE SET state = excluded.state, changed_ms = excluded.changed_ms, "
    "body = excluded.body"
)
_OPEN: Final = ", ".join(f"'{state}'" for state in sorted(OPEN))


def save(db: apsw.Connection, payment: CardPayment, now_ms: int) -> None:
    """Store a payment as it stands, in the caller's transaction."""
    row = (payment.payment_id, payment.cart_id, str(payment.state), payment.asked_at_ms, now_ms, encode(payment))
    db.execute(_SAVE, row)


def find(db: apsw.Connection, payment_id: str) -> CardPayment | None:
    """Find a payment by its id."""
    body = one(db, "SELECT body FROM card_payment WHERE payment_id = ?", (payment_id,))
    return None if body is None else decode(body, CardPayment)


def of_cart(db: apsw.Connection, cart_id: str) -> list[CardPayment]:
    """List what was asked for a cart, oldest first."""
    return _read(db, "WHERE cart_id = ? ORDER BY asked_ms, payment_id", (cart_id,))


def still_open(db: apsw.Connection) -> list[CardPayment]:
    """List what nobody knows the end of, oldest first."""
    return _read(db, f"WHERE state IN ({_OPEN}) ORDER BY asked_ms, payment_id")


def newest(db: apsw.Connection, limit: int = CARD_PAYMENTS_SHOWN_MAX) -> list[CardPayment]:
    """List the newest, newest first."""
    return _read(db, "ORDER BY asked_ms DESC, payment_id LIMIT ?", (limit,))


def charged(db: apsw.Connection) -> list[str]:
    """List the carts that a card is being charged for, or was and no sale has taken it yet; of the newest payments."""
    going = (one for one in newest(db) if one.is_free or (one.is_open and one.kind == PAYMENT))
    return sorted({one.cart_id for one in going})


def _read(db: apsw.Connection, where: str, bindings: tuple[str | int, ...] = ()) -> list[CardPayment]:
    sql = f"SELECT body FROM card_payment {where}"  # noqa: S608 - our own words
    return [decode(body, CardPayment) for (body,) in rows(db, sql, bindings)]


_SETUP: Final = "card_terminal"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How this till reaches its card terminal. It holds a passphrase: it stays in this encrypted database."""

    host: str = ""
    port: int = 8443
    poi_id: str = ""  # the terminal's model and serial number, as it calls itself
    key_identifier: str = ""
    key_version: int = 1
    passphrase: str = ""
    authority: str = ""  # PEM: the root that signs the terminal's certificate


def read_setup(db: apsw.Connection) -> Setup:
    """Give how the terminal is reached; nothing is set before somebody did."""
    held = one(db, "SELECT value FROM meta WHERE name = ?", (_SETUP,))
    return Setup() if held is None else msgspec.msgpack.decode(held, type=Setup)


def write_setup(db: apsw.Connection, setup: Setup) -> None:
    """Keep how the terminal is reached, in the caller's transaction."""
    db.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_SETUP, msgspec.msgpack.encode(setup)),
    )
