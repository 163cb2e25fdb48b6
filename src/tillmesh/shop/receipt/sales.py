"""Receipts of sales, voids and refunds: every amount is on the event, nothing is computed but sums of them."""

from __future__ import annotations

from collections.abc import Iterator

from tillmesh.kernel.quantity import ONE
from tillmesh.shop.events import RefundLine, SaleClosed, SaleLine
from tillmesh.shop.receipt.frame import anchored, facts, large, signed_parts, tax_letters, tax_table, tenders
from tillmesh.shop.receipt.parts import Banner, Detail, Item, Part, Row, Rule, Spacer, Text
from tillmesh.shop.receipt.tickets import Header, RefundTicket, SaleTicket, VoidTicket
from tillmesh.shop.receipt.words import Words


def sale_parts(ticket: SaleTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out a sale between the shop's head and footer."""
    sale = ticket.sale
    if ticket.voided:
        yield Banner(words("voided"))
    yield from facts(
        words,
        ("receipt", sale.receipt_number),
        ("date", words.formats.moment(sale.closed_at_ms)),
        ("cashier", ticket.cashier),
        ("till", header.till),
        ("customer", ticket.customer),
    )
    yield from _body(sale, words)
    yield large(words("total"), words.formats.money(sale.total_minor, sale.currency))
    yield from _paid(sale, words)
    yield from _included(sale, words)
    yield Spacer()
    yield Text(_count(sale, words), "centre")
    if sale.discount_minor > 0:
        saved = words.formats.money(sale.discount_minor, sale.currency)
        yield Text(words("saved", amount=saved), "centre", strong=True)
    if points := sum(one.amount for one in sale.purses if one.purse == "points"):
        yield Text(words("points_moved", points=f"{points:+d}"), "centre")
    if sale.note:
        yield Text(sale.note)
    yield from signed_parts(ticket.signed, words)
    yield from anchored(ticket.anchor, sale.receipt_number)


def _body(sale: SaleClosed, words: Words) -> Iterator[Part]:
    """Show the items, between rules, and how they come to the total."""
    letters = tax_letters(sale.taxes)
    yield Rule()
    for line in sale.lines:
        yield _item(line, sale, letters.get((line.tax_code, line.rate_ppm), ""), words)
    yield Rule()
    sums = tuple(_sums(sale, words))
    yield from sums
    if sums:
        yield Rule()


def _sums(sale: SaleClosed, words: Words) -> Iterator[Part]:
    """Show what lies between the items and the total: a discount on all, and taxes where they are added."""
    money = words.formats.money
    on_cart = sum(line.cart_discount_minor for line in sale.lines)
    subtotal = sum(line.gross_minor - line.discount_minor for line in sale.lines)
    if on_cart or not sale.prices_include_tax:
        yield Row(words("subtotal"), money(subtotal, sale.currency))
    for one in sale.promotions:
        if one.on_cart:
            yield Row(_promotion(one.name, one.code, words), money(-one.amount_minor, sale.currency))
            on_cart -= one.amount_minor
    if on_cart:
        label = _discount("cart_discount", sale.cart_discount_rate_ppm, sale.cart_discount_reason, words)
        yield Row(label, money(-on_cart, sale.currency))
    if not sale.prices_include_tax:
        for tax in sale.taxes:
            label = words("tax_on", rate=words.formats.percent(tax.rate_ppm), net=money(tax.net_minor, sale.currency))
            yield Row(label, money(tax.tax_minor, sale.currency))


def _count(sale: SaleClosed, words: Words) -> str:
    """Count pieces; what is weighed or measured counts as one."""
    count = sum(line.quantity_milli // ONE if line.unit == "piece" else 1 for line in sale.lines)
    return words("items_one") if count == 1 else words("items", count=str(count))


def _item(line: SaleLine, sale: SaleClosed, letter: str, words: Words) -> Item:
    amount = words.formats.money(line.gross_minor, sale.currency)
    return Item(_name(line, words), f"{amount} {letter}".strip(), tuple(_details(line, sale, letter, words)))


def _name(line: SaleLine, words: Words) -> str:
    """Name a line; what only moves money is named in the language of the paper."""
    if not line.loads:
        return line.name
    return words("gift_card" if line.loads.startswith("gift_card:") else "account_payment")


def _details(line: SaleLine, sale: SaleClosed, letter: str, words: Words) -> Iterator[Detail]:
    """Explain an item's amount: quantity, a changed price, promotions, a discount, a note."""
    money, currency = words.formats.money, sale.currency
    if line.unit != "piece" or line.quantity_milli != ONE:
        yield Detail(quantity_price(line.unit, line.quantity_milli, line.unit_price_minor, currency, words))
    if line.weighed in {"hand", "part"}:
        yield Detail(words("weighed_by_hand" if line.weighed == "hand" else "weighed_part"))
    if line.tare_milli:
        quantity = words.formats.quantity(line.tare_milli)
        yield Detail(words("tare", quantity=quantity, unit=words.unit(line.unit)))
    if line.price_list:
        yield Detail(words("price_list", name=line.price_list))
    usual = max(line.list_price_minor, line.regular_price_minor)
    if 0 < line.unit_price_minor < usual:
        yield Detail(words("reduced_from", price=money(usual, currency)))
    codes = {one.promotion_id: one.code for one in sale.promotions}
    off = line.discount_minor
    for part in line.promotions:
        if not part.on_cart:
            label = _promotion(part.name, codes.get(part.promotion_id, ""), words)
            yield Detail(label, f"{money(-part.amount_minor, currency)} {letter}".strip())
            off -= part.amount_minor
    if off:
        label = _discount("discount", line.discount_rate_ppm, line.discount_reason, words)
        yield Detail(label, f"{money(-off, currency)} {letter}".strip())
    if line.note:
        yield Detail(line.note)


def _promotion(name: str, code: str, words: Words) -> str:
    """Name a promotion, and the coupon that it was for."""
    return words("with_reason", what=name, reason=code) if code else name


def _discount(key: str, rate_ppm: int, reason: str, words: Words) -> str:
    """Say why a price went down: by how many percent, if it was percent, and the reason, if one was given."""
    what = words(f"{key}_rate", rate=words.formats.percent(rate_ppm)) if rate_ppm else words(key)
    return words("with_reason", what=what, reason=reason) if reason else what


def quantity_price(unit: str, quantity_milli: int, unit_price_minor: int, currency: str, words: Words) -> str:
    """Write quantity times price, with the unit where it is not pieces."""
    quantity, price = words.formats.quantity(quantity_milli), words.formats.money(unit_price_minor, currency)
    if unit == "piece":
        return words("quantity_price", quantity=quantity, price=price)
    return words("measured_price", quantity=quantity, price=price, unit=words.unit(unit))


def _paid(sale: SaleClosed, words: Words) -> Iterator[Part]:
    """Show cash rounding as its own line, then what was handed over and the change."""
    money = words.formats.money
    yield from _rounded(sale.total_minor, sale.rounding_minor, sale.currency, "to_pay", words)
    yield from tenders(sale.payments, sale.currency, words)
    if sale.change_minor:
        yield Row(words("change"), money(sale.change_minor, sale.currency), strong=True)


def _rounded(total_minor: int, rounding_minor: int, currency: str, key: str, words: Words) -> Iterator[Part]:
    if rounding_minor:
        money = words.formats.money
        yield Row(words("rounding"), money(rounding_minor, currency))
        yield Row(words(key), money(total_minor + rounding_minor, currency), strong=True)


def _included(sale: SaleClosed, words: Words) -> Iterator[Part]:
    """Show the taxes per rate; where they are added they stand above the total, too."""
    if sale.taxes:
        yield Rule()
        yield tax_table(sale.taxes, sale.currency, words)


def void_parts(ticket: VoidTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out a void: which sale, why, what it was and what was given back."""
    void, sale = ticket.void, ticket.sale
    yield Banner(words("void"))
    yield from facts(
        words,
        ("receipt", void.receipt_number),
        ("date", words.formats.moment(void.voided_at_ms)),
        ("by", ticket.cashier),
        ("till", header.till),
        ("for_receipt", sale.receipt_number),
        ("sold_on", words.formats.moment(sale.closed_at_ms)),
    )
    yield from _why(void.reason, ticket.approved_by, words)
    yield from _body(sale, words)
    yield large(words("total_voided"), words.formats.money(void.total_minor, sale.currency))
    yield from _rounded(void.total_minor, void.rounding_minor, sale.currency, "given_back", words)
    yield from tenders(void.payments, sale.currency, words)
    yield from _included(sale, words)
    yield from signed_parts(ticket.signed, words)
    yield from anchored(ticket.anchor, void.receipt_number)


def refund_parts(ticket: RefundTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out a refund: what came back, why, and how the money went out."""
    refund = ticket.refund
    money = words.formats.money
    yield Banner(words("refund"))
    yield from facts(
        words,
        ("receipt", refund.receipt_number),
        ("date", words.formats.moment(refund.refunded_at_ms)),
        ("by", ticket.cashier),
        ("till", header.till),
        ("for_receipt", ticket.sold_receipt),
        ("sold_on", words.formats.moment(ticket.sold_at_ms) if ticket.sold_at_ms else ""),
    )
    if not refund.sale_id:
        yield Text(words("no_receipt"))
    yield from _why(refund.reason, ticket.approved_by, words)
    yield Rule()
    letters = tax_letters(refund.taxes)
    for line in refund.lines:
        yield _returned(line, refund.currency, letters.get((line.tax_code, line.rate_ppm), ""), words)
    yield Rule()
    yield large(words("total_refunded"), money(refund.total_minor, refund.currency))
    yield from _rounded(refund.total_minor, refund.rounding_minor, refund.currency, "given_back", words)
    yield from tenders(refund.payments, refund.currency, words)
    if refund.taxes:
        yield Rule()
        yield tax_table(refund.taxes, refund.currency, words)
    yield from signed_parts(ticket.signed, words)
    yield from anchored(ticket.anchor, refund.receipt_number)


def _returned(line: RefundLine, currency: str, letter: str, words: Words) -> Item:
    """Show what came back and what was paid for it, discounts and taxes included."""
    amount = f"{words.formats.money(line.total_minor, currency)} {letter}".strip()
    if line.unit == "piece" and line.quantity_milli == ONE:
        return Item(line.name, amount)
    explained = quantity_price(line.unit, line.quantity_milli, line.unit_price_minor, currency, words)
    return Item(line.name, amount, (Detail(explained),))


def _why(reason: str, approved_by: str, words: Words) -> Iterator[Part]:
    if reason:
        yield Text(words("reason", reason=reason))
    if approved_by:
        yield Text(words("approved_by", name=approved_by))
