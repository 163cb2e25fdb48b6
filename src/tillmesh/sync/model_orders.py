"""Which version of a model the tills of a store should run, as head office signs it, and what they say of it in return.

An order travels as the very bytes that were signed: from head office to the leader, from the leader to the other tills.
Whoever passes it on can hold it back, and nothing else. It names the bundle by its SHA-256, so that the signature of
the order covers every byte of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import (
    BUNDLE_BYTES_MAX,
    MODEL_CONFIDENCE_BINS,
    MODEL_ORDER_BYTES_MAX,
    MODEL_REASONS_MAX,
    MODEL_REPORTS_BYTES_MAX,
    MODEL_REPORTS_MAX,
    MODEL_VERSION_MAX,
)

CONTEXT: Final = b"tillmesh model order 1\n"
ORDERS_DIGEST_BYTES: Final = 16
Store = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9a-z]+$")]
Till = Annotated[str, Meta(min_length=4, max_length=16, pattern=r"^[0-9a-z]+$")]
Model = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Version = Annotated[int, Meta(ge=1, le=MODEL_VERSION_MAX)]
Serial = Annotated[int, Meta(ge=1, le=MODEL_VERSION_MAX)]
Count = Annotated[int, Meta(ge=0, lt=1 << 53)]
Time = Annotated[int, Meta(ge=0, lt=1 << 53)]


class OrderRefused(TillmeshError):
    """An order that counts for nothing: not head office's, not for this store, over, or no order at all."""

    status = 409
    kind = "model-order-refused"
    title = "This order of head office is not followed"

    def __init__(self, detail: str, *, reason: str, hint: str = "It comes again with the next upload.") -> None:
        super().__init__(detail, hint=hint)
        self.reason = reason  # one word for counters: signature | size | broken | store | expired


class Kind(StrEnum):
    """What an order wants."""

    RUN = "run"  # the tills that are chosen take this version, unless a later one runs there
    ROLLBACK = "rollback"  # all of them go back to it, and count from there


class Order(Struct, frozen=True, kw_only=True):
    """What head office wants of one model in one store.

    Invariant: of two orders for one model and store, the one with the higher serial was written later. An order that
    is older than the newest rollback a till has followed is not followed any more.
    """

    store: Store
    name: Model
    version: Version
    share: Annotated[int, Meta(ge=1, le=100)]  # percent of the store's tills, chosen by edge/rollout.py
    serial: Serial  # of head office, grows with every order for this model
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]  # of the bundle as one file
    size: Annotated[int, Meta(ge=1, le=BUNDLE_BYTES_MAX)]  # of the same, in bytes
    kind: Kind = Kind.RUN
    expires_ms: Time  # nothing is begun after it; what was installed stays


class SignedOrder(Struct, frozen=True):
    """An order as it travels: in JSON the bytes are base64."""

    raw: Annotated[bytes, Meta(max_length=MODEL_ORDER_BYTES_MAX)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Report(Struct, frozen=True, kw_only=True):
    """How one model did on one till in a stretch of time; with nothing asked, that it runs there."""

    terminal: Till
    name: Model
    version: Version
    window_start: Time
    window_end: Time
    asked: Count = 0
    fallbacks: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[a-z_]{1,20}$")], Count], Meta(max_length=MODEL_REASONS_MAX)
    ] = {}
    confirmed: Count = 0  # suggestions that a person said yes to
    corrected: Count = 0
    # How many answers had a confidence in [0, .05), [.05, .10) ... [.95, 1]
    confidence_histogram: Annotated[
        list[Count], Meta(min_length=MODEL_CONFIDENCE_BINS, max_length=MODEL_CONFIDENCE_BINS)
    ] = msgspec.field(default_factory=lambda: [0] * MODEL_CONFIDENCE_BINS)
    p50_ms: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    p95_ms: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    given_up: Annotated[int, Meta(ge=0, le=MODEL_VERSION_MAX)] = 0  # a version that failed at work there; 0: none


class Reports(Struct, frozen=True):
    """What a store's leader says of all its tills."""

    reports: Annotated[list[Report], Meta(max_length=MODEL_REPORTS_MAX)]


@cache
def _orders() -> msgspec.json.Decoder[Order]:
    return msgspec.json.Decoder(Order)


@cache
def _reports() -> msgspec.json.Decoder[Reports]:
    return msgspec.json.Decoder(Reports)


def sign_order(order: Order, key: Ed25519PrivateKey) -> SignedOrder:
    """Write an order down and sign these bytes, with the key that head office signs its events with."""
    raw = msgspec.json.encode(order)
    return SignedOrder(raw, key.sign(CONTEXT + raw))


def read_order(signed: SignedOrder, office_public: bytes, store: str, now_ms: int) -> Order:
    """Give an order that head office signed for this store and that still counts, or raise :class:`OrderRefused`."""
    if len(signed.raw) > MODEL_ORDER_BYTES_MAX:
        size = len(signed.raw)
        raise OrderRefused(f"an order of {size} bytes; the limit is {MODEL_ORDER_BYTES_MAX}", reason="size")
    try:
        Ed25519PublicKey.from_public_bytes(office_public).verify(signed.signature, CONTEXT + signed.raw)
    except (InvalidSignature, ValueError) as cause:
        raise OrderRefused("an order that head office did not sign", reason="signature") from cause
    try:
        order = _orders().decode(signed.raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise OrderRefused(f"an order that does not read: {cause}", reason="broken") from cause
    if order.store != store:
        raise OrderRefused(f"an order for the store {order.store}, not for {store}", reason="store")
    if order.expires_ms < now_ms:
        raise OrderRefused(f"the order for {order.name} {order.version} is over", reason="expired")
    return order


def orders_digest(orders: Sequence[SignedOrder]) -> bytes:
    """Give a short mark of what somebody was told, so that it need not be told with every answer."""
    told = b"".join(sha256(order.raw + order.signature).digest() for order in orders)
    return sha256(told).digest()[:ORDERS_DIGEST_BYTES]


def read_reports(body: bytes) -> Reports:
    """Decode reports; raises :class:`OrderRefused` and nothing else."""
    if len(body) > MODEL_REPORTS_BYTES_MAX:
        raise OrderRefused(f"reports of {len(body)} bytes; the limit is {MODEL_REPORTS_BYTES_MAX}", reason="size")
    try:
        return _reports().decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise OrderRefused(f"bytes that are no reports: {cause}", reason="broken") from cause
