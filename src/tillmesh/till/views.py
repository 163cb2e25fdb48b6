"""What pages and programs are shown: plain JSON-ready values made from the books, nothing decided."""

from __future__ import annotations

from typing import Any

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.money import format_decimal
from tillmesh.kernel.quantity import ONE, format_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.cart import Cart, CartLine, Discount, PartPaid, PricedCart, PricedLine
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import (
    KINDS,
    LinePromotion,
    Payment,
    SaleClosed,
    SaleLine,
    SalePromotion,
    SaleRefunded,
    SaleVoided,
    ShiftClosed,
    ShiftTotals,
    TaxTotal,
)
from tillmesh.shop.personal import is_erased
from tillmesh.shop.refund import Came, came_back, state
from tillmesh.shop.settings import StoreSettings, usual_cash_step_minor
from tillmesh.till.offers import priced
from tillmesh.till.ports import Books, Shift
from tillmesh.till.refunds import load_answers
from tillmesh.till.shifts import late_events, shift_totals

View = dict[str, Any]


def person(books: Books, user_id: str) -> View:
    """Name a person; somebody who is not known any more is shown by id."""
    fields = books.fields("person", user_id) or {}
    return {"user_id": user_id, "name": str(fields.get("name") or user_id)}


def customer(books: Books, customer_id: str) -> View | None:
    """Name a customer, or None for a sale without one."""
    if not customer_id:
        return None
    fields = books.fields("customer", customer_id) or {}
    if is_erased(fields):
        return {"customer_id": customer_id, "name": "", "erased": True}
    return {"customer_id": customer_id, "name": str(fields.get("name") or customer_id)}


def product(found: Product, currency: str, stock_milli: int, now_minor: int | None = None) -> View:
    """Show a product with its stock; ``now_minor`` is what everybody pays now, if a dated price says so."""
    return {
        "sku": found.sku,
        "barcodes": list(found.barcodes),
        "name": found.name,
        "price_minor": found.price_minor,
        "currency": currency,
        "unit": found.unit,
        "tax_code": found.tax_code,
        "stock": format_quantity(stock_milli),
        "department": found.department,
        "favourite": found.favourite,
        "track_stock": found.track_stock,
        "low_stock": format_quantity(found.low_stock_milli),
        "active": found.active,
        "cost_minor": found.cost_minor,
        "price_now_minor": found.price_minor if now_minor is None else now_minor,
        "parent": found.parent,
        "options": list(found.options),
        "min_age": found.min_age,
        "image": found.image,
        "hard_limited": found.hard_limited,
    }


def tax(total: TaxTotal) -> View:
    """Show one tax rate of a sale or report."""
    return {
        "code": total.code,
        "rate_ppm": total.rate_ppm,
        "net_minor": total.net_minor,
        "tax_minor": total.tax_minor,
    }


def payment(one: Payment) -> View:
    """Show a tender."""
    shown: View = {"method": one.method, "amount_minor": one.amount_minor}
    if one.reference and one.method != "gift_card":
        shown["reference"] = one.reference
    if one.last_four:
        shown["last_four"] = one.last_four
    return shown


def _discount(discount: Discount | None) -> View | None:
    if discount is None:
        return None
    shown: View = {"reason": discount.reason}
    if discount.rate_ppm:
        shown["percent"] = format_decimal(discount.rate_ppm, 4).rstrip("0").rstrip(".")
    else:
        shown["amount_minor"] = discount.amount_minor
    return shown


def cart(
    books: Books, one: Cart, revision: int, rejected: list[View] | None = None, sums: PricedCart | None = None
) -> View:
    """Show a working cart with every amount as it would be charged now, or as ``sums`` says if that was just found."""
    shown = priced_cart(books, one, sums or priced(books, one))
    parts = [_part(books, part) for part in one.parts]
    return {"cart_id": one.cart_id, "revision": revision, **shown, "parts": parts, "rejected": rejected or []}


def _part(books: Books, part: PartPaid) -> View:
    """Show what was paid before the rest."""
    return {
        "part_id": part.part_id,
        "payment": payment(part.payment),
        "by": person(books, part.by),
        "terminal_id": part.terminal,
        "at": rfc3339(part.at_ms),
    }


def priced_cart(books: Books, one: Cart, sums: PricedCart) -> View:
    """Show a cart's lines, what comes off and what it comes to."""
    used = {found.code for found in sums.promotions}
    return {
        "lines": [_cart_line(row) for row in sums.lines],
        "discount": _discount(one.discount),
        "customer": customer(books, one.customer_id),
        "note": one.note,
        "gross_minor": sums.gross_minor,
        "discount_minor": sums.discount_minor,
        "tax_minor": sums.tax_minor,
        "total_minor": sums.total_minor,
        "taxes": [tax(total) for total in sums.taxes],
        "promotions": [promotion(found) for found in sums.promotions],
        "coupons": [{"code": code, "used": code in used} for code in one.coupons],
        "item_count": sum(_pieces(row.line) for row in sums.lines),
    }


def _cart_line(row: PricedLine) -> View:
    line = row.line
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "name": line.name,
        "unit": line.unit,
        "quantity": format_quantity(line.quantity_milli),
        "list_price_minor": line.list_price_minor,
        "unit_price_minor": row.unit_price_minor,
        "gross_minor": row.gross_minor,
        "discount_minor": row.discount_minor,
        "cart_discount_minor": row.cart_discount_minor,
        "tax_minor": row.tax_minor,
        "total_minor": row.total_minor,
        "fixed_price": line.fixed_price_minor is not None,
        "discount": _discount(line.discount),
        "promotions": [_off(part) for part in row.promotions],
        "price_list": line.price_list,
        "regular_price_minor": line.regular_price_minor or line.list_price_minor,
        "weighed": line.weighed,
        "tare": format_quantity(line.tare_milli),
        "note": line.note,
    }


def promotion(one: SalePromotion) -> View:
    """Show what a promotion took off a whole cart or sale."""
    return {**_off(one), "code": one.code}


def _off(one: LinePromotion | SalePromotion) -> View:
    return {
        "promotion_id": one.promotion_id,
        "name": one.name,
        "amount_minor": one.amount_minor,
        "on_cart": one.on_cart,
    }


def _pieces(line: CartLine) -> int:
    """Count a line as what a customer carries: its pieces, or one bag of something weighed."""
    return max(1, line.quantity_milli // ONE) if line.unit == "piece" else 1


def sale(books: Books, event: Envelope, replication: View) -> View:
    """Show a sale whole, with what became of it since."""
    body = decode(event.body, SaleClosed)
    answers = load_answers(books, event.id)
    came = came_back(body, answers)
    return {
        "sale_id": event.id,
        "event_id": event.id,
        "receipt_number": body.receipt_number,
        "cart_id": body.cart_id,
        "shift_id": body.shift_id,
        "at": rfc3339(body.closed_at_ms),
        "cashier": person(books, body.cashier),
        "customer": customer(books, body.customer_id),
        "currency": body.currency,
        "prices_include_tax": body.prices_include_tax,
        "lines": [
            _sold_line(index, line, back) for index, (line, back) in enumerate(zip(body.lines, came, strict=True))
        ],
        "taxes": [tax(total) for total in body.taxes],
        "payments": [payment(one) for one in body.payments],
        "discount_minor": body.discount_minor,
        "promotions": [promotion(one) for one in body.promotions],
        "points": sum(one.amount for one in body.purses if one.purse == "points"),
        "tax_minor": body.tax_minor,
        "total_minor": body.total_minor,
        "rounding_minor": body.rounding_minor,
        "change_minor": body.change_minor,
        "note": body.note,
        "state": state(body, answers),
        "refunds": [_answer(books, answer) for answer in books.answers(event.id)],
        "durable": True,
        **replication,
    }


def _sold_line(index: int, line: SaleLine, back: Came) -> View:
    return {
        "line": index,
        "sku": line.sku,
        "name": line.name,
        "unit": line.unit,
        "quantity": format_quantity(line.quantity_milli),
        "list_price_minor": line.list_price_minor,
        "unit_price_minor": line.unit_price_minor,
        "gross_minor": line.gross_minor,
        "discount_minor": line.discount_minor,
        "cart_discount_minor": line.cart_discount_minor,
        "tax_code": line.tax_code,
        "rate_ppm": line.rate_ppm,
        "tax_minor": line.tax_minor,
        "total_minor": line.total_minor,
        "promotions": [_off(part) for part in line.promotions],
        "price_list": line.price_list,
        "weighed": line.weighed,
        "tare": format_quantity(line.tare_milli),
        "refunded_quantity": format_quantity(back.quantity_milli),
        "refundable_quantity": format_quantity(max(0, line.quantity_milli - back.quantity_milli)),
        "note": line.note,
    }


def _answer(books: Books, event: Envelope) -> View:
    shown = answer(books, event)
    return {key: shown[key] for key in ("refund_id", "kind", "receipt_number", "total_minor", "at")}


def answer(books: Books, event: Envelope) -> View:
    """Show a refund or a void."""
    body: SaleRefunded | SaleVoided
    if event.type == "sale_voided":
        body = decode(event.body, SaleVoided)
        kind, at_ms, lines = "void", body.voided_at_ms, []
    else:
        body = decode(event.body, SaleRefunded)
        kind, at_ms = "refund", body.refunded_at_ms
        lines = [
            {
                "line": line.line,
                "sku": line.sku,
                "name": line.name,
                "quantity": format_quantity(line.quantity_milli),
                "tax_minor": line.tax_minor,
                "total_minor": line.total_minor,
                "restock": line.restock,
            }
            for line in body.lines
        ]
    return {
        "refund_id": event.id,
        "event_id": event.id,
        "kind": kind,
        "sale_id": body.sale_id,
        "receipt_number": body.receipt_number,
        "at": rfc3339(at_ms),
        "by": person(books, body.by),
        "approved_by": body.approved_by,
        "reason": body.reason,
        "lines": lines,
        "payments": [payment(one) for one in body.payments],
        "tax_minor": body.tax_minor,
        "total_minor": body.total_minor,
        "rounding_minor": body.rounding_minor,
        "durable": True,
    }


def totals(body: ShiftTotals) -> View:
    """Show what an X or Z report sums up."""
    return {
        "currency": body.currency,
        "float_minor": body.float_minor,
        "sales": body.sales,
        "sales_minor": body.sales_minor,
        "voids": body.voids,
        "voids_minor": body.voids_minor,
        "refunds": body.refunds,
        "refunds_minor": body.refunds_minor,
        "net_sales_minor": body.sales_minor - body.voids_minor - body.refunds_minor,
        "discount_minor": body.discount_minor,
        "rounding_minor": body.rounding_minor,
        "tax_minor": body.tax_minor,
        "moved_minor": body.moved_minor,
        "expected_cash_minor": body.expected_cash_minor,
        "tenders": [
            {
                "method": tender.method,
                "taken_minor": tender.taken_minor,
                "returned_minor": tender.returned_minor,
                "net_minor": tender.taken_minor - tender.returned_minor,
                "count": tender.count,
            }
            for tender in body.tenders
        ],
        "taxes": [tax(total) for total in body.taxes],
        "first_receipt": body.first_receipt,
        "last_receipt": body.last_receipt,
    }


def z_report(books: Books, event: Envelope) -> View:
    """Show a closed shift as it was closed, and beside it what arrived late."""
    body = decode(event.body, ShiftClosed)
    late = late_events(books, event)
    return {
        "kind": "z",
        "z_number": body.z_number,
        "event_id": event.id,
        "shift_id": body.shift_id,
        "opened_at": rfc3339(body.opened_at_ms),
        "closed_at": rfc3339(body.closed_at_ms),
        "closed_by": person(books, body.by),
        "counted_minor": body.counted_minor,
        "variance_minor": body.counted_minor - body.totals.expected_cash_minor,
        "perpetual_minor": body.perpetual_minor,
        "amended": _amended(books, body, late) if late else None,
        **totals(body.totals),
    }


def _amended(books: Books, body: ShiftClosed, late: list[Envelope]) -> View:
    """Show what the Z report would say with what arrived after it; the report itself never changes."""
    now = shift_totals(books, Shift(shift_id=body.shift_id, opened_ms=body.opened_at_ms, open=False))
    return {
        "late": [_late(event) for event in late],
        "variance_minor": body.counted_minor - now.expected_cash_minor,
        **totals(now),
    }


def _late(event: Envelope) -> View:
    body = decode(event.body, KINDS[event.type])
    return {
        "event_id": event.id,
        "kind": event.type,
        "receipt_number": getattr(body, "receipt_number", ""),
        "amount_minor": getattr(body, "total_minor", getattr(body, "amount_minor", 0)),
        "at": rfc3339(physical_ms(event.hlc)),
    }


def store(settings: StoreSettings, exponent: int) -> View:
    """Show the settings of the store as the browser needs them."""
    return {
        "name": settings.name,
        "address": list(settings.address),
        "tax_id": settings.tax_id,
        "currency": settings.currency,
        "currency_exponent": exponent,
        "locale": settings.locale,
        "time_zone": settings.time_zone,
        "prices_include_tax": settings.prices_include_tax,
        "tax_rounding": settings.tax_rounding,
        "rounding": settings.rounding,
        "cash_step_minor": settings.cash_step_minor,
        "cash_step_usual_minor": usual_cash_step_minor(settings),
        "cash_step_now_minor": settings.policy().cash_step_minor,
        "cash_rounding": settings.cash_rounding,
        "tax_rates": settings.rates_ppm(),
        "receipt_footer": settings.receipt_footer,
        "discount_limit_ppm": settings.discount_limit_ppm,
        "refund_limit_minor": settings.refund_limit_minor,
        "barcode_layouts": list(settings.barcode_layouts),
        "scanner_prefix": settings.scanner_prefix,
        "pay_methods": list(settings.pay_methods),
        "loyalty_earn_minor": settings.loyalty_earn_minor,
        "loyalty_point_minor": settings.loyalty_point_minor,
        "offline_redeem_max_minor": settings.offline_redeem_max_minor,
        "departments": [
            {"name": name, "icon": icon, "colour": colour}
            for name, (icon, colour) in settings.department_styles().items()
        ],
        "oversell_policy": settings.oversell_policy,
        "oversell_adjust_max_milli": settings.oversell_adjust_max_milli,
        "oversell_policy_name": settings.oversell_policy_name,
        "fiscal_closes": settings.fiscal_closes,
    }
