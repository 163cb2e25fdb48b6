"""Receipts signed by a (simulated) device, an outage that stops no sale, and the journal that an auditor can verify."""

import base64
import csv
import io
import zipfile
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.services.api.shop import Json, Shop
from tillmesh.adapters.signature.simulated import message
from tillmesh.kernel.envelope import Envelope, digest
from tillmesh.shop.events import ReceiptSigned


@pytest.fixture
def till(fresh: Callable[[], Shop]) -> Shop:
    shop = fresh()
    shop.product("tea")
    shop.ok("PATCH", "/settings", {"terminal": {"signature_device": "simulated"}})
    shop.wait_for(lambda: shop.fiscal.device, 60)
    return shop


def signature(till: Shop, sale: Json) -> ReceiptSigned:
    return till.wait_for(lambda: till.look(lambda books: books.signature(sale["sale_id"])), 60)


def paper(till: Shop, sale: Json) -> str:
    return till.call("GET", f"/sales/{sale['sale_id']}/receipt?format=text").text


def test_every_receipt_is_signed_with_a_dense_counter_and_shows_it(till: Shop) -> None:
    first, second = (signature(till, till.sale(name)) for name in ("a", "b"))
    assert second.counter == first.counter + 1
    sale = till.sale("c")
    found = signature(till, sale)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(found.public_key))
    key.verify(base64.b64decode(found.signature), message(found.counter, found.signed_at_ms, found.data))
    assert sale["receipt_number"] in found.data
    shown = paper(till, sale)
    assert found.device in shown
    assert "SIGNATURE DEVICE OUT OF ORDER" not in shown


def test_a_till_sells_on_while_the_device_is_out_says_so_on_paper_and_signs_afterwards(till: Shop) -> None:
    signature(till, till.sale("before"))
    till.ok("POST", "/fiscal/device", {"out_of_order": True})
    sale = till.sale("meanwhile")
    till.wait_for(lambda: till.ok("GET", "/fiscal/device")["out_of_order_since"], 60)
    assert "SIGNATURE DEVICE OUT OF ORDER" in paper(till, sale)
    second = till.sale("meanwhile too")
    assert till.ok("GET", "/fiscal/device")["unsigned"] == 2
    till.ok("POST", "/fiscal/device", {"out_of_order": False})
    late = [signature(till, one) for one in (sale, second)]
    assert [one.late for one in late] == [True, True]
    assert late[1].counter == late[0].counter + 1
    assert "Signed after an outage" in paper(till, sale)
    assert till.wait_for(lambda: till.ok("GET", "/fiscal/device")["unsigned"] == 0 or None, 60)
    assert till.ok("GET", "/fiscal/device")["out_of_order_since"] is None
    actions = [one["action"] for one in till.ok("GET", "/audit")["entries"]]
    assert {"signing_stopped", "signing_resumed"} <= set(actions)


def test_the_journal_holds_every_receipt_and_its_chain_can_be_worked_out_by_anybody(till: Shop) -> None:
    sales = [till.sale(name) for name in ("x", "y")]
    signed = [signature(till, one) for one in sales]
    day = till.ok("GET", "/reports/day")["date"]
    answer = till.call("GET", f"/fiscal/journal?from={day}&to={day}")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        tables = {
            name: list(csv.DictReader(io.StringIO(archive.read(name).decode()), delimiter=";"))
            for name in archive.namelist()
        }
    assert [row["BON_NR"] for row in tables["transactions.csv"]] == [one["receipt_number"] for one in sales]
    assert sum(int(row["UMS_BRUTTO"]) for row in tables["transactions.csv"]) == 500
    assert sum(int(row["BETRAG"]) for row in tables["datapayment.csv"]) == 500
    assert [row["TSE_TA_SIG"] for row in tables["transactions_tse.csv"]] == [one.signature for one in signed]
    store = till.driver.identity.store
    before = ""
    for row in tables["chain.csv"]:
        previous, pinned = bytes.fromhex(row["PREVIOUS_HASH"]), bytes.fromhex(row["HASH"])
        event = Envelope(
            row["ACTOR"], int(row["SEQ"]), int(row["HLC"]), row["TYPE"], int(row["VERSION"]),
            base64.b64decode(row["BODY_BASE64"]), previous, pinned,
        )  # fmt: skip
        assert digest(store, event) == pinned
        assert before in {"", row["PREVIOUS_HASH"]}
        before = row["HASH"]


def test_closes_are_listed_and_the_journal_is_a_manager_s(till: Shop) -> None:
    assert till.ok("PATCH", "/settings", {"store": {"fiscal_closes": True}})["store"]["fiscal_closes"] is True
    till.sale("today")
    assert till.ok("POST", "/fiscal/close", {})["closed"] == 0
    assert till.ok("GET", "/fiscal/periods?kind=day") == {"on": True, "periods": []}
    assert till.call("GET", "/fiscal/periods?kind=week").status_code == 422
    assert till.call("GET", "/fiscal/journal?from=2026-01-01&to=2026-01-02", role="supervisor").status_code == 403
    assert till.call("GET", "/fiscal/journal?from=2026-02-01&to=2026-01-02").status_code == 422
    assert till.call("POST", "/fiscal/close", {}, role="cashier").status_code == 403
