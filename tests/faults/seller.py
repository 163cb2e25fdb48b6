"""A till without its web page that sells what it is told, in a fresh process each time, to be killed from outside.

Started once as a program it reads orders (JSON lines), forks a child for each, and says ``pid N``, later ``exit S``.
The child waits until its gate (a FIFO) is opened: whoever wants to trace it attaches meanwhile. Each acknowledgement
is appended to a file, which outlives the child as a receipt in the customer's hand does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import CASHIER, MANAGER, driving, receipt_of, sale, total_minor
from tests.faults.strace import tampering
from tillmesh.adapters.sqlite import archive, folding
from tillmesh.adapters.sqlite.database import write
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.till.commands import FoldActors
from tillmesh.till.retention import DAY_MS

ROOT = Path(__file__).resolve().parents[2]


class Seller:
    """The program, as a test uses it."""

    def __init__(self, folder: Path) -> None:
        self._gate, self._acks = folder / "gate", folder / "acks"
        os.mkfifo(self._gate)
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.seller"], cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._program.kill()
        self._program.communicate()

    def sell(
        self, shop: Path, carts: list[tuple[str, int]], history: History, *, tamper: str = "", **plant: Any
    ) -> int:
        """Sell carts in a child of its own and give its exit status, negative for a signal."""
        self._acks.write_bytes(b"")
        order = {"shop": str(shop), "carts": carts, "gate": str(self._gate), "acks": str(self._acks), **plant}
        pid = int(self._say(json.dumps(order)))
        with tampering(pid, tamper):
            self._gate.write_bytes(b"go")
            status = int(self._hear())
        told = {one["cart_id"]: Attempt(**one) for one in map(json.loads, self._acks.read_text().splitlines())}
        for cart_id, _ in carts:
            history.note(told.get(cart_id) or Attempt(cart_id, "unknown"))
        return status

    def _say(self, line: str) -> str:
        assert self._program.stdin is not None
        self._program.stdin.write(line + "\n")
        return self._hear()

    def _hear(self) -> str:
        assert self._program.stdout is not None
        return self._program.stdout.readline().split()[1]


def main() -> None:
    """Fork a child per order until the orders end."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _child(json.loads(line))
        sys.stdout.write(f"pid {pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"exit {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _child(order: dict[str, Any]) -> None:
    code = 1
    try:
        Path(order["gate"]).read_bytes()
        with driving(Path(order["shop"])) as driver, _acks(Path(order["acks"])) as tell:
            driver.opened.writer.db.execute(
                f"PRAGMA wal_autocheckpoint={order.get('checkpoint_pages', 4000)}"
            ).fetchall()
            for cart_id, number in order["carts"]:
                if order.get("answers_first"):  # a planted mistake: the answer leaves before the commit
                    tell(_promise(driver, cart_id, number))
                outcome = driver.do_now(CASHIER, sale(cart_id, number))
                sale_id = str(outcome.reply)
                tell(Attempt(cart_id, "ok", sale_id, receipt_of(driver, sale_id), total_minor(number)))
            if order.get("archives"):
                put_away(driver)
            if order.get("folds"):
                fold(driver, order["folds"])
            if order.get("dies"):
                os.kill(os.getpid(), signal.SIGKILL)
        code = 0
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def put_away(driver: Driver) -> None:
    """Put all sales away, however young they are."""
    db, till = driver.opened.writer.db, driver.opened.till
    number = driver.opened.writer.books.actors.id(till.head.actor)
    while chunk := archive.gather(db, number, till.head.seq, now_ms() + DAY_MS, least=1):
        with write(db):
            archive.put_away(db, chunk)


def _promise(driver: Driver, cart_id: str, number: int) -> Attempt:
    till = driver.opened.till
    receipt = f"{till.identity.series}-{till.receipts + 1:06d}"
    return Attempt(cart_id, "ok", f"{till.head.actor}-{till.head.seq + 1}", receipt, total_minor(number))


@contextmanager
def _acks(path: Path) -> Iterator[Any]:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    names = Attempt.__slots__
    yield lambda told: os.write(handle, (json.dumps({name: getattr(told, name) for name in names}) + "\n").encode())
    os.close(handle)


def fold(driver: Driver, former: str) -> None:
    """Join the column of who this till was before with those of all that are gone, a product at a time."""
    db, me = driver.opened.writer.db, driver.opened.origin.actor
    last = dict(driver.opened.writer.books.vector())[former]
    driver.do_now(MANAGER, FoldActors(finals=((former, last),), epoch=1))
    while skus := folding.waiting(db, "", 1, but={me}):
        with write(db):
            folding.carry(db, skus, but={me})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
