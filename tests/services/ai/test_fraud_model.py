"""The fraud score that ships with the program, in its real worker: what it says, and what it does with nonsense."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.edge.acts import Act
from tillmesh.edge.features import COUNT, DAY_MS, MINUTE_MS, NAMES, Memory, packed
from tillmesh.edge.risk import HIGH, LOW, Rule, score_of, usable
from tillmesh.terminal.ai import SHIPPED, Ai, NoAnswer
from tillmesh.terminal.fraud import Answer, NotScored, asking

pytestmark = [pytest.mark.service, pytest.mark.slow]
T = TypeVar("T")
LONG_MS = 10_000  # however slow the machine: what is asked with it is answered
NOON = 1_795_348_800_000


def on_till(folder: Path, work: Callable[[Ai], Awaitable[T]], shipped: Path = SHIPPED) -> T:
    async def run() -> T:
        ai = Ai(folder, shipped)
        ai.stock_up()
        try:
            if "fraud" in ai.shelf.names():
                await ai.runner.load("fraud")
            return await work(ai)
        finally:
            await ai.stop()

    return asyncio.run(run())


def rule() -> Rule:
    return msgspec.json.decode(read_folder(SHIPPED / "fraud").files["fraud.json"], type=Rule)


def shop_of_weeks() -> Memory:
    """A shop in which cara and otto sell twenty times a day and void nothing."""
    memory = Memory()
    for day in range(30, 0, -1):
        for number in range(40):
            at_ms = NOON - day * DAY_MS + (number - 24) * 15 * MINUTE_MS
            cashier = "cara" if number % 2 else "otto"
            memory.learn(
                Act(kind="sale", cashier=cashier, at_ms=at_ms, hour=at_ms // 3_600_000 % 24, total_minor=2_000,
                    list_minor=2_000, lines=4)
            )  # fmt: skip
    return memory


def stolen() -> tuple[float, ...]:
    """The features of the fourth cash sale that cara voids a quarter of an hour after it was paid."""
    memory, found = shop_of_weeks(), (0.0,) * COUNT
    for number in range(4):
        void = Act(
            kind="void", cashier="cara", at_ms=NOON + number * 20 * MINUTE_MS, hour=12, total_minor=2_000,
            cash_minor=2_000, lines=4, since_sale_ms=15 * MINUTE_MS, own_sale=True,
        )  # fmt: skip
        found = memory.features(void)
        memory.learn(void)
    return found


def usual() -> tuple[float, ...]:
    return shop_of_weeks().features(
        Act(kind="sale", cashier="cara", at_ms=NOON, hour=12, total_minor=2_100, list_minor=2_100, lines=4)
    )


def test_it_tells_a_thief_from_a_sale_and_says_why(tmp_path: Path) -> None:
    async def work(ai: Ai) -> tuple[Answer, Answer, int]:
        return await asking(ai)(stolen()), await asking(ai)(usual()), ai.shelf.standing("fraud").version

    thief, sale, version = on_till(tmp_path, work)
    assert (thief.verdict.level, sale.verdict.level) == (HIGH, LOW)
    assert thief.verdict.score > 0.5 > 0.05 > sale.verdict.score
    assert {one.code for one in thief.verdict.reasons} & {"void_excess", "kind_excess", "minutes_since", "cash_share"}
    assert thief.model == f"fraud {version}"


def test_the_worker_computes_what_the_trees_say_in_plain_arithmetic(tmp_path: Path) -> None:
    rows = [stolen(), usual(), tuple([0.0] * COUNT), tuple([1.0] * COUNT), tuple([-3.0] * COUNT)]

    async def work(ai: Ai) -> list[float]:
        return [(await ai.ask("fraud", packed(row), LONG_MS)).output["score"] for row in rows]

    trees = rule()
    assert trees.names == NAMES
    assert on_till(tmp_path, work) == pytest.approx([score_of(trees, row) for row in rows], abs=1e-4)


@pytest.mark.parametrize(
    "given",
    [b"", b"\\0" * 79, b"\\0" * 81, packed([float("nan")] * COUNT), packed([float("inf")] + [0.0] * (COUNT - 1))],
)
def test_what_is_no_act_gets_no_score_and_the_next_one_is_scored(tmp_path: Path, given: bytes) -> None:
    async def work(ai: Ai) -> tuple[str, float]:
        with pytest.raises(NoAnswer) as none:
            await ai.ask("fraud", given, LONG_MS)
        return none.value.reason, (await ai.ask("fraud", packed(usual()), LONG_MS)).output["score"]

    reason, score = on_till(tmp_path, work)
    assert reason == "input"
    assert 0 <= score < 0.1
    assert usable(usual())


def test_without_the_model_nothing_is_scored_and_it_is_counted(tmp_path: Path) -> None:
    async def work(ai: Ai) -> tuple[str, dict[str, int]]:
        with pytest.raises(NotScored) as none:
            await asking(ai)(usual())
        return none.value.reason, dict(ai.tally("fraud").fallbacks)

    assert on_till(tmp_path, work, shipped=tmp_path / "nothing ships") == ("none", {"none": 1})
