"""One till of a store with others is put back from a back-up that is older than what the others know: real programs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds
from tests.faults.running import Program
from tests.faults.small_store import actor_of, agree, build_store, replicated, running, trade
from tillmesh.terminal import backup

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]


def lose_and_put_back(till: Program, whole: Path, key: Path) -> str:
    """Lose the disk of a till and put its back-up back; give what its next receipts begin with."""
    till.kill()
    shutil.rmtree(till.shop)
    return str(backup.restore(whole, till.shop, key_file=key)["receipts_begin_with"])


def test_a_till_put_back_from_a_back_up_beside_living_ones_keeps_what_only_it_had_and_hears_what_they_know(
    tmp_path: Path,
) -> None:
    tills, history = build_store(tmp_path, 2), History()
    first, second = tills
    for till in tills:
        till.arguments += ("--no-ai",)
    safe, to = tmp_path / "safe.key", tmp_path / "backups"
    shutil.copy(second.shop / "keys" / "database.key", safe)
    to.mkdir()
    with second:
        numbers = trade(second, history, "only the back-up has it")
        whole = Path(backup.make(second.shop, to)["backup"])
        actors = {actor_of(second)}
        begin = lose_and_put_back(second, whole, safe)
    with running(tills):
        agree(tills)
        actors.add(actor_of(second))
        anew = trade(second, history, "the other has it", 2)
        assert {number[:4] for number in anew} == {begin}
        replicated(second)
        agree(tills)
        begin = lose_and_put_back(second, whole, safe)  # the old one again, which knows of none of this
        second.start()
        agree(tills)
        actors.add(actor_of(second))
        assert trade(second, history, "the other has it", 2) == anew, "the same sales, not others"
        newest = trade(second, history, "after")
        assert {number[:4] for number in newest} == {begin}
        assert len({*numbers, *anew, *newest}) == len(numbers) + len(anew) + len(newest)
        assert len(actors) == 3, "each time as somebody else"
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    for till in tills:
        assert_all_holds(till.shop, history)
