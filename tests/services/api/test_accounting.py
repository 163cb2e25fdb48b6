"""Books from a whole till: accounts are set, days that are over are looked at and handed on as files."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.services.api.shop import NAMES, PINS, Shop
from tillmesh.cli import main
from tillmesh.shop.events import Change, Payment
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.offline import OfflineTill
from tillmesh.terminal.web.sessions import Person
from tillmesh.till.commands import ChangeRecords, CloseSale, OpenShift, WantedLine, Who

DAY_MS = 86_400_000
ACCOUNTS = {
    "cash": "1000", "card": "1360", "clearing": "1590", "transit": "1361", "revenue.standard": "8400",
    "tax.standard": "1776", "revenue.zero": "8200", "consultant": "29098", "client": "55003",
}  # fmt: skip
MANAGER = Who(user_id="mona", role="manager")


@pytest.fixture
def sold(fresh: Callable[[], Shop]) -> tuple[Shop, str]:
    """A till that sold tea, and has seen the next day begin; and the day."""
    shop = fresh()
    shop.product("tea", tax_code="standard")
    sale = shop.sale("a", quantity="2")
    shop.clock.ahead_ms = 2 * DAY_MS
    for role in PINS:  # nobody stays signed in for so long
        shop.tokens[role] = shop.services.sessions.open(Person(role, NAMES[role], role), shop.clock())
    return shop, shop.ok("GET", f"/sales/{sale['sale_id']}")["at"][:10]  # in UTC, which the store has


def test_a_manager_sets_accounts_looks_at_a_day_and_hands_it_on(sold: tuple[Shop, str]) -> None:
    shop, day = sold
    path = f"from={day}&to={day}"
    seen = shop.ok("GET", f"/accounting?{path}")
    assert (seen["from"], seen["to"], seen["documents"], seen["bookings"]) == (day, day, 1, 2)
    assert {one["role"]: one["amount_minor"] for one in seen["balances"]} == {
        "card": 500, "revenue.standard": -417, "tax.standard": -83,
    }  # fmt: skip
    assert seen["missing"]["plain"] == ["card", "clearing", "revenue.standard", "tax.standard"]
    assert seen["missing"]["datev"] == ["consultant", "client", "card", "clearing", "revenue.standard"]
    assert {"cash", "revenue.reduced", "tax.zero", "key.standard"} <= set(seen["roles"])
    refused = shop.call("GET", f"/accounting/file?{path}")
    assert (refused.status_code, refused.json()["kind"]) == (409, "no-account")
    assert refused.json()["roles"] == seen["missing"]["plain"]

    shop.ok("PATCH", "/settings", {"store": {"accounts": ACCOUNTS}})
    assert shop.ok("GET", f"/accounting?{path}")["missing"] == {"plain": [], "datev": []}
    table = shop.call("GET", f"/accounting/file?{path}")
    assert table.headers["content-disposition"] == f'attachment; filename="books-{day}-{day}.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["debit_account"], row["credit_account"], row["amount"]) for row in rows] == [
        ("1360", "1590", "5.00"), ("1590", "8400", "4.17"), ("1590", "1776", "0.83"),
    ]  # fmt: skip
    assert {row["document"] for row in rows} == {f"{day.replace('-', '')}-{shop.driver.identity.terminal}"}
    file = shop.call("GET", f"/accounting/file?{path}&format=datev")
    assert file.content.startswith(b'"EXTF";700;21;"Buchungsstapel";13;')
    assert file.headers["content-disposition"].endswith(f'"EXTF_{day}_{day}.csv"')
    assert b'5,00;"S";"";;;"";1590;8400;' in file.content


def test_books_are_for_managers_and_for_days_that_are_over(sold: tuple[Shop, str]) -> None:
    shop, day = sold
    assert shop.call("GET", "/accounting", role="supervisor").status_code == 403
    today = (date.fromisoformat(day) + timedelta(days=3)).isoformat()  # or tomorrow, when midnight has not passed
    for asked, said in (
        (f"from={day}&to={today}", "is not over yet"),
        (f"from=2026-01-01&to={day}", "is not a stretch of 1 to 100 days"),
        (f"from={day}&to={day}&format=xls", "is no form of a file"),
    ):
        refused = shop.call("GET", f"/accounting/file?{asked}")
        assert refused.status_code == 422
        assert said in refused.json()["detail"]
    wrong = shop.call("PATCH", "/settings", {"store": {"accounts": {"cash": "10 00"}}})
    assert wrong.status_code == 422
    assert "can't be the account of 'cash'" in wrong.json()["detail"]


def test_the_command_line_writes_the_same_books_while_the_till_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, sold_ms = tmp_path / "till", now_ms() - 40 * DAY_MS
    till = OfflineTill(place, hurried=True)
    tea = Change(key="tea", fields={"sku": "tea", "name": "Tea", "price_minor": 250, "tax_code": "standard"})
    kept = Change(key="store", fields={"accounts": [f"{role}={number}" for role, number in ACCOUNTS.items()]})
    till.do(MANAGER, ChangeRecords(entity="product", changes=(tea,)), sold_ms)
    till.do(MANAGER, ChangeRecords(entity="setting", changes=(kept,)), sold_ms)
    till.do(MANAGER, OpenShift(float_minor=0), sold_ms)
    lines = (WantedLine(sku="tea", quantity_milli=1_000),)
    paid = (Payment(method="cash", amount_minor=250),)
    till.do(MANAGER, CloseSale(cart_id="a", lines=lines, payments=paid), sold_ms)
    till.close()
    day = date.fromordinal(719_163 + sold_ms // DAY_MS)  # in UTC, which the store has
    words = [
        "export",
        "accounting",
        "--data-dir",
        str(place),
        "--from",
        f"{day}",
        "--to",
        f"{day}",
        "--out",
        str(tmp_path),
    ]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    written = Path(capsys.readouterr().out.strip())
    assert written == tmp_path / f"books-{day}-{day}.csv"
    assert written.read_text("utf-8").count("\n") == 4
    with pytest.raises(SystemExit):
        main([*words, "--format", "datev"])
    assert (tmp_path / f"EXTF_{day}_{day}.csv").read_bytes().count(b"\r\n") == 4
