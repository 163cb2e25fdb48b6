"""Golden baskets through tillmesh.shop: from the words of the file to the shop's own values and back."""

from typing import Any, Literal, cast

from tillmesh.kernel.money import parse_decimal
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.shop.cart import Cart, CartLine, Discount, Policy
from tillmesh.shop.events import Payment, SaleClosed, SaleRefunded, SaleVoided, TaxTotal
from tillmesh.shop.giveback import tenders, undo
from tillmesh.shop.pricing import price, to_sale_lines
from tillmesh.shop.refund import Answer, Wanted, quote
from tillmesh.shop.tender import settle

Json = dict[str, Any]


def policy_of(store: Json) -> Policy:
    return Policy(
        currency=store["currency"],
        prices_include_tax=store["prices_include_tax"],
        tax_rounding=cast('Literal["line", "total"]', store["tax_rounding"]),
        rounding=store["rounding"],
        cash_step_minor=store["cash_step_minor"],
        cash_rounding=store["cash_rounding"],
        tax_rates_ppm=store["tax_rates_ppm"],
    )


def discount_of(given: Json | None) -> Discount | None:
    if given is None:
        return None
    if "percent" in given:
        return Discount(rate_ppm=parse_decimal(given["percent"], 4, "percent"))
    return Discount(amount_minor=given["amount_minor"])


def cart_of(basket: Json) -> Cart:
    products = {product["sku"]: product for product in basket["products"]}
    lines = tuple(
        CartLine(
            line_id=str(place),
            sku=line["sku"],
            name=products[line["sku"]]["name"],
            unit=products[line["sku"]]["unit"],
            quantity_milli=parse_quantity(line["quantity"]),
            list_price_minor=products[line["sku"]]["price_minor"],
            tax_code=products[line["sku"]]["tax_code"],
            unit_price_minor=line.get("unit_price_minor"),
            fixed_price_minor=line.get("line_total_minor"),
            discount=discount_of(line.get("discount")),
        )
        for place, line in enumerate(basket["lines"])
    )
    return Cart(cart_id=basket["basket"], lines=lines, discount=discount_of(basket["discount"]))


def sell(basket: Json, policy: Policy) -> SaleClosed:
    priced = price(cart_of(basket), policy)
    payments = [Payment(method=each["method"], amount_minor=each["amount_minor"]) for each in basket["payments"]]
    paid = settle(priced.total_minor, payments, policy)
    return SaleClosed(
        cart_id=basket["basket"],
        receipt_number="T1-000001",
        shift_id="s",
        cashier="ana",
        currency=policy.currency,
        prices_include_tax=policy.prices_include_tax,
        lines=to_sale_lines(priced),
        taxes=priced.taxes,
        payments=paid.payments,
        discount_minor=priced.discount_minor,
        tax_minor=priced.tax_minor,
        total_minor=priced.total_minor,
        rounding_minor=paid.rounding_minor,
        change_minor=paid.change_minor,
    )


def bring_back(sale: SaleClosed, answers: list[Answer], visit: list[Json], policy: Policy) -> SaleRefunded:
    wanted = [Wanted(line=each["line"], quantity_milli=parse_quantity(each["quantity"])) for each in visit]
    worth = quote(sale, answers, wanted)
    back = tenders(sale, answers, worth.total_minor, policy)
    return SaleRefunded(
        sale_id="s-1",
        refund_key="r",
        receipt_number="T1-000002",
        shift_id="s",
        by="ana",
        reason="returned",
        currency=sale.currency,
        lines=worth.lines,
        taxes=worth.taxes,
        payments=back.payments,
        tax_minor=worth.tax_minor,
        total_minor=worth.total_minor,
        rounding_minor=back.rounding_minor,
    )


def take_back(sale: SaleClosed) -> SaleVoided:
    undone = undo(sale, [])
    return SaleVoided(
        sale_id="s-1",
        receipt_number="T1-000002",
        shift_id="s",
        by="ana",
        reason="mistake",
        payments=undone.payments,
        total_minor=undone.total_minor,
        tax_minor=undone.tax_minor,
        rounding_minor=undone.rounding_minor,
        taxes=undone.taxes,
        moves=undone.moves,
    )


def events_of(basket: Json, store: Json) -> tuple[SaleClosed, list[SaleRefunded], SaleVoided | None]:
    policy = policy_of(store)
    sale = sell(basket, policy)
    refunds: list[SaleRefunded] = []
    for visit in basket["refunds"]:
        refunds.append(bring_back(sale, [*refunds], visit, policy))
    return sale, refunds, take_back(sale) if basket["void"] else None


def said(sale: SaleClosed, refunds: list[SaleRefunded], void: SaleVoided | None) -> Json:
    """Write what the shop worked out in the words of the file."""
    return {
        "sale": {
            "lines": [
                {
                    "gross_minor": line.gross_minor,
                    "discount_minor": line.discount_minor,
                    "cart_discount_minor": line.cart_discount_minor,
                    "tax_minor": line.tax_minor,
                    "total_minor": line.total_minor,
                }
                for line in sale.lines
            ],
            "taxes": [_tax(tax) for tax in sale.taxes],
            "gross_minor": sum(line.gross_minor for line in sale.lines),
            "discount_minor": sale.discount_minor,
            "tax_minor": sale.tax_minor,
            "total_minor": sale.total_minor,
            "rounding_minor": sale.rounding_minor,
            "change_minor": sale.change_minor,
        },
        "refunds": [_refund(refund) for refund in refunds],
        "void": None if void is None else _money(void),
    }


def _tax(tax: TaxTotal) -> Json:
    return {"code": tax.code, "rate_ppm": tax.rate_ppm, "net_minor": tax.net_minor, "tax_minor": tax.tax_minor}


def _refund(refund: SaleRefunded) -> Json:
    lines = [
        {
            "line": line.line,
            "quantity": format_quantity(line.quantity_milli),
            "total_minor": line.total_minor,
            "tax_minor": line.tax_minor,
        }
        for line in refund.lines
    ]
    return {"lines": lines, **_money(refund)}


def _money(body: SaleRefunded | SaleVoided) -> Json:
    return {
        "total_minor": body.total_minor,
        "tax_minor": body.tax_minor,
        "payments": [{"method": each.method, "amount_minor": each.amount_minor} for each in body.payments],
        "rounding_minor": body.rounding_minor,
    }
