"""``tillmesh verify``: read the whole log and say whether everything that was promised holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key, signing_key
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, one, storage_errors
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.adapters.sqlite.store import FILE, Origin, log, read_origin
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope, Head, check_link
from tillmesh.kernel.errors import NotFound, TillmeshError
from tillmesh.shop import events as e
from tillmesh.terminal.signing import head_message

PROBLEMS_MAX = 100


class _Audit:
    """Goes through the log once and keeps what is wrong."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.heads: dict[str, Head] = {}
        self.events = 0
        self.sales = 0
        self.balance: dict[str, int] = defaultdict(int)
        self.problems: list[str] = []
        self.gaps: list[str] = []
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._carts: dict[str, str] = {}

    def add(self, event: Envelope) -> None:
        """Check one event; the log comes by actor and sequence."""
        self.events += 1
        head = self.heads.get(event.actor, Head(event.actor))
        if event.seq != head.seq + 1:
            self.gaps.append(f"{event.actor}: {head.seq + 1} to {event.seq - 1}")
            head = Head(event.actor, event.seq - 1, event.prev_hash)
        try:
            self.heads[event.actor] = check_link(self._store, head, event)
            kind = e.KINDS.get(event.type)
            if kind is not None:
                self._money(event, decode(event.body, kind))
        except TillmeshError as error:
            self.heads[event.actor] = Head(event.actor, event.seq, event.hash)
            self.wrong(error.detail)

    def wrong(self, text: str) -> None:
        """Note a problem, up to a limit."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    def _money(self, event: Envelope, body: object) -> None:
        match body:
            case e.SaleClosed():
                self.sales += 1
                self._number(body.receipt_number)
                if body.cart_id in self._carts:
                    self.wrong(f"cart {body.cart_id} was sold twice: {self._carts[body.cart_id]} and {event.id}")
                self._carts[body.cart_id] = event.id
                self._sale(event, body)
            case e.SaleVoided():
                self._number(body.receipt_number)
                self._back(event, body)
            case e.SaleRefunded():
                self._number(body.receipt_number)
                self._back(event, body)
                if sum(line.total_minor for line in body.lines) != body.total_minor:
                    self.wrong(f"{event.id}: the lines do not sum up to the refund")
            case _:
                pass

    def _sale(self, event: Envelope, sale: e.SaleClosed) -> None:
        paid = sum(payment.amount_minor for payment in sale.payments)
        if paid - sale.change_minor != sale.total_minor + sale.rounding_minor:
            self.wrong(f"{event.id}: payments less change are not total plus rounding")
        if sum(line.total_minor for line in sale.lines) != sale.total_minor:
            self.wrong(f"{event.id}: the lines do not sum up to the total")
        taxes = sum(tax.tax_minor for tax in sale.taxes)
        if not taxes == sum(line.tax_minor for line in sale.lines) == sale.tax_minor:
            self.wrong(f"{event.id}: the taxes do not sum up")
        if sum(tax.net_minor + tax.tax_minor for tax in sale.taxes) != sale.total_minor:
            self.wrong(f"{event.id}: net and tax are not the total")
        self.balance["sales_minor"] += sale.total_minor
        self.balance["rounding_minor"] += sale.rounding_minor
        self.balance["tendered_minor"] += paid
        self.balance["change_minor"] += sale.change_minor

    def _back(self, event: Envelope, body: e.SaleVoided | e.SaleRefunded) -> None:
        given = sum(payment.amount_minor for payment in body.payments)
        if given != body.total_minor + body.rounding_minor:
            self.wrong(f"{event.id}: what was given back is not total plus rounding")
        self.balance["returned_minor"] += body.total_minor
        self.balance["given_back_minor"] += given
        self.balance["rounding_minor"] -= body.rounding_minor

    def _number(self, receipt: str) -> None:
        series, _, number = receipt.rpartition("-")
        self._numbers[series].append(int(number) if number.isdigit() else -1)

    def finish(self) -> None:
        """Check what only the whole log shows."""
        for series, numbers in self._numbers.items():
            if sorted(numbers) != list(range(1, len(numbers) + 1)):
                self.wrong(f"receipt numbers of series {series} are not gapless and unique")
        b = self.balance
        kept = b["tendered_minor"] - b["change_minor"] - b["given_back_minor"]
        if kept != b["sales_minor"] - b["returned_minor"] + b["rounding_minor"]:
            self.wrong("the money kept is not what was sold less what was returned plus rounding")


def verify(data_dir: Path, *, key_file: Path | None = None) -> dict[str, Any]:
    """Check a data directory; ``ok`` is true only if everything holds. Works beside a running till."""
    path = data_dir / FILE
    if not path.exists():
        raise NotFound(f"{data_dir} holds no till", hint="Name the data directory of a terminal.")
    db = connect(path, database_key(data_dir, key_file), read_only=True)
    with storage_errors():
        db.execute("BEGIN")
        origin = read_origin(db)
        if origin is None:
            raise NotFound(f"{data_dir} holds no till", hint="Start the terminal once.")
        audit = _Audit(origin.store)
        for event in log(db):
            audit.add(event)
        audit.finish()
        _compare(db, origin, audit)
        _signatures(db, data_dir, origin, audit)
        _anchor(data_dir, audit)
        hashes = state_hash(db, Books(db, origin.terminal))
        _page_check(db, audit)
        db.execute("COMMIT")
    db.close()
    return {
        "ok": not (audit.problems or audit.gaps),
        "store": origin.store,
        "terminal": origin.terminal,
        "actor": origin.actor,
        "events": audit.events,
        "sales": audit.sales,
        "heads": {actor: {"seq": head.seq, "hash": head.hash.hex()} for actor, head in sorted(audit.heads.items())},
        "gaps": audit.gaps,
        "money": {"balanced": not any("not" in problem for problem in audit.problems), **dict(audit.balance)},
        "state_hash": hashes["hash"],
        "problems": audit.problems,
    }


def _page_check(db: apsw.Connection, audit: _Audit) -> None:
    for (line,) in db.execute("PRAGMA quick_check(10)"):
        if line != "ok":
            audit.wrong(f"database: {line}")


def _compare(db: apsw.Connection, origin: Origin, audit: _Audit) -> None:
    """The version vector must stand where the log ends, and the receipt index must have every sale."""
    ledger = Ledger(db, origin.store)
    for actor, head in audit.heads.items():
        if ledger.head(actor) != head:
            audit.wrong(f"the version vector of {actor} does not stand at its last event {head.seq}")
    indexed = int(one(db, "SELECT count(*) FROM receipt WHERE kind = 0"))
    if indexed != audit.sales:
        audit.wrong(f"{audit.sales} sales in the log, {indexed} in the index")


def _signatures(db: apsw.Connection, data_dir: Path, origin: Origin, audit: _Audit) -> None:
    """Signed heads must name events that are there, and carry the own key's signature."""
    key: Ed25519PublicKey = signing_key(data_dir, origin.actor).public_key()
    sql = (
        "SELECT a.name, s.seq, s.hash, s.signature, e.hash FROM signed_head s JOIN actor a ON a.id = s.actor "
        "LEFT JOIN event e ON e.actor = s.actor AND e.seq = s.seq"
    )
    rows: Iterable[Any] = db.execute(sql).fetchall()
    for name, seq, pinned, signature, held in rows:
        if held != pinned:
            audit.wrong(f"the signed head {name}-{seq} is not in the log")
        elif name == origin.actor:
            try:
                key.verify(signature, head_message(origin.store, Head(name, seq, pinned)))
            except InvalidSignature:
                audit.wrong(f"the signature of head {name}-{seq} does not verify")


def _anchor(data_dir: Path, audit: _Audit) -> None:
    """What the anchor file saw committed must still be there."""
    if not (data_dir / "anchor").exists():
        audit.wrong("the anchor file is missing")
        return
    anchor = Anchor.beside(data_dir)
    noted = anchor.head()
    anchor.close()
    if noted is not None and noted.seq:
        held = audit.heads.get(noted.actor, Head(noted.actor))
        if held.seq < noted.seq:
            audit.wrong(f"events {held.seq + 1} to {noted.seq} of {noted.actor} were committed and are gone")
