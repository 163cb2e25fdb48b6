"""What the synthetic speakers say: commands, numbers of products, and sentences that are no command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from typing import Final

from tillmesh.edge.voice import COMMANDS, OTHER, PRODUCT_WORDS, WORDS
from tillmesh.edge.voice.commands import TEENS, TENS, UNITS
from tillmesh.edge.voice.grammar import START, whole

WORDS_MAX: Final = 9  # of a sentence: longer ones are cut, push-to-talk is short
_KNOWN: Final = frozenset(WORDS[2:])
_SENTENCE: Final = re.compile(r"[A-Z][^.!?:|`*#\[\]()<>=_{}]+[.!?]")


def number(rng: Random) -> str:
    """Say a number from 1 to 99; small ones are said most in a shop."""
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(UNITS)
    if kind < 0.75:
        return rng.choice(TEENS)
    return rng.choice(TENS) if kind < 0.87 else f"{rng.choice(TENS)} {rng.choice(UNITS)}"


def product(rng: Random) -> str:
    """Name a product by one to three words; which ones go together does not matter to the ear."""
    return " ".join(rng.sample(PRODUCT_WORDS, rng.choice((1, 2, 2, 2, 3))))


def command(rng: Random, name: str = "") -> str:
    """Say one of the commands in one of its ways, a product with its number as often as all others together."""
    chosen = next((one for one in COMMANDS if one.name == name), None) or rng.choice(COMMANDS)
    phrase = rng.choice(chosen.phrases)
    return phrase.replace("{n}", number(rng)).replace("{product}", product(rng))


def sentences(pages: Iterable[str]) -> list[str]:
    """Take whole sentences out of pages of prose, in lower case, words only."""
    found: dict[str, None] = {}
    for page in pages:
        for match in _SENTENCE.finditer(page.replace("\n", " ")):
            words = re.findall(r"[a-z']+", match[0].lower())
            for at in range(0, len(words), WORDS_MAX):
                part = words[at : at + WORDS_MAX]
                if len(part) >= 2:
                    found[" ".join(part)] = None
    return list(found)


def negative(rng: Random, prose: list[str]) -> str:
    """Say something that is no command: a piece of prose, or a command with other words around it or missing."""
    while is_sayable(text := _negative(rng, prose)):
        pass
    return text


def _negative(rng: Random, prose: list[str]) -> str:
    kind = rng.random()
    words = rng.choice(prose).split()
    if kind < 0.15:
        return rng.choice(words)
    if kind < 0.35:
        start = rng.randrange(len(words))
        return " ".join(words[start : start + rng.randint(1, 4)])
    if kind < 0.55:
        spoken = command(rng).split()
        spoken.insert(rng.randint(0, len(spoken)), rng.choice(words))
        return " ".join(spoken)
    return " ".join(words)


def is_sayable(text: str) -> bool:
    """Say whether a text is a command by accident, as a word out of prose may be."""
    grammar = whole()
    at = {START}
    for word in labels(text):
        after = {node for one in at for node in grammar.after.get(one, ()) if grammar.nodes[node].word == word}
        for group in grammar.groups:
            if word in group.members and (at & {*group.entries, *group.members.values()}):
                after.add(group.members[word])
        at = after
    return any(node != START and grammar.nodes[node].ends for node in at)


def labels(text: str) -> list[int]:
    """Give the places of a text's words in WORDS; a word that is not there is "another word"."""
    return [_PLACES.get(word, 1) for word in text.split()]


_PLACES: Final = {word: place for place, word in enumerate(WORDS)}
assert _PLACES[OTHER] == 1, "labels rely on it"
