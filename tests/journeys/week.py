"""Three tills of one store whose clocks are ours to move, and the book that somebody keeps by hand beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.faults.running import Program
from tests.faults.small_store import running
from tests.journeys import moved_clock
from tests.ports import free_ports
from tillmesh.demo.shop_data import CASHIER, MANAGER, OWN_GOODS, PEOPLE, SETTINGS, TIME_ZONE, customers, own_products
from tillmesh.shop.events import Change
from tillmesh.shop.settings import STORE
from tillmesh.terminal.joining import join_here
from tillmesh.terminal.offline import OfflineTill
from tillmesh.till.commands import ChangeRecords, CloseShift, ReceiveStock, Who

FLOAT: Final = 10_000
OPENING_MILLI: Final = 20_000
WALL: Final = ZoneInfo(TIME_ZONE)
OWNER: Final = Who(user_id=MANAGER.user_id, role=MANAGER.role)
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(slots=True)
class Clocked(Program):
    """The program of a till, under a clock that is ours to move."""

    clock: Path = Path()

    def command(self) -> list[str]:
        python, _, _, *words = Program.command(self)
        return [python, "-P", moved_clock.__file__, str(self.clock), *words]


@dataclass
class WeekTill:
    """One of the tills, and what it says beside the browser."""

    name: str
    program: Program
    cut_file: Path
    terminal_id: str = ""
    _token: str = field(default="", init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.program.port}"

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Call the API as the manager, who signs in anew when the day is over."""
        answer = self.program.call(method, path, body, self._token)
        if answer.status == 401:
            self._token = self.program.sign_in(MANAGER.user_id)
            answer = self.program.call(method, path, body, self._token)
        assert 200 <= answer.status < 300, (method, path, answer)
        return answer.body


class WeekStore:
    """The tills, and one clock on the wall for all of them."""

    def __init__(self, folder: Path, tills: int) -> None:
        self.monday = _last_whole_week(datetime.now(WALL).date())
        self.clock = folder / "clock"
        self.tills = _build(folder, tills, self.clock, _ms(self.monday - timedelta(days=1), 20))

    def running(self) -> AbstractContextManager[None]:
        self.opens(-1, 20)
        return running([till.program for till in self.tills])

    def day(self, number: int) -> date:
        return self.monday + timedelta(days=number)

    def opens(self, day: int, hour: int = 9) -> None:
        """Let it be this hour of this day of the week everywhere."""
        there, here = datetime.combine(self.day(day), time(hour), WALL), datetime.now(UTC)
        moved_clock.set_offset(self.clock, int((there - here).total_seconds() * 1e9))

    def cut(self, *apart: WeekTill) -> None:
        """Take some tills off the network of the others; nobody is put back."""
        for till in self.tills:
            beyond = [other for other in self.tills if (other in apart) != (till in apart)]
            half = till.cut_file.with_suffix(".new")
            half.write_text("".join(f"{other.terminal_id}\n" for other in beyond), "utf-8")
            half.rename(till.cut_file)


@dataclass
class Page:
    """One day in the book, in pence."""

    taken: Counter[str] = field(default_factory=Counter)  # till -> what it sold, less what it gave back
    sales: Counter[str] = field(default_factory=Counter)
    given_back: int = 0
    tenders: Counter[str] = field(default_factory=Counter)
    cash: Counter[str] = field(default_factory=Counter)  # till -> what came into its drawer

    @property
    def total(self) -> int:
        return self.taken.total()


@dataclass
class Book:
    """What was sold for how much, written down by whoever sold it: the tills are compared with it, and never asked."""

    pages: defaultdict[int, Page] = field(default_factory=lambda: defaultdict(Page))
    prices: dict[str, int] = field(default_factory=lambda: {one.name: one.price_minor for one in OWN_GOODS})

    def sold(self, day: int, till: WeekTill, **tenders: int) -> None:
        page = self.pages[day]
        page.taken[till.name] += sum(tenders.values())
        page.sales[till.name] += 1
        page.tenders.update(tenders)
        page.cash[till.name] += tenders.get("cash", 0)

    def gave_back(self, day: int, till: WeekTill, **tenders: int) -> None:
        page = self.pages[day]
        page.taken[till.name] -= sum(tenders.values())
        page.given_back += sum(tenders.values())
        page.tenders.subtract(tenders)
        page.cash[till.name] -= tenders.get("cash", 0)

    @property
    def total(self) -> int:
        return sum(page.total for page in self.pages.values())


def _last_whole_week(today: date) -> date:
    """Give the Monday of the newest six days, Monday to Saturday, that are over."""
    since_saturday = (today.weekday() - 5) % 7 or 7
    return today - timedelta(days=since_saturday + 5)


def _ms(day: date, hour: int) -> int:
    return int(datetime.combine(day, time(hour), WALL).timestamp() * 1000)


def _build(folder: Path, count: int, clock: Path, at_ms: int) -> list[WeekTill]:
    """Found the store on the Sunday before, as of that evening."""
    first = folder / "till-1"
    _found(first, at_ms)
    for number in range(2, count + 1):
        place = folder / f"till-{number}"
        join_here(first, place, number=number, float_minor=FLOAT, by=OWNER, at_ms=at_ms)
        till = OfflineTill(place)
        till.do(OWNER, CloseShift(counted_minor=FLOAT), at_ms)
        till.close()
    ports = free_ports(count)
    return [
        WeekTill(f"Till {n + 1}", _program(folder / f"till-{n + 1}", ports, n, count, clock), folder / f"cut-{n + 1}")
        for n in range(count)
    ]


def _program(data: Path, first: int, at: int, count: int, clock: Path) -> Program:
    links = [first + n for n in range(count)]
    peers = [word for port in links if port != links[at] for word in ("--peer", f"127.0.0.1:{port}")]
    cut = str(data.with_name(f"cut-{at + 1}"))
    place = ["--no-ai", "--no-mdns", "--cut-file", cut, "--link-bind", "127.0.0.1", "--link-port", str(links[at])]
    return Clocked(data, arguments=(*place, *peers), clock=clock)


def _found(place: Path, at_ms: int) -> None:
    """Write down what the shop is before its first day: people, goods and what is on the shelves."""
    till = OfflineTill(place, hurried=True)

    def change(entity: str, changes: Sequence[Change]) -> None:
        till.do(OWNER, ChangeRecords(entity=entity, changes=tuple(changes)), at_ms)

    change("setting", [Change(key=STORE, fields=SETTINGS | {"fiscal_closes": True})])
    change("setting", [Change(key=till.terminal_id, fields={"name": "Till 1", "number": 1})])
    people = [
        Change(key=one.user_id, fields={"name": one.name, "role": one.role, "pin_tag": till.pin_tag(one.pin),
                                        "active": True})
        for one in PEOPLE
    ]  # fmt: skip
    change("person", people)
    change("customer", customers())
    change("product", own_products())
    cashier = Who(user_id=CASHIER.user_id, role=CASHIER.role)
    for one in own_products():
        if one.fields["track_stock"]:
            till.do(cashier, ReceiveStock(sku=one.key, quantity_milli=OPENING_MILLI), at_ms)
    till.close()
