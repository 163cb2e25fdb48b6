"""F10: a sync takes 20 to 500 ms. Selling is as slow as the disk; looking at the till is not."""

import http.client
import threading
import time
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, found_shop
from tests.faults.running import Program
from tests.faults.strace import needs_strace, tampering

pytestmark = [pytest.mark.slow, pytest.mark.service]

P99_MS, MAX_MS = 100, 500  # I8
READS, SYNCS = 200, 5  # at least so many looks, and at least for so many syncs


@pytest.mark.parametrize("sync_ms", [20, 500])
def test_slow_sync_keeps_nobody_from_looking_at_the_till(tmp_path: Path, sync_ms: int) -> None:
    needs_strace()
    shop, history = tmp_path / "till", History()
    found_shop(shop, pins=True)
    with Program(shop) as program:
        token = program.sign_in()
        done = threading.Event()

        def sell_on() -> None:
            number = 0
            while not done.is_set():
                program.sell(token, history, f"slow-{number}", number)
                number += 1

        with tampering(program.pid, f"fdatasync:delay_exit={sync_ms * 1000}"):
            selling = threading.Thread(target=sell_on)
            selling.start()
            took_ms = sorted(looks_ms(program, token, least_ms=SYNCS * sync_ms))
            done.set()
            selling.join()
        assert program.stop() == 0
    sold = len(history.ok())
    assert sold == len(history.attempts) >= 2
    assert sold <= sum(took_ms) / sync_ms + 2, "each sale waited for the disk"
    assert_all_holds(shop, history)
    p99 = took_ms[len(took_ms) * 99 // 100]
    assert p99 < P99_MS, f"p99 {p99:.1f} ms, longest {took_ms[-1]:.1f} ms"
    assert took_ms[-1] < MAX_MS


def looks_ms(program: Program, token: str, *, least_ms: int) -> list[float]:
    """Look at the state and at products, over one kept connection as a page does; give how long each look took."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    took: list[float] = []
    while len(took) < READS or sum(took) < least_ms:
        path = "/state" if len(took) % 2 else "/products?q=bread"
        before = time.perf_counter()
        connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        took.append((time.perf_counter() - before) * 1000)
        assert response.status == 200
    connection.close()
    return took
