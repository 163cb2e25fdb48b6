"""Which product a photo shows, as arithmetic: sure when it is clear, unsure when two are alike, honest otherwise."""

import numpy as np
import pytest

from tillmesh.edge import sight as features
from tillmesh.edge.recognition import Calibration, Gallery, Known, answer_of
from tillmesh.edge.sight import Array
from tillmesh.edge.words import word_for

CALIBRATION = Calibration(
    temperature=0.05, sharpening=0.0, none=0.5, per_fullness=0.0, softness=0.05, regression=0.5, ridge=0.3
)
LENGTH = 40


def axis(place: int, beside: int = 0, lean: float = 0.0) -> Array:
    """A vector along one axis, leaning toward another one."""
    vector = np.zeros(LENGTH, np.float32)
    vector[place] = 1
    vector[beside] += lean
    return features.unit(vector)


def shop(*examples: tuple[str, Array]) -> Gallery:
    return Gallery(list(examples), CALIBRATION)


def test_a_photo_like_an_enrolled_product_is_that_product() -> None:
    ranked, unknown = shop(("apple", axis(1)), ("pear", axis(2)), ("plum", axis(3))).rank(axis(1, 5, 0.1))
    assert ranked[0][0] == "apple"
    assert ranked[0][1] > 0.9
    assert unknown < 0.1


def test_between_two_products_that_are_alike_the_till_is_not_sure() -> None:
    ranked, _ = shop(("gala", axis(1)), ("fuji", axis(1, 2, 0.05)), ("plum", axis(3))).rank(axis(1, 2, 0.025))
    assert {sku for sku, _ in ranked[:2]} == {"gala", "fuji"}
    assert ranked[0][1] < 0.7


def test_what_is_like_nothing_enrolled_is_not_known() -> None:
    ranked, unknown = shop(("apple", axis(1)), ("pear", axis(2))).rank(axis(9))
    assert unknown > 0.9
    assert max(sure for _, sure in ranked) < 0.1


def test_a_shop_that_enrolled_nothing_knows_nothing_and_one_product_is_enough_to_begin() -> None:
    assert shop().rank(axis(1)) == ([], 1.0)
    ranked, _ = shop(("apple", axis(1))).rank(axis(1))
    assert [sku for sku, _ in ranked] == ["apple"]
    assert answer_of((ranked, 0.25))["unknown"] == 0.25


def test_probabilities_and_that_of_none_sum_to_one() -> None:
    held = shop(*((f"p{n}", axis(n)) for n in range(1, 9)))
    assert held.chances(axis(3, 4, 0.5)).sum() == pytest.approx(1)


def test_the_regression_is_the_same_in_both_ways_of_solving_it() -> None:
    from tillmesh.edge.recognition import regression

    draw = np.random.default_rng(3)
    few = draw.normal(size=(12, 30)).astype(np.float32)
    owner = np.repeat(np.arange(4), 3)
    counts = np.bincount(owner)
    wide = np.concatenate([few, np.zeros((12, 40), np.float32)], 1)  # more numbers than examples
    tall = few[:, :8]
    for vectors in (wide, tall):
        weights, offset = regression(vectors, owner, counts, 0.5)
        scores = vectors @ weights + offset
        assert scores.shape == (12, 4)
        assert (scores.argmax(1) == owner).mean() > 0.5


def test_examples_survive_being_packed_into_a_byte_per_number() -> None:
    vector = features.unit(np.random.default_rng(1).normal(size=LENGTH)).astype(np.float32)
    packed = features.pack(vector)
    assert len(packed) == LENGTH + 4
    read = features.unpack(packed, LENGTH)
    assert read is not None
    assert float(features.unit(read) @ vector) > 0.999
    assert features.unpack(packed[:-1], LENGTH) is None
    assert features.unpack(b"\x00\x00\xc0\x7f" + bytes(LENGTH), LENGTH) is None


def test_what_was_shown_counts_and_a_name_stands_in_only_for_what_was_not() -> None:
    starters = {"banana": np.stack([axis(1), axis(2)]), "lemon": axis(3)[None]}
    known = Known(
        shown=[("a", features.pack(axis(7))), ("a", b"torn")], named=[("a", "banana"), ("b", "lemon"), ("c", "x")]
    )
    assert [sku for sku, _ in known.examples(LENGTH, starters)] == ["a", "b"]


def test_a_green_and_a_red_apple_differ_in_colour_alone() -> None:
    green, red = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)
    green[...], red[...] = (90, 180, 60), (180, 40, 50)
    assert float(features.colours(green) @ features.colours(red)) < 0.01
    assert float(features.colours(green) @ features.colours(green)) == pytest.approx(1)
    assert features.likeness(green) != features.likeness(red)
    assert features.likeness(green) == features.likeness(green.copy())


def test_the_middle_of_a_photo_weighs_most() -> None:
    weights = features.centre(7, 7, features.WHOLE_CENTRE)
    assert weights.sum() == pytest.approx(1)
    assert weights[3, 3] == weights.max() > 5 * weights[0, 0]


def test_pixels_reach_the_network_without_loss() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    given = features.network_input(pixels)
    assert given.shape == (1, 16, 16, 3)
    assert ((given[0].astype(int) + 128) == pixels).all()


def test_words_come_before_numbers() -> None:
    assert [word_for(sure) for sure in (0.95, 0.7, 0.5, 0.1)] == ["sure", "sure", "likely", "maybe"]
