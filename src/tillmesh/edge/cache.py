"""Answers that were given a moment ago, by key: bounded in number and in age."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class AnswerCache(Generic[T]):
    """The least recently used answer makes room; an old one is none. Cleared when what it says may have changed."""

    def __init__(self, entries_max: int, age_ms_max: int) -> None:
        self._entries_max, self._age_ms_max = entries_max, age_ms_max
        self._held: OrderedDict[bytes, tuple[int, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: bytes, now_ms: int) -> T | None:
        """Give the answer if there is one that is young enough."""
        found = self._held.get(key)
        if found is None:
            return None
        if now_ms - found[0] > self._age_ms_max:
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return found[1]

    def put(self, key: bytes, answer: T, now_ms: int) -> None:
        """Keep an answer."""
        self._held[key] = (now_ms, answer)
        self._held.move_to_end(key)
        while len(self._held) > self._entries_max:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
