"""Which tills take a new version first: a share that is chosen by hash, so that it only grows when the share does."""

from __future__ import annotations

from hashlib import sha256


def is_chosen(name: str, version: int, till: str, share_percent: int) -> bool:
    """Say whether this till is among the ``share_percent`` of all that take this version now."""
    digest = sha256(f"{name}\n{version}\n{till}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < share_percent
