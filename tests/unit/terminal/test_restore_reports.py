"""When a till that gets its data back may sell again, and what a manager is told then."""

from tillmesh.adapters.sqlite.restoration import Missing, Restoring
from tillmesh.kernel.limits import NOTE_CHARS_MAX
from tillmesh.terminal.restoring import LINGER_S, STALLED_S, Progress, describe

OLD = Restoring("the database is damaged", "8c0d1tfn.k7qxw2ma", seq=843, receipts=125, folder="quarantine/2026-11-25")


def test_it_says_where_the_old_database_is_and_who_gave_the_data_back() -> None:
    told = describe(OLD, None, ["3fk2m9qa", "vq1n7c0d"], [])
    assert told == (
        "the database is damaged (kept in quarantine/2026-11-25); everything came back from 3fk2m9qa, vq1n7c0d"
    )


def test_what_nobody_holds_is_named_by_receipt_and_event() -> None:
    gone = Missing("8c0d1tfn.k7qxw2ma", 841, 843, 123, 125)
    told = describe(OLD, gone, ["3fk2m9qa"], [])
    assert "receipts K7QX-000123 to K7QX-000125 (events 841 to 843 of 8c0d1tfn.k7qxw2ma)" in told
    assert "held by none of 3fk2m9qa" in told


def test_events_that_were_no_receipts_are_named_alone() -> None:
    told = describe(OLD, Missing("8c0d1tfn.k7qxw2ma", 841, 843), ["3fk2m9qa"], [])
    assert "; events 841 to 843 of" in told
    assert "receipts" not in told


def test_a_till_that_is_alone_is_told_that_nobody_else_can_help() -> None:
    told = describe(OLD, Missing("8c0d1tfn.k7qxw2ma", 841, 843), [], [])
    assert told.endswith("were committed here and can't be read any more")


def test_receipts_of_another_history_are_named() -> None:
    told = describe(OLD, None, ["3fk2m9qa"], ["K7QX-000004", "K7QX-000005"])
    assert "receipts K7QX-000004 to K7QX-000005 were sold before this was noticed" in told
    assert "everything came back" not in told


def test_a_report_fits_the_audit_log() -> None:
    told = describe(OLD, None, [f"till{number:04}" for number in range(100)], [])
    assert len(told) == NOTE_CHARS_MAX


def test_a_till_sells_at_once_when_it_holds_what_all_others_hold() -> None:
    progress = Progress(2)
    assert not progress.is_enough({}, 0)
    assert not progress.is_enough({"a": None, "b": 0}, 1), "one has not said what it holds"
    assert not progress.is_enough({"a": 10, "b": 3}, 2)
    assert progress.is_enough({"a": 0, "b": 0}, 3)


def test_tills_that_are_off_are_waited_for_a_moment_however_busy_the_others_are() -> None:
    progress = Progress(3)
    assert not progress.is_enough({"a": 0}, 10)
    assert not progress.is_enough({"a": 2}, 11), "it sold something meanwhile"
    assert not progress.is_enough({"a": 0}, 10 + LINGER_S - 1)
    assert not progress.is_enough({"a": 1}, 10 + LINGER_S)
    assert progress.is_enough({"a": 0}, 10 + LINGER_S + 1)


def test_what_nobody_can_pass_on_does_not_keep_a_till_from_selling() -> None:
    progress = Progress(1)
    for second in range(200):
        assert not progress.is_enough({"a": 5_000 - second}, second), "as long as something comes, it waits"
    assert not progress.is_enough({"a": 4_900}, 199 + STALLED_S - 1), "others sell, too"
    assert progress.is_enough({"a": 4_802}, 199 + STALLED_S)
