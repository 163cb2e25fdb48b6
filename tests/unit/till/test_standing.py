"""What a till says that it is doing, and who hears whom as far as it can know."""

from __future__ import annotations

import pytest

from tillmesh.till.standing import Line, Stage, lines, stage_of


@pytest.mark.parametrize(
    ("role", "leader_known", "reached", "uploading", "stage"),
    [
        (None, False, 2, False, Stage.INITIALIZING),
        ("follower", False, 0, False, Stage.DISCOVERING),
        ("follower", False, 2, False, Stage.DISCOVERING),
        ("follower", True, 1, False, Stage.FOLLOWER),
        ("candidate", False, 1, False, Stage.CANDIDATE),
        ("pre_candidate", False, 1, False, Stage.CANDIDATE),
        ("candidate", False, 0, False, Stage.DISCOVERING),
        ("leader", True, 0, False, Stage.LEADER),
        ("leader", True, 2, True, Stage.SYNCING_TO_CLOUD),
        ("follower", True, 2, True, Stage.FOLLOWER),
    ],
)
def test_a_till_says_what_it_is_doing(
    role: str | None, leader_known: bool, reached: int, uploading: bool, stage: Stage
) -> None:
    assert stage_of(role=role, leader_known=leader_known, reached=reached, uploading=uploading) is stage


def test_a_connected_store_has_a_line_between_every_two_tills() -> None:
    told = {"t2": ["t1", "t3"], "t3": ["t1", "t2"]}
    assert lines("t1", {"t2", "t3"}, ["t2", "t3"], told) == [
        Line("t1", "t2", True), Line("t1", "t3", True), Line("t2", "t3", True),
    ]  # fmt: skip


def test_a_till_that_is_cut_off_is_cut_off_from_all_who_say_so() -> None:
    told = {"t2": ["t1"], "t3": ["t1", "t2"]}
    assert lines("t1", {"t2"}, ["t2", "t3"], told) == [
        Line("t1", "t2", True), Line("t1", "t3", False), Line("t2", "t3", False),
    ]  # fmt: skip


def test_nobody_can_say_how_two_tills_out_of_reach_are_to_each_other() -> None:
    told = {"t2": ["t1", "t3"], "t3": ["t1", "t2"]}
    assert lines("t1", set(), ["t2", "t3"], told)[2] == Line("t2", "t3", None)


def test_one_that_has_said_nothing_yet_says_nothing_about_others() -> None:
    assert lines("t1", {"t2", "t3"}, ["t2", "t3"], {})[2] == Line("t2", "t3", None)


def test_a_line_that_only_one_end_sees_is_not_up() -> None:
    told = {"t2": ["t1", "t3"], "t3": ["t1"]}
    assert lines("t1", {"t2", "t3"}, ["t2", "t3"], told)[2] == Line("t2", "t3", False)
