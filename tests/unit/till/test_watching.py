"""What monitoring knows of a store, and when it says so."""

import pytest

from tillmesh.adapters.web.speaking import say
from tillmesh.till.watching import Leadership, Reading, concerns

HOUR_MS = 3_600_000


def test_a_failover_lasts_from_the_moment_nobody_led_until_the_next_one_leads() -> None:
    story = Leadership(0)
    story.led("anna.1", 1, 400)
    assert (story.elections, story.failovers, story.leaderless_ms(900)) == (0, [], 0)
    story.led(None, 1, 1_000)
    assert story.leaderless_ms(1_100) == 100
    story.led("ben.1", 2, 1_250)
    assert (story.elections, story.last_failover_ms, story.leaderless_ms(9_000)) == (1, 250, 0)


def test_a_leader_that_comes_back_after_a_silence_was_no_election() -> None:
    story = Leadership(0)
    story.led("anna.1", 1, 0)
    story.led(None, 1, 10)
    story.led("anna.1", 3, 40)
    assert (story.elections, story.failovers) == (0, [30])


def test_only_elections_of_the_last_hour_count_for_the_alert() -> None:
    story = Leadership(0)
    for n in range(5):
        story.led(f"till-{n}.1", n + 1, n * HOUR_MS // 2)
    assert story.elections == 4
    assert story.elections_of_hour(2 * HOUR_MS) == 2


def test_two_leaders_of_one_term_are_a_split_brain_and_one_who_is_named_twice_is_not() -> None:
    story = Leadership(0)
    story.led("anna.1", 4, 0)
    story.led("anna.1", 4, 5)
    assert story.split_brains == 0
    story.led("ben.1", 4, 9)
    assert story.split_brains == 1


@pytest.mark.parametrize(
    ("check", "over", "on_it"),
    [
        ("elections", Reading(elections_of_hour=4), Reading(elections_of_hour=3)),
        ("failover", Reading(leaderless_s=10.5), Reading(leaderless_s=10)),
        ("split_brain", Reading(split_brains=1), Reading()),
        ("lag", Reading(leader_lag_s=61), Reading(leader_lag_s=60)),
        ("queue", Reading(queue_hub=10_001), Reading(queue_hub=10_000)),
        ("queue", Reading(queue_leader=10_001), Reading(queue_leader=10_001, in_store=False)),
        ("conflicts", Reading(conflicts_of_day=3, sales_of_day=200), Reading(conflicts_of_day=2, sales_of_day=200)),
        ("conflicts", Reading(conflicts_of_day=3, sales_of_day=200), Reading(conflicts_of_day=9, sales_of_day=99)),
    ],
)
def test_a_manager_is_told_what_is_over_its_limit_in_every_language(check: str, over: Reading, on_it: Reading) -> None:
    found = concerns(over)
    assert [one.check for one in found] == [check]
    for language in ("de", "fr"):
        assert say(found[0].text, language) != found[0].text
    assert concerns(on_it) == []
