"""What the leader tells the other tills of head office: what it holds, what is on its way, whether it is in reach."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import HUB_NEWS_BYTES_MAX
from tillmesh.sync.messages import Seq, Vector
from tillmesh.sync.packing import FrameDamaged

Detail = Annotated[str, Meta(max_length=500)]


class HubNews(Struct, frozen=True, array_like=True, tag=1):
    """One body of :class:`~tillmesh.sync.channels.Channel.HUB`."""

    durable: Vector
    under_way: Vector
    last_sync_ms: Seq  # 0: never, since the leader leads
    reachable: bool
    trouble: Detail = ""  # why head office, which answers, takes nothing


@cache
def _decoder() -> msgspec.msgpack.Decoder[HubNews]:
    return msgspec.msgpack.Decoder(HubNews)


def write_news(news: HubNews) -> bytes:
    """Encode news."""
    return msgspec.msgpack.encode(news)


def read_news(body: bytes) -> HubNews:
    """Decode news; raises :class:`FrameDamaged` and nothing else."""
    if len(body) > HUB_NEWS_BYTES_MAX:
        raise FrameDamaged(f"news of {len(body)} bytes; the limit is {HUB_NEWS_BYTES_MAX}")
    try:
        return _decoder().decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise FrameDamaged(f"news that can't be read: {cause}") from cause
