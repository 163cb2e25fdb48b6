"""F01, F06, F09, F11 against the real program over HTTP."""

import re
import signal
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, found_shop
from tests.faults.running import Program, until
from tests.faults.strace import needs_strace, tampering

pytestmark = [pytest.mark.slow, pytest.mark.service]

KILLS = (1, 6, 13, 24)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "till"
    found_shop(folder, pins=True)
    return folder


def test_till_program_killed_inside_a_commit_has_every_acknowledged_sale_when_it_is_back(shop: Path) -> None:
    needs_strace()
    history, program = History(), Program(shop)
    for write in KILLS:
        with program:
            token = program.sign_in()
            program.sell(token, history, f"before-{write}", write)
            with tampering(program.pid, f"pwrite64:signal=KILL:when={write}"):
                number = 0
                while program.sell(token, history, f"kill-{write}-{number}", number) is not None:
                    number += 1
                assert program.died() == -signal.SIGKILL
        with program:
            again = program.sell(program.sign_in(), history, f"kill-{write}-{number}", number)
            assert again is not None
            assert again.status in {200, 201}
        assert_all_holds(shop, history)
    assert "Traceback" not in program.said()


def test_sync_error_is_answered_as_not_saved_and_the_same_cart_sells_without_a_restart(shop: Path) -> None:
    needs_strace()
    history = History()
    with Program(shop) as program:
        token = program.sign_in()
        for fails in (1, 2, 3):
            with tampering(program.pid, f"fdatasync:error=EIO:when=1..{fails}"):
                refused = program.sell(token, history, f"eio-{fails}", fails)
                assert refused is not None
                assert (refused.status, refused.body["kind"]) == (503, "storage-failed")
                assert "use another till" in refused.body["hint"]
                health = program.get("/health").body
                assert not health["ok"]
                answer = refused
                while answer.status == 503:  # the cashier tries again; a disk that fails for long takes a few tries
                    tried = program.sell(token, history, f"eio-{fails}", fails)
                    assert tried is not None
                    answer = tried
            assert answer.status in {200, 201}
            assert program.get("/health").body["ok"]
        assert program.stop() == 0
        assert "Traceback" not in program.said()
    assert_all_holds(shop, history)


def test_disk_that_turns_read_only_sends_the_cashier_to_another_till(shop: Path) -> None:
    needs_strace()
    history = History()
    with Program(shop) as program:
        token = program.sign_in()
        with tampering(program.pid, "pwrite64,fdatasync,ftruncate:error=EROFS"):
            for number in range(3):
                answer = program.sell(token, history, f"read-only-{number}", number)
                assert answer is not None
                assert answer.status == 503
                assert "use another till" in answer.body["hint"].lower()
            assert program.get("/products?q=bread", token).status == 200, "looking things up still works"
        for number in range(3):
            answer = program.sell(token, history, f"read-only-{number}", number)
            assert answer is not None
            assert answer.status in {200, 201}
        assert "Traceback" not in program.said()
        assert program.stop() == 0
    assert_all_holds(shop, history)


def test_damaged_database_makes_a_page_that_says_so_and_no_crash_loop(shop: Path) -> None:
    database = shop / "till.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:50] + bytes([whole[50] ^ 4]) + whole[51:])
    with Program(shop) as program:
        for _ in range(2):
            health = program.get("/health")
            assert (health.status, health.body["kind"]) == (503, "damaged")
            assert not health.body["ok"]
            assert program.call("POST", "/sales", {}).status == 503
        assert "out of order" in program.said()
        assert "Traceback" not in program.said()
        database.write_bytes(whole)  # somebody mended it
        until(lambda: program.get("/health").status == 200, "the till opens by itself")
        history = History()
        answer = program.sell(program.sign_in(), history, "mended", 1)
        assert answer is not None
        assert answer.status == 201
        assert program.stop() == 0
    assert_all_holds(shop, history)


def test_sales_lost_from_the_log_are_named_in_health_and_audit_and_selling_goes_on(shop: Path) -> None:
    history = History()
    with Program(shop) as program:
        token = program.sign_in()
        for number in range(3):
            program.sell(token, history, f"cart-{number}", number)
        program.kill()
    log = shop / "till.db-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    with Program(shop) as program:
        health = program.get("/health").body
        [told] = [check["text"] for check in health["checks"] if check["check"] == "new_incarnation"]
        assert re.search(r"events \d+ to \d+ of \S+ were committed and are gone", told)
        noted = program.get("/audit", program.sign_in("ruth")).body["entries"]
        assert [entry["detail"] in told for entry in noted if entry["action"] == "new_incarnation"] == [True]
        answer = program.sell(program.sign_in(), History(), "one more", 1)
        assert answer is not None
        assert answer.status == 201
        assert answer.body["receipt_number"] not in {one.receipt_number for one in history.attempts}


def test_second_program_on_the_same_data_says_that_the_first_one_has_it(shop: Path) -> None:
    with Program(shop) as first, Program(shop) as second:
        refused = second.get("/health")
        assert refused.status == 503
        assert "another program has" in refused.body["detail"]
        first.kill()
        until(lambda: second.get("/health").status == 200, "the second takes over")
