"""One terminal's database as its program uses it: decide and write in one transaction, read beside it.

The writer connection belongs to one thread. Readers are connections of their own; each read sees one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import apsw
import msgspec

from tillmesh.adapters.sqlite import card_payments, requests_done
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import (
    DatabaseDamaged,
    connect,
    migrate,
    newest,
    one,
    rows,
    settle,
    storage_errors,
    write,
)
from tillmesh.adapters.sqlite.freshness import changes_kept, state
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.subject_keys import SubjectKeys
from tillmesh.adapters.sqlite.understanding import understand
from tillmesh.adapters.sqlite.upgrade_copy import keep_copy
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Head
from tillmesh.shop.personal import CUSTOMER
from tillmesh.till.commands import ChangeRecords, Command, ResumeCart, Who
from tillmesh.till.effects import DropCart, Outcome, Print, SaveCardPayment, SaveCart
from tillmesh.till.node import Till

FILE: Final = "till.db"
T = TypeVar("T")
__all__ = ["FILE", "Origin", "Reader", "Writer", "log", "open_database", "read_origin", "write_origin"]

_PRINT: Final = "INSERT INTO print_job (kind, ref, copy, created_ms) VALUES (?, ?, ?, ?)"
_SAVE_CART: Final = (
    "INSERT INTO cart (cart_id, revision, body, changed_ms) VALUES (?, ?, ?, ?) ON CONFLICT (cart_id) DO UPDATE "
    "SET revision = excluded.revision, body = excluded.body, changed_ms = excluded.changed_ms"
)


class Origin(msgspec.Struct, frozen=True):
    """Who this database belongs to: written once, and the actor anew with every incarnation."""

    store: str
    terminal: str
    actor: str
    nonce: str = ""
    place: str = ""


def read_origin(db: apsw.Connection) -> Origin | None:
    """Give the origin of a database, or None when it is new."""
    if not one(db, "SELECT count(*) FROM sqlite_master WHERE name = 'meta'"):
        return None
    held = one(db, "SELECT value FROM meta WHERE name = 'origin'")
    try:
        return None if held is None else msgspec.msgpack.decode(held, type=Origin)
    except msgspec.MsgspecError as cause:
        raise DatabaseDamaged(
            "the database does not say whose it is", hint="Recover from a peer or a backup."
        ) from cause


def write_origin(db: apsw.Connection, origin: Origin, *, anew: bool = False) -> None:
    """Set the origin, in a transaction of its own; ``anew`` if it is another incarnation than before.

    What an earlier incarnation promised in the store's agreement is not this one's to keep: they vote apart.
    """
    with write(db):
        if anew:
            db.execute("DELETE FROM raft_entry; DELETE FROM raft_state")
        sql = (
            "INSERT INTO meta (name, value) VALUES ('origin', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        db.execute(sql, (msgspec.msgpack.encode(origin),))


def open_database(path: Path, key: bytes, *, vfs: str | None = None) -> apsw.Connection:
    """Open the database for writing, bring its tables up to date, and understand what an older program could not."""
    db = connect(path, key, vfs=vfs)
    try:
        settle(db)
        with storage_errors():
            if 0 < (version := int(one(db, "PRAGMA user_version"))) < newest():
                keep_copy(path, version)
            migrate(db)
            understand(db)
    except BaseException:
        db.close()
        raise
    return db


class Writer:
    """The one connection that writes. All methods run on the writer's thread."""

    def __init__(self, db: apsw.Connection, origin: Origin, keys: SubjectKeys | None = None) -> None:
        self.db = db
        self.keys = keys  # None: of a shop without customers' data, as simulated ones are
        self.books = Books(db, origin.terminal, keys)
        self.ledger = Ledger(db, origin.store, self.books.actors)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run one write transaction; when it fails, nothing that was cached meanwhile is believed any more."""
        try:
            with write(self.db):
                yield
        except BaseException:
            self._forget()
            raise
        self._destroy_keys()

    def _forget(self) -> None:
        self.books.forget()
        self.ledger.forget()

    def execute(self, till: Till, who: Who, command: Command, now_ms: int, name: str = "") -> Outcome:
        """Decide a command and make its outcome durable; raises with nothing stored.

        What was done before under the same ``name`` is not done again: its reply is given, and nothing is stored.
        """
        command = self._sealed(command)
        try:
            with write(self.db):
                if name and (done := requests_done.find(self.db, name)) is not None:
                    return Outcome(
                        reply=done or None, events=(), bodies=(), effects=(), head=till.head, receipts=till.receipts
                    )
                outcome = till.decide(who, command, self.books, now_ms)
                self._store(outcome, now_ms)
                if (
                    name
                    and outcome.events
                    and (isinstance(outcome.reply, str | None) or isinstance(command, ResumeCart))
                ):
                    requests_done.keep(self.db, name, outcome.reply if isinstance(outcome.reply, str) else "")
        except BaseException:
            self._forget()
            raise
        till.committed(outcome)
        self._destroy_keys()
        return outcome

    def _sealed(self, command: Command) -> Command:
        """Seal what is personal in a change of customers; its keys are on disk before the change is."""
        if self.keys is not None and isinstance(command, ChangeRecords) and command.entity == CUSTOMER:
            return self.keys.sealed(command)
        return command

    def _destroy_keys(self) -> None:
        """Destroy the keys of the customers that are erased by what was just committed."""
        if self.ledger.erased:
            erased, self.ledger.erased = self.ledger.erased, []
            if self.keys is not None:
                self.keys.destroy(erased)

    def execute_all(self, till: Till, commands: Iterable[tuple[Who, Command]], now_ms: int) -> list[Outcome]:
        """Decide several commands in one transaction: all of them are stored, or none."""
        outcomes: list[Outcome] = []
        self.execute_script(till, ((who, command, now_ms) for who, command in commands), outcomes.append)
        return outcomes

    def execute_script(
        self, till: Till, steps: Iterable[tuple[Who, Command, int]], tell: Callable[[Outcome], None]
    ) -> None:
        """Decide commands, each as of its own moment, in one transaction: all of them are stored, or none.

        A step is asked for once the outcome of the one before was told: a refund can name the sale just made.
        """
        head, receipts = till.head, till.receipts
        try:
            with self.transaction():
                for who, command, at_ms in steps:
                    outcome = till.decide(who, self._sealed(command), self.books, at_ms)
                    self._store(outcome, at_ms)
                    till.committed(outcome)
                    tell(outcome)
        except BaseException:
            till.head, till.receipts = head, receipts
            raise

    def _store(self, outcome: Outcome, now_ms: int) -> None:
        self.ledger.append_own(outcome.events, outcome.bodies)
        for effect in outcome.effects:
            match effect:
                case SaveCart():
                    self._save_cart(effect, now_ms)
                case DropCart():
                    self._drop_cart(effect.cart_id)
                case Print():
                    self.db.execute(_PRINT, (effect.kind, effect.ref, effect.copy, now_ms))
                case SaveCardPayment():
                    card_payments.save(self.db, effect.payment, now_ms)
        if changes_kept(outcome.events):
            self.books.forget()

    def _save_cart(self, effect: SaveCart, now_ms: int) -> None:
        cart = effect.cart
        self.db.execute(_SAVE_CART, (cart.cart_id, effect.revision, encode(cart), now_ms))
        self.db.executemany(
            "INSERT INTO cart_operation (cart_id, op_id) VALUES (?, ?)", [(cart.cart_id, op) for op in effect.op_ids]
        )

    def _drop_cart(self, cart_id: str) -> None:
        self.db.execute("DELETE FROM cart WHERE cart_id = ?", (cart_id,))
        if self.db.changes():  # a sale that was posted whole never had a working cart, nor operations on it
            self.db.execute("DELETE FROM cart_operation WHERE cart_id = ?", (cart_id,))

    def receipts_used(self, actor: str) -> int:
        """Give how many receipt numbers an actor has used."""
        sql = "SELECT count(*) FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ?"
        return int(one(self.db, sql, (actor,)))

    def last_hlcs(self) -> dict[str, int]:
        """Give the newest timestamp of each actor."""
        sql = (
            "SELECT a.name, e.hlc FROM version_vector v JOIN actor a ON a.id = v.actor "
            "JOIN event e ON e.actor = v.actor AND e.seq = v.seq ORDER BY e.hlc"
        )
        return dict(rows(self.db, sql))

    def head(self, actor: str) -> Head:
        """Give the end of an actor's chain."""
        return self.ledger.head(actor)

    def close(self) -> None:
        """Close the connection; a checkpoint runs when it is the last."""
        self.db.close()


class Reader:
    """A connection that only reads; one thread at a time."""

    def __init__(
        self, path: Path, key: bytes, origin: Origin, *, vfs: str | None = None, keys: SubjectKeys | None = None
    ) -> None:
        self.db = connect(path, key, vfs=vfs, read_only=True)
        self.books = Books(self.db, origin.terminal, keys)
        self._kept: bytes | None = None

    def read(self, query: Callable[[apsw.Connection, Books], T]) -> T:
        """Run a query that sees one moment of the shop."""
        with storage_errors():
            self.db.execute("BEGIN")
            try:
                self._look_whether_it_changed()
                return query(self.db, self.books)
            finally:
                if self.db.in_transaction:  # an I/O error may have ended it
                    self.db.execute("COMMIT")

    def _look_whether_it_changed(self) -> None:
        """Go on with what was kept until a transaction has changed it: sales and carts do not."""
        now = state(self.db)
        if now != self._kept:
            self.books.forget()
            self._kept = now

    def close(self) -> None:
        """Close the connection."""
        self.db.close()
