"""Complaint 5: a receipt was printed, and there was no record of the sale.

A till that sells and prints is killed with ``kill -9`` at a thousand points. Every number on paper is a sale on disk,
for the amount the cashier was told. ``make test`` kills 40 times; the thousand is ``TILLMESH_KILLS=1000``.
"""

from __future__ import annotations

import os
import random
import re
from contextlib import closing
from pathlib import Path

import pytest

from tests.complaints.printing_till import PAPER, PrintingTill
from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, found_shop
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.database import connect, rows
from tillmesh.adapters.sqlite.store import FILE

KILLS = int(os.environ.get("TILLMESH_KILLS", "40"))
PER_SHOP = 50  # a fresh till for so many kills, so that looking at all of its sales stays cheap
LIFE_S = 0.25  # of a till, at most: some sales and fewer papers
LIFE_S_MAX = 10.0  # of one on a machine so busy that no paper came out before
NUMBER = re.compile(rb"\b[0-9A-Z]{4}-[0-9]{6}\b")

pytestmark = [pytest.mark.slow, pytest.mark.service]


def printed(shop: Path) -> set[str]:
    """Every receipt number that a customer may hold in their hand, from papers that are cut off too."""
    return {number.decode() for number in NUMBER.findall((shop / PAPER).read_bytes())}


def recorded(shop: Path) -> set[str]:
    with closing(connect(shop / FILE, database_key(shop), read_only=True)) as db:
        return {number for (number,) in rows(db, "SELECT number FROM receipt")}


@pytest.mark.timeout(120 + KILLS)
def test_till_killed_at_any_moment_has_every_sale_that_came_out_on_paper(tmp_path: Path) -> None:
    draw = random.Random(5)
    papers = unprinted = 0
    life_s = LIFE_S
    with PrintingTill(tmp_path) as program:
        for first in range(0, KILLS, PER_SHOP):
            shop, history = tmp_path / f"till-{first}", History()
            found_shop(shop, printer=PAPER)
            (shop / PAPER).touch()
            for kill in range(first, min(first + PER_SHOP, KILLS)):
                before = len(printed(shop))
                program.sell_until_killed(shop, f"kill-{kill}", history, after_s=draw.uniform(0, life_s))
                on_paper, on_disk = printed(shop), recorded(shop)
                life_s = LIFE_S if len(on_paper) > before else min(1.5 * life_s, LIFE_S_MAX)
                assert on_paper <= on_disk, f"printed and not recorded after kill {kill}: {on_paper - on_disk}"
                unprinted += bool(on_disk - on_paper)
            papers += len(printed(shop))
            assert_all_holds(shop, history)
    assert papers >= KILLS / 5, f"the till was to print, and did so {papers} times"
    assert unprinted, "kills were to come between commit and paper too"


def test_a_till_that_prints_before_it_commits_is_found_out(tmp_path: Path) -> None:
    """The check can fail: a planted mistake is caught."""
    shop = tmp_path / "till"
    found_shop(shop, printer=PAPER)
    with PrintingTill(tmp_path) as program:
        program.sell_until_killed(shop, "early", History(), after_s=0, prints_first=True)
    assert printed(shop) - recorded(shop)
