"""A shop in a data directory as a terminal has it: encrypted database, keys, anchor, and ways to damage them."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from tests.unit.till.shop_till import CASHIER, START_MS, Shop
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.database import connect
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.signing import sign_heads
from tillmesh.till import commands as c
from tillmesh.till.effects import Outcome


class DiskShop(Shop):
    """The shop of the use case tests, on a disk."""

    def __init__(self, data_dir: Path) -> None:
        self.opened = open_terminal(data_dir)
        self.writer, self.till = self.opened.writer, self.opened.till
        self.clock_ms = max(START_MS, self.till.clock.last >> 16)

    def do(self, command: c.Command, who: c.Who = CASHIER, *, approved: Sequence[str] = ()) -> Outcome:
        outcome = super().do(command, who, approved=approved)
        self.opened.anchor.remember(self.till.head)
        return outcome

    def sign(self) -> None:
        sign_heads(self.opened, self.writer.db, self.clock_ms)

    def numbers(self) -> list[str]:
        """All receipt numbers, in the order of their actors' logs."""
        return [number for (number,) in self.writer.db.execute("SELECT number FROM receipt ORDER BY actor, seq")]

    def close(self) -> None:
        self.opened.close()


@contextmanager
def shop_at(data_dir: Path) -> Iterator[DiskShop]:
    shop = DiskShop(data_dir)
    try:
        yield shop
    finally:
        shop.close()


def trade(data_dir: Path, *, sales: int = 2) -> None:
    """Found a shop, sell something, sign the end of the log, and stop."""
    with shop_at(data_dir) as shop:
        shop.furnish().open()
        for number in range(sales):
            shop.sell(cart_id=f"cart-{number}")
        shop.sign()


def tamper(data_dir: Path, *statements: str) -> None:
    """Change the database behind the till's back, as somebody with the key could."""
    with closing(connect(data_dir / FILE, database_key(data_dir))) as db:
        db.execute("DROP TRIGGER IF EXISTS event_is_append_only; DROP TRIGGER IF EXISTS event_is_kept")
        for statement in statements:
            db.execute(statement)


def settle_log(data_dir: Path) -> None:
    """Bring everything from the write-ahead log into the database file."""
    with closing(connect(data_dir / FILE, database_key(data_dir))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def snapshot(data_dir: Path, to: Path) -> Path:
    """Copy a stopped till's files."""
    settle_log(data_dir)
    shutil.copytree(data_dir, to)
    return to


def raw(data_dir: Path) -> apsw.Connection:
    return connect(data_dir / FILE, database_key(data_dir))
