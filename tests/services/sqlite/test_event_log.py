"""The log on disk: only ever appended to, chained, encrypted, and durable before anybody is told."""

import os
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature

from tests.services.sqlite.disk_shop import DiskShop, raw, settle_log, shop_at, trade
from tests.unit.till.shop_till import MANAGER, line
from tillmesh.adapters.host.keys import database_key, signing_key
from tillmesh.adapters.sqlite.database import PLAINTEXT, PlaintextRefused, connect, in_memory, one, rows, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import FILE, open_database
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Damaged
from tillmesh.shop import events as e
from tillmesh.sync.signatures import head_message
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.till import commands as c

CANARY = "Canary Quietfeather"


@pytest.mark.parametrize("statement", ["UPDATE event SET hlc = 0", "UPDATE event SET body = x''", "DELETE FROM event"])
def test_history_is_not_rewritten(tmp_path: Path, statement: str) -> None:
    trade(tmp_path)
    with closing(raw(tmp_path)) as db:
        before = one(db, "SELECT count(*) FROM event")
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            db.execute(statement)
        assert one(db, "SELECT count(*) FROM event") == before


def test_a_number_of_an_actor_is_given_out_once(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish()
        event = shop.log()[-1]
        with pytest.raises(apsw.ConstraintError), shop.writer.transaction():
            shop.writer.ledger.append_own([event])


def test_events_of_an_actor_are_numbered_from_one_without_gaps(tmp_path: Path) -> None:
    trade(tmp_path, sales=3)
    with closing(raw(tmp_path)) as db:
        assert [event.seq for event in log(db)] == list(range(1, 7))


def test_a_sale_is_committed_durably_before_it_is_answered(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        assert one(shop.writer.db, "PRAGMA synchronous") == 2
        assert one(shop.writer.db, "PRAGMA journal_mode") == "wal"
        sale_id = shop.furnish().open().sell()
        # Another connection sees it while the writer is still open: nothing is kept back in memory.
        with closing(raw(tmp_path)) as other:
            assert f"{sale_id}" in [event.id for event in log(other)]


def test_a_refused_command_leaves_no_trace(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish().open()
        before = (len(shop.log()), state_parts(shop.writer.db), shop.till.head, shop.till.receipts)
        with pytest.raises(Exception, match="calendar"):
            shop.do(c.CloseSale(cart_id="x", lines=(line(), line("old")), payments=()))
        assert (len(shop.log()), state_parts(shop.writer.db), shop.till.head, shop.till.receipts) == before


def test_an_actor_of_a_rolled_back_transaction_is_forgotten(tmp_path: Path) -> None:
    stranger = seal("s", Head("stranger.aaaaaaaa"), hlc=1, kind="unknown", version=1, body=b"")
    with shop_at(tmp_path) as shop:
        shop.furnish()
        with pytest.raises(apsw.ConstraintError), shop.writer.transaction():
            shop.writer.ledger.append_own([stranger, stranger])
        other = seal("s", Head("another1.aaaaaaaa"), hlc=1, kind="unknown", version=1, body=b"")
        with shop.writer.transaction():
            shop.writer.ledger.append_own([other, stranger])
        assert {event.actor for event in shop.log()} >= {"stranger.aaaaaaaa", "another1.aaaaaaaa"}


# Events of others.


def take_in(shop: DiskShop, events: list[Envelope]) -> int:
    with shop.writer.transaction():
        return shop.writer.ledger.append_foreign(events)


def test_events_of_a_type_from_tomorrow_are_kept_and_passed_over(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish()
        before = state_parts(shop.writer.db)
        store = shop.opened.origin.store
        event = seal(store, Head("tomorrow.aaaaaaaa"), hlc=5, kind="drone_landed", version=9, body=b"\x01")
        assert take_in(shop, [event]) == 1
        assert state_parts(shop.writer.db) == before
        assert event in shop.log()


@pytest.fixture
def history(tmp_path: Path) -> tuple[str, list[Envelope]]:
    """The store and the log of another till."""
    trade(tmp_path / "other")
    with closing(raw(tmp_path / "other")) as db, shop_at(tmp_path / "other") as shop:
        return shop.opened.origin.store, list(log(db))


def receiver(store: str) -> tuple[apsw.Connection, Ledger]:
    db = in_memory()
    return db, Ledger(db, store)


def test_the_log_of_another_till_is_taken_in_once(history: tuple[str, list[Envelope]]) -> None:
    store, events = history
    db, ledger = receiver(store)
    with write(db):
        assert ledger.append_foreign(events) == len(events)
        assert ledger.append_foreign(events + events) == 0
    assert list(log(db)) == events


def test_a_gap_is_refused_and_named(history: tuple[str, list[Envelope]]) -> None:
    store, events = history
    db, ledger = receiver(store)
    with pytest.raises(Damaged, match=f"after {events[1].id} came {events[3].id}"), write(db):
        ledger.append_foreign([*events[:2], *events[3:]])
    assert list(log(db)) == []


@pytest.mark.parametrize("field", ["body", "hlc", "type", "version"])
def test_an_altered_event_is_refused(history: tuple[str, list[Envelope]], field: str) -> None:
    store, events = history
    old = getattr(events[2], field)
    other = old + (b"x" if isinstance(old, bytes) else "x" if isinstance(old, str) else 1)
    altered = msgspec.structs.replace(events[2], **{field: other})
    db, ledger = receiver(store)
    with pytest.raises(Damaged, match="was altered"), write(db):
        ledger.append_foreign([*events[:2], altered])


def test_a_second_history_of_one_actor_is_a_fork(history: tuple[str, list[Envelope]]) -> None:
    store, events = history
    db, ledger = receiver(store)
    with write(db):
        ledger.append_foreign(events)
    before = events[-2]
    forked = seal(store, Head(before.actor, before.seq, before.hash), hlc=1, kind="audited", version=1, body=b"")
    with pytest.raises(Damaged, match="two histories"), write(db):
        ledger.append_foreign([forked])


def test_an_event_of_another_store_is_refused(history: tuple[str, list[Envelope]]) -> None:
    _, events = history
    db, ledger = receiver("another store")
    with pytest.raises(Damaged, match="was altered"), write(db):
        ledger.append_foreign(events)


# Encryption.


def test_nothing_of_the_shop_can_be_read_in_its_files(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish().open()
        customer = e.Change(key="canary", fields={"name": CANARY})
        shop.do(c.ChangeRecords(entity="customer", changes=(customer,)))
        shop.do(c.ChangeRecords(entity="product", changes=(e.Change(key="canary", fields={"name": CANARY}),)), MANAGER)
        while_running = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        assert while_running[f"{FILE}-wal"]
    settle_log(tmp_path)
    stopped = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for files in (while_running, stopped):
        for name, content in files.items():
            for word in (CANARY, "Quietfeather", "Enamel mug", "CREATE TABLE"):
                assert word.encode() not in content, f"{word} stands in {name}"
            assert not content.startswith(PLAINTEXT)


def test_a_plain_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "database.key").write_bytes(os.urandom(32))
    plain = apsw.Connection(str(tmp_path / FILE))
    plain.execute("CREATE TABLE meta (name, value)")
    plain.close()
    with pytest.raises(PlaintextRefused, match="plain SQLite file"):
        open_terminal(tmp_path)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    trade(tmp_path)
    settle_log(tmp_path)
    key_file = tmp_path / "keys" / "database.key"
    key_file.write_bytes(bytes(reversed(key_file.read_bytes())))
    with pytest.raises(Damaged, match="wrong key"):
        open_terminal(tmp_path)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused_everywhere(tmp_path: Path, size: int) -> None:
    with pytest.raises(PlaintextRefused, match=f"{size} bytes"):
        connect(tmp_path / FILE, bytes(size))
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "database.key").write_bytes(bytes(size))
    with pytest.raises(Damaged, match=f"{size} bytes"):
        open_terminal(tmp_path)
    assert not (tmp_path / FILE).exists()


def test_a_lost_key_is_never_replaced_by_a_new_one(tmp_path: Path) -> None:
    trade(tmp_path)
    (tmp_path / "keys" / "database.key").unlink()
    with pytest.raises(Damaged, match="missing"):
        open_terminal(tmp_path)
    assert not (tmp_path / "keys" / "database.key").exists()


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    trade(tmp_path)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_elsewhere_is_used_instead(tmp_path: Path) -> None:
    key_file = tmp_path / "elsewhere.key"
    key_file.write_bytes(os.urandom(32))
    open_terminal(tmp_path / "till", key_file=key_file).close()
    assert not (tmp_path / "till" / "keys" / "database.key").exists()
    with pytest.raises(Damaged, match=r"database\.key is missing"):
        open_terminal(tmp_path / "till")
    with pytest.raises(Damaged, match="can't be read"):
        open_terminal(tmp_path / "till", key_file=tmp_path / "nowhere.key")


def test_a_systemd_credential_comes_before_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = tmp_path / "tillmesh-database-key"
    credential.write_bytes(os.urandom(32))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert database_key(tmp_path / "till", tmp_path / "nowhere.key") == credential.read_bytes()


def test_a_database_opens_with_its_tables_and_its_cipher(tmp_path: Path) -> None:
    key = os.urandom(32)
    with closing(open_database(tmp_path / FILE, key)) as db:
        assert one(db, "PRAGMA cipher") == "aegis"
        assert one(db, "SELECT count(*) FROM event") == 0


def test_the_newest_signed_head_vouches_for_the_whole_chain(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish().open()
        shop.sign()
        shop.sell()
        shop.sign()
        shop.sign()
        ((seq, pinned, signature),) = rows(shop.writer.db, "SELECT seq, hash, signature FROM signed_head")
        assert Head(shop.till.head.actor, seq, pinned) == shop.till.head
        key = signing_key(tmp_path, shop.till.head.actor, create=False).public_key()
        key.verify(signature, head_message(shop.opened.origin.store, shop.till.head))
        with pytest.raises(InvalidSignature):
            key.verify(signature, head_message("another store", shop.till.head))
