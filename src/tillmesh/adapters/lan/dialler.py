"""Keep a link to every till that can be found: dial, give up, try again later, never all at once."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from tillmesh.adapters.lan.hints import Discovery, Hint
from tillmesh.adapters.lan.transport import Link, LinkRefused, Network
from tillmesh.kernel.ids import terminal_of

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 1.0
AGAIN_S: Final = 0.5  # also the least time between two links to one till: a link that fails at once must not spin
AGAIN_S_MAX: Final = 4.0  # A till of the list that comes back is found within 5 s.
STRANGER_S_MAX: Final = 30.0
STEADY_S: Final = 5.0  # A link that held so long was none of those that fail at once.
# The greater of two tills lets the smaller dial, unless that one can't hear of it, or this one has just come back:
# the others wait longer and longer between their tries.
YIELD_S: Final = 1.0
DIALS_MAX: Final = 8
STRANGER_DIALS_MAX: Final = (
    4  # A dial to an address where nobody answers takes seconds: tills of the list go beside it.
)


class Dialler:
    """Turns hints into links.

    Invariant: at most one dial to a terminal at a time, DIALS_MAX in all, STRANGER_DIALS_MAX to those on no list.
    """

    def __init__(
        self,
        discovery: Discovery,
        network: Network,
        *,
        actor: str,
        on_link: Callable[[Link], None],
        known: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Begin with nobody dialled; ``known`` says which terminals are on the list of tills: they go first."""
        self._discovery, self._network, self._known = discovery, network, known
        self._linked_s: dict[str, float] = {}  # since when
        self._me = terminal_of(actor)
        self._on_link = on_link
        self._due_s: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._dialling: dict[str, asyncio.Task[None]] = {}
        self._strangers: set[str] = set()  # of those that are dialled
        self._news = asyncio.Event()
        self._begun_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to dial."""
        loop = asyncio.get_running_loop()
        self._begun_s = loop.time()
        self._task = loop.create_task(self._looking())

    def wake(self) -> None:
        """Look at the hints now: there is a new one, or a link is gone."""
        self._news.set()

    async def close(self) -> None:
        """Stop dialling; links stay."""
        tasks = [task for task in (self._task, *self._dialling.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _looking(self) -> None:
        while True:
            self._look()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                continue
            self._news.clear()

    def _look(self) -> None:
        """Begin a dial to everyone who is due."""
        now_s = asyncio.get_running_loop().time()
        linked = {terminal_of(actor) for actor in self._network.linked()}
        wanted = _by_place(self._discovery.hints())
        for gone in self._due_s.keys() - wanted.keys():
            del self._due_s[gone]
            self._failures.pop(gone, None)
        self._linked_s = {terminal: self._linked_s.get(terminal, now_s) for terminal in linked}
        for name, hints in sorted(wanted.items(), key=lambda each: self._is_stranger(each[1])):
            terminal = hints[0].terminal
            patience_s = YIELD_S if terminal and self._me > terminal else 0.0
            if terminal in linked:
                if now_s - self._linked_s[terminal] >= STEADY_S:
                    self._failures.pop(name, None)
                self._due_s[name] = max(self._due_s.get(name, 0.0), now_s + AGAIN_S + patience_s)
            if terminal in linked or terminal == self._me or name in self._dialling:
                continue
            first_s = now_s if now_s - self._begun_s < YIELD_S else now_s + patience_s
            if now_s >= self._due_s.setdefault(name, first_s) and self._has_room(name, hints):
                self._dialling[name] = asyncio.get_running_loop().create_task(self._dial(name, hints))

    def _has_room(self, name: str, hints: list[Hint]) -> bool:
        """Say whether one more may be dialled, and note it if it is a stranger."""
        if len(self._dialling) >= DIALS_MAX:
            return False
        if self._is_stranger(hints):
            if len(self._strangers) >= STRANGER_DIALS_MAX:
                return False
            self._strangers.add(name)
        return True

    async def _dial(self, name: str, hints: list[Hint]) -> None:
        """Try each address of one till in turn."""
        try:
            link = await self._first(hints)
        finally:
            del self._dialling[name]
            self._strangers.discard(name)
        # A link that is up at once and gone at once counts like none: only one that holds makes good.
        self._failures[name] = min(self._failures.get(name, -1) + 1, 10)
        wait_s = min(AGAIN_S * 2 ** self._failures[name], STRANGER_S_MAX if self._is_stranger(hints) else AGAIN_S_MAX)
        # Spread, so that tills that lost power together do not dial in step for ever. Nothing secret.
        self._due_s[name] = asyncio.get_running_loop().time() + wait_s * random.uniform(0.5, 1.0)  # noqa: S311
        if link is not None:
            self._on_link(link)

    def _is_stranger(self, hints: list[Hint]) -> bool:
        return bool(hints[0].terminal) and not self._known(hints[0].terminal)

    async def _first(self, hints: list[Hint]) -> Link | None:
        for hint in hints:
            try:
                link = await self._network.dial(hint.host, hint.port)
            except LinkRefused as cause:
                log.debug("no link to %s at %s:%d: %s", hint.terminal or "a till", hint.host, hint.port, cause)
                if cause.reason == "duplicate":
                    return None
                continue
            self._discovery.proved(hint, terminal_of(link.peer))
            return link
        return None


def _by_place(hints: tuple[Hint, ...]) -> dict[str, list[Hint]]:
    """Put the addresses of one terminal together; one without a name stands alone."""
    found: dict[str, list[Hint]] = {}
    for hint in hints:
        found.setdefault(hint.terminal or f"{hint.host} {hint.port}", []).append(hint)
    return found
