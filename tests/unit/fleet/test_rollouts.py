"""How a version of a model comes to the stores: some first, then all, or back; and what each store is told."""

from collections.abc import Sequence

import pytest

from tillmesh.fleet.models import (
    Published,
    Rollout,
    activated,
    halted,
    orders_for,
    renewed,
    rolled_back,
    stage,
    wanted_versions,
)
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import CANARY_STORES_MAX, MODEL_ORDER_MS
from tillmesh.sync.model_orders import Kind

NOW = 1_800_000_000_000
HELD = [
    Published(
        name="voice", version=number, sha256=f"{number:064x}", size=number, manifest=b"", at_ms=NOW, by="ann"
    )
    for number in (4, 3, 2, 1)
]  # fmt: skip
EVERYWHERE = activated(Rollout(), HELD, 1, (), 100, NOW)
TRIED = activated(EVERYWHERE, HELD, 2, ["one", "two"], 30, NOW)


def told(rollout: Rollout, store: str = "one") -> list[tuple[int, str, int, int]]:
    return [(o.version, o.kind.value, o.share, o.serial) for o in orders_for(store, "voice", rollout, HELD)]


def test_a_version_is_tried_in_some_stores_while_all_others_run_the_old_one() -> None:
    assert told(TRIED, "one") == [(1, "run", 100, 1), (2, "run", 30, 2)]
    assert told(TRIED, "three") == [(1, "run", 100, 1)]
    assert stage(TRIED) == "canary"
    assert wanted_versions(orders_for("one", "voice", TRIED, HELD)) == {"voice": "2"}


def test_widening_ends_in_one_order_for_all_with_a_higher_serial() -> None:
    wider = activated(TRIED, HELD, 2, (), 60, NOW + 5)
    assert (stage(wider), told(wider, "three")) == ("share", [(1, "run", 100, 1), (2, "run", 60, 3)])
    assert wider.began_ms == NOW
    everywhere = activated(wider, HELD, 2, (), 100, NOW)
    assert (stage(everywhere), told(everywhere)) == ("all", [(2, "run", 100, 4)])


def test_going_back_is_one_order_of_its_own_kind_for_all_stores() -> None:
    back = rolled_back(activated(TRIED, HELD, 2, (), 100, NOW), HELD, 1, NOW)
    assert (stage(back), told(back, "three")) == ("rollback", [(1, "rollback", 100, 4)])
    assert told(activated(back, HELD, 3, ["one"], 100, NOW)) == [(1, "rollback", 100, 4), (3, "run", 100, 5)]


def test_a_halt_is_an_order_that_ends_what_is_tried_and_a_person_may_go_on() -> None:
    stopped = halted(TRIED, "corrections", NOW + 1)
    assert (stage(stopped), told(stopped)) == ("halted", [(1, "run", 100, 3)])
    assert told(activated(stopped, HELD, 2, ["one"], 50, NOW)) == [(1, "run", 100, 3), (2, "run", 50, 4)]
    for nothing in (EVERYWHERE, stopped):
        with pytest.raises(Conflict):
            halted(nothing, "twice", NOW)


@pytest.mark.parametrize(
    ("rollout", "version"),
    [(TRIED, 1), (activated(EVERYWHERE, HELD, 3, ["one"], 100, NOW), 2), (activated(TRIED, HELD, 2, (), 100, NOW), 1)],
    ids=["what runs already", "older than what is tried", "older than what runs"],
)
def test_a_version_never_goes_back_but_by_a_rollback(rollout: Rollout, version: int) -> None:
    with pytest.raises(Conflict):
        activated(rollout, HELD, version, (), 100, NOW)


@pytest.mark.parametrize(
    ("version", "stores", "share", "error"),
    [
        (9, (), 100, NotFound),
        (2, (), 0, Invalid),
        (2, (), 101, Invalid),
        (2, [str(n) for n in range(CANARY_STORES_MAX + 1)], 100, Invalid),
    ],
    ids=["unknown version", "no till", "more than all tills", "too many stores"],
)
def test_what_makes_no_sense_is_refused(version: int, stores: Sequence[str], share: int, error: type) -> None:
    with pytest.raises(error):
        activated(EVERYWHERE, HELD, version, stores, share, NOW)
    with pytest.raises(NotFound):
        rolled_back(EVERYWHERE, HELD, 9, NOW)


def test_orders_are_written_anew_at_half_of_their_time_and_mean_the_same() -> None:
    half = MODEL_ORDER_MS // 2
    assert renewed(TRIED, NOW + half) is None
    again = renewed(TRIED, NOW + half + 1)
    assert again is not None
    assert told(again) == told(TRIED)
    assert {o.expires_ms for o in orders_for("one", "voice", again, HELD)} == {NOW + half + 1 + MODEL_ORDER_MS}
    assert renewed(Rollout(), NOW + MODEL_ORDER_MS) is None
    assert rolled_back(TRIED, HELD, 1, NOW).kind is Kind.ROLLBACK
