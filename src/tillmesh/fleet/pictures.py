"""Pictures of products at head office: kept for each store by hash, given back to the store that brought them.

They are no part of any log and of no sum, so they lie in tables of their own. Head office decodes none: it takes what a
till would take. What a store's products name it knows from the store itself, which asks for all of it every day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import OFFICE_PICTURE_UNASKED_MS, OFFICE_PICTURES_BYTES_MAX
from tillmesh.shop.pictures import Picture, picture_of


class ShelfFull(Conflict):
    """A store has brought as many pictures as are kept for one."""

    kind = "shelf-full"
    title = "Head office keeps no more pictures of this store"


class Kept(NamedTuple):
    """A picture that is kept for a store, and when the store last said that its products name it."""

    sha256: str
    size: int
    asked_ms: int


class PictureShelf(Protocol):
    """Where pictures are kept. Every question names its store, so that no answer mixes tenants."""

    def held(self, store: str, sha256s: Collection[str], now_ms: int) -> set[str]:
        """Say which of some are kept for a store, and note that it asked for them."""
        ...

    def load(self, store: str, sha256: str) -> tuple[str, bytes] | None:
        """Give media and bytes of a picture of a store, or None."""
        ...

    def total(self, store: str) -> int:
        """Add up the bytes of all that is kept for a store."""
        ...

    def oldest(self, store: str, before_ms: int) -> list[Kept]:
        """List what a store has not asked for since a time, the longest ago first."""
        ...

    def keep(self, store: str, picture: Picture, data: bytes, now_ms: int) -> None:
        """Keep a picture whose bytes were looked at; the same again changes nothing."""
        ...

    def drop(self, store: str, sha256s: Collection[str]) -> None:
        """Forget some pictures of a store."""
        ...

    def close(self) -> None:
        """Let go of it."""


def take(
    shelf: PictureShelf, store: str, sha256: str, data: bytes, now_ms: int, bytes_max: int = OFFICE_PICTURES_BYTES_MAX
) -> None:
    """Keep a picture that a store brings: what its hash says, of a kind and size that a till takes, nothing besides."""
    picture = picture_of(data)
    if picture.sha256 != sha256:
        raise Invalid(f"this is the picture {picture.sha256}", hint="Send it under its own hash.")
    over = shelf.total(store) + picture.size - bytes_max
    if over > 0 and not shelf.held(store, [sha256], now_ms):
        gone = giving_way(shelf.oldest(store, now_ms - OFFICE_PICTURE_UNASKED_MS), over)
        if gone is None:
            raise ShelfFull(
                f"{bytes_max >> 20} MiB of pictures are kept for {store}",
                hint="Take pictures from products that are not sold any more.",
            )
        shelf.drop(store, gone)
    shelf.keep(store, picture, data, now_ms)


def giving_way(unasked: Sequence[Kept], bytes_wanted: int) -> list[str] | None:
    """Choose what gives way for so many bytes, the first ones first; None if that is not enough."""
    gone = []
    for one in unasked:
        if bytes_wanted <= 0:
            break
        gone.append(one.sha256)
        bytes_wanted -= one.size
    return gone if bytes_wanted <= 0 else None
