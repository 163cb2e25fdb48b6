"""How the judge says that a promise was broken."""

from __future__ import annotations


class Broken(Exception):
    """A promise was not kept; the message starts with the name of the oracle."""

    def __init__(self, oracle: str, detail: str) -> None:
        super().__init__(f"{oracle}: {detail}")
        self.oracle = oracle


def require(oracle: str, holds: object, detail: str) -> None:
    """Raise :class:`Broken` unless something holds."""
    if not holds:
        raise Broken(oracle, detail)
