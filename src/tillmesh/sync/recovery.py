"""What a store that lost all its tills gets back from head office: what there is, and the log page by page.

Nothing counts because head office says so: each stretch is sealed anew and has to end in the hash it names, under the
signature of the till that wrote it. Pure: pages in, checked events out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Damaged
from tillmesh.kernel.limits import (
    LOG_PAGE_BYTES_MAX,
    LOG_PAGE_RUNS_MAX,
    LOG_PLACE_CHARS_MAX,
    NAME_CHARS_MAX,
    STORE_DOCUMENT_BYTES_MAX,
    STORE_LISTS_MAX,
    SYNC_ACTORS_MAX,
)
from tillmesh.sync.messages import Actor, Mark, Run, Seq, Vector, sealed
from tillmesh.sync.packing import FrameDamaged
from tillmesh.sync.signatures import Notary, SignedHead, Verdict
from tillmesh.sync.store_messages import SignedList
from tillmesh.sync.upload import Store, Till
from tillmesh.sync.wrapping import HEAD, Wrapping

PAGE_PROTOCOL: Final = 1
MAGIC: Final = 0x746C  # "tl"
MEDIA: Final = "application/vnd.tillmesh.log"
Document = Annotated[bytes, Meta(max_length=STORE_DOCUMENT_BYTES_MAX)]


class Name(Struct, frozen=True):
    """How a till was called in the shop."""

    name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
    number: Annotated[int, Meta(ge=0, le=2**31)] = 0


class Estate(Struct, frozen=True, kw_only=True):
    """What head office holds of a store, and by whose signatures it can be believed."""

    store: Store
    term: Seq  # the newest that it heard of: whoever uploads from now on needs a later one
    heads: Annotated[dict[Actor, Mark], Meta(max_length=SYNC_ACTORS_MAX)]
    heard: Vector = {}  # what the store's last leader held, as far as head office was told
    authority: Document = b""  # of the store; empty for a till that worked alone
    lists: Annotated[list[SignedList], Meta(max_length=STORE_LISTS_MAX)] = []  # of its tills, signed by the authority
    tills: Annotated[dict[Till, Name], Meta(max_length=SYNC_ACTORS_MAX)] = {}


class Page(Struct, frozen=True, array_like=True):
    """Some of the log. ``place`` is where to go on; ``whole`` says that nothing came behind it so far."""

    store: Store
    runs: Annotated[list[Run], Meta(max_length=LOG_PAGE_RUNS_MAX)]
    place: Annotated[str, Meta(max_length=LOG_PLACE_CHARS_MAX)]
    whole: bool


class Claim(Struct, frozen=True, kw_only=True):
    """The recovered store's new authority, and the first list that it has signed."""

    authority: Document
    lists: Annotated[list[SignedList], Meta(min_length=1, max_length=STORE_LISTS_MAX)]


class Unsigned(Damaged):
    """Head office sent events that the till which wrote them did not sign."""

    kind = "unsigned"
    title = "Events without their till's signature"


class Checked(NamedTuple):
    """New events of one actor, and the signed head that they end in."""

    events: list[Envelope]
    signed: SignedHead


class Replay:
    """Checks page after page. Invariant: ``heads`` are the ends of what was given out, each under a signature."""

    def __init__(self, store: str, heads: Mapping[str, Head], notary: Notary) -> None:
        self._store, self._notary = store, notary
        self.heads = dict(heads)

    def take(self, page: Page) -> list[Checked]:
        """Check a page and give what is new in it; raises Damaged for what does not join on, Unsigned for the rest."""
        if page.store != self._store:
            raise Damaged(f"a page of the store {page.store}", hint="Ask head office for this store's own.")
        return [found for run in page.runs if (found := self._check(run)) is not None]

    def _check(self, run: Run) -> Checked | None:
        held = self.heads.get(run.actor, Head(run.actor))
        if run.first > held.seq + 1:
            raise Damaged(
                f"after {run.actor}-{held.seq} head office sent {run.actor}-{run.first}",
                hint="Its event log has a hole: restore it there first.",
            )
        events, head = sealed(self._store, run, held)
        if not events:
            return None
        if head.hash != run.hash:
            raise Damaged(
                f"events up to {run.actor}-{head.seq} are not what was signed: the hashes differ",
                hint="Head office's event log was altered: restore it there first.",
            )
        signed = SignedHead(head, run.signature)
        verdict = self._notary.judge(signed)
        if verdict is not Verdict.SIGNED:
            why = "the signature does not verify" if verdict is Verdict.FORGED else "nobody knows its key"
            raise Unsigned(f"events up to {run.actor}-{head.seq}: {why}", hint="Have head office look at this till.")
        self.heads[run.actor] = head
        return Checked(events, signed)


def lacking(estate: Estate, heads: Mapping[str, Head]) -> dict[str, int]:
    """Name the actors of which less, or something else, has come than head office holds, with what has come."""
    found = {}
    for actor, mark in estate.heads.items():
        held = heads.get(actor, Head(actor))
        if (held.seq, held.hash) != (mark.seq, mark.hash) and held.seq <= mark.seq:
            found[actor] = held.seq
    return found


def heads_hash(heads: Mapping[str, Head]) -> str:
    """Hash where all chains end: equal on two sides that hold the same events (hex SHA-256)."""
    total = sha256()
    for actor, end in sorted(heads.items()):
        total.update(f"{actor}\0{end.seq}\0".encode() + end.hash)
    return total.hexdigest()


@cache
def _pages() -> msgspec.msgpack.Decoder[Page]:
    return msgspec.msgpack.Decoder(Page)


@cache
def _estates() -> msgspec.json.Decoder[Estate]:
    return msgspec.json.Decoder(Estate)


_PAGES: Final[Wrapping[Page]] = Wrapping(
    MAGIC,
    PAGE_PROTOCOL,
    "a page of a log",
    HEAD.size + LOG_PAGE_BYTES_MAX,
    LOG_PAGE_BYTES_MAX,
    _pages,
    "Update the till or head office.",
)


def write_page(page: Page) -> bytes:
    """Encode a page; it ends long before LOG_PAGE_BYTES_MAX."""
    return _PAGES.write(page)


def read_page(frame: bytes) -> Page:
    """Decode a page; raises :class:`FrameDamaged`, never anything else, and never unpacks beyond the limit."""
    return _PAGES.read(frame)


def write_estate(estate: Estate) -> bytes:
    """Encode what there is."""
    return msgspec.json.encode(estate)


def read_estate(body: bytes) -> Estate:
    """Decode what there is; raises :class:`FrameDamaged` and nothing else."""
    try:
        return _estates().decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise FrameDamaged(f"bytes that are no account of a store: {cause}") from cause
