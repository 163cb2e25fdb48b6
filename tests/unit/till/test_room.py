"""What a till leaves undone for the sake of its sales while room on the disk is little."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import DATA_BYTES_BUDGET, ROOM_SCARCE_BYTES, ROOM_TIGHT_BYTES
from tillmesh.till.room import DiskNearlyFull, Room, Stage, archive_after_days, check_room, stage_of, words

GIB = 1 << 30
LARGE = Room(free=20 * GIB, disk=32 * GIB)
ROOMS = st.builds(
    lambda disk, share, data: Room(free=disk * share // 1000, disk=disk, data=data),
    st.integers(1, 1 << 42), st.integers(0, 1000), st.integers(0, 3 * DATA_BYTES_BUDGET),
)  # fmt: skip
STAGES = st.sampled_from([Stage.PLENTY, Stage.SCARCE, Stage.TIGHT, Stage.RESERVE])


@pytest.mark.parametrize(
    ("free", "stage"),
    [
        (ROOM_SCARCE_BYTES, Stage.PLENTY),
        (ROOM_SCARCE_BYTES - 1, Stage.SCARCE),
        (ROOM_TIGHT_BYTES, Stage.SCARCE),
        (ROOM_TIGHT_BYTES - 1, Stage.TIGHT),
        (0, Stage.TIGHT),
    ],
)
def test_a_till_on_a_large_disk_looks_after_room_in_time(free: int, stage: Stage) -> None:
    assert stage_of(replace(LARGE, free=free)) is stage


def test_a_small_disk_is_no_reason_to_worry_while_a_fifth_of_it_is_free() -> None:
    assert stage_of(Room(free=1 * GIB, disk=4 * GIB)) is Stage.PLENTY
    assert stage_of(Room(free=GIB // 2, disk=4 * GIB)) is Stage.SCARCE
    assert stage_of(Room(free=GIB // 8, disk=4 * GIB)) is Stage.TIGHT


def test_data_that_nears_its_budget_is_compressed_early_and_stops_nothing() -> None:
    full = replace(LARGE, data=2 * DATA_BYTES_BUDGET)
    assert stage_of(full) is Stage.SCARCE
    assert archive_after_days(Stage.SCARCE) < archive_after_days(Stage.PLENTY)
    check_room(full, stage_of(full))
    assert "takes 3814 MiB" in words(full, Stage.SCARCE)


def test_what_is_no_sale_waits_while_room_is_tight_and_is_told_why() -> None:
    tight = replace(LARGE, free=100 << 20)
    with pytest.raises(DiskNearlyFull, match="only 100 MiB are free") as refused:
        check_room(tight, stage_of(tight))
    assert "Selling goes on" in refused.value.hint


@given(ROOMS, STAGES, st.integers(0, 1 << 42))
def test_less_room_never_counts_as_more(room: Room, before: Stage, less: int) -> None:
    assert stage_of(replace(room, free=max(0, room.free - less)), before) >= stage_of(room, before)
    assert stage_of(replace(room, data=room.data + less), before) >= stage_of(room, before)


@given(ROOMS, STAGES)
def test_who_was_in_need_is_not_out_of_it_sooner_than_who_was_not(room: Room, before: Stage) -> None:
    assert stage_of(room, before) >= stage_of(room)


@given(ROOMS, STAGES, st.integers(-4, 4))
def test_a_disk_that_wobbles_by_a_few_percent_does_not_go_to_and_fro(room: Room, before: Stage, percent: int) -> None:
    here = stage_of(room, before)
    wobbled = replace(room, free=room.free + room.free * percent // 100)
    there = stage_of(wobbled, here)
    assert stage_of(room, there) == max(here, there)


@given(ROOMS, STAGES)
def test_a_used_up_reserve_is_the_last_stage_and_is_left_when_it_is_held_again(room: Room, before: Stage) -> None:
    assert stage_of(replace(room, reserve_held=False), before) is Stage.RESERVE
    assert stage_of(room, Stage.RESERVE) < Stage.RESERVE


@given(ROOMS)
def test_each_stage_does_what_the_one_before_it_does_and_says_something_else(room: Room) -> None:
    days = [archive_after_days(stage) for stage in Stage]
    assert days == sorted(days, reverse=True)
    assert len({words(room, stage) for stage in Stage}) == len(Stage)
