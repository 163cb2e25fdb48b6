"""A version that passed its trial and fails at work: when it is given up, for what, and when it comes again."""

import pytest

from tests.unit.edge.test_orders import LATER, SOON, TILL, back, manifest, order, running
from tillmesh.edge.bundle import Refused
from tillmesh.edge.failing import Failing
from tillmesh.edge.orders import Due, due, gone_back
from tillmesh.edge.slots import Standing, check_install, fallen_back, lifted, switched, with_spare
from tillmesh.kernel.limits import MODEL_FAILURES_MAX


def did(*reasons: str, version: int = 2) -> Failing:
    failing = Failing()
    for reason in reasons:
        failing = failing.after(version, reason)
    return failing


def given_up(*versions: int, serial: int = 7) -> Standing:
    return fallen_back(running(*versions), "crash", serial)


def test_a_version_that_only_fails_is_given_up_after_some_times_and_not_before() -> None:
    assert not did(*["crash"] * (MODEL_FAILURES_MAX - 1)).is_hopeless
    assert did(*["crash"] * MODEL_FAILURES_MAX).is_hopeless


def test_a_version_that_answers_more_often_than_it_fails_is_kept() -> None:
    assert not did(*["not_finite", "", ""] * 50).is_hopeless
    assert did(*["crash", "crash", ""] * MODEL_FAILURES_MAX).is_hopeless


def test_a_version_that_rots_on_the_disk_need_not_be_tried_again() -> None:
    failing = did("hash")
    assert failing.is_hopeless
    assert failing.reason == "hash"


def test_what_the_version_before_did_is_not_held_against_the_new_one() -> None:
    failing = did(*["crash"] * (MODEL_FAILURES_MAX - 1)).after(3, "crash")
    assert (failing.version, failing.count) == (3, 1)


def test_the_version_before_runs_again_and_only_that_one() -> None:
    standing = running(1, 2, 3)
    assert (standing.version, standing.version_before) == (3, 2)
    now = fallen_back(standing, "crash", 7)
    assert (now.version, now.version_before, now.floor) == (2, 0, 2)
    assert (now.failed, now.failed_reason, now.failed_serial) == (3, "crash", 7)
    assert fallen_back(now, "crash", 8) == now  # one step; then people go on by hand
    with pytest.raises(Refused) as caught:
        check_install(now, manifest(1), SOON)
    assert caught.value.reason == "older"


def test_the_first_version_of_all_has_nothing_to_go_back_to() -> None:
    assert given_up(1) == running(1)


def test_a_new_version_that_fails_its_trial_does_not_cost_the_one_to_go_back_to() -> None:
    tried = with_spare(running(1, 2), 3)
    assert (tried.version, tried.version_before) == (2, 1)
    assert (fallen_back(tried, "crash", 0).version, with_spare(tried, 4).version_before) == (1, 1)


def test_a_version_that_was_given_up_does_not_come_again_by_itself() -> None:
    now = given_up(1, 2)
    with pytest.raises(Refused) as caught:
        check_install(now, manifest(2), SOON)
    assert caught.value.reason == "failed"
    assert due(order(2, 7), now, TILL, SOON) is Due.FAILED
    assert due(order(2, 7, expires_ms=9 * LATER), now, TILL, SOON) is Due.FAILED  # signed anew is the same order


def test_a_newer_order_brings_it_again() -> None:
    now = given_up(1, 2)
    assert due(order(2, 8), now, TILL, SOON) is Due.FETCH
    again = lifted(now, 2)
    check_install(again, manifest(2), SOON)
    assert switched(with_spare(again, 2)).failed == 0
    assert due(back(2, 8), now, TILL, SOON) is Due.GO_BACK
    assert gone_back(now, back(2, 8)).failed == 0


def test_an_order_for_another_version_does_not_forgive_it() -> None:
    now = lifted(given_up(1, 2), 3)
    assert now.failed == 2
    assert due(order(3, 8), now, TILL, SOON) is Due.FETCH
    assert switched(with_spare(now, 3)).failed == 0  # a later one runs: nobody asks for it any more


def test_a_rollback_leaves_nothing_newer_to_fall_forward_to() -> None:
    now = gone_back(running(1, 2), back(1, 5))
    assert (now.version, now.version_before) == (1, 0)
