"""What the synthetic speakers say: commands, numbers of products, and sentences that are no command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

from tillmesh.edge.voice import COMMANDS, OTHER, PRODUCT_WORDS, WORDS
from tillmesh.edge.voice.commands import TEENS, TENS, UNITS
from tillmesh.edge.voice.grammar import START, whole
from tillmesh.learn.voice.talk import NEAR

WORDS_MAX: Final = 9  # of a sentence: longer ones are cut, push-to-talk is short
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


def other(rng: Random, prose: Sequence[str], talk: Sequence[str]) -> str:
    """Say what is no command: prose, talk of a shop, or a command with words around it, changed or missing."""
    while ending(text := _other(rng, prose, talk)):
        pass
    return text


def _other(rng: Random, prose: Sequence[str], talk: Sequence[str]) -> str:
    kind = rng.random()
    source = talk if rng.random() < 0.5 else prose
    words = rng.choice(source).split()
    if kind < 0.14:
        return rng.choice(NEAR) if rng.random() < 0.7 else rng.choice(words)
    if kind < 0.34:
        start = rng.randrange(len(words))
        return " ".join(words[start : start + rng.randint(2, 4)])
    if kind < 0.68:
        return _spoilt(rng, command(rng).split(), words)
    return " ".join(words[:WORDS_MAX])


def _spoilt(rng: Random, spoken: list[str], words: list[str]) -> str:
    """Make something else of a command: other words before, after or inside, a word changed or left out."""
    some = words[: rng.randint(1, 3)]
    kind = rng.random()
    if kind < 0.25:
        return " ".join([*some, *spoken])
    if kind < 0.5:
        return " ".join([*spoken, *some])
    at = rng.randrange(len(spoken))
    if kind < 0.62:
        return " ".join([*spoken[:at], some[0], *spoken[at:]])
    if kind < 0.88 or len(spoken) == 1:
        return " ".join([*spoken[:at], rng.choice(NEAR), *spoken[at + 1 :]])
    return " ".join([*spoken[:at], *spoken[at + 1 :]])


def ending(text: str) -> str:
    """Name the command that a text is, "" when it is none: a word out of prose may be one by accident."""
    grammar = whole()
    at = {START}
    for word in labels(text):
        after = {node for one in at for node in grammar.after.get(one, ()) if grammar.nodes[node].word == word}
        for group in grammar.groups:
            if word in group.members and (at & {*group.entries, *group.members.values()}):
                after.add(group.members[word])
        at = after
    return next((grammar.nodes[node].ends for node in sorted(at) if node != START and grammar.nodes[node].ends), "")


def is_near(text: str) -> bool:
    """Say whether a text that is no command was made to be taken for one: a lone word, or mostly words of commands."""
    known = [place > 1 for place in labels(text)]
    return len(known) == 1 or (bool(known) and 2 * sum(known) >= len(known))


def labels(text: str) -> list[int]:
    """Give the places of a text's words in WORDS; a word that is not there is "another word"."""
    return [_PLACES.get(word, 1) for word in text.split()]


_PLACES: Final = {word: place for place, word in enumerate(WORDS)}
assert _PLACES[OTHER] == 1, "labels rely on it"
