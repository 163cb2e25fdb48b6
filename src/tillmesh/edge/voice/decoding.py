"""Which command fits what was heard best, and how sure that is.

The recogniser gives, for each step of 80 ms, the log probability of every word and of "nothing". The best walk through
the graph of commands is found as in token passing (Young, Russell, Thornton 1989) over the states of CTC (Graves 2006):
in each step a walk stays in its word, rests in "nothing", or goes on to a next word. Beside it stands what would fit
best if anything might be said: words that are no command leave a gap between the two, and a wide gap is a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from tillmesh.edge.voice.commands import BY_NAME, NUMBERS
from tillmesh.edge.voice.grammar import NUMBER, PRODUCT, START, Grammar, Group, whole
from tillmesh.edge.voice.words import WORDS

BEAM: Final = 18.0  # walks this much less likely (e^18) than the best are dropped; guess, no command was lost by it
Step = Sequence[float]


class Calibration(msgspec.Struct, frozen=True):
    """How gap and clearness become a confidence, fitted on speech that was kept from training."""

    bias: float = 4.0
    per_gap: float = -1.0
    per_clear: float = 1.0
    accept: float = 0.5  # below: not understood
    sure: float = 0.8  # below: ask
    nothing: float = 0.0  # taken off the log probability of "nothing", which CTC makes too likely


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood; ``command`` is "" when it was no command."""

    command: str
    slots: dict[str, int | str]
    confidence: float
    requires_confirmation: bool
    words: tuple[str, ...]
    sure: bool = False  # so clear that only what the command itself asks for has to be asked


class Walk(msgspec.Struct, frozen=True):
    """The best walk: its log probability, its nodes in order, and how clear its least clear word was."""

    score: float
    nodes: tuple[int, ...]
    clear: float


def understand(steps: Sequence[Step], calibration: Calibration, grammar: Grammar | None = None) -> Heard:
    """Say which command was spoken, with its slots and how sure that is."""
    grammar = grammar or whole()
    steps = eager(steps, calibration.nothing)
    walk = best_walk(steps, grammar)
    if walk is None:
        return Heard(command="", slots={}, confidence=0.0, requires_confirmation=True, words=())
    words = tuple(WORDS[grammar.nodes[node].word] for node in walk.nodes)
    sure = confidence(freest(steps) - walk.score, walk.clear, calibration)
    if sure < calibration.accept:
        return Heard(command="", slots={}, confidence=sure, requires_confirmation=True, words=words)
    name = grammar.nodes[walk.nodes[-1]].ends
    is_sure = sure >= calibration.sure
    return Heard(
        command=name,
        slots=_slots(grammar, walk.nodes),
        confidence=sure,
        requires_confirmation=BY_NAME[name].confirms or not is_sure,
        words=words,
        sure=is_sure,
    )


def confidence(gap: float, clear: float, by: Calibration) -> float:
    """Turn the gap to what fits best, and the least clear word, into a probability of being right."""
    value = by.bias + by.per_gap * min(gap, 50.0) + by.per_clear * max(clear, -20.0)
    if math.isnan(value):
        return 0.0
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


def eager(steps: Sequence[Step], nothing: float) -> Sequence[Step]:
    """Make "nothing" less likely: a head trained with CTC leaves words out rather than make them up."""
    return [[step[0] - nothing, *step[1:]] for step in steps] if nothing else steps


def freest(steps: Sequence[Step]) -> float:
    """Give the log probability of the best reading when anything may be said."""
    return sum(max(step) for step in steps)


def best_walk(steps: Sequence[Step], grammar: Grammar) -> Walk | None:
    """Find the walk through the graph that fits best and ends where a command ends; None when nothing was said."""
    speaking: _Walks = {}  # walks that are in the word of a node
    resting: _Walks = {START: (0.0, None)}  # walks that are in the nothing after a node
    for number, step in enumerate(steps):
        speaking, resting = _advance(grammar, speaking, resting, step, number)
    ended = [
        walk for walks in (speaking, resting) for node, walk in walks.items() if node >= 0 and grammar.nodes[node].ends
    ]
    if not ended:
        return None
    score, way = max(ended, key=lambda walk: walk[0])
    return _retrace(score, way, steps, grammar)


class _Way(msgspec.Struct, frozen=True):
    """A node that was gone to, when, and the way before it."""

    before: _Way | None
    node: int
    began: int


_Walks = dict[int, tuple[float, _Way | None]]


def _advance(grammar: Grammar, speaking: _Walks, resting: _Walks, step: Step, number: int) -> tuple[_Walks, _Walks]:
    """Let every walk stay, rest or go on, and drop those that have fallen behind."""
    nodes, nothing = grammar.nodes, step[0]
    floor = max(step) - BEAM
    spoke: _Walks = {}
    rested: _Walks = {}
    for is_speaking, walks in ((True, speaking), (False, resting)):
        for node, (score, way) in walks.items():
            _keep(rested, node, score + nothing, way)
            own = nodes[node].word if is_speaking else -1
            if is_speaking:
                _keep(spoke, node, score + step[own], way)
            for after in grammar.after[node]:
                word = nodes[after].word
                if step[word] > floor and word != own:
                    _keep(spoke, after, score + step[word], _Way(way, after, number))
    for group in grammar.groups:
        _enter(group, speaking, resting, spoke, step, number)
    best = max((score for walks in (spoke, rested) for score, _ in walks.values()), default=0.0)
    return _near(spoke, best), _near(rested, best)


def _enter(group: Group, speaking: _Walks, resting: _Walks, spoke: _Walks, step: Step, number: int) -> None:
    """Go on to any word of a group from the best walk that may, but for the word that walk is in."""
    exits = [
        (walk, node)
        for walks in (speaking, resting) for node in (*group.entries, *group.members.values())
        if (walk := walks.get(node)) is not None
    ]  # fmt: skip
    if not exits:
        return
    floor = max(step) - BEAM
    (score, way), at = max(exits, key=lambda one: one[0][0])
    for word, node in group.members.items():
        if step[word] > floor and node != at:
            _keep(spoke, node, score + step[word], _Way(way, node, number))


def _near(walks: _Walks, best: float) -> _Walks:
    return {node: walk for node, walk in walks.items() if walk[0] > best - BEAM}


def _keep(walks: _Walks, node: int, score: float, way: _Way | None) -> None:
    held = walks.get(node)
    if held is None or score > held[0]:
        walks[node] = score, way


def _retrace(score: float, way: _Way | None, steps: Sequence[Step], grammar: Grammar) -> Walk:
    """List the nodes of a way, and how clearly the least clear of its words was heard at its clearest step."""
    nodes: list[int] = []
    clear, until, at = 0.0, len(steps), way
    while at is not None:
        word = grammar.nodes[at.node].word
        clear = min(clear, max(step[word] for step in steps[at.began : until]))
        nodes.append(at.node)
        until, at = at.began, at.before
    return Walk(score, tuple(reversed(nodes)), clear)


def _slots(grammar: Grammar, walked: Sequence[int]) -> dict[str, int | str]:
    """Read what the slots were filled with."""
    slots: dict[str, int | str] = {}
    said = [(grammar.nodes[node].slot, WORDS[grammar.nodes[node].word]) for node in walked]
    numbers = [NUMBERS[word] for slot, word in said if slot == NUMBER]
    product = [word for slot, word in said if slot == PRODUCT]
    if numbers:
        slots["n"] = sum(numbers)
    if product:
        slots["product"] = " ".join(product)
    return slots
