"""PINs: one slow hash finds the person, wrong tries cost growing time, and one worker does all hashing.

Wrong ones are forgiven by quiet time, not by a right one: somebody who knows one PIN must not get three free guesses
at another after each use of it. They stand in the audit log, so a restart forgives nothing either.

A PIN alone signs in, so it is looked up: ``tag = argon2id(pin, salt = HMAC(pepper, store))``. One hash per try,
whatever the number of people; without the pepper, which is no part of the database, a copied database tells nothing.
Eight hashes in parallel stalled the event loop for 96 ms when measured; so there is one worker.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import sha256

from argon2.low_level import Type, hash_secret_raw

from tillmesh.kernel.errors import Invalid, TooMany
from tillmesh.kernel.limits import (
    PIN_DELAY_MS_FIRST,
    PIN_DELAY_MS_MAX,
    PIN_DIGITS_MAX,
    PIN_DIGITS_MIN,
    PIN_FREE_TRIES,
    PIN_QUEUE_MAX,
    PIN_QUIET_MS,
)

# RFC 9106 section 4 allows less memory for constrained devices; OWASP's floor for argon2id is 19 MiB with t=2.
MEMORY_KIB = 19_456
PASSES = 2


def check_pin(pin: str) -> str:
    """Give the PIN back if it is 4 to 12 digits."""
    if not (pin.isascii() and pin.isdigit() and PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX):
        raise Invalid(f"a PIN is {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits", hint="Type digits only.")
    return pin


def delay_ms(failures: int) -> int:
    """Say how long to wait after so many wrong PINs in a row: nothing, then doubling to the limit."""
    over = failures - PIN_FREE_TRIES
    return 0 if over < 0 else min(PIN_DELAY_MS_FIRST << min(over, 20), PIN_DELAY_MS_MAX)


class Pins:
    """Hashes PINs on one thread of its own and keeps count of wrong ones."""

    def __init__(self, pepper: bytes, store: str) -> None:
        self._salt = hmac.digest(pepper, b"pin " + store.encode(), "sha256")[:16]
        self._pepper = pepper
        self._worker = ThreadPoolExecutor(1, "pins")
        self._failures = 0
        self._last_ms = 0  # of the last wrong one
        self._turn = asyncio.Lock()
        self._waiting = 0

    def tag_now(self, pin: str) -> str:
        """Compute the tag of a PIN on this thread (about 20-40 ms)."""
        keyed = hmac.digest(self._pepper, check_pin(pin).encode(), sha256)
        raw = hash_secret_raw(
            keyed, self._salt, time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1, hash_len=16, type=Type.ID
        )
        return raw.hex()

    async def tag(self, pin: str) -> str:
        """Compute the tag of a PIN off the event loop."""
        check_pin(pin)
        return await asyncio.get_running_loop().run_in_executor(self._worker, self.tag_now, pin)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let one try after the other be judged whole: many at once must not slip past the count."""
        if self._waiting >= PIN_QUEUE_MAX:
            raise TooMany("too many are signing in at once", retry_after_ms=PIN_DELAY_MS_FIRST, hint="Try again.")
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def admit(self, now_ms: int) -> None:
        """Let a try pass, or raise :class:`TooMany` with the time to wait.

        A wall clock that was set back never makes the wait longer than the delay itself.
        """
        delay = delay_ms(self._failures)
        wait = min(self._last_ms + delay - now_ms, delay)
        if wait > 0:
            raise TooMany(
                f"too many wrong PINs; wait {-(-wait // 1000)} s",
                retry_after_ms=wait,
                hint="Selling goes on meanwhile.",
            )

    def failed(self, now_ms: int) -> int:
        """Count a wrong PIN and give how many there were without an hour of quiet between them."""
        if now_ms - self._last_ms >= PIN_QUIET_MS:
            self._failures = 0
        self._failures += 1
        self._last_ms = now_ms
        return self._failures

    def restore(self, times_ms: Iterable[int]) -> None:
        """Count the wrong PINs of the log again, oldest first, so that a restart gives no free tries."""
        for at_ms in times_ms:
            self.failed(at_ms)

    def close(self) -> None:
        """Stop the worker."""
        self._worker.shutdown(wait=True)
