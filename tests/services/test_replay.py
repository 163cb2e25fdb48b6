"""The replay of real invoices: every report equals an independent sum, and a difference of a penny is named."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tracked_files import ROOT
from tillmesh.bench.replay.expected import expected
from tillmesh.bench.replay.program import Played, differences, main, play, report
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.terminal.verifying import verify

EXTRACT = ROOT / "tests" / "data" / "online_retail_extract.csv.gz"
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
MUG = "536365,22111,MUG,{quantity},2011-03-01 08:26:00,{price},17850,United Kingdom\n"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Shop:
    """A replayed extract and where its data lies."""

    played: Played
    data_dir: Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    data_dir = tmp_path_factory.mktemp("replay") / "till"
    return Shop(play(EXTRACT, data_dir), data_dir)


def found_in(shop: Shop, file: Path) -> list[str]:
    theirs = expected(file)
    theirs.pop("rounded")
    return list(differences(shop.played.reports, theirs))


def altered(tmp_path: Path, old: str, new: str) -> Path:
    """Copy the extract with one row changed."""
    text = gzip.decompress(EXTRACT.read_bytes()).decode()
    assert text.count(old) == 1, "the row to change must be there once"
    path = tmp_path / "altered.csv"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_every_report_of_real_invoices_equals_a_sum_over_the_file(shop: Shop) -> None:
    assert found_in(shop, EXTRACT) == []
    assert len(shop.played.reports["days"]) == 45


def test_the_log_of_a_replay_verifies(shop: Shop) -> None:
    checked = verify(shop.data_dir)
    assert checked["ok"], checked["problems"]
    assert checked["sales"] == shop.played.run.plan.done["sales"] == 66


def test_every_row_of_the_file_is_accounted_for(shop: Shop) -> None:
    done = shop.played.run.plan.done
    assert sum(count for what, count in done.items() if what.startswith("rows")) == 2_014
    assert done["rows refunded to their sale"] == 46
    assert done["rows noted, no sale"] == 3


def test_a_price_that_differs_by_a_penny_is_named_with_its_day_and_product(shop: Shop, tmp_path: Path) -> None:
    text = gzip.decompress(EXTRACT.read_bytes()).decode().splitlines()
    line = next(one for one in text if "2010-12-22" in one and one.split(",")[3] == "1" and not one.startswith("C"))
    price = line.split(",")[-3]
    other = line.replace(f",{price},", f",{float(price) + 0.01:.2f},")
    found = found_in(shop, altered(tmp_path, line + "\n", other + "\n"))
    assert any(one.startswith("days / 2010-12-22 / z / sales_minor") for one in found)
    assert any(one.startswith(f"products / {line.split(',')[1]}") for one in found)
    assert not any("2011-02-06 / day / total" in one for one in found)


def test_a_quantity_that_differs_shows_in_the_stock(shop: Shop, tmp_path: Path) -> None:
    text = gzip.decompress(EXTRACT.read_bytes()).decode().splitlines()
    line = next(one for one in text if one.startswith("536589"))
    fields = line.split(",")
    fields[3] = str(int(fields[3]) - 1)
    found = found_in(shop, altered(tmp_path, line + "\n", ",".join(fields) + "\n"))
    assert [one.partition(":")[0] for one in found] == [f"stock / {fields[1]}"]


def test_a_december_sale_comes_back_at_the_tax_rate_of_december(shop: Shop) -> None:
    later = {
        day: reports["z"]["taxes"]["17.5"]
        for day, reports in shop.played.reports["days"].items()
        if day > "2011-01-04" and "17.5" in reports["z"]["taxes"]
    }
    assert later
    assert all(tax < 0 for _, tax in later.values())


def test_an_invoice_that_another_one_interrupts_is_one_sale(shop: Shop) -> None:
    day = shop.played.reports["days"]["2011-02-01"]["day"]
    assert day["sales"] == 1
    assert day["hours"] == {"11": [1, day["total_minor"] + day["refunds_minor"]]}


def test_one_invoice_is_enough_to_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.csv"
    file.write_text(HEAD + MUG.format(quantity=2, price="1.25"), "utf-8")
    assert main([str(file)]) == 0
    assert "Every report equals the file" in capsys.readouterr().out
    assert main([str(file), "--json"]) == 0
    assert '"ok": true' in capsys.readouterr().out


def test_a_result_with_a_difference_exits_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = {
        "done": {}, "days": 1, "events": 1, "differences": ["all / sales: the till says 1, the file says 2"],
        "verified": True, "problems": [], "totals": {"sales_minor": 1, "refunds_minor": 0, "tax_minor": 0},
        "sales_per_second": 1, "lines_per_second": 1, "bytes_per_sale": 1, "database_bytes": 1, "minutes": 1,
    }  # fmt: skip
    assert report(result, as_json=False) == 1
    assert "DIFFERENT all / sales: the till says 1, the file says 2" in capsys.readouterr().out


def test_a_file_of_something_else_is_refused_by_its_missing_columns(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("sku,name\n1,Mug\n", "utf-8")
    with pytest.raises(Invalid, match="has no column Country, CustomerID"):
        play(file, tmp_path / "till")


def test_a_row_that_is_no_number_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(HEAD + MUG.format(quantity="two", price="1.25"), "utf-8")
    with pytest.raises(Invalid, match="invoice 536365 from line 2"):
        play(file, tmp_path / "till")


def test_a_directory_with_a_till_in_it_is_never_replayed_into(tmp_path: Path) -> None:
    (tmp_path / "till").mkdir()
    (tmp_path / "till" / "till.db").write_bytes(b"somebody's data")
    with pytest.raises(Conflict, match="is not empty"):
        play(EXTRACT, tmp_path / "till")
