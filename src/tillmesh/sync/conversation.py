"""How tills read what they tell each other beside the log: msgpack within a limit, and what is newer is passed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tillmesh.sync.packing import FrameDamaged, message_number

NO_NUMBERS: Final = 1 << 8  # of a conversation with one kind of message: above what a number can be


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages about one thing, ``about`` in errors; ``newest`` is the highest number that this program knows."""

    about: str
    bytes_max: int
    newest: int
    decoder: Callable[[], msgspec.msgpack.Decoder[Any]]

    def read(self, body: bytes) -> Any:
        """Decode; None for a message of a newer program. Raises :class:`FrameDamaged` and nothing else."""
        if len(body) > self.bytes_max:
            raise FrameDamaged(f"{len(body)} bytes about {self.about}; the limit is {self.bytes_max}")
        if message_number(body) > self.newest:
            return None
        try:
            return self.decoder().decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
            raise FrameDamaged(f"what a till says about {self.about} can't be read: {cause}") from cause
