"""`tillmesh verify` finds each kind of damage, says so in JSON, and is silent about a sound shop."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.sqlite.disk_shop import DiskShop, shop_at, tamper, trade
from tests.unit.till.shop_till import SUPERVISOR, line
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.cli import main
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import seal
from tillmesh.kernel.errors import NotFound
from tillmesh.shop import events as e
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c


def test_a_sound_shop_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish().open()
        sold = shop.sell(line("mug", 2), paid=3_000, cart_id="a")
        shop.do(c.VoidSale(sale_id=shop.sell(cart_id="b"), reason="mistake"), SUPERVISOR)
        refund = c.RefundSale(sale_id=sold, lines=(c.WantedRefund(line=0, quantity_milli=1000),), reason="broken")
        shop.do(refund, SUPERVISOR)
        shop.sign()
        beside = verify(tmp_path)  # while the till runs
    with pytest.raises(SystemExit) as done:
        main(["verify", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert done.value.code == 0
    assert report == beside
    assert (report["ok"], report["sales"], report["gaps"], report["problems"]) == (True, 2, [], [])
    assert report["money"]["balanced"]
    assert report["money"]["tendered_minor"] - report["money"]["change_minor"] == 2 * 1_250 + 1_250
    assert report["money"]["returned_minor"] == 2 * 1_250


def test_verify_changes_nothing(tmp_path: Path) -> None:
    trade(tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "reserve"}
    verify(tmp_path)
    assert {path: path.read_bytes() for path in files} == files
    assert not list((tmp_path / "keys").glob("*.new"))


def test_a_directory_without_a_till_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no till"):
        verify(tmp_path)


LAST = "(SELECT max(seq) FROM event)"
CUT = (
    f"DELETE FROM event WHERE seq = {LAST}; "
    f"UPDATE version_vector SET seq = seq - 1, hash = (SELECT hash FROM event WHERE seq = {LAST})"
)
SWAP = (
    f"CREATE TEMP TABLE one AS SELECT * FROM event WHERE seq = {LAST}; "
    f"CREATE TEMP TABLE two AS SELECT * FROM event WHERE seq = {LAST} - 1; "
    "UPDATE event SET (hlc, type, body, hash) = (SELECT hlc, type, body, hash FROM two) "
    "WHERE seq = (SELECT seq FROM one); "
    "UPDATE event SET (hlc, type, body, hash) = (SELECT hlc, type, body, hash FROM one) "
    "WHERE seq = (SELECT seq FROM two)"
)
DAMAGE: dict[str, tuple[str, str]] = {
    "an altered event": (f"UPDATE event SET body = CAST(body || x'00' AS BLOB) WHERE seq = {LAST} - 1", "was altered"),
    "an altered time": (f"UPDATE event SET hlc = hlc + 1 WHERE seq = {LAST} - 1", "was altered"),
    "a missing tail": (f"DELETE FROM event WHERE seq = {LAST}", "the version vector of"),
    "a cut tail with its vector": (
        CUT,
        "were committed and are gone",
    ),
    "two events in each other's place": (
        SWAP,
        "was altered",
    ),
    "a forged signature": ("UPDATE signed_head SET signature = zeroblob(64)", "signature of head"),
    "a signed event that is gone": (
        CUT,
        "the signed head",
    ),
    "a sale that the index does not have": ("DELETE FROM receipt WHERE number LIKE '%2'", "the table receipt"),
    "an altered price": ("UPDATE product SET price_minor = 1 WHERE sku = 'mug'", "the table product"),
    "altered stock": ("UPDATE stock_column SET n = 0", "the table stock"),
    "a hidden audit entry": ("DELETE FROM audit", "the table audit"),
    "an altered register": ("UPDATE register SET state = (SELECT state FROM register LIMIT 1)", "the table register"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    statement, words = DAMAGE[kind]
    trade(tmp_path)
    tamper(tmp_path, statement)
    with pytest.raises(SystemExit) as done:
        main(["verify", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert done.value.code == 1
    assert not report["ok"]
    assert any(words in problem for problem in report["problems"]), report["problems"]


def test_a_missing_event_in_the_middle_is_a_gap_by_number(tmp_path: Path) -> None:
    trade(tmp_path, sales=4)
    tamper(tmp_path, "DELETE FROM event WHERE seq IN (4, 5)")
    report = verify(tmp_path)
    assert report["gaps"] == [f"{report['actor']}: 4 to 5"]
    assert not report["ok"]


def _forge(shop: DiskShop, change: Callable[[e.SaleClosed], e.SaleClosed]) -> None:
    """Append a sale that the till itself would never have closed, with a sound chain."""
    sale = change(shop.read(shop.sell(cart_id="forged"), e.SaleClosed))
    kind = {"kind": "sale_closed", "version": 1, "body": encode(sale)}
    event = seal(shop.opened.origin.store, shop.till.head, hlc=shop.till.clock.tick(shop.clock_ms), **kind)  # type: ignore[arg-type]
    with shop.writer.transaction():
        shop.writer.ledger.append_own([event])


FORGED: dict[str, tuple[dict[str, object], str]] = {
    "money taken out of the total": ({"cart_id": "f", "receipt_number": "N-000004", "total_minor": 1}, "do not sum up"),
    "change that was never paid": ({"cart_id": "f", "receipt_number": "N-000004", "change_minor": 5}, "payments less"),
    "tax that no line has": ({"cart_id": "f", "receipt_number": "N-000004", "tax_minor": 0}, "taxes do not sum up"),
    "one cart sold twice": ({"receipt_number": "N-000004"}, "was sold twice"),
    "a receipt number used twice": ({"cart_id": "f"}, "not gapless and unique"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_sale_is_found_by_what_it_adds_up_to(tmp_path: Path, kind: str) -> None:
    fields, words = FORGED[kind]
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        series = shop.till.identity.series
        given = {name: v.replace("N-", f"{series}-") if isinstance(v, str) else v for name, v in fields.items()}
        _forge(shop, lambda sale: e.SaleClosed(**{**_asdict(sale), **given}))
    problems = verify(tmp_path)["problems"]
    assert any(words in problem for problem in problems), problems


def _asdict(sale: e.SaleClosed) -> dict[str, Any]:
    return {name: getattr(sale, name) for name in sale.__struct_fields__}


@pytest.mark.slow
def test_flipped_bits_in_the_file_are_never_read_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade(tmp_path)
    tamper(tmp_path, "VACUUM")  # no page is free: every bit of the file counts
    path = tmp_path / FILE
    sound = path.read_bytes()
    for place in range(len(sound) // 7, len(sound), len(sound) // 7):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x10]) + sound[place + 1 :])
        with pytest.raises(SystemExit) as done:
            main(["verify", str(tmp_path)])
        report = json.loads(capsys.readouterr().out)
        assert done.value.code == 1
        assert any("database" in problem for problem in report["problems"]), report["problems"]


def test_a_missing_key_and_a_missing_anchor_are_named(tmp_path: Path) -> None:
    trade(tmp_path)
    (tmp_path / "anchor").unlink()
    assert verify(tmp_path)["problems"] == ["the anchor file is missing"]
    (tmp_path / "keys" / "database.key").unlink()
    report = verify(tmp_path)
    assert not report["ok"]
    assert "database.key is missing" in report["problems"][0]


@pytest.mark.slow
def test_tables_are_made_anew_from_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade(tmp_path)
    tamper(tmp_path, "UPDATE product SET price_minor = 1", "DELETE FROM receipt", "DELETE FROM stock_column")
    assert len(verify(tmp_path)["problems"]) == 3
    assert verify(tmp_path, quick=True)["ok"]
    with pytest.raises(SystemExit) as done:
        main(["doctor", "--rebuild", "--data-dir", str(tmp_path)])
    assert done.value.code == 0, capsys.readouterr().out
    assert "events projected again" in capsys.readouterr().out
    assert verify(tmp_path)["problems"] == []
    with shop_at(tmp_path) as shop:
        assert shop.types()[-1] == "audited"
        assert shop.numbers()[-1].endswith("-000002")
        assert shop.read(shop.sell(cart_id="next"), e.SaleClosed).total_minor == 1_250
