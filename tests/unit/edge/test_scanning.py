"""When a code that the camera read is rung up, and when it is not."""

from collections.abc import Iterable

from tillmesh.edge.scanning import HOLD_MS, UNKNOWN_FRAMES, WINDOW_MS, Looked, Seen, View, look

TEA = Seen("EAN-13", "4006381333931")
MISREAD = Seen("EAN-13", "4006381333511")  # its check digit is right as well
FRAME_MS = 100


def watch(
    frames: Iterable[list[Seen]], *, sold: tuple[str, ...] = (TEA.text,), every_ms: int = FRAME_MS
) -> list[Looked]:
    view, looked = View(), []
    for number, found in enumerate(frames):
        looked.append(look(view, found, number * every_ms, sold.__contains__))
        view = looked[-1].view
    return looked


def test_one_frame_alone_rings_nothing_up() -> None:
    assert watch([[TEA]])[0].accepted == ()


def test_two_frames_that_agree_ring_the_product_up() -> None:
    assert [one.accepted for one in watch([[TEA], [], [TEA]])] == [(), (), (TEA.text,)]


def test_a_product_that_stays_in_the_picture_is_rung_up_once() -> None:
    assert sum(len(one.accepted) for one in watch([[TEA]] * 40)) == 1


def test_the_next_piece_counts_when_the_first_was_away_for_a_while() -> None:
    away: list[list[Seen]] = [[] for _ in range(HOLD_MS // FRAME_MS + 1)]
    assert sum(len(one.accepted) for one in watch([[TEA], [TEA], *away, [TEA], [TEA]])) == 2


def test_frames_too_far_apart_do_not_agree() -> None:
    assert all(one.accepted == () for one in watch([[TEA]] * 5, every_ms=WINDOW_MS + 1))


def test_a_misreading_that_is_no_product_is_never_rung_up() -> None:
    looked = watch([[MISREAD], [TEA], [MISREAD], [TEA], [TEA]])
    assert [one.accepted for one in looked if one.accepted] == [(TEA.text,)]


def test_a_misreading_that_is_a_product_too_waits_until_one_of_both_is_seen_more_often() -> None:
    both = (TEA.text, MISREAD.text)
    assert [one.accepted for one in watch([[MISREAD], [TEA], [MISREAD]], sold=both)][-1] == (MISREAD.text,)
    assert all(one.accepted == () for one in watch([[MISREAD, TEA]] * 6, sold=both))


def test_a_code_that_is_no_product_is_told_of_once_it_is_beyond_doubt() -> None:
    looked = watch([[TEA]] * 10, sold=())
    assert [number for number, one in enumerate(looked) if one.unknown] == [UNKNOWN_FRAMES - 1]


def test_a_upc_a_and_its_ean_13_are_one_number() -> None:
    upc, ean = Seen("UPC-A", "036000291452"), Seen("EAN-13", "0036000291452")
    assert watch([[upc], [ean]], sold=(upc.text, ean.text))[1].accepted == (ean.text,)


def test_each_fourth_frame_without_a_code_is_worth_the_slow_decoders() -> None:
    wants = [one.view.wants_deep for one in watch([[]] * 8)]
    assert wants == [False, False, True, False, False, False, True, False]


def test_two_products_side_by_side_are_both_rung_up() -> None:
    rice = Seen("EAN-13", "5000157024671")
    assert set(watch([[TEA, rice], [TEA, rice]], sold=(TEA.text, rice.text))[1].accepted) == {TEA.text, rice.text}
