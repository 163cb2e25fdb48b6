"""A real till on a disk that fills up: what may wait gives way, sales go on, and all is well when room is back."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import CASHIER, assert_all_holds, found_shop, sale, total_minor
from tests.faults.running import Answer, Program, until
from tests.faults.small_disk import small_disk
from tillmesh.adapters.host.backup_note import BackupNote, write_note
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.database import connect, one
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.terminal.offline import OfflineTill
from tillmesh.till.retention import DAY_MS

pytestmark = [pytest.mark.slow, pytest.mark.service]

MIB = 1 << 20
SIZE = "100m"  # scarce below 20 MiB, kept for sales below 5; the reserve is 10
OLD_SALES = 40
IMPORT = b"sku,name,price\nJAM,Jam,2.50\n"


def test_sales_go_on_through_every_stage_of_a_disk_that_fills_up_and_it_heals(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        shop, history = disk.place / "till", History()
        sell_last_week(shop, history)
        parcel = shop / "models" / "on-the-way" / ("0" * 64)
        with Program(shop, arguments=("--no-ai",)) as till:
            until(lambda: stage(till) == 0, "there is plenty of room")
            token, manager = till.sign_in(), till.sign_in("ruth")
            parcel.parent.mkdir(parents=True, exist_ok=True)
            parcel.write_bytes(bytes(MIB))
            assert bring_in(till, manager).status == 200
            replay, asked = Replay(), Asked("till", till.port)
            replay.take(asked)

            disk.fill(leave_bytes=12 * MIB)
            until(lambda: stage(till) == 1, "room is scarce")
            until(lambda: archived(shop) == OLD_SALES, "sales of last week are compressed at once")
            assert told(till)["ok"], "so far the till helps itself"
            assert bring_in(till, manager).status == 200
            sell(till, token, history, 1)
            replay.take(asked)

            disk.fill(leave_bytes=3 * MIB)
            refused = bring_in(till, manager)
            assert (refused.status, refused.body["kind"]) == (507, "disk-nearly-full")
            assert "Selling goes on" in refused.body["hint"]
            sell(till, token, history, 2)
            until(lambda: stage(till) == 2, "room is kept for sales")
            until(lambda: not parcel.exists(), "a model on its way can be fetched again")
            assert "imports, training, new models and photos wait" in told(till)["text"]
            replay.take(asked)

            disk.fill()
            sell_on_the_reserve(till, token, history)

            disk.clear()
            until(lambda: stage(till) == 0, "there is plenty of room again")
            assert told(till)["ok"]
            assert bring_in(till, manager).status == 200
            replay.take(asked)
            assert till.stop() == 0
            assert "Traceback" not in till.said()
        replay.judge(tmp_path / "alerts", [(), {"DiskScarce"}, {"DiskFull"}, ()])
        assert_all_holds(shop, history)


def sell_last_week(shop: Path, history: History) -> None:
    """Found the shop nine days ago and sell a little on that day."""
    then_ms = time.time_ns() // 1_000_000 - 9 * DAY_MS
    found_shop(shop, pins=True, at_ms=then_ms)
    till = OfflineTill(shop, hurried=True)
    for number in range(OLD_SALES):
        cart = f"old-{number}"
        sale_id = str(till.do(CASHIER, sale(cart, number), then_ms).reply)
        history.note(Attempt(cart, "unknown", sale_id, total_minor=total_minor(number)))
    till.close()
    now = time.time_ns() // 1_000_000
    write_note(shop, BackupNote(made_ms=now, tried_ms=now))  # last night's, so that no alert asks for one


def sell_on_the_reserve(till: Program, token: str, history: History) -> None:
    """Serve the queue of customers and close the day on a full disk."""
    for number in range(3, 30):
        sell(till, token, history, number)
    until(lambda: stage(till) == 3, "sales take the reserve")
    assert not told(till)["ok"]
    assert till.call("POST", "/shifts/close", {"counted_minor": 10_000}, token).status == 201


def sell(till: Program, token: str, history: History, number: int) -> None:
    answer = till.sell(token, history, f"new-{number}", number)
    assert answer is not None
    assert answer.status == 201, answer


def bring_in(till: Program, token: str) -> Answer:
    return till.send("POST", "/products/import?dry_run=1", IMPORT, "text/csv", token)


def stage(till: Program) -> int:
    """Let the till look at its disk, and read what Prometheus is told of it."""
    told(till)
    [line] = [line for line in till.metrics().splitlines() if line.startswith("tillmesh_disk_stage ")]
    return int(float(line.split()[1]))


def told(till: Program) -> dict[str, Any]:
    [check] = [check for check in till.get("/health").body["checks"] if check["check"] == "disk"]
    return dict(check)


def archived(shop: Path) -> int:
    """Count the sales of which the log holds a mark."""
    with closing(connect(shop / FILE, database_key(shop), read_only=True)) as db:
        return int(one(db, "SELECT count(*) FROM event WHERE type = 'sale_closed' AND substr(body, 1, 1) = X'C1'"))
