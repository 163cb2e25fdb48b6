"""What an older program left and said (made with it, by ``record.py``) under today's: nothing is lost or changed."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.upgrade.record import KEY, RUTH, START_MS, sale
from tillmesh.adapters.sqlite import reporting
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, in_memory, newest, one, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.store import FILE, open_database
from tillmesh.adapters.sqlite.upgrade_copy import kept_copy
from tillmesh.fleet.projecting import project
from tillmesh.kernel.envelope import Head, seal
from tillmesh.shop import events as e
from tillmesh.sync import Apply, Load, Session, Side, read_frame, write_frame
from tillmesh.sync.packing import unpack
from tillmesh.sync.signatures import KeyNotary
from tillmesh.sync.upload import read_answer, read_batch, write_batch
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.log_audit import LogAudit

HERE = Path(__file__).parent
TOLD = json.loads((HERE / "version_7.json").read_text("utf-8"))
SPOKEN: dict[str, Any] = msgspec.msgpack.decode((HERE / "version_7_frames.msgpack").read_bytes())
DAY = date.fromisoformat(TOLD["day"]["date"])


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with nothing but the old program's database, as from a back-up, and its key."""
    place = tmp_path / "till"
    place.mkdir()
    (place / FILE).write_bytes((HERE / "version_7.db").read_bytes())
    (tmp_path / "key").write_bytes(KEY)
    return place


@pytest.fixture
def till(data_dir: Path) -> Iterator[Opened]:
    """Today's program on it."""
    with closing(open_terminal(data_dir, key_file=data_dir.parent / "key")) as opened:
        yield opened


def test_the_fixture_is_of_an_older_version(data_dir: Path) -> None:
    with closing(connect(data_dir / FILE, KEY, read_only=True)) as db:
        assert one(db, "PRAGMA user_version") == 7 < newest()


def test_an_old_till_reports_the_same_day_and_counts_the_same_stock_as_before_its_upgrade(till: Opened) -> None:
    books = till.writer.books
    assert reporting.days(till.writer.db, books, DAY, DAY) == [TOLD["day"]]
    assert {sku: books.stock_milli(sku) for sku in TOLD["stock"]} == TOLD["stock"]
    assert TOLD["vector"].items() <= dict(books.vector()).items()
    assert reporting.state_parts(till.writer.db)["register"] == TOLD["tables"]["register"]
    whole = reporting.day(till.writer.db, books, DAY)
    assert sum(one_till["total_minor"] for one_till in whole["tills"]) == TOLD["day"]["total_minor"]


def test_an_old_till_knows_its_customer_its_parked_cart_and_the_one_that_was_open(till: Opened) -> None:
    fields = till.writer.books.fields("customer", "ada") or {}
    assert (fields["name"], fields["email"]) == ("Ada L.", "ada@example.com")
    parked = one(till.writer.db, "SELECT count(*) FROM parked WHERE removed = 0")
    working = till.writer.books.cart("open")
    assert parked == 1
    assert working is not None
    assert [line.sku for line in working[0].lines] == ["milk"]


def test_an_old_till_sells_on_and_answers_a_cart_of_before_with_the_sale_of_then(till: Opened) -> None:
    again = till.writer.execute(till.till, RUTH, sale("a-3", ("milk",)), START_MS + 10**8)
    assert str(again.reply).startswith(TOLD["actor"])
    new = till.writer.execute(till.till, RUTH, sale("after", ("milk",)), START_MS + 10**8)
    assert till.writer.books.event(str(new.reply)) is not None
    assert till.writer.books.stock_milli("milk") == TOLD["stock"]["milk"] - 1_000


def test_what_an_old_till_left_verifies_and_its_tables_are_what_its_log_says(till: Opened) -> None:
    audit = LogAudit(TOLD["store"])
    with closing(in_memory()) as anew:
        with write(anew):
            ledger = Ledger(anew, TOLD["store"])
            for event in log(till.writer.db):
                audit.add(event)
                ledger.append_foreign([event])
        audit.finish()
        assert (audit.problems, audit.gaps, audit.sales) == ([], [], TOLD["day"]["sales"])
        assert reporting.state_parts(anew) == reporting.state_parts(till.writer.db)


def test_the_database_is_kept_as_it_was_before_the_upgrade(data_dir: Path) -> None:
    before = (data_dir / FILE).read_bytes()
    with closing(open_database(data_dir / FILE, KEY)) as db:
        assert one(db, "PRAGMA user_version") == newest()
    found = kept_copy(data_dir)
    assert found is not None
    assert (found[1], found[0].read_bytes() == before) == (7, True)
    with closing(connect(found[0], KEY, read_only=True)) as db:
        assert Books(db, "").stock_milli("gin") == TOLD["stock"]["gin"]


# Over the wire.


def test_every_message_of_an_old_till_is_understood_and_begins_as_todays_do() -> None:
    for frame in SPOKEN["one of each"]:
        message = read_frame(frame)
        assert message is not None
        old, new = (msgspec.msgpack.decode(_body(each)) for each in (frame, write_frame(message)))
        assert new[: len(old)] == old, f"an older till would read {type(message).__name__} as something else"


def _body(frame: bytes) -> bytes:
    return unpack(frame[3], frame[8:], int.from_bytes(frame[4:8], "big"))


def test_an_old_tills_events_are_taken_from_its_own_frames_under_its_own_signature() -> None:
    notary = KeyNotary(SPOKEN["store"], {SPOKEN["actor"]: SPOKEN["public"]}.get)
    session = Session(Side(SPOKEN["store"], "today000.today000"), {}, notary=notary)
    session.start(0)
    steps = [step for frame in SPOKEN["said"] for step in session.receive(read_frame(frame), 1)]
    (applied,) = [step for step in steps if isinstance(step, Apply)]
    assert len(applied.events) == TOLD["vector"][SPOKEN["actor"]]
    assert not any(isinstance(step, Load) for step in steps), "there is nothing to send back"
    with closing(in_memory()) as db:
        with write(db):
            Ledger(db, SPOKEN["store"]).append_foreign(applied.events)
        sums = one(db, "SELECT sum(total_minor) FROM receipt")
        assert sums == 4 * (149 + 1_999)
        assert {event.type for event in applied.events} <= set(e.KINDS)


def test_head_office_counts_what_an_old_till_uploads_and_an_old_head_offices_answer_is_understood() -> None:
    batch = read_batch(SPOKEN["upload"])
    assert (batch.store, batch.term, batch.sender, batch.orders) == (SPOKEN["store"], 3, SPOKEN["actor"], b"")
    head, events = Head(batch.sender), []
    for item in batch.runs[0].items:
        events.append(seal(batch.store, head, hlc=item.hlc, kind=item.type, version=item.version, body=item.body))
        head = Head(batch.sender, events[-1].seq, events[-1].hash)
    assert head.hash == batch.runs[0].hash
    assert sum(row.total_minor for row in project(events).sales) == 4 * (149 + 1_999)
    answer = read_answer(SPOKEN["answer"])
    assert (answer.acked, answer.wanted, answer.model_orders) == ({batch.sender: 6}, {batch.sender: 4}, None)
    old, new = (msgspec.msgpack.decode(_body(each)) for each in (SPOKEN["upload"], write_batch(batch)))
    assert new[: len(old)] == old, "an older head office would read it as something else"
