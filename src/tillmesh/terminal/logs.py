"""What the program writes about itself: warnings on standard error, never with a card number in them."""

from __future__ import annotations

import logging

from tillmesh.shop.cardnumbers import hide_card_numbers


class Careful(logging.Formatter):
    """Takes card numbers out of every line, tracebacks included: whatever came in may stand in an error's text."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        return hide_card_numbers(super().format(record))


def start_logging() -> None:
    """Send warnings and worse to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Careful("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
