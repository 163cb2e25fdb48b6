"""A shop of three tills burns down: as programs, from the last sale before to the first one after it."""

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from tests.faults.corner_shop import read_books
from tests.faults.running import Program
from tests.ports import free_port
from tests.services.hub.office import RunningOffice, running
from tests.services.hub.real_stores import Till, found, open_store, until
from tillmesh.adapters.wan.client import HubClient
from tillmesh.sync.upload import read_state
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.verifying import verify

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]


def taken(office: RunningOffice, store: str) -> tuple[int, int]:
    """Give how many sales head office has of a store, and what they came to."""
    (shown,) = [one for one in office.call("GET", "/stores")[1]["stores"] if one["store"] == store]
    return shown["sales"], shown["revenue_minor"]


def recover(place: Path, bundle: Path, url: str) -> dict[str, object]:
    """Run the command, as a person at the new machine does."""
    words = ["store", "recover", "--data-dir", str(place), "--bundle", str(bundle), "--hub-url", url]
    done = subprocess.run(
        [sys.executable, "-m", "tillmesh", *words], input=b"9999\n", capture_output=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    said: dict[str, object] = json.loads(done.stdout)
    return said


def test_a_shop_whose_three_tills_burnt_down_is_back_with_every_sale_and_counts_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    store = found(folder, tmp_path / "hub", 3)
    with running(tmp_path / "hub") as office:
        with open_store(folder, office.stores_url) as tills:
            paid = [till.sell(f"{n}-{k}") for n, till in enumerate(tills) for k in range(3)]
            until("head office has it", lambda: taken_or_none(office, store) == (9, sum(paid)))
            old = bundle_in(folder / "till-0")
            assert old is not None
            client = HubClient(office.stores_url, old)

            def settled() -> bool:
                shown = [till.get("/state-hash") for till in tills]
                held = read_state(client.state().body).acked
                return all(each["version_vector"] == held for each in shown)

            until("all hold the same", settled)
            was = tills[0].get("/state-hash")
        shutil.rmtree(folder)

        status, said = office.call("POST", f"/stores/{store}/recovery")
        assert status == 200, said
        bundle = tmp_path / "bundle"
        bundle.write_bytes(b64decode(said["bundle"]))
        new = tmp_path / "new"
        back = recover(new, bundle, office.stores_url)
        assert back["state_hash"] == was["hash"]
        assert client.state().status == 403  # a stolen till's certificate is worth nothing any more
        client.close()

        link = str(free_port())
        with Program(new, arguments=("--no-ai", "--no-mdns", "--link-bind", "127.0.0.1", "--link-port", link,
                                     "--hub-url", office.stores_url)) as program:  # fmt: skip
            till = Till(program)
            paid += [till.sell(f"after-{k}") for k in range(2)]
            until("head office has the rest", lambda: taken(office, store) == (11, sum(paid)))
            invited = program.call("POST", "/store/pairing", None, till.token)
            assert invited.status == 201, invited  # it issues: further tills can join
        report = verify(new)
        assert report["ok"], report["problems"]
        sales = read_books(new)[0]
        assert len({sale.receipt_number for sale in sales}) == 11
        assert sum(sale.total_minor for sale in sales) == sum(paid)
        (noted,) = office.call("GET", "/audit?q=store_recovered")[1]["audit"]
        assert noted["subject"] == store


def taken_or_none(office: RunningOffice, store: str) -> tuple[int, int] | None:
    """Give the same while head office may not know the store yet."""
    known = [one["store"] for one in office.call("GET", "/stores")[1]["stores"]]
    return taken(office, store) if store in known else None
