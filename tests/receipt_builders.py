"""Tickets of a small shop, as the tests print them: a sale with everything on it, and its relatives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from tillmesh.kernel.money import exponent
from tillmesh.shop.events import (
    CashMoved,
    Payment,
    RefundLine,
    SaleClosed,
    SaleLine,
    SaleRefunded,
    SaleVoided,
    ShiftClosed,
    ShiftTotals,
    TaxTotal,
    TenderTotal,
)
from tillmesh.shop.receipt import (
    Anchor,
    CashTicket,
    CloseTicket,
    Header,
    RefundTicket,
    ReportTicket,
    SaleTicket,
    VoidTicket,
    Words,
)

AT_MS: Final = 1_795_356_300_000  # 22 November 2026, 14:05 UTC
HASH: Final = bytes.fromhex("9f3ac1d2" * 8)
ANCHOR: Final = Anchor("k3m7qx2p.4f9a2c-17", HASH)
HEADER: Final = Header(
    name="Corner Shop",
    address=("High Street 12", "London N1 9GU"),
    tax_id="GB 123 4567 89",
    till="Till 2",
    footer=("Thank you!", "Returns within 30 days with this receipt."),
)


class PlainFormats:
    """Formats that need no library, so that a layout is tested without one."""

    language = "en-GB"

    def money(self, amount_minor: int, currency: str) -> str:
        sign = "-" if amount_minor < 0 else ""
        symbol = {"GBP": "\u00a3", "EUR": "\u20ac"}.get(currency, f"{currency} ")
        decimals = exponent(currency)
        return f"{sign}{symbol}{abs(Decimal(amount_minor).scaleb(-decimals)):,.{decimals}f}"

    def quantity(self, milli: int) -> str:
        return f"{Decimal(milli).scaleb(-3).normalize():f}"

    def percent(self, rate_ppm: int) -> str:
        return f"{Decimal(rate_ppm).scaleb(-4).normalize():f}%"

    def day(self, when: date) -> str:
        return when.isoformat()

    def moment(self, at_ms: int) -> str:
        return f"22 Nov 2026, 14:{at_ms // 60_000 % 60:02d}"


WORDS: Final = Words(PlainFormats())


def _made(defaults: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return defaults | changes


def line(name: str, gross_minor: int, **changes: Any) -> SaleLine:
    """One piece at 20 % VAT inside the price, unless told otherwise."""
    off = changes.get("discount_minor", 0) + changes.get("cart_discount_minor", 0)
    rate = changes.get("rate_ppm", 200_000)
    total = gross_minor - off
    return SaleLine(
        **_made(
            {
                "sku": "4006381333931",
                "name": name,
                "unit": "piece",
                "quantity_milli": 1_000,
                "list_price_minor": gross_minor,
                "unit_price_minor": gross_minor,
                "gross_minor": gross_minor,
                "discount_minor": 0,
                "cart_discount_minor": 0,
                "tax_code": "standard",
                "rate_ppm": rate,
                "tax_minor": round(total * rate / (1_000_000 + rate)),
                "total_minor": total,
            },
            changes,
        )
    )


def sale(*lines: SaleLine, **changes: Any) -> SaleClosed:
    """A sale of some lines, paid in cash, exactly, unless told otherwise."""
    total = changes.get("total_minor", sum(each.total_minor for each in lines))
    rates = sorted({(each.tax_code, each.rate_ppm) for each in lines})
    taxes = tuple(
        TaxTotal(code=code, rate_ppm=rate, tax_minor=tax, net_minor=gross - tax)
        for code, rate in rates
        for tax, gross in [
            (
                sum(each.tax_minor for each in lines if (each.tax_code, each.rate_ppm) == (code, rate)),
                sum(each.total_minor for each in lines if (each.tax_code, each.rate_ppm) == (code, rate)),
            )
        ]
    )
    return SaleClosed(
        **_made(
            {
                "cart_id": "cart-1",
                "receipt_number": "K3M7-000412",
                "shift_id": "k3m7qx2p.4f9a2c-1",
                "cashier": "u-ana",
                "currency": "GBP",
                "prices_include_tax": True,
                "lines": lines,
                "taxes": taxes,
                "payments": (Payment(method="cash", amount_minor=total),),
                "discount_minor": sum(each.discount_minor + each.cart_discount_minor for each in lines),
                "tax_minor": sum(tax.tax_minor for tax in taxes),
                "total_minor": total,
                "closed_at_ms": AT_MS,
            },
            changes,
        )
    )


def small_sale() -> SaleClosed:
    """What most customers buy."""
    milk = line("Whole milk 1 L", 598, quantity_milli=2_000, unit_price_minor=299, list_price_minor=299)
    crisps, coffee = line("Jalape\u00f1o crisps", 149), line("Caf\u00e9 cr\u00e8me", 220)
    return sale(milk, crisps, coffee, payments=(Payment(method="cash", amount_minor=1_000),), change_minor=33)


def full_sale() -> SaleClosed:
    """A sale with everything: weights, an override, discounts, a note, two rates, rounding, a split tender, change."""
    lines = (
        line("Whole milk 1 L", 598, quantity_milli=2_000, unit_price_minor=299, list_price_minor=299,
             tax_code="zero", rate_ppm=0, cart_discount_minor=30),
        line("Vine tomatoes", 131, unit="kg", quantity_milli=328, unit_price_minor=399, list_price_minor=399,
             tax_code="zero", rate_ppm=0, cart_discount_minor=7),
        line("Jalape\u00f1o crisps, family bag, smoked paprika and a long name", 149, discount_minor=15,
             discount_rate_ppm=100_000, discount_reason="damaged bag", cart_discount_minor=7),
        line("Umbrella", 900, list_price_minor=1_250, note="Serial 48-2291", cart_discount_minor=45),
    )  # fmt: skip
    return sale(
        *lines,
        payments=(
            Payment(method="card", amount_minor=1_000, reference="A1B2C3", last_four="4242"),
            Payment(method="cash", amount_minor=700),
        ),
        rounding_minor=1,
        change_minor=25,
        total_minor=1_674,
        cart_discount_rate_ppm=50_000,
        cart_discount_reason="neighbour",
    )


def full_ticket() -> SaleTicket:
    return SaleTicket(full_sale(), ANCHOR, "Ana", customer="Mrs Hill")


def refund_ticket(**changes: Any) -> RefundTicket:
    """One umbrella and half a kilo brought back, in cash."""
    refund = SaleRefunded(
        **_made({
            "sale_id": "k3m7qx2p.4f9a2c-17",
            "refund_key": "r-1",
            "receipt_number": "K3M7-000413",
            "shift_id": "k3m7qx2p.4f9a2c-1",
            "by": "u-sam",
            "reason": "does not open",
            "currency": "GBP",
            "lines": (
                RefundLine(line=3, sku="u", name="Umbrella", unit="piece", quantity_milli=1_000, unit_price_minor=900,
                           tax_code="standard", rate_ppm=200_000, tax_minor=143, total_minor=855),
                RefundLine(line=1, sku="t", name="Vine tomatoes", unit="kg", quantity_milli=164, unit_price_minor=399,
                           tax_code="zero", rate_ppm=0, tax_minor=0, total_minor=62),
            ),
            "taxes": (
                TaxTotal(code="standard", rate_ppm=200_000, net_minor=712, tax_minor=143),
                TaxTotal(code="zero", rate_ppm=0, net_minor=62, tax_minor=0),
            ),
            "payments": (Payment(method="cash", amount_minor=915),),
            "tax_minor": 143,
            "total_minor": 917,
            "rounding_minor": -2,
            "refunded_at_ms": AT_MS + 60_000,
        }, changes)
    )  # fmt: skip
    if not refund.sale_id:
        return RefundTicket(refund, ANCHOR, "Sam", approved_by="Maria")
    return RefundTicket(refund, ANCHOR, "Sam", "Maria", sold_receipt="K3M7-000412", sold_at_ms=AT_MS)


def void_ticket() -> VoidTicket:
    void = SaleVoided(
        sale_id="k3m7qx2p.4f9a2c-17",
        receipt_number="K3M7-000414",
        shift_id="k3m7qx2p.4f9a2c-1",
        by="u-sam",
        reason="wrong customer",
        payments=(Payment(method="cash", amount_minor=967),),
        total_minor=967,
        tax_minor=161,
        voided_at_ms=AT_MS + 120_000,
    )
    return VoidTicket(void, small_sale(), ANCHOR, "Sam", approved_by="Maria")


def totals(**changes: Any) -> ShiftTotals:
    """A quiet day: 42 sales, one refund, one void, cash and card."""
    return ShiftTotals(
        **_made(
            {
                "currency": "GBP",
                "float_minor": 10_000,
                "sales": 42,
                "sales_minor": 81_234,
                "voids": 1,
                "voids_minor": 967,
                "refunds": 1,
                "refunds_minor": 917,
                "discount_minor": 1_210,
                "rounding_minor": -3,
                "tax_minor": 10_020,
                "moved_minor": -5_000,
                "expected_cash_minor": 35_113,
                "tenders": (
                    TenderTotal(method="cash", taken_minor=31_997, returned_minor=1_884, count=27),
                    TenderTotal(method="card", taken_minor=49_234, returned_minor=0, count=16),
                ),
                "taxes": (
                    TaxTotal(code="standard", rate_ppm=200_000, net_minor=50_100, tax_minor=10_020),
                    TaxTotal(code="zero", rate_ppm=0, net_minor=19_230, tax_minor=0),
                ),
                "first_receipt": "K3M7-000372",
                "last_receipt": "K3M7-000414",
            },
            changes,
        )
    )


def x_ticket() -> ReportTicket:
    return ReportTicket(totals(), AT_MS, AT_MS + 600_000, "Maria")


def z_ticket(counted_minor: int = 35_000) -> CloseTicket:
    closed = ShiftClosed(
        shift_id="k3m7qx2p.4f9a2c-1",
        z_number=12,
        by="u-maria",
        counted_minor=counted_minor,
        totals=totals(),
        perpetual_minor=12_345_678,
        opened_at_ms=AT_MS,
        closed_at_ms=AT_MS + 900_000,
    )
    return CloseTicket(closed, "Maria", ANCHOR)


def cash_ticket(amount_minor: int = -5_000) -> CashTicket:
    moved = CashMoved(
        shift_id="k3m7qx2p.4f9a2c-1", amount_minor=amount_minor, reason="to the bank", by="u-maria", approved_by="u-m"
    )
    return CashTicket(moved, "GBP", AT_MS, "Maria", approved_by="Maria")
