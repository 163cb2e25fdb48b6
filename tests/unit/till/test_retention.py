"""What may be put away: what everybody holds, and never by age alone."""

from tillmesh.till.retention import DAY_MS, archived_before_ms, settled

HEADS = {"anna.1": 100, "ben.1": 50, "carl.1": 7}


def test_a_till_alone_without_head_office_may_put_away_all_that_is_old() -> None:
    assert settled(HEADS, held_by_tills=None, held_by_office=None) == HEADS


def test_what_one_till_of_the_store_lacks_stays_at_hand() -> None:
    assert settled(HEADS, held_by_tills={"anna.1": 80, "ben.1": 50}, held_by_office=None) == {"anna.1": 80, "ben.1": 50}


def test_what_head_office_lacks_stays_at_hand_however_old_it_is() -> None:
    held = settled(HEADS, held_by_tills={"anna.1": 80, "ben.1": 50}, held_by_office={"anna.1": 90, "ben.1": 12})
    assert held == {"anna.1": 80, "ben.1": 12}


def test_a_store_that_never_agreed_on_anything_puts_nothing_away() -> None:
    assert settled(HEADS, held_by_tills={}, held_by_office=None) == {}


def test_sales_are_put_away_after_a_month_or_as_few_days_as_the_room_on_the_disk_asks_for() -> None:
    assert archived_before_ms(100 * DAY_MS) == 70 * DAY_MS
    assert archived_before_ms(100 * DAY_MS, days=7) == 93 * DAY_MS
