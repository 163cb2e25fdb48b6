"""Where the other tills were, kept on disk: a till that starts again dials before anybody has announced anything.

Announcements come late (RFC 6762, section 6, lets a host answer the same question once a second), and some access
points drop them. What is remembered is a hint like any other: a stale or damaged one costs a failed dial.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tillmesh.adapters.lan.hints import ADDRESSES_PER_TILL_MAX, TERMINAL, Discovery, Hint
from tillmesh.kernel.limits import RAFT_MEMBERS_MAX

log = logging.getLogger(__name__)
HINTS_KEPT_MAX: Final = RAFT_MEMBERS_MAX * ADDRESSES_PER_TILL_MAX
FILE_BYTES_MAX: Final = 64 << 10
KEEP_EVERY_S: Final = 1.0


class Place(msgspec.Struct, frozen=True, array_like=True):
    """One address of one till."""

    terminal: Annotated[str, Meta(pattern=f"^{TERMINAL.pattern}$")]
    host: Annotated[str, Meta(max_length=64)]
    port: Annotated[int, Meta(gt=0, lt=65_536)]


class Remembered:
    """A discovery, and behind what it knows now the addresses that it knew before.

    Only tills of the list are remembered: what strangers announce never reaches the disk.
    """

    def __init__(self, now: Discovery, file: Path, known: Callable[[str], bool]) -> None:
        self._now, self._file, self._known = now, file, known
        self._before: tuple[Hint, ...] = ()
        self._kept: tuple[Hint, ...] = ()
        self._keeping: asyncio.Task[None] | None = None

    def hints(self) -> tuple[Hint, ...]:
        """Give what is known now, then what was known before of tills that still belong to the store."""
        before = [hint for hint in self._before if self._known(hint.terminal)]
        named = {(hint.host, hint.port) for hint in before}
        # An address that a person gave without a name and that has one here is one address, not two to dial.
        now = [hint for hint in self._now.hints() if hint.terminal or (hint.host, hint.port) not in named]
        return tuple(dict.fromkeys((*now, *before)))

    def proved(self, hint: Hint, terminal: str) -> None:
        """Remember that this terminal answered there, and nobody else does."""
        self._now.proved(hint, terminal)
        place = (hint.host, hint.port)
        others = (each for each in self._before if (each.host, each.port) != place)
        self._before = (Hint(terminal, *place), *others)[:HINTS_KEPT_MAX]

    async def start(self) -> None:
        """Recall, and begin."""
        self._before = self._kept = await asyncio.to_thread(_read, self._file)
        await self._now.start()
        self._keeping = asyncio.get_running_loop().create_task(self._keep_on())

    async def close(self) -> None:
        """Stop, and keep what is known."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._keep()
        await self._now.close()

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self._keep()

    async def _keep(self) -> None:
        """Write what is known when it has changed; a disk that refuses costs the next start a second, nothing else."""
        wanted = self._newest()
        if set(wanted) == set(self._kept):
            return
        try:
            await asyncio.to_thread(_write, self._file, wanted)
        except OSError as cause:
            log.warning("where the other tills are can't be kept for the next start: %s", cause)
        self._kept = wanted

    def _newest(self) -> tuple[Hint, ...]:
        """Choose the addresses to keep: of each till on the list the most promising ones."""
        per_till: dict[str, list[Hint]] = {}
        for hint in self.hints():
            places = per_till.setdefault(hint.terminal, [])
            if self._known(hint.terminal) and len(places) < ADDRESSES_PER_TILL_MAX:
                places.append(hint)
        return tuple(hint for places in per_till.values() for hint in places)[:HINTS_KEPT_MAX]


def _read(file: Path) -> tuple[Hint, ...]:
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if file.stat().st_size <= FILE_BYTES_MAX:
            places = msgspec.json.decode(file.read_bytes(), type=list[Place])[:HINTS_KEPT_MAX]
            return tuple(Hint(each.terminal, each.host, each.port) for each in places)
    return ()


def _write(file: Path, hints: tuple[Hint, ...]) -> None:
    half = file.with_suffix(".half")
    half.write_bytes(msgspec.json.encode([Place(each.terminal, each.host, each.port) for each in hints]))
    half.replace(file)
