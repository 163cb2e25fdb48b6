"""Made ``version_7.*``: what a till of the program of 2026-11-25 left on its disk and said over its links.

Run it with that program (commit 34f47ce), not with today's: ``python record.py FOLDER``.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tillmesh.adapters.host.keys import signing_key
from tillmesh.adapters.sqlite import replica, reporting
from tillmesh.adapters.sqlite.store import log
from tillmesh.kernel.envelope import Head
from tillmesh.shop import events as e
from tillmesh.sync import Send, Session, Side, write_frame
from tillmesh.sync.messages import Ack, Forked, Hello, Later, Mark, Message, Presence, Push, Refuse, Run, Want, runs_of
from tillmesh.sync.steps import Load
from tillmesh.sync.upload import Answer, Batch, write_answer, write_batch
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.signing import Signatures
from tillmesh.till import commands as c

KEY = bytes(range(32))
START_MS = 1_764_075_600_000  # 2025-11-25, 13:00
RUTH = c.Who(user_id="ruth", role="manager")
PRICES = {"bread": 380, "gin": 1_999, "milk": 149}


def main(folder: Path) -> None:
    """Trade a little at two tills of one store, and write down what is left and what is said."""
    (folder / "key").write_bytes(KEY)
    with (
        closing(open_terminal(folder / "a", key_file=folder / "key")) as first,
        closing(open_terminal(folder / "b", key_file=folder / "key", store=first.origin.store)) as second,
    ):
        trade_at_first(first)
        trade_at_second(second, first)
        frames = spoken(second)
        pull(first, second)
        told = told_by(first)
        first.writer.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (folder / "version_7.db").write_bytes((folder / "a" / "till.db").read_bytes())
    (folder / "version_7_frames.msgpack").write_bytes(msgspec.msgpack.encode(frames))
    (folder / "version_7.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", "utf-8")


def trade_at_first(at: Opened) -> None:
    """People, goods, a customer, a shift with sales, a void, a refund, a cart that is parked and one that is open."""
    people = [c.ChangeRecords(entity="person", changes=(
        e.Change(key="ruth", fields={"name": "Ruth", "role": "manager", "pin_tag": "ruth", "active": True}),
    ))]  # fmt: skip
    goods = tuple(
        e.Change(key=sku, fields={"name": sku.title(), "price_minor": price, "unit": "piece", "tax_code": "standard",
                                  "barcodes": [], "track_stock": True, "active": True})
        for sku, price in PRICES.items()
    )  # fmt: skip
    customer = e.Change(key="ada", fields={"name": "Ada L.", "email": "ada@example.com"})
    do(at, *people, c.ChangeRecords(entity="product", changes=goods),
       c.ChangeRecords(entity="customer", changes=(customer,)),
       *(c.ReceiveStock(sku=sku, quantity_milli=20_000) for sku in PRICES),
       c.OpenShift(float_minor=10_000))  # fmt: skip
    sold = [do(at, sale(f"a-{n}", ("milk", "bread", "gin")[: 1 + n % 3]))[0].reply for n in range(12)]
    do(at, c.VoidSale(sale_id=str(sold[4]), reason="wrong goods"))
    refunded = (c.WantedRefund(line=0, quantity_milli=1_000),)
    do(at, c.RefundSale(sale_id=str(sold[5]), lines=refunded, reason="stale", refund_key="back"))
    do(at, c.CountStock(sku="gin", quantity_milli=15_000))
    added = [c.CartOperation(op_id=name, op="add", line_id="1", sku="milk") for name in ("one", "two")]
    do(at, c.EditCart(cart_id="parked", operations=(added[0],)), c.ParkCart(cart_id="parked", label="Ada"))
    do(at, c.EditCart(cart_id="open", operations=(added[1],)))


def trade_at_second(at: Opened, first: Opened) -> None:
    """The same goods at the other till, sold from its own shift."""
    pull(at, first)
    do(at, c.OpenShift(float_minor=5_000))
    for n in range(4):
        do(at, sale(f"b-{n}", ("milk", "gin")))
    do(at, c.CloseShift(counted_minor=5_000))


def sale(cart_id: str, skus: tuple[str, ...]) -> c.CloseSale:
    """One of each, paid with a note too large."""
    lines = tuple(c.WantedLine(sku=sku, quantity_milli=1_000) for sku in skus)
    return c.CloseSale(cart_id=cart_id, lines=lines, payments=(e.Payment(method="cash", amount_minor=5_000),))


def do(at: Opened, *commands: c.Command) -> list[Any]:
    """Decide and store, a minute apart."""
    done = []
    for command in commands:
        now_ms = START_MS + 60_000 * at.till.head.seq
        done.append(at.writer.execute(at.till, RUTH, command, now_ms))
        at.anchor.remember(at.till.head, at.till.receipts)
    return done


def pull(to: Opened, source: Opened) -> None:
    """Bring over what one till holds and the other does not."""
    held = replica.heads(to.writer.db)
    lacking = [
        event
        for event in log(source.writer.db)
        if event.actor not in held or event.seq > held[event.actor].seq
    ]  # fmt: skip
    replica.merge(to.writer, to.till, lacking, START_MS)


def spoken(at: Opened) -> dict[str, Any]:
    """What this till says over a link to one that holds nothing, and one of every message there is."""
    me, heads = Side(at.origin.store, at.origin.actor), replica.heads(at.writer.db)
    session = Session(me, heads)
    said = [write_frame(step.message) for step in session.start(0) if isinstance(step, Send)]
    stranger = Hello(1, at.origin.store, 0, "nobody00.nobody00", {})
    signatures = Signatures(at.data_dir, at.origin.store)
    steps, runs = session.receive(stranger, 0), list[Run]()
    for step in steps:
        if isinstance(step, Load):
            only = tuple(span for span in step.spans if span.actor == at.origin.actor)
            events, signed = replica.load_signed(
                at.writer.db, at.writer.books, only, signatures, events_max=step.events_max, bytes_max=step.bytes_max
            )
            runs = runs_of(events, signed)
            said += [write_frame(more.message) for more in session.loaded(events, 0, signed) if isinstance(more, Send)]
    actor = at.origin.actor
    one_of_each: list[Message] = [
        Hello(1, at.origin.store, 7, actor, {actor: Mark(3, bytes(32))}), Push(1, []), Ack(1, {actor: 3}),
        Want(1, {actor: 2}), Later(1, 500), Presence({actor: 3}, leaderless=True), Refuse("store", "another store"),
        Forked(actor, "two histories"),
    ]  # fmt: skip
    public = signing_key(at.data_dir, actor).public_key().public_bytes_raw()
    return {
        "store": at.origin.store, "actor": actor, "public": public, "said": said,
        "one of each": [write_frame(message) for message in one_of_each],
        "upload": write_batch(Batch(at.origin.store, 3, actor, _marks(heads), runs, [], {at.origin.terminal: 2})),
        "answer": write_answer(Answer({actor: 6}, [], {"fraud": "2"}, {actor: 4})),
    }  # fmt: skip


def _marks(heads: dict[str, Head]) -> dict[str, Mark]:
    return {name: Mark(head.seq, head.hash) for name, head in heads.items()}


def told_by(at: Opened) -> dict[str, Any]:
    """What its reports say."""
    db, books = at.writer.db, at.writer.books
    when = datetime.fromtimestamp(START_MS / 1e3, UTC).date()
    [day] = reporting.days(db, books, when, when)
    parts = reporting.state_parts(db)
    return {
        "actor": at.origin.actor, "store": at.origin.store, "day": day, "receipts": at.till.receipts,
        "seq": at.till.head.seq, "vector": dict(books.vector()),
        "stock": {sku: books.stock_milli(sku) for sku in PRICES}, "tables": {"register": parts["register"]},
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
