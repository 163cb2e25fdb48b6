"""Scales as they speak over a serial line: bytes in, readings out, without a clock or a device.

Each make of scale is one module with one :class:`Dialogue`; ``dialogue_of`` gives it by the name that settings use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tillmesh.till.scales.dialog06 import Dialog06
from tillmesh.till.scales.lines import Lines
from tillmesh.till.scales.mettler8217 import Mettler8217
from tillmesh.till.scales.reading import NOTHING, Dialogue, Heard, Reading, Scale, State

__all__ = ["DIALOGUES", "NOTHING", "Dialogue", "Heard", "Reading", "Scale", "State", "dialogue_of"]

DIALOGUES: Final[dict[str, Callable[[], Dialogue]]] = {
    "mettler8217": Mettler8217,
    "dialog06": Dialog06,
    "lines": Lines,
}


def dialogue_of(kind: str) -> Dialogue | None:
    """Begin to speak with a kind of scale; None for a kind that nobody knows."""
    made = DIALOGUES.get(kind)
    return None if made is None else made()
