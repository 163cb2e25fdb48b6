"""What needs a person some day is named in words, in time, and in every language."""

import pytest

from tillmesh.adapters.web.speaking import say
from tillmesh.till.upkeep import (
    BACKUP_AGE_S_MAX,
    CERTIFICATE_S_MIN,
    CLOCK_SKEW_S_MAX,
    DAY_S,
    LINK_CERTIFICATE_S_MIN,
    SILENT_S_MAX,
    Backups,
    Upkeep,
    behind_floor_ms,
    skew_ms,
    wanting,
)

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("others", "skew"),
    [
        ([], 0),  # a till alone
        ([0, 0], 0),
        ([HOUR_MS, 0], 0),  # another one is wrong
        ([-HOUR_MS, -HOUR_MS], HOUR_MS),  # this one is
        ([HOUR_MS], -HOUR_MS),  # of two nobody can tell: each is told how far it is from the other
        ([0, -HOUR_MS, -HOUR_MS], HOUR_MS),  # two against two, in the same way
        ([20, -30, HOUR_MS, 10], -10),  # what little tills differ is told as it is
    ],
)
def test_a_till_compares_its_clock_with_the_middle_one_of_the_store(others: list[int], skew: int) -> None:
    assert skew_ms(others) == skew


def test_a_clock_before_what_has_certainly_passed_is_behind() -> None:
    assert behind_floor_ms(1_000, 5_000) == -4_000
    assert behind_floor_ms(9_000, 5_000) == 0


def test_nothing_is_named_while_all_is_well_or_just_at_its_limit() -> None:
    assert wanting(Upkeep()) == []
    at_limit = Upkeep(
        skew_s=-CLOCK_SKEW_S_MAX,
        left_s={"till": LINK_CERTIFICATE_S_MIN, "office": CERTIFICATE_S_MIN, "stores": CERTIFICATE_S_MIN},
        silent_s={"Till 3 (k3m7qx2p)": SILENT_S_MAX},
        backups=Backups(BACKUP_AGE_S_MAX, made=True),
    )
    assert wanting(at_limit) == []


WANTING = [
    *(Upkeep(skew_s=sign * seconds) for sign in (1, -1) for seconds in (3_601.0, 40.0 * 365 * DAY_S)),
    *(
        Upkeep(left_s={which: left_s})
        for which in ("till", "office", "stores", "gateway", "authority")
        for left_s in (4.5 * DAY_S, -1.0)
    ),
    Upkeep(silent_s={"Till 3 (k3m7qx2p)": 15.0 * DAY_S}),
    Upkeep(backups=Backups(4.0 * DAY_S)),
    Upkeep(backups=Backups(4.0 * DAY_S, made=True)),
    Upkeep(backups=Backups(1.0, made=True, why="there is no room")),
]


@pytest.mark.parametrize("upkeep", WANTING)
def test_what_is_over_its_limit_is_said_once_with_the_next_step_in_every_language(upkeep: Upkeep) -> None:
    [one] = wanting(upkeep)
    assert one.check in {"clock", "certificate", "backup", "silent"}
    assert len({say(one.text, language) for language in ("en", "de", "fr")}) == 3
    assert one.text.count(".") + one.text.count(":") >= 1
