"""A till without its web page that sells and prints without end, in a fresh process each time, to be killed.

Started once as a program it reads orders (JSON lines) and forks a child for each: ``pid N``, and ``dead`` when it is.
The child writes what it tries and what it is told into a file, which outlives it as the memory of the cashier does.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import CASHIER, driving, receipt_of, sale, total_minor
from tillmesh.adapters.devices import EscPosEncoder
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.printing_setup import start_printing
from tillmesh.terminal.web.live import Live

ROOT = Path(__file__).resolve().parents[2]
CARTS_MAX = 10_000  # far more than anybody lets it live for
PAPER = "paper.bin"


class PrintingTill:
    """The program, as a test uses it."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "told"
        self._child = 0
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.complaints.printing_till"], cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child:  # a test that failed halfway leaves no till behind that sells for ever
            os.kill(self._child, signal.SIGKILL)
        self._program.kill()
        self._program.communicate()

    def sell_until_killed(self, shop: Path, name: str, history: History, *, after_s: float, **plant: Any) -> None:
        """Let a till sell and print, kill it ``after_s`` seconds after its first try, and note what was told."""
        self._told.write_bytes(b"")
        order = {"shop": str(shop), "name": name, "told": str(self._told), **plant}
        pid = self._child = int(self._say(json.dumps(order)))
        while not plant and not self._told.read_bytes():
            time.sleep(0.0005)  # until it sells: opening a till is killed elsewhere
        time.sleep(after_s)
        if not plant:
            os.kill(pid, signal.SIGKILL)
        status, self._child = self._hear(), 0
        assert status == str(-signal.SIGKILL)
        for one in self._told.read_text().splitlines():
            history.note(Attempt(**json.loads(one)))

    def _say(self, line: str) -> str:
        assert self._program.stdin is not None
        self._program.stdin.write(line + "\n")
        return self._hear()

    def _hear(self) -> str:
        assert self._program.stdout is not None
        return self._program.stdout.readline().split()[1]


def main() -> None:
    """Fork a child per order until the orders end."""
    EscPosEncoder(columns=42).kick("warm up")  # what it loads takes longer than these tills live
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
    try:
        with driving(Path(order["shop"])) as driver:
            asyncio.run(_sell(driver, order))
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(1)


async def _sell(driver: Driver, order: dict[str, Any]) -> None:
    told = os.open(order["told"], os.O_WRONLY | os.O_APPEND)
    if order.get("prints_first"):  # a planted mistake: the paper comes before the commit
        till = driver.opened.till
        (Path(order["shop"]) / PAPER).write_bytes(f"{till.identity.series}-{till.receipts + 1:06d}\x1dV".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    await start_printing(driver, Live())
    for number in range(CARTS_MAX):
        cart_id = f"{order['name']}-{number}"
        _note(told, cart_id, "unknown")
        sale_id = str((await driver.do(CASHIER, sale(cart_id, number))).reply)
        _note(told, cart_id, "ok", sale_id, receipt_of(driver, sale_id), total_minor(number))


def _note(told: int, *values: object) -> None:
    os.write(told, (json.dumps(dict(zip(Attempt.__slots__, values, strict=False))) + "\n").encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
