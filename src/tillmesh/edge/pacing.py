"""How fast a model is fetched: pieces short enough that nobody waits long behind one, and as much rest as work.

A slow line is so left half free for sales, a fast one is hardly used, and nobody has to say which it is.
"""

from __future__ import annotations

from typing import Final

PIECE_MS: Final = 250  # Guess: what a sale may wait behind a piece without anybody noticing
REST_MS_MIN: Final = 10
REST_MS_MAX: Final = 5_000


class Pace:
    """The pieces from one source. Sizes are in bytes."""

    def __init__(self, smallest: int, largest: int, rest_ms: int = REST_MS_MIN) -> None:
        self._smallest, self._largest, self._rest_ms = smallest, largest, rest_ms
        self.size = smallest

    def took(self, ms: int) -> int:
        """A piece came in this time: give how long to rest, and ask for a larger or smaller one next."""
        if ms * 2 <= PIECE_MS:
            self.size = min(2 * self.size, self._largest)
        elif ms > PIECE_MS:
            self.size = max(self.size // 2, self._smallest)
        return min(max(ms, self._rest_ms), REST_MS_MAX)

    def failed(self) -> None:
        """A piece did not come: begin small again."""
        self.size = self._smallest
