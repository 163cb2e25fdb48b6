"""Complaint 6: leaving a store or emptying a till that holds sales nobody else has says how many, and refuses."""

from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import shop_at, trade
from tillmesh.adapters.sqlite import replica
from tillmesh.cli import main
from tillmesh.terminal import store_commands
from tillmesh.terminal.resetting import SalesWouldBeLost, alone_here, reset
from tillmesh.till.exchange import HUB


def acknowledge(place: Path, peer: str, *, seq: int | None = None) -> None:
    """Note that somebody holds what this till did, or the first events of it."""
    with shop_at(place) as shop:
        head = shop.till.head
        replica.acknowledge(shop.writer, [(peer, {head.actor: head.seq if seq is None else seq})])


def test_a_reset_that_would_lose_sales_says_how_many_and_refuses(tmp_path: Path) -> None:
    place = tmp_path / "till"
    trade(place, sales=3)
    for said in (None, 0, 2, 4):
        with pytest.raises(SalesWouldBeLost, match="3 sales are on this till alone"):
            reset(place, said)
    assert alone_here(place) == 3
    assert reset(place, 3)["sales_lost"] == 3
    assert not place.exists()


@pytest.mark.parametrize("peer", ["k3m7qx2p", HUB])
def test_sales_that_another_till_or_head_office_has_are_not_lost(tmp_path: Path, peer: str) -> None:
    place = tmp_path / "till"
    trade(place, sales=2)
    acknowledge(place, peer)
    assert alone_here(place) == 0
    with shop_at(place) as shop:
        shop.sell(cart_id="after")  # of which nobody has heard yet
    with pytest.raises(SalesWouldBeLost, match="1 sales"):
        reset(place)
    acknowledge(place, peer)
    assert reset(place)["sales_lost"] == 0


def test_a_till_leaves_its_store_only_with_its_sales_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "till"
    trade(place, sales=2)
    store_commands.create(place)
    with pytest.raises(SystemExit):
        main(["store", "leave", "--data-dir", str(place)])
    assert "2 sales are on this till alone" in capsys.readouterr().err


def test_a_till_that_runs_is_not_emptied_under_its_feet(tmp_path: Path) -> None:
    place = tmp_path / "till"
    trade(place)
    with shop_at(place), pytest.raises(Exception, match="open"):
        reset(place, 2)
