"""The demo shop's data: what it holds, and that its two weeks add up."""

import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tillmesh.adapters.sqlite.store import log
from tillmesh.demo import catalogue, shop_data
from tillmesh.demo.build import _found, build
from tillmesh.demo.history import DAYS, tell
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.times import local, zone
from tillmesh.shop import events as e
from tillmesh.shop.gtin import valid_gtin
from tillmesh.shop.settings import StoreSettings
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.offline import OfflineTill

T = TypeVar("T")
NOW_MS = 1_795_356_000_000  # a Sunday afternoon in November 2026
LONDON = zone("Europe/London")


def test_the_extract_has_readable_names_and_scannable_barcodes() -> None:
    goods = catalogue.products(catalogue.load())
    assert 1_200 <= len(goods) <= 2_000
    assert len({product.name.lower() for product in goods}) == len(goods)
    for product in goods:
        assert product.name.isprintable()
        assert 4 <= len(product.name) <= 40
        assert all(valid_gtin(code) for code in product.barcodes)
        assert product.price_minor > 0


def test_every_department_has_an_icon_and_enough_goods_to_look_at() -> None:
    sizes = Counter(product.department for product in catalogue.products(catalogue.load()))
    assert set(sizes) == {department.name for department in shop_data.DEPARTMENTS}
    assert min(sizes.values()) >= 10


def test_the_extract_names_its_source_and_its_licence() -> None:
    notice = Path(catalogue.__file__).with_name("data").joinpath("ATTRIBUTION.md").read_text("utf-8")
    assert "Open Food Facts" in notice
    assert "ODbL" in notice


def test_goods_sold_by_weight_have_codes_that_the_scale_can_fill_in() -> None:
    weighed = [own for own in shop_data.OWN_GOODS if own.unit == "kg"]
    assert len(weighed) >= 18
    for own in weighed:
        code = shop_data.in_store_code(own)
        assert code.startswith(f"21{own.item}00000")
        assert valid_gtin(code)


def test_a_user_s_file_replaces_the_extract_but_not_the_shop_s_own_goods(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv.gz"
    path.write_bytes(gzip.compress(b"barcode,name,price\n4006381333931,Pencil,0.99\n"))
    records = catalogue.load(path)
    assert len(records) == 1 + len(shop_data.OWN_GOODS)
    assert records[-1].fields["price_minor"] == 99


def test_our_fruit_lies_beside_the_fruit_of_a_user_s_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("barcode,name,price,department\n4006381333931,Kiwi,0.99,Fruit & vegetables\n")
    departments = Counter(change.fields["department"] for change in catalogue.load(path))
    assert departments["Fruit & veg"] == 0
    assert departments["Fruit & vegetables"] > 10


def test_a_bad_line_of_a_user_s_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("barcode,name,price\n4006381333931,Pencil,cheap\n")
    with pytest.raises(Invalid, match="line 2, price"):
        catalogue.load(path)
    with pytest.raises(Invalid, match="can't be read"):
        catalogue.load(tmp_path / "nothing.csv")


def test_the_pins_of_the_demo_are_the_promised_ones() -> None:
    assert {person.pin: person.role for person in shop_data.PEOPLE if person.pin in {"1111", "5555", "9999"}} == {
        "1111": "cashier",
        "5555": "supervisor",
        "9999": "manager",
    }


@dataclass
class Shop:
    """A built shop, read back from its log."""

    place: Path
    count: int
    bodies: list[tuple[str, Record]] = field(default_factory=list)

    def all(self, kind: type[T]) -> list[T]:
        return [body for _, body in self.bodies if isinstance(body, kind)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    place = tmp_path_factory.mktemp("demo") / "till-1"
    built = Shop(place, build(place, partial(OfflineTill, hurried=True), now_ms=NOW_MS))
    opened = open_terminal(place)
    assert opened.notices == ()
    built.bodies = [(event.id, decode(event.body, e.KINDS[event.type])) for event in log(opened.writer.db)]
    opened.close()
    return built


@pytest.mark.slow
def test_every_day_was_opened_and_closed_and_today_is_still_open(shop: Shop) -> None:
    opened, closed = shop.all(e.ShiftOpened), shop.all(e.ShiftClosed)
    assert (len(opened), len(closed)) == (DAYS + 1, DAYS)
    assert [close.z_number for close in closed] == list(range(1, DAYS + 1))
    days = [local(shift.opened_at_ms, LONDON).date() for shift in opened]
    assert len(set(days)) == DAYS + 1
    assert days[-1] == local(NOW_MS, LONDON).date()


@pytest.mark.slow
def test_the_drawers_were_counted_with_small_variances_and_the_perpetual_total_adds_up(shop: Shop) -> None:
    perpetual = 0
    for close in shop.all(e.ShiftClosed):
        assert abs(close.counted_minor - close.totals.expected_cash_minor) <= 200
        perpetual += close.totals.sales_minor - close.totals.voids_minor - close.totals.refunds_minor
        assert close.perpetual_minor == perpetual
    assert any(close.counted_minor != close.totals.expected_cash_minor for close in shop.all(e.ShiftClosed))


@pytest.mark.slow
def test_every_sale_balances_to_the_penny(shop: Shop) -> None:
    sales = shop.all(e.SaleClosed)
    for sale in sales:
        assert sum(p.amount_minor for p in sale.payments) - sale.change_minor == sale.total_minor + sale.rounding_minor
        assert sum(line.total_minor for line in sale.lines) == sale.total_minor
    numbers = [body.receipt_number for _, body in shop.bodies
               if isinstance(body, e.SaleClosed | e.SaleVoided | e.SaleRefunded)]  # fmt: skip
    assert [int(number.rpartition("-")[2]) for number in numbers] == list(range(1, len(numbers) + 1))


@pytest.mark.slow
def test_the_two_weeks_hold_what_a_shop_sees(shop: Shop) -> None:
    sales = shop.all(e.SaleClosed)
    assert 1_100 <= len(sales) <= 1_900
    methods = Counter("+".join(sorted({p.method for p in sale.payments})) for sale in sales)
    assert methods["card"] > methods["cash"] > methods["card+cash"] > 0
    assert sum(sale.discount_minor > 0 for sale in sales) > 20
    assert 3 <= len(shop.all(e.SaleVoided)) <= 40
    assert 8 <= len(shop.all(e.SaleRefunded)) <= 60
    assert any(line.unit == "kg" for sale in sales for line in sale.lines)
    assert any(sale.customer_id for sale in sales)
    assert len(shop.all(e.CartParked)) == 1
    times = [sale.closed_at_ms for sale in sales]
    assert times == sorted(times)
    assert times[-1] <= NOW_MS
    assert {local(at, LONDON).hour for at in times} <= set(range(8, 21))


@pytest.mark.slow
def test_shelves_never_go_below_zero_and_some_run_low(shop: Shop) -> None:
    stock: Counter[str] = Counter()
    for _, body in shop.bodies:
        match body:
            case e.StockReceived() | e.StockAdjusted() | e.SaleVoided():
                for move in body.moves:
                    stock[move.sku] += move.quantity_milli
            case e.StockCounted():
                stock[body.sku] += body.correction_milli
            case e.SaleClosed():
                for line in body.lines:
                    stock[line.sku] -= line.quantity_milli
            case e.SaleRefunded():
                for back in body.lines:
                    stock[back.sku] += back.quantity_milli if back.restock else 0
            case _:
                pass
    goods = [product for product in catalogue.products(catalogue.load()) if product.track_stock]
    assert min(stock[product.sku] for product in goods) >= 0
    low = [product for product in goods if stock[product.sku] <= product.low_stock_milli]
    assert 10 <= len(low) <= 300


def tape(place: Path, now_ms: int, seed: int) -> str:
    """Tell a short history and write every command down, without the terminal's random name."""
    till = OfflineTill(place, hurried=True)
    records = catalogue.load()[:200]
    _found(till, records, now_ms - 10 * 86_400_000)
    policy = StoreSettings.of(shop_data.SETTINGS).policy()
    script = tell(catalogue.products(records), policy, seed=seed, now_ms=now_ms, zone=LONDON, days=2)
    lines, step = [], next(script)
    try:
        while True:
            lines.append(f"{step.at_ms} {step.who} {step.command}".replace(till.terminal_id, "TILL"))
            step = script.send(till.do(step.who, step.command, step.at_ms))
    except StopIteration:
        till.close()
    return re.sub(r"TILL\.\w+", "TILL", "\n".join(lines))


@pytest.mark.slow
def test_the_same_seed_and_day_tell_the_same_story(tmp_path: Path) -> None:
    told = tape(tmp_path / "a", NOW_MS, 7)
    assert told == tape(tmp_path / "b", NOW_MS, 7)
    assert told != tape(tmp_path / "c", NOW_MS, 8)


@pytest.mark.slow
@pytest.mark.parametrize("hour", [0, 2, 7, 9, 23])
def test_at_any_hour_the_shop_has_an_open_shift_with_sales(tmp_path: Path, hour: int) -> None:
    now_ms = NOW_MS - NOW_MS % 86_400_000 + hour * 3_600_000 + 60_000
    story = tape(tmp_path / "till", now_ms, 1)
    last_shift = story[story.rindex("OpenShift(") :]
    assert last_shift.count("CloseSale(") >= 5
    assert "CloseShift(" not in last_shift


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path) -> None:
    class PowerCut(Exception):
        pass

    class Broken(OfflineTill):
        def pin_tag(self, pin: str) -> str:
            raise PowerCut

    with pytest.raises(PowerCut):
        build(tmp_path / "till-1", partial(Broken, hurried=True), now_ms=NOW_MS)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_the_shop_are_ones_the_program_knows() -> None:
    assert set(shop_data.SETTINGS) <= set(StoreSettings.__struct_fields__)
    assert json.dumps(shop_data.SETTINGS)
