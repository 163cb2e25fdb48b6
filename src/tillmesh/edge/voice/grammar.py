"""The commands as one graph of words, which the decoder walks through."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import msgspec

from tillmesh.edge.voice.commands import COMMANDS, TEENS, TENS, UNITS, Command
from tillmesh.edge.voice.words import PRODUCT_WORDS, WORDS

PLAIN: Final = ""
NUMBER: Final = "n"
PRODUCT: Final = "product"
START: Final = -1


class Node(msgspec.Struct, frozen=True):
    """A word at one place of a phrase."""

    word: int  # its place in WORDS
    slot: str  # which slot the word fills
    ends: str  # the command that may end here, or ""


class Group(msgspec.Struct, frozen=True):
    """The words of a product, in any number and order: each may come after each, and after the nodes that lead here."""

    entries: tuple[int, ...]
    members: dict[int, int]  # a word's place in WORDS -> its node


class Grammar(msgspec.Struct, frozen=True):
    """The graph: nodes, which of them may follow which, and groups."""

    nodes: tuple[Node, ...]
    after: dict[int, tuple[int, ...]]  # of a node, and of the start
    groups: tuple[Group, ...]


class _Draft:
    """A graph in the making: nodes with the same way to them are shared, and so is a command's group."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.slots: list[str] = []
        self.ends: list[str] = []
        self.after: dict[int, list[int]] = {START: []}
        self.known: dict[tuple[frozenset[int], str, str], int] = {}
        self.entries: dict[str, set[int]] = {}
        self.members: dict[str, dict[int, int]] = {}

    def phrase(self, command: str, phrase: str) -> None:
        """Lay the way of a phrase."""
        at = frozenset({START})
        for word in phrase.split():
            if word == "{n}":
                at = self._number(at)
            elif word == "{product}":
                at = self._product(at, command)
            else:
                at = frozenset({self._step(at, word, PLAIN)})
        for node in at:
            assert self.ends[node] in {"", command}, f"{phrase!r} is said for {self.ends[node]!r} too"
            self.ends[node] = command

    def _node(self, word: str, slot: str) -> int:
        self.words.append(_PLACES[word])
        self.slots.append(slot)
        self.ends.append("")
        self.after[len(self.words) - 1] = []
        return len(self.words) - 1

    def _step(self, before: frozenset[int], word: str, slot: str) -> int:
        """Give the node of a word after others, making it when it is new."""
        key = before, word, slot
        if key not in self.known:
            self.known[key] = node = self._node(word, slot)
            for one in before:
                self.after[one].append(node)
        return self.known[key]

    def _number(self, before: frozenset[int]) -> frozenset[int]:
        ends = {self._step(before, word, NUMBER) for word in (*UNITS, *TEENS)}
        tens = frozenset(self._step(before, word, NUMBER) for word in TENS)
        return frozenset(ends) | tens | {self._step(tens, word, NUMBER) for word in UNITS}

    def _product(self, before: frozenset[int], command: str) -> frozenset[int]:
        if command not in self.members:
            self.members[command] = {_PLACES[word]: self._node(word, PRODUCT) for word in PRODUCT_WORDS}
        self.entries.setdefault(command, set()).update(before)
        return frozenset(self.members[command].values())


_PLACES: Final = {word: place for place, word in enumerate(WORDS)}


def build(commands: Iterable[Command]) -> Grammar:
    """Make the graph of some commands; no phrase may mean two of them."""
    draft = _Draft()
    for command in commands:
        for phrase in command.phrases:
            draft.phrase(command.name, phrase)
    return Grammar(
        tuple(map(Node, draft.words, draft.slots, draft.ends)),
        {node: tuple(after) for node, after in draft.after.items()},
        tuple(Group(tuple(sorted(draft.entries[name])), members) for name, members in draft.members.items()),
    )


@cache
def whole() -> Grammar:
    """Give the graph of all commands."""
    return build(COMMANDS)
