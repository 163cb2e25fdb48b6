"""A till that is killed between asking for money and hearing of it: the customer is charged once."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.services.api.process import WAIT_S, Running, _wait, furnish
from tests.services.cards.terminal import KEY, POI, Recorded
from tillmesh.adapters.sqlite.card_payments import Setup, write_setup
from tillmesh.adapters.sqlite.database import write
from tillmesh.shop.events import Change
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.web.session_calls import SYSTEM
from tillmesh.till.commands import ChangeRecords


def equip(data_dir: Path, recorded: Recorded) -> None:
    """Set a till up with the terminal."""
    opened = open_terminal(data_dir)
    setup = Setup(
        host="127.0.0.1", port=recorded.port, poi_id=POI, key_identifier=KEY.identifier, passphrase=KEY.passphrase,
        authority=recorded.authority,
    )  # fmt: skip
    with write(opened.writer.db):
        write_setup(opened.writer.db, setup)
    change = Change(key=opened.origin.terminal, fields={"card_terminal": "adyen"})
    opened.writer.execute(
        opened.till, SYSTEM, ChangeRecords(entity="setting", changes=(change,)), time.time_ns() // 1_000_000
    )
    opened.close()


def start(till: Running) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tillmesh", "terminal", "--data-dir", str(till.data_dir), "--no-ai"]
    command += ["--port", str(till.port)]
    with till.log.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    _wait(till, process)
    return process


def call(till: Running, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    status, _, text = till.call(method, f"/api/v1{path}", body, {"Authorization": f"Bearer {token}"})
    assert status < 300, text
    return json.loads(text)


def ended(till: Running, token: str, payment_id: str) -> Any:
    end = time.monotonic() + WAIT_S
    while (shown := call(till, token, "GET", f"/card-payments/{payment_id}"))["open"]:
        assert time.monotonic() < end, shown
        time.sleep(0.05)
    return shown


@pytest.mark.service
@pytest.mark.slow
def test_a_till_killed_while_the_customer_pays_charges_once_and_sells_what_was_paid(tmp_path: Path) -> None:
    there, go_on = threading.Event(), threading.Event()

    def play(category: str, _: Any) -> str:
        if category != "Payment":
            return "how it ended"
        there.set()
        go_on.wait(WAIT_S)
        return "lost:approved"  # whoever asked is dead

    recorded = Recorded(play)
    till = Running(free_port(), tmp_path / "till", tmp_path / "log.txt")
    furnish(till.data_dir)
    equip(till.data_dir, recorded)
    process = start(till)
    try:
        token = till.sign_in("cashier")
        op = {"op_id": "1", "op": "add", "sku": "tea", "line_id": "1"}
        call(till, token, "POST", "/carts/cart/ops", {"ops": [op]})
        charge = {"payment_id": "p-1", "cart_id": "cart", "amount_minor": 250}
        call(till, token, "POST", "/card-payments", charge)
        assert there.wait(WAIT_S)
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT_S)
        go_on.set()
        process = start(till)
        token = till.sign_in("cashier")
        assert call(till, token, "POST", "/card-payments", charge)["payment_id"] == "p-1"
        shown = ended(till, token, "p-1")
        assert (shown["state"], shown["last_four"]) == ("approved", "3511")
        paid = {"payments": [{"method": "card", "amount_minor": 250, "card_payment": "p-1"}]}
        sale = call(till, token, "POST", "/carts/cart/pay", paid)
        assert sale["payments"][0]["reference"] == "123456"
        assert recorded.categories().count("Payment") == 1
    finally:
        go_on.set()
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)
        recorded.close()
    kept = b"".join(path.read_bytes() for path in till.data_dir.rglob("*") if path.is_file())
    assert KEY.passphrase.encode() not in kept
    assert b"541333" not in kept
