"""What the customer reads on the pole display while somebody sells."""

from collections.abc import Callable, Iterator

import pytest

from tests.services.api.shop import Shop
from tests.services.simulated_devices import TcpServer
from tillmesh.till.pole import COLUMNS

GREETING = ("Welcome to Corner", "Shop")


class Display:
    """A display of two lines that obeys what it is sent."""

    def __init__(self) -> None:
        self._got = b""

    def hear(self, data: bytes) -> bytes:
        self._got = (self._got + data)[-1_000:]
        return b""

    def lines(self) -> tuple[str, str]:
        """Read it, without the gap before an amount."""
        top, bottom = (self._got.rpartition(b"\x1f$\x01%c" % number)[2][:COLUMNS] for number in (1, 2))
        return " ".join(top.decode("cp858").split()), " ".join(bottom.decode("cp858").split())


@pytest.fixture
def display() -> Iterator[tuple[Display, str]]:
    display = Display()
    with TcpServer(display) as server:
        yield display, server.address


@pytest.mark.slow
def test_a_customer_reads_each_scan_with_the_total_then_the_change_and_a_greeting(
    fresh: Callable[[], Shop], display: tuple[Display, str]
) -> None:
    shown, address = display
    till = fresh()
    till.product("tea", name="Green tea")
    till.product("cake", name="Cake", price_minor=310)

    def until(top: str, bottom: str) -> None:
        till.wait_for(lambda: shown.lines() == (top, bottom) or None, 60)

    def change(number: int, op: str, line_id: str, **more: object) -> None:
        ops = [{"op_id": f"op-{number}", "op": op, "line_id": line_id, **more}]
        till.ok("POST", "/carts/pole/ops", {"ops": ops}, role="cashier")

    settings = {"pole_kind": "epson", "pole_target": address, "pole_greeting": " ".join(GREETING)}
    till.ok("PATCH", "/settings", {"terminal": settings})
    until(*GREETING)
    change(1, "add", "1", sku="tea")
    until("Green tea €2.50", "TOTAL €2.50")
    change(2, "add", "2", sku="cake")
    until("Cake €3.10", "TOTAL €5.60")
    change(3, "set_quantity", "1", quantity="2")
    until("Green tea €5.00", "TOTAL €8.10")
    till.ok("POST", "/carts/pole/pay", {"payments": [{"method": "cash", "amount_minor": 1000}]}, role="cashier")
    until("TOTAL €8.10", "Change €1.90")
    till.ok("POST", "/carts/next/ops", {"ops": [{"op_id": "n1", "op": "add", "line_id": "1", "sku": "cake"}]})
    until("Cake €3.10", "TOTAL €3.10")
    till.ok("POST", "/carts/next/ops", {"ops": [{"op_id": "n2", "op": "clear"}]})
    until(*GREETING)
    assert {"check": "pole", "ok": True} in [
        {key: one[key] for key in ("check", "ok")} for one in till.ok("GET", "/health")["checks"]
    ]
