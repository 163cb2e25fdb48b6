"""`tillmesh import products`: a file into a stopped till, whole or not at all."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.services.sqlite.disk_shop import shop_at, trade
from tillmesh.cli import main

GOOD = "barcode,name,price,department\n4006381333931,Pencil,0.99,Desk\n96385074,Rubber,1.20,Desk\n"
BAD = GOOD + "12345670,Ruler,cheap,Desk\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, Any]:
    """Run the command; give its exit status and its report, or what it says about a problem."""
    with pytest.raises(SystemExit) as done:
        main(["import", "products", *arguments])
    said = capsys.readouterr()
    return done.value.code, json.loads(said.out) if said.out else said.err


def products(data_dir: Path) -> dict[str, int]:
    with shop_at(data_dir) as shop:
        return dict(shop.writer.db.execute("SELECT name, price_minor FROM product"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(GOOD)
    return path


def test_a_file_becomes_products(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, str(file), "--data-dir", str(tmp_path / "till"))
    assert (code, report["created"], report["error_count"]) == (0, 2, 0)
    assert products(tmp_path / "till") == {"Pencil": 99, "Rubber": 120}


def test_the_same_file_again_changes_nothing(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (str(file), "--data-dir", str(tmp_path / "till"))
    run(capsys, *arguments)
    code, report = run(capsys, *arguments)
    assert (code, report["unchanged"], report["created"], report["updated"]) == (0, 2, 0, 0)


def test_a_dry_run_says_it_all_and_does_nothing(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, str(file), "--data-dir", str(tmp_path / "till"), "--dry-run")
    assert (code, report["created"], report["dry_run"]) == (0, 2, True)
    assert products(tmp_path / "till") == {}


def test_one_bad_line_stops_the_whole_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text(BAD)
    arguments = (str(tmp_path / "bad.csv"), "--data-dir", str(tmp_path / "till"))
    code, report = run(capsys, *arguments)
    assert code == 1
    assert [(finding["line"], finding["column"]) for finding in report["errors"]] == [(4, "price")]
    assert products(tmp_path / "till") == {}
    code, report = run(capsys, *arguments, "--skip-bad")
    assert (code, report["created"], report["skipped"]) == (0, 2, 1)


def test_columns_of_another_file_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.csv").write_text("artikel;titel;preis\n4006381333931;Bleistift;0,99\n")
    mapping = ("--map", "barcode=artikel", "--map", "name=titel", "--map", "price=preis")
    code, _ = run(capsys, str(tmp_path / "other.csv"), "--data-dir", str(tmp_path / "till"), *mapping)
    assert code == 0
    assert products(tmp_path / "till") == {"Bleistift": 99}


@pytest.mark.parametrize("kind", ["missing", "no gzip", "cut gzip", "a folder"])
def test_a_file_that_can_not_be_read_is_a_sentence(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.csv.gz"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(GOOD.encode() if kind == "no gzip" else gzip.compress(GOOD.encode())[:-12])
    code, said = run(capsys, str(path), "--data-dir", str(tmp_path / "till"))
    assert code == 1
    assert said.startswith("tillmesh: broken.csv.gz can't be read")
    assert products(tmp_path / "till") == {}


def test_a_till_that_runs_is_not_imported_into(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shop_at(tmp_path / "till"):
        code, said = run(capsys, str(file), "--data-dir", str(tmp_path / "till"))
    assert code == 1
    assert "another program" in said


def test_a_key_from_elsewhere_is_used(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key_file = tmp_path / "elsewhere.key"
    key_file.write_bytes(os.urandom(32))
    arguments = (str(file), "--data-dir", str(tmp_path / "till"), "--key-file", str(key_file))
    assert run(capsys, *arguments)[0] == 0
    assert not (tmp_path / "till" / "keys" / "database.key").exists()


def test_prices_of_an_import_count_from_the_next_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade(tmp_path / "till")
    (tmp_path / "prices.csv").write_text("sku,price\nmug,15.00\n")
    assert run(capsys, str(tmp_path / "prices.csv"), "--data-dir", str(tmp_path / "till"))[0] == 0
    with shop_at(tmp_path / "till") as shop:
        mug = shop.books.product("mug")
        assert mug is not None
        assert (mug.price_minor, mug.name) == (1_500, "Enamel mug")
