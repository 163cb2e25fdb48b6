"""Orders of head office for models: who is believed, what is followed no more, and what is told again."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.kernel.limits import MODEL_ORDER_BYTES_MAX, MODEL_REPORTS_BYTES_MAX, MODEL_REPORTS_MAX
from tillmesh.sync.model_orders import (
    Kind,
    Order,
    OrderRefused,
    Report,
    Reports,
    SignedOrder,
    orders_digest,
    read_order,
    read_reports,
    sign_order,
)
from tillmesh.sync.upload import Answer, Batch, read_answer, read_batch, write_answer, write_batch

OFFICE = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PUBLIC = OFFICE.public_key().public_bytes_raw()
NOW = 1_800_000_000_000
ORDER = Order(
    store="first", name="recognition", version=2, share=30, serial=4, sha256="0a" * 32, size=1_000, expires_ms=NOW + 1,
)  # fmt: skip


def refusal(signed: SignedOrder, store: str = "first", now_ms: int = NOW) -> str:
    with pytest.raises(OrderRefused) as refused:
        read_order(signed, PUBLIC, store, now_ms)
    return refused.value.reason


def test_an_order_comes_through_an_answer_as_it_was_signed() -> None:
    back = msgspec.structs.replace(ORDER, kind=Kind.ROLLBACK, share=100)
    told = read_answer(write_answer(Answer({}, model_orders=[sign_order(ORDER, OFFICE), sign_order(back, OFFICE)])))
    assert told.model_orders is not None
    assert [read_order(signed, PUBLIC, "first", NOW) for signed in told.model_orders] == [ORDER, back]


def test_an_answer_of_an_older_head_office_says_nothing_of_orders() -> None:
    assert read_answer(b'{"acked":{},"model_versions":{"voice":"2"}}').model_orders is None


def test_an_order_that_somebody_else_signed_or_changed_is_not_followed() -> None:
    signed = sign_order(ORDER, OFFICE)
    stranger = sign_order(ORDER, Ed25519PrivateKey.from_private_bytes(b"s" * 32))
    wider = msgspec.structs.replace(signed, raw=signed.raw.replace(b'"share":30', b'"share":99'))
    bare = SignedOrder(signed.raw, OFFICE.sign(signed.raw))  # as if an event's signature were used for an order
    assert wider.raw != signed.raw
    assert {refusal(one) for one in (stranger, wider, bare)} == {"signature"}


def test_an_order_for_another_store_and_one_that_is_over_are_not_followed() -> None:
    assert refusal(sign_order(ORDER, OFFICE), store="second") == "store"
    assert refusal(sign_order(ORDER, OFFICE), now_ms=NOW + 2) == "expired"


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0}, {"share": 101}, {"version": 0}, {"serial": 0}, {"size": 1 << 40}, {"sha256": "x"},
        {"name": "../up"}, {"kind": "delete"}, {"expires_ms": -1},
    ],
    ids=str,
)  # fmt: skip
def test_an_order_out_of_range_is_refused_even_if_head_office_signed_it(wrong: dict[str, object]) -> None:
    raw = msgspec.json.encode({**msgspec.to_builtins(ORDER), **wrong})
    assert refusal(SignedOrder(raw, OFFICE.sign(b"tillmesh model order 1\n" + raw))) == "broken"


def test_an_order_that_is_too_long_is_not_even_looked_at() -> None:
    raw = b" " * (MODEL_ORDER_BYTES_MAX + 1)
    assert refusal(SignedOrder(raw, OFFICE.sign(b"tillmesh model order 1\n" + raw))) == "size"


def test_every_order_fits_its_limit() -> None:
    longest = msgspec.structs.replace(
        ORDER, store="s" * 64, name="n" * 40, version=1 << 31, serial=1 << 31, size=32 << 20, share=100,
        kind=Kind.ROLLBACK, expires_ms=(1 << 53) - 1,
    )  # fmt: skip
    assert read_order(sign_order(longest, OFFICE), PUBLIC, "s" * 64, NOW) == longest


def test_a_leader_that_knows_its_orders_says_so_and_one_changed_order_is_another_digest() -> None:
    signed = sign_order(ORDER, OFFICE)
    digest = orders_digest([signed])
    assert digest != orders_digest([]) != b""
    assert digest != orders_digest([sign_order(msgspec.structs.replace(ORDER, share=31), OFFICE)])
    batch = Batch("first", 1, "tilla.aaaaaaaa", {}, [], orders=digest)
    assert read_batch(write_batch(batch)).orders == digest


def test_reports_come_back_as_they_were_sent_and_too_many_are_refused() -> None:
    one = Report(
        terminal="till1", name="voice", version=3, window_start=1, window_end=2, asked=7, fallbacks={"deadline": 2},
        confirmed=4, corrected=1, confidence_histogram=[*[0] * 19, 5], p50_ms=3.5, p95_ms=9.0,
    )  # fmt: skip
    assert read_reports(msgspec.json.encode(Reports([one]))).reports == [one]
    for body in (
        msgspec.json.encode(Reports([one] * (MODEL_REPORTS_MAX + 1))),
        msgspec.json.encode({"reports": [{**msgspec.to_builtins(one), "asked": -1}]}),
        msgspec.json.encode({"reports": [{**msgspec.to_builtins(one), "confidence_histogram": [1]}]}),
        b"[" * 100_000,
        b" " * (MODEL_REPORTS_BYTES_MAX + 1),
    ):
        with pytest.raises(OrderRefused):
            read_reports(body)
