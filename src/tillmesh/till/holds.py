"""Short reservations of purses, kept by one till for all: two carts do not take the same money in the same second.

Which till keeps a purse is a matter of hashes, so every till that knows the same members names the same one. Invariant:
a cart has at most one reservation of a purse, and what is reserved beside it is never free.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from tillmesh.kernel.limits import PURSE_HOLD_MS, PURSE_HOLDS_MAX


def keeper_of(purse: str, account: str, terminals: Collection[str]) -> str:
    """Name the till that keeps a purse among these; the same one wherever it is asked."""
    return min(terminals, key=lambda one: sha256(f"{purse}\0{account}\0{one}".encode()).digest())


class Holds:
    """What carts are about to take out of the purses that this till keeps."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], tuple[int, int]] = {}  # purse, account, cart -> amount, until when

    def ask(self, purse: str, account: str, cart_id: str, amount: int, balance: int, now_ms: int) -> tuple[bool, int]:
        """Reserve an amount if it is there beside what other carts reserved; say so, and how much is free."""
        self._held = {key: held for key, held in self._held.items() if held[1] > now_ms}
        others = sum(held[0] for key, held in self._held.items() if key[:2] == (purse, account) and key[2] != cart_id)
        free = max(0, balance - others)
        if amount > free:
            return False, free
        if len(self._held) < PURSE_HOLDS_MAX:
            self._held[purse, account, cart_id] = amount, now_ms + PURSE_HOLD_MS
        return True, free
