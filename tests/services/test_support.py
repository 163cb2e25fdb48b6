"""A support bundle says how a till is, and nothing about its people."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import settle_log, shop_at
from tests.services.test_doctor import doctor
from tests.unit.till.shop_till import MANAGER
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.shop.events import Change
from tillmesh.till import commands as c

SECRETS = (
    "Perpetua Quillfeather",
    "Zanzibar Lane",
    "Quillfeather's Emporium",
    "DE99KANARIE",
    "gift for aunt Wilhelmina",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "till"
    with shop_at(place) as shop:
        shop.furnish().open()
        shop.set_store(name=SECRETS[2], address=[SECRETS[1]], tax_id=SECRETS[3], currency="EUR")
        customer = Change(key="c1", fields={"name": SECRETS[0], "note": SECRETS[4]})
        shop.do(c.ChangeRecords(entity="customer", changes=(customer,)), MANAGER)
        shop.sell(cart_id="one")
        shop.sign()
    settle_log(place)
    return place


def test_a_bundle_tells_how_the_till_is_and_no_name_text_key_or_price(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "till.zip"
    code, lines = doctor(capsys, "--data-dir", str(place), "--bundle", str(target))
    assert code == 0
    assert "look into it" in lines[0]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as bundle:
        parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    whole = "".join(parts.values())
    key = (place / "keys" / "database.key").read_bytes()
    for secret in (*SECRETS, "Enamel mug", "5012345678900", key.hex()):
        assert secret not in whole, secret
    assert json.loads(parts["events.json"])["sale_closed"]["count"] == 1
    assert json.loads(parts["settings.json"])["store"]["currency"] == "EUR"
    assert json.loads(parts["verify.json"])["ok"] is True
    assert "msgspec" in json.loads(parts["machine.json"])["packages"]


def test_a_till_whose_database_does_not_open_gets_a_bundle_too(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / FILE).write_bytes(bytes(8_192))
    code, _ = doctor(capsys, "--data-dir", str(place), "--bundle", str(tmp_path / "till.zip"))
    assert code == 0
    with zipfile.ZipFile(tmp_path / "till.zip") as bundle:
        assert {"findings.txt", "machine.json", "files.json"} <= set(bundle.namelist())
        assert "BAD" in bundle.read("findings.txt").decode()


def test_a_file_that_is_there_is_not_written_over(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "till.zip"
    target.write_text("mine")
    with pytest.raises(AssertionError):
        assert doctor(capsys, "--data-dir", str(place), "--bundle", str(target))[0] == 0
    assert target.read_text() == "mine"
