"""Short reservations of purses, kept by one till for all: two carts do not take the same money in the same second.

Which till keeps a purse is a matter of hashes, so every till that knows the same members names the same one. Invariant:
a cart has at most one reservation of a purse at each till, and what is reserved beside it is never free.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from tillmesh.kernel.limits import PURSE_HOLD_MS, PURSE_HOLDS_MAX, PURSE_HOLDS_PER_TILL_MAX


def keeper_of(purse: str, account: str, terminals: Collection[str]) -> str:
    """Name the till that keeps a purse among these; the same one wherever it is asked."""
    return min(terminals, key=lambda one: sha256(f"{purse}\0{account}\0{one}".encode()).digest())


class Holds:
    """What carts are about to take out of the purses that this till keeps."""

    def __init__(self) -> None:
        # purse, account, till and cart -> amount, until when
        self._held: dict[tuple[str, str, str, str], tuple[int, int]] = {}

    def ask(
        self, purse: str, account: str, cart_id: str, amount: int, balance: int, now_ms: int, *, till: str = ""
    ) -> tuple[bool, int]:
        """Reserve an amount if it is there beside what other carts reserved; say so, and how much is free.

        No till touches what another one reserved, and none takes up more than its part of all that is kept.
        """
        self._held = {key: held for key, held in self._held.items() if held[1] > now_ms}
        own = purse, account, till, cart_id
        others = sum(held[0] for key, held in self._held.items() if key[:2] == (purse, account) and key != own)
        free = max(0, balance - others)
        if amount > free:
            return False, free
        mine = sum(key[2] == till for key in self._held)
        if own in self._held or (mine < PURSE_HOLDS_PER_TILL_MAX and len(self._held) < PURSE_HOLDS_MAX):
            self._held[own] = amount, now_ms + PURSE_HOLD_MS
        return True, free
