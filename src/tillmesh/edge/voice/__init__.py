"""Spoken commands: what may be said, and which of it was said. Sound comes in as probabilities of words."""

from tillmesh.edge.voice.commands import COMMANDS, NUMBERS, Command
from tillmesh.edge.voice.decoding import Calibration, Evidence, Heard, understand
from tillmesh.edge.voice.grammar import Grammar, build
from tillmesh.edge.voice.words import OTHER, PRODUCT_WORDS, WORDS

__all__ = [
    "COMMANDS", "NUMBERS", "OTHER", "PRODUCT_WORDS", "WORDS", "Calibration", "Command", "Evidence", "Grammar", "Heard",
    "build", "understand",
]  # fmt: skip
