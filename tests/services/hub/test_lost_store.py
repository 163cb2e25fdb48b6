"""A shop of three tills burns down: as programs, from the last sale before to the first one after it."""

import http.client
import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.corner_shop import read_books
from tests.faults.running import Program
from tests.pictures import jpeg
from tests.ports import free_port
from tests.services.hub.office import RunningOffice, running
from tests.services.hub.real_stores import Till, found, open_store, until
from tillmesh.adapters.wan.client import HubClient
from tillmesh.shop.pictures import cleaned, picture_of
from tillmesh.sync.upload import read_state
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.verifying import verify

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(600)]
PHOTO = cleaned(jpeg(64, 48))
NAMED = picture_of(PHOTO)


def taken(office: RunningOffice, store: str) -> tuple[int, int]:
    """Give how many sales head office has of a store, and what they came to."""
    (shown,) = [one for one in office.call("GET", "/stores")[1]["stores"] if one["store"] == store]
    return shown["sales"], shown["revenue_minor"]


def recover(place: Path, bundle: Path, url: str) -> dict[str, object]:
    """Run the command, as a person at the new machine does."""
    return tillmesh("store", "recover", "--data-dir", str(place), "--bundle", str(bundle), "--hub-url", url)


def tillmesh(*words: str) -> dict[str, object]:
    """Run a command that asks for a PIN if it needs one, and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tillmesh", *words], input=b"9999\n", capture_output=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    said: dict[str, object] = json.loads(done.stdout)
    return said


class Lost(NamedTuple):
    """A shop of three tills: what it had sold, the hash over it, and its old way to head office."""

    paid: list[int]
    state_hash: str
    client: HubClient
    alone: int  # sold at the third till after the internet was gone


def lose(folder: Path, office: RunningOffice, store: str) -> Lost:
    """Sell at all tills of a shop until head office has everything; then burn two of them, the third being away."""
    at_office = f"/stores/{store}/pictures/{NAMED.sha256}"
    with open_store(folder, office.stores_url) as tills:
        put = tills[1].program.send("PUT", "/products/BREAD/image", jpeg(64, 48), "image/jpeg", tills[1].token)
        assert (put.status, put.body["image"]) == (200, NAMED.reference)
        paid = [till.sell(f"{n}-{k}") for n, till in enumerate(tills) for k in range(3)]
        until("head office has it", lambda: taken_or_none(office, store) == (9, sum(paid)))
        old = bundle_in(folder / "till-0")
        assert old is not None
        client = HubClient(office.stores_url, old)

        def settled() -> bool:
            shown = [till.get("/state-hash") for till in tills]
            reply = client.state()
            if reply.status != 200:  # asked too often: later
                return False
            held = read_state(reply.body).acked
            return all(each["version_vector"] == held for each in shown)

        until("all hold the same", settled)
        until("head office has the picture", lambda: fetched(office.port, at_office, office.token)[0] == 200)
        was = str(tills[0].get("/state-hash")["hash"])
        for till in tills:
            till.wan_file.touch()
        until("they are offline", lambda: not any(till.get("/sync")["hub_reachable"] for till in tills))
        alone = tills[2].sell("alone")  # head office never hears of it from those that burn
    shutil.rmtree(folder / "till-0")
    shutil.rmtree(folder / "till-1")
    return Lost(paid, was, client, alone)


def come_home(first: Till, home: Path, store: str, link: str) -> Program:
    """Let a till that was away join the recovered store, as a person with the code does."""
    invited = first.program.call("POST", "/store/pairing", None, first.token)
    assert invited.status == 201, invited
    place = f"127.0.0.1:{invited.body['port']}"
    joined = tillmesh("store", "join", "--data-dir", str(home), "--code", str(invited.body["code"]), "--address", place)
    assert joined["store"] == store
    around = ("--no-ai", "--no-mdns", "--link-bind", "127.0.0.1", "--peer", f"127.0.0.1:{link}")
    return Program(home, arguments=around)


def fetched(port: int, path: str, token: str) -> tuple[int, str, bytes]:
    """Fetch what is no JSON: status, kind and bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/api/v1{path}", None, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read()
    connection.close()
    return found


def look_at_pictures(office: RunningOffice, store: str) -> None:
    """See that head office's list of products shows the picture, to whoever is signed in and of this store only."""
    at_office = f"/stores/{store}/pictures/{NAMED.sha256}"
    assert fetched(office.port, at_office, office.token) == (200, "image/jpeg", PHOTO)
    assert fetched(office.port, at_office, "nobody")[0] == 401
    assert fetched(office.port, f"/stores/another/pictures/{NAMED.sha256}", office.token)[0] == 404
    products = office.call("GET", "/products")[1]["products"]
    pictured = {one["sku"]: one["picture"] for one in products if one["picture"]}
    assert pictured == {"BREAD": {"store": store, "sha256": NAMED.sha256}}


def test_a_shop_whose_tills_burnt_down_is_back_with_every_sale_and_counts_nothing_twice(tmp_path: Path) -> None:
    folder, bundle, new = tmp_path / "shop", tmp_path / "bundle", tmp_path / "new"
    home = folder / "till-2"
    store = found(folder, tmp_path / "hub", 3)
    with running(tmp_path / "hub") as office:
        lost = lose(folder, office, store)
        look_at_pictures(office, store)
        status, said = office.call("POST", f"/stores/{store}/recovery")
        assert status == 200, said
        bundle.write_bytes(b64decode(said["bundle"]))
        assert recover(new, bundle, office.stores_url)["state_hash"] == lost.state_hash
        assert lost.client.state().status == 403  # a stolen till's certificate is worth nothing any more
        lost.client.close()
        paid, link = lost.paid, str(free_port())
        around = ("--no-ai", "--no-mdns", "--link-bind", "127.0.0.1", "--link-port", link)
        with Program(new, arguments=(*around, "--hub-url", office.stores_url)) as program:
            till = Till(program)
            paid += [till.sell(f"after-{k}") for k in range(2)]
            here = f"/pictures/{NAMED.sha256}"
            until("the picture is back", lambda: fetched(program.port, here, till.token)[0] == 200)
            assert fetched(program.port, here, till.token) == (200, "image/jpeg", PHOTO)
            until("head office has the rest", lambda: taken(office, store) == (11, sum(paid)))
            # The third till was at the technician's. It comes home, with what it sold and nobody else had.
            with come_home(till, home, store, link) as third:
                returned = Till(third)
                paid += [lost.alone, returned.sell("at-home")]
                until("head office has that, too", lambda: taken(office, store) == (13, sum(paid)))

                def vectors() -> list[object]:
                    return [each.get("/state-hash")["version_vector"] for each in (till, returned)]

                until("both tills hold all of it", lambda: len({str(vector) for vector in vectors()}) == 1)
        (noted,) = office.call("GET", "/audit?q=store_recovered")[1]["audit"]
        assert noted["subject"] == store
    for place in (new, home):
        report = verify(place)
        assert report["ok"], report["problems"]
        sales = read_books(place)[0]
        assert len({sale.receipt_number for sale in sales}) == 13
        assert sum(sale.total_minor for sale in sales) == sum(paid)


def taken_or_none(office: RunningOffice, store: str) -> tuple[int, int] | None:
    """Give the same while head office may not know the store yet."""
    known = [one["store"] for one in office.call("GET", "/stores")[1]["stores"]]
    return taken(office, store) if store in known else None
