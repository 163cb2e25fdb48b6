"""Spoken commands: from a WAV file to a command with its slots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tillmesh.adapters.inference.hearing import EMBEDDING_FILE, HEAD_FILE, MEL_FILE, Ear, read_head, words_of
from tillmesh.edge.bundle import Bundle, Refused
from tillmesh.edge.voice import WORDS, Calibration, understand
from tillmesh.edge.voice.sound import read_wav, spoken_seconds
from tillmesh.kernel.errors import TillmeshError


class Listener:
    """The recogniser: sound to words to a command."""

    def __init__(self, bundle: Bundle) -> None:
        files, settings = bundle.files, bundle.manifest.settings
        if settings.get("words") != list(WORDS):
            raise Refused("this head was trained for other words than this till knows", reason="other_words")
        self._ear = Ear(files[MEL_FILE], files[EMBEDDING_FILE])
        self._head = read_head(files[HEAD_FILE])
        self._calibration = msgspec.convert(settings["calibration"], Calibration)

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        """Understand each WAV file; raises ``ValueError`` for what is none."""
        return [self._one(given) for given in inputs]

    def tell(self, state: bytes) -> None:
        """Nothing: which product is meant, the till looks up by the words."""

    def _one(self, given: bytes) -> Any:
        try:
            sound = read_wav(given)
        except TillmeshError as error:
            raise ValueError(error.detail) from error
        steps = words_of(self._ear.hear(sound), self._head).tolist()
        return msgspec.to_builtins(understand(steps, self._calibration, spoken_s=spoken_seconds(sound)))


def load(bundle: Bundle, _now_ms: Callable[[], int]) -> Listener:
    """Load the three parts from a bundle that was verified."""
    return Listener(bundle)
