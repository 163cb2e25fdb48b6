"""A till that has heard nothing for weeks is known by what it lacks, and from some day on nobody waits for it."""

from tests.unit.till.test_exchange import exchange, hello, sales
from tillmesh.kernel.limits import TILL_SILENT_DAYS
from tillmesh.sync.messages import Mark
from tillmesh.till.retention import DAY_MS
from tillmesh.till.silence import SILENT_MS, counted, silent_ms

NOW_MS = 1_795_684_443_120


def ago(days: float) -> int:
    return NOW_MS - int(days * DAY_MS)


def test_a_till_that_lacks_nothing_is_not_silent_however_long_it_is_off() -> None:
    assert silent_ms(NOW_MS, [], [ago(400)]) == 0


def test_a_shop_that_was_shut_for_the_winter_has_no_silent_tills_on_its_first_morning() -> None:
    assert silent_ms(NOW_MS, [ago(0.001)], [ago(120)]) < DAY_MS


def test_a_till_has_been_silent_since_the_first_sale_that_it_never_heard_of() -> None:
    assert silent_ms(NOW_MS, [ago(20), ago(60), ago(3)], [ago(61)]) == 60 * DAY_MS


def test_a_till_that_wrote_something_was_there_whatever_a_dead_clock_stamped_meanwhile() -> None:
    assert silent_ms(NOW_MS, [0, ago(2)], [ago(300), ago(3)]) == 3 * DAY_MS


def test_stamps_of_a_clock_that_is_ahead_say_nothing() -> None:
    assert silent_ms(NOW_MS, [ago(-4_000), ago(50)], [ago(-4_000)]) == 50 * DAY_MS
    assert silent_ms(NOW_MS, [ago(-4_000)]) == 0


def test_nobody_waits_for_a_till_from_the_limit_on_and_for_all_others_as_ever() -> None:
    assert TILL_SILENT_DAYS * DAY_MS == SILENT_MS
    silences = {"anna": SILENT_MS - 1, "ben": SILENT_MS}
    assert counted({"anna", "ben", "carl"}, silences) == {"anna", "carl"}


def test_a_till_names_what_others_lack_that_are_out_of_reach_and_nothing_of_those_that_are_linked() -> None:
    own = sales("t111.boot1", 3)
    till = exchange(*own)
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222", t111=Mark(2, own[1].hash)), 0)
    assert till.lacked(["t111", "t222"]) == {}, "it is linked: what it lacks is on its way"
    till.unlinked("t222", link)
    assert till.lacked(["t111", "t222"]) == {"t222": {"t111.boot1": 3}}
    assert till.lacked(["t333"]) == {"t333": {"t111.boot1": 1}}, "who was never heard lacks everything"
    till.recall({"t444": {"t111.boot1": 3}})
    assert till.lacked(["t444"]) == {}


def test_a_cut_and_the_ends_of_logs_wait_for_those_that_count_alone() -> None:
    own = sales("t111.boot1", 3)
    till = exchange(*own)
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222", t111=Mark(3, own[2].hash)), 0)
    members = counted({"t111", "t222", "t333"}, {"t333": SILENT_MS})
    assert till.stable(members) == {"t111.boot1": 3}
    assert till.ended(members) == {"t111.boot1": 3}
