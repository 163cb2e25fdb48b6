"""The journal of a till for an auditor: tables shaped after DSFinV-K where that fits, and the chain of hashes.

It is no certified export. Each table is a header and rows of texts and whole numbers; amounts are minor units.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Final

from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.quantity import format_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import (
    Payment,
    PeriodClosed,
    ReceiptSigned,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    SigningResumed,
    TaxTotal,
)
from tillmesh.shop.reading import read_event

Row = list[str | int]
Receipt = SaleClosed | SaleVoided | SaleRefunded
HEADERS: Final[dict[str, list[str]]] = {
    "cashpointclosing.csv": [
        "Z_KASSE_ID", "Z_ART", "Z_NR", "Z_BUCHUNGSTAG", "Z_ERSTELLUNG", "Z_WAEHRUNG", "ANZAHL_VERKAEUFE", "UMS_BRUTTO",
        "STORNO_BRUTTO", "RUECKGABE_BRUTTO", "STEUER", "GESAMTSUMME_NETTO_BEWEGUNG", "GESAMTSUMME_UMSATZ",
        "ERSTER_BON", "LETZTER_BON",
    ],
    "transactions.csv": [
        "Z_KASSE_ID", "BON_ID", "BON_NR", "BON_TYP", "BON_ENDE", "BEDIENER_ID", "UMS_BRUTTO", "STEUER", "RUNDUNG",
        "BON_BEZUG",
    ],
    "lines.csv": [
        "Z_KASSE_ID", "BON_ID", "POS_ZEILE", "ARTIKELNR", "ARTIKELTEXT", "MENGE", "EINHEIT", "STK_BR", "POS_BRUTTO",
        "STEUERSATZ_PPM", "POS_STEUER",
    ],
    "transactions_vat.csv": ["Z_KASSE_ID", "BON_ID", "STEUERSATZ", "STEUERSATZ_PPM", "BON_NETTO", "BON_UST"],
    "datapayment.csv": ["Z_KASSE_ID", "BON_ID", "ZAHLART_TYP", "BETRAG"],
    "transactions_tse.csv": [
        "Z_KASSE_ID", "BON_ID", "TSE_SERIAL", "TSE_TANR", "TSE_TA_ENDE", "TSE_TA_SIG", "TSE_SIG_ALGO", "TSE_PUBLIC_KEY",
        "TSE_DATEN", "NACHTRAEGLICH",
    ],
    "tse_outages.csv": ["Z_KASSE_ID", "TSE_SERIAL", "VON", "BIS", "BONS_OHNE_SIGNATUR", "NACHSIGNIERT"],
    "chain.csv": ["ACTOR", "SEQ", "HLC", "TYPE", "VERSION", "BODY_BASE64", "PREVIOUS_HASH", "HASH"],
}  # fmt: skip


def rows_of(event: Envelope) -> Iterator[tuple[str, Row]]:
    """Give the rows of one event, each with its table; ``chain.csv`` has a row for every event."""
    till, receipt = terminal_of(event.actor), event.id
    yield "chain.csv", [
        event.actor, event.seq, event.hlc, event.type, event.version, base64.b64encode(event.body).decode(),
        event.prev_hash.hex(), event.hash.hex(),
    ]  # fmt: skip
    body = read_event(event)
    match body:
        case SaleClosed():
            yield "transactions.csv", _head(till, receipt, body, "Beleg", body.closed_at_ms, body.cashier, "")
            for at, line in enumerate(body.lines, 1):
                yield "lines.csv", [
                    till, receipt, at, line.sku, line.name, format_quantity(line.quantity_milli), line.unit,
                    line.unit_price_minor, line.total_minor, line.rate_ppm, line.tax_minor,
                ]  # fmt: skip
            yield from _money(till, receipt, body.taxes, body.payments, 1)
            if body.change_minor:
                yield "datapayment.csv", [till, receipt, "cash", -body.change_minor]
        case SaleVoided():
            yield "transactions.csv", _head(till, receipt, body, "Storno", body.voided_at_ms, body.by, body.sale_id)
            yield from _money(till, receipt, body.taxes, body.payments, -1)
        case SaleRefunded():
            head = _head(till, receipt, body, "Rueckgabe", body.refunded_at_ms, body.by, body.sale_id)
            yield "transactions.csv", head
            for at, back in enumerate(body.lines, 1):
                yield "lines.csv", [
                    till, receipt, at, back.sku, back.name, format_quantity(-back.quantity_milli), back.unit,
                    back.unit_price_minor, -back.total_minor, back.rate_ppm, -back.tax_minor,
                ]  # fmt: skip
            yield from _money(till, receipt, body.taxes, body.payments, -1)
        case PeriodClosed():
            sums = body.totals
            yield "cashpointclosing.csv", [
                till, body.kind, body.number, body.period, rfc3339(body.closed_at_ms), body.currency, sums.sales,
                sums.sales_minor, sums.voids_minor, sums.refunds_minor, sums.tax_minor, body.perpetual_minor,
                body.gross_minor, sums.first_receipt, sums.last_receipt,
            ]  # fmt: skip
        case ReceiptSigned():
            yield "transactions_tse.csv", [
                till, body.receipt, body.device, body.counter, rfc3339(body.signed_at_ms), body.signature,
                body.algorithm, body.public_key, body.data, int(body.late),
            ]  # fmt: skip
        case SigningResumed():
            yield "tse_outages.csv", [
                till, body.device, rfc3339(body.stopped_at_ms), rfc3339(body.resumed_at_ms), body.unsigned,
                int(body.signed_late),
            ]  # fmt: skip
        case _:
            pass


def tables(events: Iterable[Envelope]) -> dict[str, list[Row]]:
    """Sort the rows of events into their tables, each with its header."""
    found: dict[str, list[Row]] = {name: [list(header)] for name, header in HEADERS.items()}
    for event in events:
        for name, row in rows_of(event):
            found[name].append(row)
    return found


def _head(till: str, receipt: str, body: Receipt, kind: str, at_ms: int, by: str, for_sale: str) -> Row:
    sign = 1 if isinstance(body, SaleClosed) else -1
    return [
        till, receipt, body.receipt_number, kind, rfc3339(at_ms), by, sign * body.total_minor, sign * body.tax_minor,
        sign * body.rounding_minor, for_sale,
    ]  # fmt: skip


def _money(
    till: str, receipt: str, taxes: tuple[TaxTotal, ...], payments: tuple[Payment, ...], sign: int
) -> Iterator[tuple[str, Row]]:
    for tax in taxes:
        row: Row = [till, receipt, tax.code, tax.rate_ppm, sign * tax.net_minor, sign * tax.tax_minor]
        yield "transactions_vat.csv", row
    for payment in payments:
        yield "datapayment.csv", [till, receipt, payment.method, sign * payment.amount_minor]
