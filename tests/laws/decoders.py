"""Everything that reads bytes from somebody else, with bytes that it takes: what fuzzing begins with.

Each may raise a TillmeshError, and nothing else, whatever it is given.
"""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

import apsw
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.hostile_bodies import hostile
from tests.pictures import jpeg, webp
from tillmesh.adapters.lan.pairing_messages import read_message as read_pairing
from tillmesh.adapters.lan.roster import read_roster
from tillmesh.adapters.sqlite.database import in_memory
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.crdt import BoundedCounter, GCounter, LWWMap, LWWRegister, ORSet, PNCounter, VersionVector
from tillmesh.edge import bundle
from tillmesh.edge.voice.sound import read_wav
from tillmesh.kernel.codec import decode, encode
from tillmesh.kernel.envelope import Head, seal
from tillmesh.kernel.limits import SUBJECT_KEY_BUCKETS
from tillmesh.raft import (
    ConfState,
    Entry,
    EntryType,
    Snapshot,
    decode_conf_state,
    decode_entry,
    decode_message,
    decode_snapshot,
)
from tillmesh.raft import encode as encode_raft
from tillmesh.shop.events import KINDS, Payment, SaleClosed, SaleLine
from tillmesh.shop.gs1 import read_elements
from tillmesh.shop.pictures import cleaned
from tillmesh.shop.product_columns import Reading
from tillmesh.shop.product_file import plan_import
from tillmesh.shop.product_matching import Shelf
from tillmesh.shop.product_rows import text_lines
from tillmesh.sync import (
    hub_news,
    key_messages,
    model_messages,
    model_orders,
    office_pictures,
    picture_messages,
    read_frame,
    recovery,
    standing,
    store_messages,
    upload,
    write_frame,
)
from tillmesh.sync.messages import Ack, Hello, Item, Later, Mark, Push, Run, Slow
from tillmesh.till.agreement import CutDecided, RightsGranted, decode_decision, encode_decision
from tillmesh.till.scales import dialogue_of

_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
_RUN: Final = Run("tilla.aaaaaaaa", 1, [Item(1 << 40, "sale_closed", 1, b"\x90")], bytes(32), bytes(64))
_MARK: Final = Mark(1, bytes(32))
_READING: Final = Reading(tax_rates_ppm={"standard": 200_000})
_EMPTY: Final = Shelf(product=lambda _: None, owner=lambda _: None)


class Decoder(NamedTuple):
    """One way in: what reads, and bytes that it takes or nearly takes."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _wav() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(struct.pack("<32h", *range(32)))
    return held.getvalue()


def _sale() -> bytes:
    line: dict[str, Any] = dict.fromkeys(SaleLine.__struct_fields__, 0)
    sale: dict[str, Any] = dict.fromkeys(SaleClosed.__struct_fields__, 0)
    return encode([list(line.values()), list(sale.values()), [encode(Payment(method="cash", amount_minor=1))]])


def _event(body: bytes) -> object:
    """Read a body as each type that there is."""
    found = None
    for kind in KINDS.values():
        try:
            found = decode(body, kind)
        except Exception as error:
            if type(error).__module__ != "tillmesh.kernel.errors":
                raise
    return found


@cache
def _database() -> apsw.Connection:
    return in_memory()


def _projected(data: bytes) -> object:
    """Take an event of another till into a database: the first byte says of which type, the rest is its body."""
    names = list(KINDS)
    kind, db = names[data[0] % len(names)] if data else names[0], _database()
    event = seal("store", Head("tilla.aaaaaaaa"), hlc=1 << 40, kind=kind, version=1, body=data[1:])
    db.execute("SAVEPOINT one")
    try:
        return Ledger(db, "store").append_foreign([event])
    finally:
        db.execute("ROLLBACK TO one; RELEASE one")


def _products(data: bytes) -> object:
    return plan_import(text_lines([data]), _READING, _EMPTY, dry_run=True)


def _scale(kind: str) -> Callable[[bytes], object]:
    """Let a scale of a kind speak, all at once and byte by byte."""

    def read(data: bytes) -> object:
        pieces, whole = dialogue_of(kind), dialogue_of(kind)
        assert pieces is not None
        assert whole is not None
        for at in range(len(data)):
            pieces.hear(data[at : at + 1])
        return whole.hear(data)

    return read


CSV: Final = (
    b"sku,barcode,name,price\nA,4006381333931,Apple,1.00\n",
    b"Handle,SKU,Name,Category,Sold by weight,Price [X]\nx,1,Apple,Fruit,Y,2.40\n",
)
DECODERS: Final[dict[str, Decoder]] = {
    "frame": Decoder(read_frame, tuple(write_frame(message) for message in (
        Hello(1, "store", 1, "tilla.aaaaaaaa", {"tilla.aaaaaaaa": _MARK}), Push(1, [_RUN]), Ack(1, {}), Later(1, 5),
        Slow("tilla.aaaaaaaa", 600_000),
    ))),
    "batch": Decoder(upload.read_batch, (
        upload.write_batch(upload.Batch("store", 1, "tilla.aaaaaaaa", {"tilla.aaaaaaaa": _MARK}, [_RUN])),
    )),
    "answer": Decoder(upload.read_answer, (upload.write_answer(upload.Answer({"tilla.aaaaaaaa": 1}, [_RUN])),)),
    "state": Decoder(upload.read_state, (b'{"acked":{"tilla.aaaaaaaa":1},"term":2}',)),
    "page": Decoder(recovery.read_page, (recovery.write_page(recovery.Page("store", [_RUN], "1", whole=True)),)),
    "estate": Decoder(recovery.read_estate, (b"{}",)),
    "standing": Decoder(standing.read_standing, (standing.write_standing(standing.Standing(1, "leader", ["b"], 3)),)),
    "keys": Decoder(key_messages.read_keys, (
        key_messages.write_keys(key_messages.Sums([0] * SUBJECT_KEY_BUCKETS)),
        key_messages.write_keys(key_messages.Keys([])),
    )),
    "store": Decoder(store_messages.read_store, (
        store_messages.write_store(store_messages.Lists([b"newest"], issuer=True)),
        store_messages.write_store(store_messages.Declined("revoked", "removed")),
    )),
    "news": Decoder(hub_news.read_news, (
        hub_news.write_news(hub_news.HubNews({"a.b": 1}, {}, 0, reachable=True)),
    )),
    "models": Decoder(model_messages.read_message, (
        model_messages.write_message(model_messages.Known({}, [bytes(32)])),
        model_messages.write_message(model_messages.Piece(bytes(32), 0, b"piece")),
    )),
    "pictures": Decoder(picture_messages.read_message, (
        picture_messages.write_message(picture_messages.Ask(bytes(32))),
        picture_messages.write_message(picture_messages.Here(bytes(32), b"picture")),
        picture_messages.write_message(picture_messages.Have([bytes(32)])),
        picture_messages.write_message(picture_messages.Got(bytes(32))),
    )),
    "pictures at head office": Decoder(office_pictures.read_held, (b'{"sha256s":["' + b"0a" * 32 + b'"]}',)),
    "picture": Decoder(cleaned, (jpeg(), webp(), webp(lossless=True))),
    "reports": Decoder(model_orders.read_reports, (b'{"reports":[]}',)),
    "roster": Decoder(lambda data: read_roster(_KEY.public_key(), "store", data), (
        msgspec.msgpack.encode([b"body", bytes(64)]),
    )),
    "pairing": Decoder(read_pairing, (b"\x91\x01", b"\x92\x02\xc4\x01a")),
    "office": Decoder(read_bundle, (b"\x80", msgspec.msgpack.encode({"store": "s", "secret": bytes(32)}))),
    "bundle": Decoder(bundle.unpack, (bundle.pack(bundle.Sealed(b"{}", bytes(64), {"a": b"b"})),)),
    "event": Decoder(_event, (_sale(), encode(Payment(method="cash", amount_minor=1)))),
    "projected": Decoder(_projected, tuple(
        bytes([place]) + hostile(kind, Random(place), tame=1.0) for place, kind in enumerate(KINDS.values())
    )),
    "decision": Decoder(decode_decision, (
        encode_decision(CutDecided(op_id="a" * 24, vector={"a.b": 3})),
        encode_decision(RightsGranted(op_id="b", sku="mug", actor="a.b", quantity_milli=1, after=3, before="a")),
    )),
    "raft": Decoder(decode_message, (b"\x90", b"\x99\x00\x01\x02\x03\x04\x05\x06\x07\x08")),
    "raft entry": Decoder(decode_entry, (encode_raft(Entry(1, 1, b"x", EntryType.NORMAL)),)),
    "raft members": Decoder(decode_conf_state, (encode_raft(ConfState((1, 2), (3,))),)),
    "raft snapshot": Decoder(decode_snapshot, (encode_raft(Snapshot(1, 1, ConfState((1,), ()), b"x")),)),
    "sound": Decoder(read_wav, (_wav(),)),
    "products": Decoder(_products, CSV),
    "scale 8217": Decoder(_scale("mettler8217"), (b"\x0200.345\r", b"\x02?A\r\x0212.005N\r")),
    "scale dialog06": Decoder(_scale("dialog06"), (
        b"\x0202\x1b3\x1b00345\x1b000399\x1b000138\x03", b"\x15\x0209\x1b20\x03\x06",
    )),
    "scale lines": Decoder(_scale("lines"), (b"ST,GS,+ 0.345kg\r\n", b"US,NT,1\xc5,000.345 kg\r\nOL,+999999.9  g\r\n")),
    "gs1": Decoder(lambda data: read_elements(data.decode("latin-1")), (b"]C10104006381333931310300150010A1",)),
    **{
        kind.__name__: Decoder(kind.from_bytes, (seed,))
        for kind, seed in (
            (BoundedCounter, BoundedCounter().give("a", 2).move("a", "b", 1).to_bytes()),
            (PNCounter, PNCounter().to_bytes()), (GCounter, GCounter().to_bytes()), (ORSet, ORSet().to_bytes()),
            (LWWMap, LWWMap().to_bytes()), (VersionVector, VersionVector().to_bytes()), (LWWRegister, b"\x90"),
        )
    },
}  # fmt: skip
