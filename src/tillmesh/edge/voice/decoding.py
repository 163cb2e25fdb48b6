"""Which command fits what was heard best, and how sure that is.

The recogniser gives, for each step of 80 ms, the log probability of every word and of "nothing". The best walk through
the graph of commands is found as in token passing (Young, Russell, Thornton 1989) over the states of CTC (Graves 2006):
in each step a walk stays in its word, rests in "nothing", or goes on to a next word. Beside it stands what would fit
best if anything might be said: words that are no command leave a gap between the two, and a wide gap is a refusal.
Four more kinds of evidence tell a command from speech that merely holds one: :class:`Evidence`.
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
NEVER: Final = -1e9  # the log of no probability, finite so that differences of it are
PHRASE_S: Final = 0.45  # of speech, that edges take; with LETTER_S a slow speaker: guesses, weighed by fitting
LETTER_S: Final = 0.12
Step = Sequence[float]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for and against the best walk."""

    gap: float = 50.0  # log probability by which anything at all fits better
    clear: float = -20.0  # log probability of the least clear word at its clearest step
    stray: float = 0.0  # how many steps of words were heard that the walk does not have
    doubt: float = 50.0  # minus the log probability that these words were said and no others (CTC, all alignments)
    spare_s: float = 0.0  # seconds of speech beyond what the words take
    lone: float = 0.0  # 1 for a single word: the shorter, the easier it is found in anything

    def terms(self) -> tuple[float, ...]:
        """Give what is weighed, in the order of :meth:`Calibration.weights`; beyond these bounds more says no more."""
        return (
            min(self.gap, 50.0),
            max(self.clear, -20.0),
            min(self.stray, 10.0),
            min(self.doubt, 50.0),
            min(self.spare_s, 5.0),
            self.lone,
        )


class Calibration(msgspec.Struct, frozen=True):
    """How evidence becomes a confidence, fitted on speech that was kept from training."""

    bias: float = 4.0
    per_gap: float = -1.0
    per_clear: float = 1.0
    accept: float = 0.5  # below: not understood
    sure: float = 0.8  # below: ask
    certain: float = 0.0  # below: ask when the command changes the sale; never less than ``sure``
    nothing: float = 0.0  # taken off the log probability of "nothing", which CTC makes too likely
    per_stray: float = 0.0
    per_doubt: float = 0.0
    per_spare: float = 0.0
    per_lone: float = 0.0

    def weights(self) -> tuple[float, ...]:
        """Give what each kind of evidence is worth."""
        return self.per_gap, self.per_clear, self.per_stray, self.per_doubt, self.per_spare, self.per_lone


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


def understand(
    steps: Sequence[Step], calibration: Calibration, grammar: Grammar | None = None, *, spoken_s: float = 0.0
) -> Heard:
    """Say which command was spoken, with its slots and how sure that is."""
    return weighed(steps, calibration, grammar, spoken_s=spoken_s)[0]


def weighed(
    steps: Sequence[Step], calibration: Calibration, grammar: Grammar | None = None, *, spoken_s: float = 0.0
) -> tuple[Heard, Evidence]:
    """Say which command was spoken, and what speaks for and against it."""
    grammar = grammar or whole()
    bent = eager(steps, calibration.nothing)
    walk = best_walk(bent, grammar)
    if walk is None:
        return Heard(command="", slots={}, confidence=0.0, requires_confirmation=True, words=()), Evidence()
    evidence = _evidence(walk, steps, freest(bent), grammar, spoken_s)
    words = tuple(WORDS[grammar.nodes[node].word] for node in walk.nodes)
    level = confidence(evidence, calibration)
    if level < calibration.accept:
        return Heard(command="", slots={}, confidence=level, requires_confirmation=True, words=words), evidence
    name = grammar.nodes[walk.nodes[-1]].ends
    is_sure = level >= threshold(name, calibration)
    heard = Heard(
        command=name,
        slots=_slots(grammar, walk.nodes),
        confidence=level,
        requires_confirmation=BY_NAME[name].confirms or not is_sure,
        words=words,
        sure=is_sure,
    )
    return heard, evidence


def threshold(name: str, by: Calibration) -> float:
    """Say from which confidence a command is done without a question, unless it asks by itself."""
    return max(by.sure, by.certain) if BY_NAME[name].changes else by.sure


def _evidence(walk: Walk, steps: Sequence[Step], freely: float, grammar: Grammar, spoken_s: float) -> Evidence:
    places = [grammar.nodes[node].word for node in walk.nodes]
    letters = sum(len(WORDS[place]) for place in places)
    return Evidence(
        gap=freely - walk.score,
        clear=walk.clear,
        stray=_stray(steps, frozenset(places)),
        doubt=-_log_probability(steps, places),
        spare_s=max(0.0, spoken_s - PHRASE_S - LETTER_S * letters) if spoken_s else 0.0,
        lone=float(len(places) == 1),
    )


def confidence(evidence: Evidence, by: Calibration) -> float:
    """Turn the evidence into a probability of being right."""
    terms = zip(by.weights(), evidence.terms(), strict=True)
    value = by.bias + sum(weight * term for weight, term in terms)
    if math.isnan(value):
        return 0.0
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


def _stray(steps: Sequence[Step], places: frozenset[int]) -> float:
    """Add up the probability of words that the walk does not have, "another word" among them."""
    heard = (0, *places)
    return sum(1.0 - min(1.0, sum(math.exp(step[place]) for place in heard)) for step in steps)


def _log_probability(steps: Sequence[Step], places: Sequence[int]) -> float:
    """Give the log probability of exactly these words, over all the ways they may lie in time (Graves 2006, 4.1)."""
    labels = [0]
    for place in places:
        labels += [place, 0]
    if not steps:
        return NEVER
    states = [steps[0][0], steps[0][labels[1]]] + [NEVER] * (len(labels) - 2)
    for step in steps[1:]:
        before = states
        states = [
            _log_sum(
                before[at],
                before[at - 1] if at else NEVER,
                before[at - 2] if at > 1 and label and label != labels[at - 2] else NEVER,
            ) + step[label]
            for at, label in enumerate(labels)
        ]  # fmt: skip
    return _log_sum(states[-1], states[-2], NEVER)


def _log_sum(one: float, two: float, three: float) -> float:
    high = max(one, two, three)
    return high + math.log(math.exp(one - high) + math.exp(two - high) + math.exp(three - high))


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
