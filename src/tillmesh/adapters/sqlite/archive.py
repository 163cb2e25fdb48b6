"""Old sales, compressed: their rows stay in the log with their hashes, their bodies lie in the archive many together.

Nothing is lost by it: whoever reads an event gets its body back, the chain of hashes says that it is the right one, and
projections, verification and other tills are served as before. Only reading is slower.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

import apsw
import msgspec
import zstandard

from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Damaged
from tillmesh.kernel.hlc import pack
from tillmesh.kernel.limits import ARCHIVE_CHUNK_BYTES_MAX, ARCHIVE_CHUNK_EVENTS

TYPES: Final = (
    "sale_closed",
    "sale_refunded",
    "sale_voided",
)  # nearly all bytes of a log; all else is looked for by type
SIZE: Final = "iif(substr({0}, 1, 1) = X'C1', CAST(CAST(substr({0}, 2) AS TEXT) AS INTEGER), length({0}))"
_MARK: Final = 0xC1
_MARK_BYTE: Final = bytes([_MARK])
_LEVEL: Final = 9  # 2,000 sales took 0.1 s more than at 3 and were a tenth smaller
_CHUNKS_CACHED: Final = 16  # about 4 MB
_CHUNK: Final = "SELECT last, data FROM archive WHERE actor = ? AND first <= ? ORDER BY first DESC LIMIT 1"
# Pieces of one actor do not overlap, so the one that begins last ends last.
_LAST: Final = "SELECT coalesce((SELECT last FROM archive WHERE actor = ? ORDER BY first DESC LIMIT 1), 0)"
_KINDS: Final = ", ".join(f"'{kind}'" for kind in TYPES)
_OLD: Final = (
    "SELECT seq, hlc, body FROM event WHERE actor = ? AND seq > ? AND seq <= ? "  # noqa: S608
    f"AND type IN ({_KINDS}) ORDER BY seq LIMIT ?"
)
_COLUMNS: Final = "actor, seq, hlc, type, version, hash"
_LEAVE: Final = (
    f"INSERT INTO moving ({_COLUMNS}, size) SELECT {_COLUMNS}, length(body) FROM event "  # noqa: S608
    f"WHERE actor = ? AND seq BETWEEN ? AND ? AND type IN ({_KINDS})"
)
_GO: Final = f"DELETE FROM event WHERE actor = ? AND seq BETWEEN ? AND ? AND type IN ({_KINDS})"  # noqa: S608
_COME_BACK: Final = (
    f"INSERT INTO event ({_COLUMNS}, body) "  # noqa: S608
    f"SELECT {_COLUMNS}, unhex('C1' || hex(CAST(size AS TEXT))) FROM moving ORDER BY actor, seq"
)


class Chunk(NamedTuple):
    """Bodies of one actor's sales, ready to be put away."""

    actor: int
    first: int
    last: int
    sizes: tuple[tuple[int, int], ...]  # number of the event, bytes of its body
    data: bytes


class Archive:
    """Reads archived bodies over one connection; keeps the chunks that were read last."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._chunks: OrderedDict[tuple[int, int], tuple[int, dict[int, bytes]]] = OrderedDict()

    def body(self, actor: int, seq: int, stored: bytes) -> bytes:
        """Give the body of an event from what its row holds; raises Damaged when the archive lacks it."""
        if not stored or stored[0] != _MARK:
            return stored
        for (held, first), (last, bodies) in self._chunks.items():
            if held == actor and first <= seq <= last and seq in bodies:
                self._chunks.move_to_end((held, first))
                return bodies[seq]
        return self._read(actor, seq)

    def _read(self, actor: int, seq: int) -> bytes:
        found = rows(self._db, _CHUNK, (actor, seq))
        bodies = _unpack(found[0][1]) if found else {}
        if seq not in bodies:
            raise Damaged(f"event {seq} of actor {actor} is not in the archive", hint="Restore it from a peer.")
        self._chunks[actor, min(bodies)] = (found[0][0], bodies)
        while len(self._chunks) > _CHUNKS_CACHED:
            self._chunks.popitem(last=False)
        return bodies[seq]


def refuse_mark(event: Envelope) -> None:
    """Raise :class:`Damaged` for a body that reads as a mark: it could never be read again, nor passed on."""
    if event.body[:1] == _MARK_BYTE:
        raise Damaged(f"{event.id} has the body of none: no event begins so", hint="Refuse its sender.")


def gather(db: apsw.Connection, actor: int, upto: int, before_ms: int, *, least: int) -> Chunk | None:
    """Read and compress the next sales of an actor up to one of its events and older than a moment.

    None when fewer than ``least`` wait: small chunks compress badly.
    """
    after = int(rows(db, _LAST, (actor,))[0][0])
    picked: list[tuple[int, bytes]] = []
    size, before = 0, pack(max(0, before_ms))
    for seq, hlc, body in rows(db, _OLD, (actor, after, upto, ARCHIVE_CHUNK_EVENTS)):
        size += len(body)
        if hlc >= before or (picked and size > ARCHIVE_CHUNK_BYTES_MAX):
            break
        picked.append((seq, bytes(body)))
    is_full = len(picked) >= ARCHIVE_CHUNK_EVENTS or size > ARCHIVE_CHUNK_BYTES_MAX
    if not picked or not (is_full or len(picked) >= least):
        return None
    data = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(msgspec.msgpack.encode(picked))
    return Chunk(actor, picked[0][0], picked[-1][0], tuple((seq, len(body)) for seq, body in picked), data)


def put_away(db: apsw.Connection, chunk: Chunk) -> int:
    """Store a chunk and make room in the log, in the caller's transaction; gives the bytes that were saved.

    A chunk that was put away meanwhile is left as it is.
    """
    if int(rows(db, _LAST, (chunk.actor,))[0][0]) >= chunk.first:
        return 0
    db.execute("INSERT INTO archive (actor, first, last, data) VALUES (?, ?, ?, ?)", (*chunk[:3], chunk.data))
    # Rows that only became shorter would leave their room on the page empty: they leave the log and come back.
    for statement in (_LEAVE, _GO):
        db.execute(statement, chunk[:3])
    db.execute(_COME_BACK)
    db.execute("DELETE FROM moving")
    return sum(size for _, size in chunk.sizes) - len(chunk.data)


def reached(db: apsw.Connection) -> dict[str, int]:
    """Give how far each actor's sales are archived."""
    sql = "SELECT name, (SELECT last FROM archive WHERE actor = a.id ORDER BY first DESC LIMIT 1) FROM actor a"
    return {name: int(last) for name, last in rows(db, sql) if last is not None}


def _unpack(data: bytes) -> dict[int, bytes]:
    try:
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        return dict(msgspec.msgpack.decode(raw, type=list[tuple[int, bytes]]))
    except (zstandard.ZstdError, msgspec.DecodeError) as cause:
        raise Damaged(f"a piece of the archive does not read: {cause}", hint="Restore it from a peer.") from cause
