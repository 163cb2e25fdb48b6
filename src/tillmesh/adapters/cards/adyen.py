"""Adyen's Terminal API over the shop's own network: nexo messages in encrypted envelopes over HTTPS.

A payment is named by SaleID and ServiceID. When its answer is lost a TransactionStatus with the same two names says how
it ended; the payment is never sent again. What comes back is cut down to token, approval code and last four digits.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from tillmesh.adapters.cards.nexo import Json, Key, NotGenuine, unwrap, wrap
from tillmesh.adapters.https import HTTPSConnection
from tillmesh.kernel.limits import CARD_ANSWER_BYTES_MAX, CARD_PAY_MS_MAX
from tillmesh.kernel.money import exponent
from tillmesh.shop.card_payment import REFUND, CardAnswer, CardPayment, Said
from tillmesh.till.card_payments import TerminalSilent

PATH: Final = "/nexo"
QUICK_S: Final = 30.0  # what asks nobody for a card; guess
MARK: Final = " "  # between TransactionID and TimeStamp: a refund has to name both
# Failures that a payment itself has, whatever asks for it. All others leave open whether the customer paid.
_NO: Final = frozenset({
    "Aborted", "Busy", "Cancel", "InsertedCard", "InvalidCard", "LoggedOut", "MessageFormat", "NotAllowed",
    "PaymentRestriction", "Refusal", "UnavailableDevice", "UnavailableService", "WrongPIN",
})  # fmt: skip
_REASONS: Final = {
    "Aborted": "cancelled", "Cancel": "cancelled", "Busy": "busy", "Refusal": "refused", "WrongPIN": "wrong_pin",
    "InvalidCard": "invalid_card",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the terminal is, what it is called, and how both sides know each other."""

    host: str
    port: int
    poi_id: str
    sale_id: str  # what this till calls itself
    key: Key
    authority: str  # PEM: the root that signs the terminal's certificate


class NotReached(TerminalSilent):
    """The terminal could not be reached, or is another one: nothing was sent to it."""


class AdyenTerminal:
    """Fulfils ``till.card_payments.CardTerminal``."""

    def __init__(self, reach: Reach, *, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._reach = reach
        self._entropy = entropy
        self._tls = ssl.create_default_context(cadata=reach.authority)
        self._tls.check_hostname = False  # the name in the certificate is the terminal's, not its address; see _named
        self._open: set[HTTPSConnection] = set()
        self._lock = threading.Lock()

    def pay(self, payment: CardPayment) -> CardAnswer:
        """Ask the customer for a card, and wait for the end of it."""
        body = {
            "SaleData": self._sale_data(payment),
            "PaymentTransaction": {"AmountsReq": {"Currency": payment.currency, "RequestedAmount": _amount(payment)}},
        }
        try:
            answer = self._exchange("Payment", payment.service_id, {"PaymentRequest": body}, CARD_PAY_MS_MAX / 1000)
        except NotReached as error:  # nothing was sent, so nothing was taken
            return CardAnswer(said=Said.DECLINED, reason=f"unreachable: {error.detail}"[:120])
        return _answer_of(answer.get("PaymentResponse"), payment, final=False)

    def refund(self, payment: CardPayment) -> CardAnswer:
        """Give money back by the token of the payment that took it."""
        transaction, _, stamp = payment.original.partition(MARK)
        body = {
            "OriginalPOITransaction": {"POITransactionID": {"TransactionID": transaction, "TimeStamp": stamp}},
            "ReversalReason": "MerchantCancel",
            "ReversedAmount": _amount(payment),
            "SaleData": {**self._sale_data(payment), "SaleToAcquirerData": f"currency={payment.currency}"},
        }
        answer = self._exchange("Reversal", payment.service_id, {"ReversalRequest": body}, QUICK_S)
        return _answer_of(answer.get("ReversalResponse"), payment, final=False)

    def status(self, payment: CardPayment) -> CardAnswer:
        """Say what became of a payment or refund that was sent before."""
        reference = {"MessageReference": {**self._reference(payment), "SaleID": self._reach.sale_id}}
        asked = {"TransactionStatusRequest": {"ReceiptReprintFlag": False, **reference}}
        answer = self._exchange("TransactionStatus", self._fresh_id(), asked, QUICK_S).get("TransactionStatusResponse")
        response = _dict(_dict(answer).get("Response"))
        if response.get("Result") == "Success":
            body = _dict(_dict(_dict(answer).get("RepeatedMessageResponse")).get("RepeatedResponseMessageBody"))
            return _answer_of(body.get("PaymentResponse") or body.get("ReversalResponse"), payment, final=True)
        if response.get("ErrorCondition") == "InProgress":
            return CardAnswer(said=Said.WAITING)
        if response.get("ErrorCondition") == "NotFound":
            return CardAnswer(said=Said.NOT_FOUND)
        raise TerminalSilent(f"the card terminal can't say how it ended ({_short(response.get('ErrorCondition'))})")

    def cancel(self, payment: CardPayment) -> None:
        """Take a payment off the terminal's screen; an Abort has no answer of its own."""
        asked = {"AbortRequest": {"AbortReason": "MerchantAbort", "MessageReference": self._reference(payment)}}
        self._exchange("Abort", self._fresh_id(), asked, QUICK_S, answered=False)

    def close(self) -> None:
        """End whatever waits."""
        with self._lock:
            held = list(self._open)
        for connection in held:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _sale_data(self, payment: CardPayment) -> Json:
        stamp = dt.datetime.fromtimestamp(payment.asked_at_ms / 1000, dt.UTC).isoformat(timespec="milliseconds")
        return {"SaleTransactionID": {"TransactionID": payment.service_id, "TimeStamp": stamp.replace("+00:00", "Z")}}

    def _reference(self, payment: CardPayment) -> Json:
        category = "Reversal" if payment.kind == REFUND else "Payment"
        return {"MessageCategory": category, "ServiceID": payment.service_id, "SaleID": self._reach.sale_id}

    def _fresh_id(self) -> str:
        return self._entropy(5).hex()

    def _exchange(self, category: str, service_id: str, body: Json, limit_s: float, *, answered: bool = True) -> Json:
        header = {
            "ProtocolVersion": "3.0", "MessageClass": "Service", "MessageCategory": category, "MessageType": "Request",
            "SaleID": self._reach.sale_id, "ServiceID": service_id, "POIID": self._reach.poi_id,
        }  # fmt: skip
        sent = wrap("SaleToPOIRequest", {"MessageHeader": header, **body}, self._reach.key, self._entropy(16))
        try:
            text = self._post(json.dumps(sent).encode(), limit_s)
            if not answered:
                return {}
            message = unwrap("SaleToPOIResponse", json.loads(text), self._reach.key)
            got = message["MessageHeader"]
            if (got.get("ServiceID"), got.get("MessageCategory"), got.get("POIID")) != (
                service_id, category, self._reach.poi_id,
            ):  # fmt: skip
                raise NotGenuine("an answer to another message")
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as cause:
            raise TerminalSilent(f"the card terminal did not answer ({_short(cause)})") from cause
        return message

    def _post(self, body: bytes, limit_s: float) -> bytes:
        connection = HTTPSConnection(
            self._reach.host, self._reach.port, timeout=limit_s, context=self._tls
        )  # fmt: skip
        with self._lock:
            self._open.add(connection)
        try:
            self._connect(connection)
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read(CARD_ANSWER_BYTES_MAX + 1)
            if answer.status != http.client.OK or len(text) > CARD_ANSWER_BYTES_MAX:
                raise NotGenuine(f"an answer with status {answer.status} and {len(text)} bytes")
            return text
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _connect(self, connection: HTTPSConnection) -> None:
        try:
            connection.connect()
            self._check_name(connection)
        except (OSError, NotGenuine) as cause:
            raise NotReached(f"the card terminal is not reached ({_short(cause)})") from cause

    def _check_name(self, connection: HTTPSConnection) -> None:
        """Adyen: the certificate's name is the terminal's id, not its address on the shop's network."""
        certificate: Any = connection.sock.getpeercert()
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        own = rf"(?:{re.escape(self._reach.poi_id)}|legacy-terminal-certificate)\.(?:test|live)\.terminal\.adyen\.com"
        if not any(re.fullmatch(own, name) for name in names):
            raise NotGenuine(f"the certificate is of {', '.join(names)[:80]!r}")


def _answer_of(response: object, payment: CardPayment, *, final: bool) -> CardAnswer:
    """Read a payment's or reversal's response; ``final`` if the terminal says that it has ended."""
    held = _dict(response)
    result = _dict(held.get("Response"))
    outcome, condition = result.get("Result"), str(result.get("ErrorCondition", ""))
    extra = {name: values[0] for name, values in parse_qs(str(result.get("AdditionalResponse", ""))).items()}
    if outcome in {"Success", "Partial"}:
        return _approved(held, extra, payment)
    if outcome == "Failure" and (final or condition in _NO):
        reason = _REASONS.get(condition, "refused")
        return CardAnswer(said=Said.DECLINED, reason=reason)
    raise TerminalSilent(f"the card terminal does not say whether it took the money ({_short(condition)})")


def _approved(held: Json, extra: dict[str, str], payment: CardPayment) -> CardAnswer:
    result = _dict(held.get("PaymentResult"))
    card = _dict(_dict(result.get("PaymentInstrumentData")).get("CardData"))
    named = _dict(_dict(held.get("POIData")).get("POITransactionID"))
    digits = re.sub(r"\D", "", str(card.get("MaskedPan", ""))[-4:]) or extra.get("cardSummary", "")
    amount = _dict(result.get("AmountsResp")).get("AuthorizedAmount")
    return CardAnswer(
        said=Said.APPROVED if result.get("OnlineFlag", True) else Said.APPROVED_OFFLINE,
        token=f"{named.get('TransactionID', '')}{MARK}{named.get('TimeStamp', '')}".strip(),
        approval_code=str(_dict(result.get("PaymentAcquirerData")).get("ApprovalCode", ""))[:24],
        last_four=digits if re.fullmatch(r"\d{4}", digits) else "",
        brand=str(card.get("PaymentBrand", ""))[:20],
        amount_minor=None if amount is None else _minor(amount, payment.currency),
    )


def _amount(payment: CardPayment) -> Decimal:
    """Write an amount as nexo has it: a decimal number of the currency's units."""
    return Decimal(payment.amount_minor).scaleb(-exponent(payment.currency))


def _minor(amount: object, currency: str) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise TerminalSilent("the card terminal gave an amount that is no number")
    minor = Decimal(amount).scaleb(exponent(currency))
    if minor != int(minor):
        raise TerminalSilent(f"the card terminal gave {amount} {currency}, which no coins make up")
    return int(minor)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _short(what: object) -> str:
    return str(what or "no reason")[:120]
