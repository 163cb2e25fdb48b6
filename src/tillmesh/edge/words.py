"""How sure a model is, in words: people read them faster than percentages, and trust them less blindly."""

from __future__ import annotations

from typing import Final

SURE: Final = 0.7  # as the original design has it: below it a person confirms
LIKELY: Final = 0.4  # Guess: below it something is worth a look and no more


def word_for(confidence: float) -> str:
    """Give ``sure``, ``likely`` or ``maybe``."""
    return "sure" if confidence >= SURE else "likely" if confidence >= LIKELY else "maybe"
