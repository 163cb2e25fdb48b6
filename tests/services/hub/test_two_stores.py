"""Two stores with real tills at one head office: a price goes to all of them, and one that was changed twice agrees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pytest

from tests.services.hub.office import RunningOffice, running
from tests.services.hub.real_stores import Till, found, open_store, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.service,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("two stores"),  # five processes, once
]
WAITING = ("pending", "sent_to_leader", "acked_by_leader", "sent_to_hub")


class Chain(NamedTuple):
    """A head office with two stores of two tills each."""

    office: RunningOffice
    ids: tuple[str, str]
    corner: Sequence[Till]
    market: Sequence[Till]

    @property
    def tills(self) -> list[Till]:
        return [*self.corner, *self.market]

    def charged(self, sku: str) -> dict[str, int]:
        """Give what head office believes that each store charges."""
        said = self.office.call("GET", f"/products/{sku}")[1]
        return {one["store"]: one["price_minor"] for one in said["stores"]}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    ids = (found(folder / "corner", folder / "hub", 2), found(folder / "market", folder / "hub", 2))
    with (
        running(folder / "hub") as office,
        open_store(folder / "corner", office.stores_url) as corner,
        open_store(folder / "market", office.stores_url) as market,
    ):
        chain = Chain(office, ids, corner, market)
        until("head office knows both stores' goods", lambda: office.call("GET", "/products/BREAD")[0] == 200)
        until("of both of them", lambda: set(chain.charged("BREAD")) == set(ids))
        yield chain


@contextmanager
def offline(tills: Sequence[Till]) -> Iterator[None]:
    """Take the internet from some tills, and give it back."""
    for till in tills:
        till.wan_file.touch()
    try:
        until("they are offline", lambda: not any(till.get("/sync")["hub_reachable"] for till in tills))
        yield
    finally:
        for till in tills:
            till.wan_file.unlink()


def test_one_change_of_price_at_head_office_is_on_every_till_of_every_store(chain: Chain) -> None:
    status, said = chain.office.call("PATCH", "/catalogue/BREAD", {"price_minor": 444})
    assert (status, {row["store"] for row in said["stores"]}) == (200, set(chain.ids))
    until("the price is everywhere", lambda: all(till.price("BREAD") == 444 for till in chain.tills))
    assert [till.sell(f"bread-{n}") for n, till in enumerate(chain.tills)] == [444] * 4
    until(
        "head office says so",
        lambda: all(
            one["tills_with"] == one["till_count"] == 2
            for one in chain.office.call("GET", "/products/BREAD")[1]["stores"]
        ),
    )


def test_a_price_for_one_store_leaves_the_other_one_as_it_is(chain: Chain) -> None:
    corner, market = chain.ids
    assert chain.office.call("PATCH", "/catalogue/SOAP", {"price_minor": 99, "stores": [corner]})[0] == 200
    until("the corner shop has it", lambda: [till.price("SOAP") for till in chain.corner] == [99, 99])
    assert [till.price("SOAP") for till in chain.market] == [135, 135]
    assert chain.charged("SOAP") == {corner: 99, market: 135}


def test_a_price_changed_at_head_office_and_in_the_store_without_internet_is_the_later_one_everywhere(
    chain: Chain,
) -> None:
    corner, market = chain.ids
    with offline(chain.corner):
        # Neither side knows of the other's change. The later one wins for each product, wherever it was made.
        assert chain.office.call("PATCH", "/catalogue/MILK", {"price_minor": 160})[0] == 200
        chain.corner[1].reprice("MILK", 170)
        chain.corner[0].reprice("TEA", 300)
        assert chain.office.call("PATCH", "/catalogue/TEA", {"price_minor": 310})[0] == 200
    until(
        "the corner shop agrees with head office",
        lambda: [(till.price("MILK"), till.price("TEA")) for till in chain.corner] == [(170, 310)] * 2,
    )
    until("head office agrees with both stores", lambda: chain.charged("MILK") == {corner: 170, market: 160})
    assert chain.charged("TEA") == {corner: 310, market: 310}
    until("so does the market", lambda: [(t.price("MILK"), t.price("TEA")) for t in chain.market] == [(160, 310)] * 2)
    until("both tills are the same", lambda: len({till.get("/state-hash")["hash"] for till in chain.corner}) == 1)


def test_a_planned_price_begins_on_every_till_though_the_internet_is_gone(chain: Chain) -> None:
    begins = datetime.now(UTC) + timedelta(seconds=20)
    planned = {"sku": "GIN", "price_minor": 1_799, "from": begins.isoformat(timespec="seconds")}
    assert chain.office.call("POST", "/prices", planned)[0] == 200

    def plan() -> dict[str, int]:
        (found,) = chain.office.call("GET", "/prices")[1]["prices"]
        return dict(found)

    until("every till knows it", lambda: plan()["stores_with"] == plan()["stores"] == 2)
    with offline(chain.tills):
        until("it holds", lambda: datetime.now(UTC) > begins and all(t.now("GIN") == 1_799 for t in chain.tills))
        assert [till.sell(f"planned-{n}", "GIN") for n, till in enumerate(chain.tills)] == [1_799] * 4


def test_a_promotion_of_head_office_holds_in_the_chosen_store_until_it_is_ended(chain: Chain) -> None:
    corner, _ = chain.ids
    half = {"promotion_id": "half-tea", "name": "Half tea", "kind": "percent", "percent": "50", "skus": ["TEA"]}
    assert chain.office.call("PUT", "/groups/corners", {"stores": [corner]})[0] == 200
    assert chain.office.call("POST", "/promotions", half | {"groups_of_stores": ["corners"]})[0] == 200
    numbers = count()

    def charged(till: Till) -> int:
        return till.sell(f"half-{till.program.port}-{next(numbers)}", "TEA")

    usual = charged(chain.market[0])
    until("both tills of the corner shop give it", lambda: all(charged(t) < usual * 0.6 for t in chain.corner))
    assert charged(chain.market[1]) == usual
    assert chain.office.call("POST", "/promotions/half-tea/end")[0] == 200
    until("it is over", lambda: all(charged(till) > usual * 0.6 for till in chain.corner))


def test_what_both_stores_sell_is_at_head_office_each_under_its_own_name(chain: Chain) -> None:
    def shown() -> dict[str, int]:
        return {one["store"]: one["revenue_minor"] for one in chain.office.call("GET", "/stores")[1]["stores"]}

    until("nothing is under way", lambda: all(t.get("/sync")[word] == 0 for t in chain.tills for word in WAITING))
    before = shown()
    taken = [sum(till.sell(f"own-{till.program.port}-{n}", "GIN") for till in tills for n in range(3))
             for tills in (chain.corner, chain.market)]  # fmt: skip
    after = {store: before[store] + sum_minor for store, sum_minor in zip(chain.ids, taken, strict=True)}
    until("all of it is there", lambda: shown() == after)


def test_goods_go_from_one_store_to_the_other_though_it_was_offline_and_both_see_what_came(chain: Chain) -> None:
    _, market = chain.ids
    sender, other, receiver = chain.corner[0], chain.corner[1], chain.market[1]

    def stands(till: Till, transfer_id: str) -> str:
        found = [one["state"] for one in till.get("/transfers")["transfers"] if one["transfer_id"] == transfer_id]
        return str(found[0]) if found else ""

    assert receiver.get("/transfers")["store"] == market
    with offline(chain.market):
        body = {"key": "van", "to_store": market, "lines": [{"sku": "SOAP", "quantity": "3"}]}
        sent = sender.program.call("POST", "/transfers", body, sender.token)
        assert sent.status == 201, sent
        transfer_id = sent.body["transfer_id"]
        until("the other till of the store knows", lambda: stands(other, transfer_id) == "transit")
    until("the goods are announced", lambda: stands(receiver, transfer_id) == "transit")
    came = {"key": "came", "lines": [{"sku": "SOAP", "quantity": "2"}]}
    path = f"/transfers/{transfer_id}"
    assert receiver.program.call("POST", f"{path}/receipts", came, receiver.token).status == 201
    assert receiver.program.call("POST", f"{path}/close", {"reason": "one broke"}, receiver.token).status == 200
    until("the store that sent knows", lambda: [stands(till, transfer_id) for till in chain.corner] == ["closed"] * 2)
    (line,) = next(one for one in other.get("/transfers")["transfers"] if one["transfer_id"] == transfer_id)["lines"]
    assert (line["received"], line["missing"]) == ("2", "1")
