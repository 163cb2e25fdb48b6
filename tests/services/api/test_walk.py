"""The walk through the interface is what a till really answers."""

from typing import Any

import pytest

from tests.services.api import walk


def differs(shown: Any, answered: Any, at: str = "") -> list[str]:
    """Say where an answer lacks what is shown of it; it may have more."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        lacking = [f"{at}/{name} is gone" for name in shown.keys() - answered.keys()]
        both = shown.keys() & answered.keys()
        return lacking + [one for name in sorted(both) for one in differs(shown[name], answered[name], f"{at}/{name}")]
    if isinstance(shown, list) and isinstance(answered, list) and len(shown) == len(answered):
        pairs = enumerate(zip(shown, answered, strict=True))
        return [one for place, (old, new) in pairs for one in differs(old, new, f"{at}/{place}")]
    return [] if shown == answered else [f"{at} is {answered!r}, not {shown!r}"]


@pytest.mark.slow
def test_the_walk_over_http_shows_what_a_till_answers() -> None:
    """To write it anew: python -m tests.services.api.walk."""
    found = walk.walk()
    text = walk.PAGE.read_text("utf-8")
    shown = walk.shown_on(text)
    assert [status for status, _ in shown] == [one.status for one in found]
    assert [
        one for (_, old), new in zip(shown, found, strict=True) for one in differs(old, new.answer, new.step.path)
    ] == []
    for one in found:
        assert one.step.why in text


def test_a_field_that_is_gone_or_changed_is_noticed_and_one_more_is_not() -> None:
    assert differs({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "c": 3}], "d": 4}) == []
    assert differs({"a": [1, {"b": 2}]}, {"a": [1, {"c": 2}]}) == ["/a/1/b is gone"]
    assert differs({"a": 1}, {"a": 2}) == ["/a is 2, not 1"]
    assert differs({"a": [1]}, {"a": []}) == ["/a is [], not [1]"]
