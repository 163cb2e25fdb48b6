"""Where tills may be found: hints, and nothing more. A lie costs a failed handshake, a flood costs nobody a place.

Nothing said on the network ever takes a hint away: a goodbye may be forged, and a till that left is found out by
dialling. Hints fade when they are not heard again; an address where a till has proved itself stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from tillmesh.kernel.errors import Invalid

ADDRESSES_PER_TILL_MAX: Final = 4
STRANGERS_MAX: Final = 16  # Terminals on no list known here: newly paired ones, and whoever pretends to be one.
FADES_S: Final = 600.0
TERMINAL: Final = re.compile(r"[0-9a-z]{4,16}")


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody may be here; an empty terminal means that nobody said who."""

    terminal: str
    host: str
    port: int


class Discovery(Protocol):
    """The port: where to dial. It never says that anybody is gone."""

    def hints(self) -> tuple[Hint, ...]:
        """Give what is known now, the most promising address of each till first."""
        ...

    def proved(self, hint: Hint, terminal: str) -> None:
        """Remember that this terminal answered there, with its certificate."""

    async def start(self) -> None:
        """Begin."""

    async def close(self) -> None:
        """Stop."""


def store_mark(store: str) -> str:
    """Give what tills of one store recognise each other's announcements by, without naming the store."""
    return sha256(f"tillmesh store\0{store}".encode()).hexdigest()[:16]


class HintTable:
    """What was heard, bounded.

    Invariant: at most ADDRESSES_PER_TILL_MAX addresses for each terminal, and at most STRANGERS_MAX terminals that
    ``known`` does not know. A stranger never takes the place of a till of the list.
    """

    def __init__(self, known: Callable[[str], bool]) -> None:
        self._known = known
        self._heard: dict[str, dict[tuple[str, int], float]] = {}  # newest last, with the time
        self._proved: dict[str, tuple[str, int]] = {}

    def hear(self, hint: Hint, now_s: float) -> bool:
        """Take in a hint; says whether it tells anything new."""
        if TERMINAL.fullmatch(hint.terminal) is None or not 0 < hint.port < 65_536:
            return False
        place = (hint.host, hint.port)
        places = self._heard.pop(hint.terminal, {})
        new = places.pop(place, None) is None
        places[place] = now_s
        while len(places) > ADDRESSES_PER_TILL_MAX:
            places.pop(next(iter(places)))
        self._heard[hint.terminal] = places
        self._make_room()
        return new

    def proved(self, hint: Hint, terminal: str) -> None:
        """Keep an address where a terminal has answered with its certificate; it is dialled first."""
        self._proved[terminal] = (hint.host, hint.port)
        for gone in [each for each in self._proved if each != terminal and not self._known(each)][STRANGERS_MAX:]:
            del self._proved[gone]

    def hints(self, now_s: float) -> tuple[Hint, ...]:
        """Give every till's addresses: the proved one, then the latest heard."""
        self._fade(now_s)
        found = []
        for terminal in sorted(self._heard.keys() | self._proved.keys()):
            places = list(reversed(self._heard.get(terminal, {})))
            first = self._proved.get(terminal)
            if first is not None:
                places = [first, *(place for place in places if place != first)]
            found += [Hint(terminal, *place) for place in places]
        return tuple(found)

    def _make_room(self) -> None:
        strangers = [terminal for terminal in self._heard if not self._known(terminal)]
        for terminal in strangers[: max(0, len(strangers) - STRANGERS_MAX)]:
            del self._heard[terminal]

    def _fade(self, now_s: float) -> None:
        for terminal, places in list(self._heard.items()):
            for place in [place for place, heard_s in places.items() if now_s - heard_s > FADES_S]:
                del places[place]
            if not places:
                del self._heard[terminal]


class StaticPeers:
    """Addresses that a person gave, where announcements do not reach: ``--peer host:port``."""

    def __init__(self, peers: list[str]) -> None:
        self._hints = tuple(read_peer(peer) for peer in peers)
        self._names: dict[Hint, str] = {}

    def hints(self) -> tuple[Hint, ...]:
        """Give the addresses, with the terminals that have answered there."""
        return tuple(Hint(self._names.get(hint, ""), hint.host, hint.port) for hint in self._hints)

    def proved(self, hint: Hint, terminal: str) -> None:
        """Remember who answered where."""
        bare = Hint("", hint.host, hint.port)
        if bare in self._hints:
            self._names[bare] = terminal

    async def start(self) -> None:
        """Nothing to begin."""

    async def close(self) -> None:
        """Nothing to stop."""


class Several:
    """Several discoveries as one."""

    def __init__(self, *parts: Discovery) -> None:
        self._parts = parts

    def hints(self) -> tuple[Hint, ...]:
        """Give what any of them knows, each address once."""
        return tuple(dict.fromkeys(hint for part in self._parts for hint in part.hints()))

    def proved(self, hint: Hint, terminal: str) -> None:
        """Tell each of them."""
        for part in self._parts:
            part.proved(hint, terminal)

    async def start(self) -> None:
        """Begin with each of them."""
        for part in self._parts:
            await part.start()

    async def close(self) -> None:
        """Stop each of them."""
        for part in self._parts:
            await part.close()


def read_peer(text: str) -> Hint:
    """Read ``host:port``, with an IPv6 address in brackets."""
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise Invalid(f"{text[:80]!r} is not an address of a till", hint="Write host:port, e.g. 192.168.1.20:7443.")
    return Hint("", host, int(port))
