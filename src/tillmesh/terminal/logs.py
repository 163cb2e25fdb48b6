"""What the program writes about itself: warnings on standard error, never with a card number in them."""

from __future__ import annotations

import logging
import os
import select
from typing import Final, TextIO

from tillmesh.shop.cardnumbers import hide_card_numbers

PIECE_BYTES: Final = 4_096  # PIPE_BUF (pipe(7)): what can be written when poll says that anything can


class Careful(logging.Formatter):
    """Takes card numbers out of every line, tracebacks included: whatever came in may stand in an error's text."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return hide_card_numbers(super().format(record))


class Unwaiting(logging.StreamHandler[TextIO]):
    """Loses a line rather than wait for whoever reads the log and does not: a sale would wait behind it."""

    lost = 0  # lines, since one was written

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record if it is taken now."""
        try:
            text = f"{self.format(record)}\n"
            if self.lost:
                text = f"{self.lost} lines before this one were lost: nobody took them\n{text}"
            self.lost = self.lost + 1 if not self._write(text.encode(errors="replace")) else 0
        except Exception:  # noqa: BLE001 - as any handler: a program must not stop because of its log
            self.lost += 1

    def _write(self, data: bytes) -> bool:
        """Say whether all of it was taken."""
        handle = self.stream.fileno()
        poll = select.poll()
        poll.register(handle, select.POLLOUT)
        for start in range(0, len(data), PIECE_BYTES):
            if not poll.poll(0):
                return False
            os.write(handle, data[start : start + PIECE_BYTES])
        return True


def start_logging() -> None:
    """Send warnings and worse to standard error."""
    handler = Unwaiting()
    handler.setFormatter(Careful("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
