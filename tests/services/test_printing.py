"""From a sale to paper, with everything real but the printer: database, driver, outbox, worker, encoder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.tcp_printer import TcpPrinter
from tillmesh.adapters.sqlite.print_jobs import SqlitePrintJobs
from tillmesh.shop.events import Change, Payment
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.printing_setup import Printing, start_printing
from tillmesh.terminal.receipts import receipt_for, receipt_of
from tillmesh.terminal.web.live import Live
from tillmesh.till.commands import (
    ChangeRecords,
    CloseSale,
    CloseShift,
    MoveCash,
    OpenDrawer,
    OpenShift,
    RefundSale,
    Reprint,
    VoidSale,
    WantedLine,
    WantedRefund,
    Who,
)
from tillmesh.till.printing import PrintJob

MANAGER = Who(user_id="u-ruth", role="manager")
MILK = {"name": "Whole milk 1 L", "price_minor": 299, "unit": "piece", "tax_code": "standard", "department": "Dairy"}
WAIT_S = 20.0

Day = Callable[["Shop"], Awaitable[None]]


class Shop:
    """A till with one product, an open shift, and a printer that the test names."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.driver = Driver(open_terminal(data_dir))
        self.printing: Printing | None = None

    async def do(self, command: Any) -> Any:
        return (await self.driver.do(MANAGER, command)).reply

    async def change(self, entity: str, key: str, **fields: Any) -> None:
        await self.do(ChangeRecords(entity=entity, changes=(Change(key=key, fields=fields),)))

    async def open(self, kind: str, target: str) -> None:
        await self.change("product", "milk", **MILK)
        await self.change("person", "u-ruth", name="Ruth", role="manager", active=True)
        await self.change("setting", "store", name="Corner Shop", currency="GBP", locale="en-GB")
        await self.use(kind, target)
        self.printing = await start_printing(self.driver, Live())
        await self.do(OpenShift(float_minor=10_000))

    async def use(self, kind: str, target: str) -> None:
        terminal = self.driver.identity.terminal
        await self.change("setting", terminal, printer_kind=kind, printer_target=target)

    async def sell(self, cart_id: str, method: str = "cash") -> str:
        lines = (WantedLine(sku="milk", quantity_milli=2_000),)
        paid = (Payment(method=method, amount_minor=598),)
        return str(await self.do(CloseSale(cart_id=cart_id, lines=lines, payments=paid)))

    async def printed(self) -> None:
        """Wait until nothing waits to be printed."""
        async with asyncio.timeout(WAIT_S):
            while await self.driver.on_writer(lambda db: SqlitePrintJobs(db).waiting()):
                pass  # every question lets the worker go on: it needs the writer as well

    def papers(self) -> list[str]:
        return [path.name.partition("-")[2] for path in sorted((self.data_dir / "receipts").glob("*.txt"))]

    def paper(self, number: int) -> str:
        return sorted((self.data_dir / "receipts").glob("*.txt"))[number].read_text()


@pytest.fixture
def day(tmp_path: Path) -> Callable[[Day], None]:
    """Run a shop for a day and close it, whatever happens."""

    async def run(work: Day) -> None:
        shop = Shop(tmp_path / "till")
        try:
            await work(shop)
        finally:
            if shop.printing is not None:
                await shop.printing.stop()
            shop.driver.close()

    return lambda work: asyncio.run(run(work))


@pytest.mark.slow
def test_every_paper_of_a_day_comes_out(day: Callable[[Day], None]) -> None:
    async def work(shop: Shop) -> None:
        await shop.open("file", "receipts/")
        sale = await shop.sell("one")
        await shop.sell("two", "card")
        wanted = (WantedRefund(line=0, quantity_milli=1_000),)
        await shop.do(RefundSale(sale_id=sale, refund_key="r", lines=wanted, reason="sour"))
        third = await shop.sell("three", "card")
        await shop.do(VoidSale(sale_id=third, reason="wrong customer"))
        await shop.do(Reprint(event=sale))
        await shop.do(OpenDrawer(reason="change"))
        await shop.do(CloseShift(counted_minor=10_000))
        await shop.printed()
        kinds = [name.removesuffix(".txt") for name in shop.papers()]
        assert kinds == ["drawer", "sale", "sale", "drawer", "refund", "sale", "void", "sale", "drawer", "z"]
        copies = ["*** COPY ***" in shop.paper(number) for number in range(len(kinds))]
        assert copies.index(True) == 7
        assert copies.count(True) == 1
        for words in ("Corner Shop", "Ruth", "2 x £2.99", "£5.98"):
            assert words in shop.paper(1)

    day(work)


def test_sale_does_not_wait_for_a_dead_printer_and_its_receipt_comes_later(day: Callable[[Day], None]) -> None:
    async def work(shop: Shop) -> None:
        with TcpPrinter() as gone:
            port = gone.port
        await shop.open("network", f"127.0.0.1:{port}")
        sale = await shop.sell("one")
        with TcpPrinter() as printer:
            await shop.use("network", f"127.0.0.1:{printer.port}")
            await shop.printed()
            assert printer.paper.startswith(b"\x1bp"), "the drawer first"
            assert sale.encode() in printer.paper
            assert b"DUPLICATE" not in printer.paper

    day(work)


def test_till_killed_while_printing_marks_the_next_paper(tmp_path: Path, day: Callable[[Day], None]) -> None:
    async def killed(shop: Shop) -> None:
        await shop.open("file", "receipts/")
        assert shop.printing is not None
        await shop.printing.stop()
        shop.printing = None
        await shop.sell("one", "card")
        assert await shop.driver.on_writer(lambda db: SqlitePrintJobs(db).claim(10**14)) is not None

    async def started_again(shop: Shop) -> None:
        shop.printing = await start_printing(shop.driver, Live())
        await shop.printed()
        assert shop.papers() == ["sale.txt"]
        assert "*** POSSIBLE DUPLICATE ***" in shop.paper(0)

    day(killed)
    day(started_again)


def test_reader_sees_the_next_sale_after_it_looked_up_a_receipt(day: Callable[[Day], None]) -> None:
    """A query read only halfway once kept a reader at its moment for ever: the next sale was not to be found."""

    async def work(shop: Shop) -> None:
        await shop.open("none", "")
        for cart in "abcdef":
            sale = await shop.sell(cart)
            found = await shop.driver.read(lambda _, books, sale=sale: receipt_of(books, sale))  # type: ignore[misc]
            assert found is not None
            assert found.kind == "sale"

    day(work)


def test_interim_report_and_cash_slip_can_be_laid_out(day: Callable[[Day], None]) -> None:
    async def work(shop: Shop) -> None:
        await shop.open("none", "")
        await shop.sell("one")
        moved = await shop.do(MoveCash(amount_minor=-500, reason="stamps"))
        slip = await shop.driver.read(lambda _, books: receipt_of(books, str(moved)))
        assert slip is not None
        assert slip.kind == "slip"
        shift = await shop.driver.read(lambda _, books: books.current_shift())
        assert shift is not None
        for ref, kind in ((shift.shift_id, "x"), ("k3m7qx2p.4f9a2c-1", None)):
            job = PrintJob(1, "x", ref, 0, 1, 0)  # type: ignore[arg-type]
            report = await shop.driver.read(lambda _, books, job=job: receipt_for(books, job, 5))  # type: ignore[misc]
            assert (report.kind if report else None) == kind

    day(work)


def test_event_that_is_no_paper_has_no_receipt(day: Callable[[Day], None]) -> None:
    async def work(shop: Shop) -> None:
        await shop.open("none", "")
        for event_id in (f"{shop.driver.identity.actor}-1", "nonsense", "k3m7qx2p.4f9a2c-1"):
            assert await shop.driver.read(lambda _, books, ref=event_id: receipt_of(books, ref)) is None  # type: ignore[misc]

    day(work)
