"""Adyen's local terminal against recorded messages: what it says is read right, and a lost answer is asked for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import structs

from tests.services.cards.terminal import KEY, POI, RECORDED, Play, Recorded
from tillmesh.adapters.cards import AdyenTerminal
from tillmesh.adapters.cards.nexo import Key, NotGenuine, unwrap, wrap
from tillmesh.shop.card_payment import PAYMENT, REFUND, CardPayment, Said
from tillmesh.till.card_payments import TerminalSilent

PAY = CardPayment(
    payment_id="p-1", kind=PAYMENT, cart_id="c", amount_minor=250, currency="GBP", by="cara",
    asked_at_ms=1_795_356_000_000,
)  # fmt: skip


@pytest.fixture
def terminal() -> Iterator[Callable[..., Recorded]]:
    made: list[Recorded] = []

    def make(play: Play | str | None, **more: Any) -> Recorded:
        made.append(Recorded(play if callable(play) else lambda *_: play, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def adyen(recorded: Recorded, **more: object) -> AdyenTerminal:
    return AdyenTerminal(recorded.reach(**more))


def test_an_approved_payment_is_cut_down_to_token_code_and_four_digits(terminal: Callable[..., Recorded]) -> None:
    recorded = terminal("approved")
    answer = adyen(recorded).pay(PAY)
    assert (answer.said, answer.approval_code, answer.last_four, answer.brand) == (
        Said.APPROVED,
        "123456",
        "3511",
        "mc",
    )
    assert answer.token == "BV0q001764150452000.VK9DRSLLRCQ2WN82 2026-11-26T09:47:32.000Z"
    assert answer.amount_minor == 250
    (asked,) = recorded.heard
    assert asked["MessageHeader"]["ServiceID"] == PAY.service_id
    assert str(asked["PaymentRequest"]["PaymentTransaction"]["AmountsReq"]["RequestedAmount"]) == "2.50"


@pytest.mark.parametrize(("played", "reason"), [("refused", "refused"), ("aborted", "cancelled")])
def test_a_refusal_says_why(terminal: Callable[..., Recorded], played: str, reason: str) -> None:
    answer = adyen(terminal(played)).pay(PAY)
    assert (answer.said, answer.reason) == (Said.DECLINED, reason)


@pytest.mark.parametrize("played", ["odd", "in_progress", None])
def test_an_answer_that_leaves_it_open_is_no_answer(terminal: Callable[..., Recorded], played: str | None) -> None:
    with pytest.raises(TerminalSilent):
        adyen(terminal(played)).pay(PAY)


def test_a_lost_answer_is_asked_for_by_the_same_name_and_the_payment_is_sent_once(
    terminal: Callable[..., Recorded],
) -> None:
    recorded = terminal(lambda category, _: "lost:approved" if category == "Payment" else "how it ended")
    till = adyen(recorded)
    with pytest.raises(TerminalSilent):
        till.pay(PAY)
    answer = till.status(PAY)
    assert (answer.said, answer.last_four) == (Said.APPROVED, "3511")
    assert recorded.categories() == ["Payment", "TransactionStatus"]
    reference = recorded.heard[1]["TransactionStatusRequest"]["MessageReference"]
    assert reference == {"MessageCategory": "Payment", "SaleID": "till-1", "ServiceID": PAY.service_id}


def test_a_terminal_says_that_it_is_at_it_or_never_heard_of_it(terminal: Callable[..., Recorded]) -> None:
    assert adyen(terminal("in_progress")).status(PAY).said is Said.WAITING
    assert adyen(terminal("not_found")).status(PAY).said is Said.NOT_FOUND


def test_money_goes_back_by_the_transaction_that_took_it(terminal: Callable[..., Recorded]) -> None:
    recorded = terminal("reversed")
    refund = structs.replace(
        PAY, payment_id="r", kind=REFUND, original="BV0q.X 2026-11-26T09:47:32.000Z", amount_minor=5
    )
    assert adyen(recorded).refund(refund).said is Said.APPROVED
    asked = recorded.heard[0]["ReversalRequest"]
    assert asked["OriginalPOITransaction"]["POITransactionID"] == {
        "TransactionID": "BV0q.X", "TimeStamp": "2026-11-26T09:47:32.000Z",
    }  # fmt: skip
    assert (str(asked["ReversedAmount"]), asked["SaleData"]["SaleToAcquirerData"]) == ("0.05", "currency=GBP")


def test_cancelling_names_the_payment(terminal: Callable[..., Recorded]) -> None:
    recorded = terminal("nothing")
    adyen(recorded).cancel(PAY)
    assert recorded.heard[0]["AbortRequest"]["MessageReference"]["ServiceID"] == PAY.service_id


def test_a_terminal_of_another_name_root_or_key_gets_nothing_or_is_not_believed(
    terminal: Callable[..., Recorded],
) -> None:
    other = terminal("approved", name="V400m-999999999.test.terminal.adyen.com")
    assert adyen(other).pay(PAY).reason.startswith("unreachable")
    assert adyen(other, authority=terminal("approved").authority).pay(PAY).reason.startswith("unreachable")
    assert other.heard == []
    good = terminal("approved")
    good.close()
    assert adyen(good).pay(PAY).said is Said.DECLINED  # nothing was sent


def test_an_envelope_is_what_the_published_rule_makes_of_it() -> None:
    made = wrap("SaleToPOIRequest", {"MessageHeader": {}}, KEY, bytes(range(16)))["SaleToPOIRequest"]
    # Worked out with the commands of OpenSSL: kdf PBKDF2, enc -aes-256-cbc, dgst -mac HMAC.
    assert made["NexoBlob"] == "yqBR6KqouGwfH1tQJPJyMXoqetJIRPhRg/AHICNQL2/bfQoqLX8Tpd6vK+OTvjMM"
    assert made["SecurityTrailer"] == {
        "AdyenCryptoVersion": 1, "KeyIdentifier": "till-key", "KeyVersion": 1, "Nonce": "AAECAwQFBgcICQoLDA0ODw==",
        "Hmac": "rV5VxbU8zDIW64AI6vasQFjZ87lPazxZEBnSBUHRS80=",
    }  # fmt: skip


def test_an_envelope_opens_with_its_key_alone_and_shows_every_change() -> None:
    message = {"MessageHeader": {"POIID": POI, "ServiceID": "1"}, **RECORDED["approved"]}
    kind, nonce = "SaleToPOIResponse", bytes(range(16))
    envelope = wrap(kind, message, KEY, nonce)
    assert unwrap(kind, envelope, KEY)["MessageHeader"] == message["MessageHeader"]
    with pytest.raises(NotGenuine):
        unwrap(kind, envelope, Key("till-key", 1, "another"))
    for name in ("NexoBlob", "MessageHeader"):
        swapped = {kind: {**envelope[kind], name: "AAAA" if name == "NexoBlob" else {"POIID": "x", "ServiceID": "1"}}}
        with pytest.raises(NotGenuine):
            unwrap(kind, swapped, KEY)
    for broken in ({}, {kind: None}, {kind: {**envelope[kind], "SecurityTrailer": {}}}):
        with pytest.raises(NotGenuine):
            unwrap(kind, broken, KEY)
