"""The books: what a till's day comes to on each account, to the cent, and the files that accountants import."""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.till.shop_till import GOODS, MANAGER, SUPERVISOR, Shop, cash, line, op
from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite.accounting import counted_before, happenings, unheard
from tillmesh.fleet.books import StoreBooks
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.times import zone
from tillmesh.shop import events as e
from tillmesh.shop.accounting import (
    CORRECTED,
    COUNTED,
    FLOAT,
    LOADED,
    MOVED,
    PAID_OFF,
    ROUNDED,
    SALES,
    TENDER,
    Booking,
    balances,
    book,
)
from tillmesh.shop.accounting_files import DATEV_COLUMNS, NoAccount, datev, plain, text_of
from tillmesh.shop.accounts import chart_of, fits
from tillmesh.shop.receipt import ENGLISH, Words
from tillmesh.shop.setting_fields import store_fields
from tillmesh.till import commands as c

DAY_MS = 86_400_000
CODE = "GIFT-1234-ABCD-9876"
CHART = [
    "cash=1000", "card=1360", "gift_card=1795", "account=1410", "points=4600", "clearing=1590", "rounding=2700",
    "over_short=2300", "transit=1361", "corrections=2305", "revenue.standard=8400", "revenue.reduced=8300",
    "revenue.zero=8200", "tax.standard=1776", "tax.reduced=1771", "key.reduced=0002", "consultant=29098",
    "client=55003", "year_start=0701",
]  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.furnish()
    shop.set_store(
        pay_methods=["cash", "card", "gift_card", "account", "points"], loyalty_earn_minor=100, loyalty_point_minor=5,
        cash_step_minor=5, time_zone="Europe/Berlin",
    )  # fmt: skip
    fields: dict[str, e.Value] = {"name": "Ana", "credit_limit_minor": 30_000}
    shop.do(c.ChangeRecords(entity="customer", changes=(e.Change(key="ana", fields=fields),)), MANAGER)
    return shop


def words(locale: str = "en") -> Words:
    return words_of(locale, "UTC")


def today(shop: Shop) -> date:
    return datetime.fromtimestamp(shop.clock_ms / 1000, UTC).date()


def booked(shop: Shop, first: date | None = None, last: date | None = None) -> list[Booking]:
    first, last = first or today(shop), last or today(shop)
    found = book(happenings(shop.books, first, last), counted_before(shop.writer.db, shop.books, first))
    assert at_office(shop, first, last) == found, "head office makes the same of the log"
    return found


def at_office(shop: Shop, first: date, last: date) -> list[Booking]:
    """Book the same days as head office does, to whom everything may come twice."""
    store, log = shop.books.store(), shop.log()
    made = StoreBooks(first, last, zone(store.time_zone), store.currency)
    made.take(log)
    made.take(log)
    if made.amended():
        made.take_again(log)
    return made.bookings()


def pay(method: str, amount: int, reference: str = "") -> e.Payment:
    return e.Payment(method=method, amount_minor=amount, reference=reference)


def sell(shop: Shop, cart_id: str, *payments: e.Payment, sku: str = "mug", pieces: int = 1, customer: str = "") -> str:
    command = c.CloseSale(cart_id=cart_id, lines=(line(sku, pieces),), payments=payments, customer_id=customer)
    return str(shop.do(command).reply)


def load_card(shop: Shop, amount: int, cart_id: str) -> str:
    shop.ops(op("gift_card", f"{cart_id}-g", line_id="g", text=CODE, amount_minor=amount), cart_id=cart_id)
    return str(shop.do(c.PayCart(cart_id=cart_id, payments=cash(amount))).reply)


def pay_off(shop: Shop, amount: int, cart_id: str) -> str:
    whose = op("customer", f"{cart_id}-c", customer_id="ana")
    shop.ops(whose, op("pay_off", f"{cart_id}-p", line_id="p", amount_minor=amount), cart_id=cart_id)
    return str(shop.do(c.PayCart(cart_id=cart_id, payments=cash(amount))).reply)


def refund(shop: Shop, sale: str, key: str, pieces: int = 1) -> None:
    wanted = (c.WantedRefund(line=0, quantity_milli=pieces * 1000),)
    shop.do(c.RefundSale(sale_id=sale, lines=wanted, reason="chipped", refund_key=key), MANAGER)


def test_a_day_of_everything_comes_to_what_was_taken_owed_and_earned(shop: Shop) -> None:
    shop.open(10_000)
    sell(shop, "a", pay("cash", 2_000), sku="milk")  # 1.99: 2.00 in coins, 18.00 back
    both = sell(shop, "b", pay("card", 1_250), pay("cash", 1_250), pieces=2)
    load_card(shop, 3_000, "c")
    sell(shop, "d", pay("gift_card", 1_250, CODE))
    sell(shop, "e", pay("account", 2_500), pieces=2, customer="ana")
    pay_off(shop, 1_000, "f")
    refund(shop, both, "r")  # to the card
    shop.do(c.VoidSale(sale_id=sell(shop, "g", pay("cash", 320), sku="apples"), reason="mistake"), SUPERVISOR)
    shop.do(c.MoveCash(amount_minor=-5_000, reason="to the bank"), MANAGER)
    shop.do(c.CloseShift(counted_minor=10_395), MANAGER)
    bookings = booked(shop)
    found = balances(bookings)
    assert found == {
        "cash": 10_395,
        "transit": -10_000 + 5_000,
        "over_short": 10_450 - 10_395,
        "gift_card": -(3_000 - 1_250),
        "account": 2_500 - 1_000,
        "revenue.reduced": -190,
        "tax.reduced": -9,
        "revenue.standard": -4_167,
        "tax.standard": -833,
        "rounding": -1,
    }
    assert sum(found.values()) == 0
    assert {one.document for one in bookings} == {f"{today(shop):%Y%m%d}-k3m7qx2p"}


def test_the_shop_s_own_reports_say_the_same(shop: Shop) -> None:
    shop.open(0)
    for number in range(5):
        sell(shop, f"s{number}", pay("card", 199), sku="milk")
    shop.do(c.CloseShift(counted_minor=0), MANAGER)
    closing = next(iter(shop.books.closings()))
    totals = shop.read(closing.id, e.ShiftClosed).totals
    found = balances(booked(shop))
    assert found["card"] == totals.sales_minor
    assert found["tax.reduced"] == -totals.tax_minor


def test_a_void_of_a_gift_card_and_of_a_payment_on_account_leaves_nothing(shop: Shop) -> None:
    shop.open(0)
    shop.do(c.VoidSale(sale_id=load_card(shop, 3_000, "a"), reason="wrong card"), MANAGER)
    sell(shop, "b", pay("account", 1_250), customer="ana")
    shop.do(c.VoidSale(sale_id=pay_off(shop, 1_000, "c"), reason="wrong customer"), MANAGER)
    found = balances(booked(shop))
    assert found == {"account": 1_250, "revenue.standard": -1_042, "tax.standard": -208}


def test_points_pay_from_their_own_account_and_corrections_by_hand_are_booked(shop: Shop) -> None:
    shop.open(0)
    for number in range(6):
        sell(shop, f"m{number}", pay("card", 12_500), pieces=10, customer="ana")
    sell(shop, "p", pay("points", 1_250), customer="ana")
    load_card(shop, 3_000, "c")
    account = next(iter(shop.books.records("gift_card")))[0]
    moves = (e.PurseMove(purse="gift_card", account=account, amount=500),
             e.PurseMove(purse="account", account="ana", amount=-200))  # fmt: skip
    for move in moves:
        shop.do(c.AdjustPurse(purse=move.purse, account=move.account, amount=move.amount, reason="sorry"), MANAGER)
    found = balances(booked(shop))
    assert (found["points"], found["gift_card"], found["account"]) == (1_250, -3_500, -200)
    assert found["corrections"] == 700
    assert sum(found.values()) == 0


def test_cash_in_the_books_is_the_cash_in_the_drawer_after_every_shift(shop: Shop) -> None:
    first = today(shop)
    for number, (opened, counted) in enumerate([(10_000, 11_250), (10_000, 11_000), (8_000, 9_300)]):
        shop.open(opened)
        sell(shop, f"s{number}", pay("cash", 1_250))
        shop.do(c.CloseShift(counted_minor=counted), MANAGER)
        assert balances(booked(shop, first))["cash"] == counted
        shop.clock_ms += DAY_MS
    # Each day by itself begins with what lay there in the evening before.
    days = [balances(booked(shop, first + timedelta(days=n), first + timedelta(days=n))) for n in range(3)]
    assert [day["cash"] for day in days] == [11_250, -250, -1_700]
    assert days[1]["over_short"] == 250
    assert days[2]["over_short"] == -50


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_week_brings_every_document_balances_and_days_add_up(seed: int, shop: Shop) -> None:
    rng, first, sales = random.Random(seed), today(shop), list[str]()
    for number in range(7):
        shop.open(rng.randrange(0, 20_000))
        for at in range(rng.randrange(1, 9)):
            name = f"{number}-{at}"
            match rng.randrange(7):
                case 0:
                    load_card(shop, rng.randrange(5, 5_000) // 5 * 5, name)
                case 1 if sales:
                    refund(shop, sales.pop(), name)
                case 2 if sales:
                    shop.do(c.VoidSale(sale_id=sales.pop(), reason="mistake"), MANAGER)
                case 3:
                    shop.do(c.MoveCash(amount_minor=rng.choice([-700, 300]), reason="change"), MANAGER)
                case 4:
                    sell(shop, name, pay("account", 199), sku="milk", customer="ana")
                case _:
                    sku = rng.choice(["milk", "mug", "apples"])
                    price = GOODS[sku]["price_minor"]
                    assert isinstance(price, int)
                    paid = rng.choice(
                        [(pay("cash", 20_000),), (pay("card", price),), (pay("card", 100), pay("cash", 5_000))]
                    )
                    sales.append(sell(shop, name, *paid, sku=sku))
        shop.do(c.CloseShift(counted_minor=rng.randrange(0, 50_000)), MANAGER)
        shop.clock_ms += DAY_MS
    bookings = booked(shop, first, today(shop))
    documents = {one.document for one in bookings}
    assert len(documents) == 7
    for document in documents:
        found = balances(one for one in bookings if one.document == document)
        assert "clearing" not in found
        assert sum(found.values()) == 0
    single = [one for n in range(8) for one in booked(shop, first + timedelta(days=n), first + timedelta(days=n))]
    assert single == bookings
    rows = plain(bookings, chart_of(CHART), "EUR", words())
    assert sum_of(rows) == {chart_of(CHART)[role]: amount for role, amount in balances(bookings).items()}


def sum_of(rows: list[list[str]]) -> dict[str, int]:
    """What a reader of the table makes of it."""
    found: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows))):
        minor = int(row["amount"].replace(".", ""))
        assert minor > 0
        found[row["debit_account"]] = found.get(row["debit_account"], 0) + minor
        found[row["credit_account"]] = found.get(row["credit_account"], 0) - minor
    return {account: minor for account, minor in found.items() if minor}


def small_day(shop: Shop) -> list[Booking]:
    shop.open(10_000)
    sell(shop, "a", pay("cash", 1_250))
    sell(shop, "b", pay("card", 199), sku="milk")
    refund(shop, sell(shop, "c", pay("card", 320), sku="apples"), "r")
    shop.do(c.MoveCash(amount_minor=-1_000, reason='"Bäckerei"; Wechselgeld'), MANAGER)
    return booked(shop)


def test_the_plain_table_has_a_row_for_every_amount_with_tax_apart(shop: Shop) -> None:
    rows = plain(small_day(shop), chart_of(CHART), "EUR", words())
    day, document = today(shop).isoformat(), f"{today(shop):%Y%m%d}-k3m7qx2p"
    assert [row[2:] for row in rows[1:]] == [
        ["1360", "1590", "1.99", "EUR", "", "", "Takings: Card"],
        ["1000", "1590", "12.50", "EUR", "", "", "Takings: Cash"],
        ["1590", "8300", "1.90", "EUR", "reduced", "5", "Sales 5%"],
        ["1590", "1771", "0.09", "EUR", "reduced", "5", "Sales 5%"],
        ["1590", "8400", "10.42", "EUR", "standard", "20", "Sales 20%"],
        ["1590", "1776", "2.08", "EUR", "standard", "20", "Sales 20%"],
        ["1000", "1361", "100.00", "EUR", "", "", "Float put in"],
        ["1361", "1000", "10.00", "EUR", "", "", 'Cash taken out ("Bäckerei"; Wechselgeld)'],
    ]
    assert {(row[0], row[1]) for row in rows[1:]} == {(day, document)}


def test_datev_gets_its_header_its_125_columns_and_revenue_with_the_tax_in_it(shop: Shop) -> None:
    day = today(shop)
    data = datev(small_day(shop), chart_of(CHART), "EUR", words("de"), (day, day), "20261123080000000")
    head, names, *rows, end = data.decode("cp1252").split("\r\n")
    assert end == ""
    assert head == (
        f'"EXTF";700;21;"Buchungsstapel";13;20261123080000000;;"TM";"";"";29098;55003;20260701;4;{day:%Y%m%d};{day:%Y%m%d};'
        '"Kassen";"";1;0;0;"EUR";;"";;;"";;;"";""'
    )
    assert head.count(";") == 30
    assert names.split(";") == DATEV_COLUMNS
    assert len(DATEV_COLUMNS) == len(set(DATEV_COLUMNS)) == 125
    table = list(csv.reader(rows, delimiter=";"))
    assert {len(row) for row in table} == {125}
    document = f"{day:%Y%m%d}-k3m7qx2p"
    assert [[row[n] for n in (0, 1, 6, 7, 8, 9, 10, 13)] for row in table] == [
        ["1,99", "S", "1360", "1590", "", f"{day:%d%m}", document, "Einnahmen: Karte"],
        ["12,50", "S", "1000", "1590", "", f"{day:%d%m}", document, "Einnahmen: Bar"],
        ["1,99", "S", "1590", "8300", "0002", f"{day:%d%m}", document, "Umsatz 5 %"],
        ["12,50", "S", "1590", "8400", "", f"{day:%d%m}", document, "Umsatz 20 %"],
        ["100,00", "S", "1000", "1361", "", f"{day:%d%m}", document, "Wechselgeld eingelegt"],
        ["10,00", "H", "1000", "1361", "", f"{day:%d%m}", document, 'Bargeld entnommen ("Bäckerei"; Wechselgeld)'],
    ]


def test_the_same_days_give_the_same_file_however_often_they_are_asked_for(shop: Shop) -> None:
    small_day(shop)
    assert booked(shop) == booked(shop)
    day, chart = today(shop), chart_of(CHART)
    first, second = (datev(booked(shop), chart, "EUR", words(), (day, day), "20261123080000000") for _ in range(2))
    assert first == second


def test_a_shop_without_accounts_is_told_which_ones_to_ask_its_accountant_for(shop: Shop) -> None:
    bookings, day = small_day(shop), today(shop)
    with pytest.raises(NoAccount) as refused:
        plain(bookings, chart_of(["cash=1000", "clearing=1590"]), "EUR", words())
    assert refused.value.roles == [
        "card",
        "revenue.reduced",
        "revenue.standard",
        "tax.reduced",
        "tax.standard",
        "transit",
    ]
    with pytest.raises(NoAccount, match=r"consultant, client, card"):
        datev(bookings, chart_of(["cash=1000", "clearing=1590"]), "EUR", words(), (day, day), "")


def test_datev_refuses_accounts_that_are_no_numbers_two_years_and_other_decimals(shop: Shop) -> None:
    bookings, chart, day = small_day(shop), chart_of(CHART), today(shop)
    with pytest.raises(Invalid, match="can't take the account K-1 of cash"):
        datev(bookings, {**chart, "cash": "K-1"}, "EUR", words(), (day, day), "")
    with pytest.raises(Invalid, match="two financial years"):
        datev(bookings, chart, "EUR", words(), (date(2026, 6, 30), date(2026, 7, 1)), "")
    with pytest.raises(Invalid, match="two decimals, not JPY"):
        datev(bookings, chart, "JPY", words(), (day, day), "")


def test_settings_take_accounts_that_fit_and_name_the_one_that_does_not() -> None:
    kept = store_fields({"accounts": {"cash": "1000", "revenue.standard": "8400", "card": ""}})
    assert kept == {"accounts": ["cash=1000", "revenue.standard=8400"]}
    for wrong in ({"till": "1000"}, {"cash": "10 00"}, {"key.standard": "3"}, {"year_start": "1301"}, {"cash": 1000}):
        with pytest.raises(Invalid):
            store_fields({"accounts": wrong})
    assert fits("revenue.de_19", "4400")
    assert chart_of(["cash=1000", "nonsense", "cash =7", "client=abc"]) == {"cash": "1000"}


def test_a_till_that_was_not_heard_of_since_is_named(shop: Shop) -> None:
    small_day(shop)
    assert unheard(shop.writer.db, shop.books, today(shop)) == ["k3m7qx2p"]
    shop.clock_ms += 2 * DAY_MS
    sell(shop, "later", pay("card", 1_250))
    assert unheard(shop.writer.db, shop.books, today(shop) - timedelta(days=2)) == []


def test_every_booking_says_what_it_is_about_in_the_store_s_language() -> None:
    """And no word is left over."""

    def said(about: str, amount: int, locale: str) -> str:
        booking = Booking(date(2026, 11, 22), "k3m7qx2p", "cash", "clearing", amount, about, "why", rate_ppm=190_000)
        return text_of(booking, words(locale))

    abouts = (SALES, TENDER, LOADED, PAID_OFF, MOVED, FLOAT, COUNTED, CORRECTED, ROUNDED)
    found = {
        locale: {said(about, amount, locale) for about in abouts for amount in (-1, 1)} for locale in ("en", "de", "fr")
    }
    left = sum(key.startswith("books_") for key in ENGLISH)
    assert {len(texts) for texts in found.values()} == {left + 1}  # rounding is said on receipts, too
    assert not found["en"] & found["de"] | found["de"] & found["fr"]
