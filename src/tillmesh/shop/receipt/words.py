"""The words on a receipt and how amounts are written: a catalogue of messages and a port for formats.

Another language is another mapping with the same keys; a missing key falls back to English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, Protocol

ENGLISH: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Marks and names.
        "copy": "COPY",
        "possible_duplicate": "POSSIBLE DUPLICATE",
        "possible_duplicate_why": "The printer failed the first time. If two came out, keep only one.",
        "training": "TRAINING - NOT A SALE",
        "signature_out": "SIGNATURE DEVICE OUT OF ORDER",
        "signature_device": "Signature device",
        "signature_counter": "Signature no.",
        "signature_time": "Signed at",
        "signature_late": "Signed after an outage",
        "voided": "VOIDED",
        "void": "VOID",
        "refund": "REFUND",
        "x_report": "X REPORT",
        "z_report": "Z REPORT {number}",
        "cash_in": "CASH PUT IN",
        "cash_out": "CASH TAKEN OUT",
        # Who, when, which.
        "receipt": "Receipt",
        "date": "Date",
        "cashier": "Served by",
        "by": "By",
        "till": "Till",
        "customer": "Customer",
        "tax_id": "Tax no. {number}",
        "for_receipt": "For receipt",
        "sold_on": "Sold on",
        "no_receipt": "Returned without receipt",
        "reason": "Reason: {reason}",
        "approved_by": "Approved by {name}",
        # Items.
        "quantity_price": "{quantity} x {price}",
        "measured_price": "{quantity} {unit} x {price}/{unit}",
        "weighed_by_hand": "Weight typed by hand",
        "weighed_part": "Part of a weighed amount",
        "tare": "Without tare {quantity} {unit}",
        "reduced_from": "Reduced from {price}",
        "price_list": "Price: {name}",
        "discount": "Discount",
        "discount_rate": "Discount {rate}",
        "with_reason": "{what} ({reason})",
        "cart_discount": "Discount on all",
        "cart_discount_rate": "Discount {rate} on all",
        # Sums.
        "subtotal": "Subtotal",
        "total": "TOTAL",
        "total_refunded": "TOTAL REFUNDED",
        "total_voided": "TOTAL VOIDED",
        "rounding": "Cash rounding",
        "to_pay": "TO PAY",
        "given_back": "GIVEN BACK",
        "tax_on": "Tax {rate} on {net}",
        "rate": "Rate",
        "net": "Net",
        "tax": "Tax",
        "gross": "Gross",
        "change": "Change",
        "saved": "You saved {amount}",
        "cash": "Cash",
        "card": "Card",
        "gift_card": "Gift card",
        "account": "On account",
        "points": "Points",
        "points_moved": "Points: {points}",
        "account_payment": "Payment on account",
        "last_four": "{method} **** {last_four}",
        "reference": "Ref. {reference}",
        "items_one": "1 item",
        "items": "{count} items",
        # Reports.
        "opened": "Opened",
        "closed": "Closed",
        "printed": "Printed",
        "first_receipt": "First receipt",
        "last_receipt": "Last receipt",
        "not_final": "Interim reading. The shift stays open.",
        "sales_count": "Sales ({count})",
        "refunds_count": "Refunds ({count})",
        "voids_count": "Voids ({count})",
        "net_sales": "NET SALES",
        "discounts": "Discounts given",
        "tax_total": "Tax total",
        "tenders": "Payments",
        "taken": "Taken",
        "returned": "Returned",
        "balance": "Balance",
        "drawer": "Cash drawer",
        "float": "Float",
        "cash_taken": "Cash taken",
        "cash_returned": "Cash returned",
        "moved": "Cash in and out",
        "expected": "Expected in drawer",
        "counted": "Counted",
        "over": "OVER",
        "short": "SHORT",
        "balanced": "Balanced",
        "perpetual": "Total since first day",
        "signature": "Signature",
        # The report of a day, on paper.
        "report_count": "Number",
        "report_quantity": "Quantity",
        "report_margin": "Margin",
        "report_hours": "By hour",
        "report_hour": "Hour",
        "report_tills": "By till",
        "report_people": "By person",
        "report_departments": "Departments",
        "report_products": "Products",
        # The same as a table.
        "report_part": "Part",
        "report_name": "What",
        "report_refunds": "Refunds",
        # The statement of a customer, on paper.
        "statement": "Statement of account",
        "statement_amount": "Amount",
        "statement_before": "Balance before",
        "statement_after": "Balance now",
        "statement_sale": "Sale",
        "statement_paid": "Paid off",
        "statement_refund": "Refund",
        "statement_void": "Void",
        "statement_adjusted": "Correction",
        # Bookings, in files for accountants.
        "books_sales": "Sales {rate}",
        "books_tender": "Takings: {method}",
        "books_gift_cards_sold": "Gift cards sold",
        "books_accounts_paid": "Paid on customers' accounts",
        "books_cash_in": "Cash put in",
        "books_cash_out": "Cash taken out",
        "books_float": "Float put in",
        "books_float_less": "Carried out of the drawer",
        "books_over": "Counted more than expected",
        "books_short": "Counted less than expected",
        "books_corrected": "Corrected by hand",
        # Units, as they stand behind a quantity.
        "unit_kg": "kg",
        "unit_g": "g",
        "unit_l": "l",
        "unit_m": "m",
        "unit_hour": "h",
    }
)


class Formats(Protocol):
    """How amounts, quantities, rates and times are written in one language and time zone."""

    @property
    def language(self) -> str:
        """The BCP 47 tag of the language."""

    def money(self, amount_minor: int, currency: str) -> str:
        """Write minor units with the currency's symbol and its own number of decimals."""

    def quantity(self, milli: int) -> str:
        """Write thousandths as a decimal number without trailing zeros."""

    def percent(self, rate_ppm: int) -> str:
        """Write parts per million as percent."""

    def day(self, when: date) -> str:
        """Write a day with its weekday."""

    def moment(self, at_ms: int) -> str:
        """Write a time in the store's zone; ``at_ms`` is UTC milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that depends on the language: messages and formats."""

    formats: Formats
    messages: Mapping[str, str] = field(default_factory=lambda: ENGLISH)

    def __call__(self, key: str, **values: str) -> str:
        """Say a message with its values filled in."""
        text = self.messages.get(key, ENGLISH[key])
        return text.format_map(values) if values else text

    def tender(self, method: str) -> str:
        """Name a payment method; one without a message is shown as it is stored."""
        known = method in ENGLISH or method in self.messages
        return self(method) if known else method.replace("_", " ").capitalize()

    def unit(self, unit: str) -> str:
        """Name a unit of measure; one without a message is shown as it is stored."""
        key = f"unit_{unit}"
        return self(key) if key in ENGLISH or key in self.messages else unit
