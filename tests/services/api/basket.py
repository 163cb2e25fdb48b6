"""Golden baskets through the API of a real till."""

from collections import Counter
from dataclasses import dataclass, field

from tests.golden import reference
from tests.services.api.shop import Json, Shop
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.shop.gtin import check_digit
from tillmesh.shop.instore import implied_quantity_milli

SETTINGS = ("currency", "prices_include_tax", "tax_rounding", "rounding", "cash_step_minor", "cash_rounding")


@dataclass
class Sold:
    """A basket, and all that the till answered about it."""

    basket: Json
    sale: Json
    refunds: list[Json] = field(default_factory=list)
    void: Json | None = None


def set_up(shop: Shop, store: Json) -> None:
    """Give a till the rules of a golden store; its receipts are in English, with minus signs that a test can read."""
    shop.ok(
        "PATCH", "/settings",
        {"store": {**{name: store[name] for name in SETTINGS}, "tax_rates": store["tax_rates_ppm"], "locale": "en"},
         "terminal": {"printer_columns": 64}},
    )  # fmt: skip


def with_labels(basket: Json, store: Json) -> Json:
    """Turn lines with a fixed total into in-store barcodes, whose product price says how much was weighed.

    A label tells the amount only. Where no price of the product gives back the quantity of the file, the reference
    works the basket out again with the quantity that the till will read from the label.
    """
    products, lines = list(basket["products"]), []
    units = {product["sku"]: product for product in products}
    changed = False
    for place, line in enumerate(basket["lines"]):
        if "line_total_minor" not in line:
            lines.append(line)
            continue
        total, wanted = line["line_total_minor"], parse_quantity(line["quantity"])
        price = max(1, total * 1000 // wanted)
        milli = implied_quantity_milli(total, price)
        changed |= milli != wanted
        number = f"{int(basket['basket'][1:]) * 8 + place:05d}"
        sku = f"{line['sku']}-label{place}"
        products.append({**units[line["sku"]], "sku": sku, "price_minor": price, "barcodes": [f"23{number}"]})
        code = f"23{number}{total:05d}"
        lines.append({**line, "sku": sku, "quantity": format_quantity(milli), "barcode": code + check_digit(code)})
    relabelled = {**basket, "products": products, "lines": lines}
    if changed:
        relabelled["refunds"] = [
            [want for want in visit if "line_total_minor" not in lines[want["line"]]] for visit in basket["refunds"]
        ]
        relabelled["refunds"] = [visit for visit in relabelled["refunds"] if visit]
        relabelled["expected"] = reference.expect(relabelled, store)
    return relabelled


def in_one_call(basket: Json) -> bool:
    """Say whether `POST /sales` can carry a basket: it knows no percentages and no discount of the whole cart."""
    return basket["discount"] is None and all("percent" not in line.get("discount", {}) for line in basket["lines"])


def sell(shop: Shop, basket: Json, *, one_call: bool) -> Sold:
    """Bring the products, sell the basket one way or the other, bring goods back, void."""
    for product in basket["products"]:
        assert shop.call("POST", "/products", product).status_code == 201
    sale = in_one(shop, basket) if one_call else in_steps(shop, basket)
    sold = Sold(basket, sale)
    for visit in basket["refunds"]:
        wanted = {"lines": visit}
        quoted = shop.ok("POST", f"/sales/{sale['sale_id']}/refunds/quote", wanted, role="cashier")
        back = shop.ok("POST", f"/sales/{sale['sale_id']}/refunds", {**wanted, "reason": "returned"})
        assert (quoted["total_minor"], quoted["tax_minor"]) == (back["total_minor"], back["tax_minor"])
        sold.refunds.append(back)
    if basket["void"]:
        sold.void = shop.ok("POST", f"/sales/{sale['sale_id']}/void", {"reason": "mistake"})
    return sold


def in_one(shop: Shop, basket: Json) -> Json:
    lines = [
        {
            **({"barcode": line["barcode"]} if "barcode" in line else {k: line[k] for k in ("sku", "quantity")}),
            **({"quantity": "1"} if "barcode" in line else {}),
            **{k: line[k] for k in ("unit_price_minor",) if k in line},
            "discount_minor": line.get("discount", {}).get("amount_minor", 0),
        }
        for line in basket["lines"]
    ]
    body = {"cart_id": basket["basket"], "lines": lines, "payments": basket["payments"]}
    first = shop.call("POST", "/sales", body)
    again = shop.call("POST", "/sales", body)
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert first.json() == again.json()
    sale: Json = first.json()
    return sale


def in_steps(shop: Shop, basket: Json) -> Json:
    cart = f"/carts/{basket['basket']}"
    ops: list[Json] = []
    for place, line in enumerate(basket["lines"]):
        what = {"barcode": line["barcode"]} if "barcode" in line else {k: line[k] for k in ("sku", "quantity")}
        ops.append({"op": "add", "line_id": str(place), **what})
        if "unit_price_minor" in line:
            price = {"unit_price_minor": line["unit_price_minor"], "reason": "shelf"}
            ops.append({"op": "set_price", "line_id": str(place), **price})
        if "discount" in line:
            ops.append({"op": "discount_line", "line_id": str(place), "reason": "dented", **line["discount"]})
    if basket["discount"]:
        ops.append({"op": "discount_cart", "reason": "regular", **basket["discount"]})
    view = shop.ok("POST", f"{cart}/ops", {"ops": [{"op_id": str(n), **op} for n, op in enumerate(ops)]})
    assert view["rejected"] == []
    expected = basket["expected"]["sale"]
    assert {name: view[name] for name in ("total_minor", "tax_minor", "discount_minor", "gross_minor")} == {
        name: expected[name] for name in ("total_minor", "tax_minor", "discount_minor", "gross_minor")
    }
    tenders = {"payments": basket["payments"]}
    quoted = shop.ok("POST", f"{cart}/quote", tenders, role="cashier")
    assert quoted["complete"]
    sale: Json = shop.ok("POST", f"{cart}/pay", tenders)
    assert (quoted["total_minor"], quoted["rounding_minor"], quoted["change_minor"]) == (
        sale["total_minor"], sale["rounding_minor"], sale["change_minor"],
    )  # fmt: skip
    return sale


def expected_sums(sold: list[Sold]) -> Json:
    """Add up what the reference says about a day of baskets."""
    sums = Counter[str]()
    tenders: dict[str, Counter[str]] = {"cash": Counter(), "card": Counter()}
    taxes = Counter[tuple[str, str]]()
    for one in sold:
        expected = one.basket["expected"]
        sale, backs = expected["sale"], [*expected["refunds"], *([expected["void"]] if expected["void"] else [])]
        sums.update(sales=1, sales_minor=sale["total_minor"], discount_minor=sale["discount_minor"])
        sums.update(refunds=len(expected["refunds"]), refunds_minor=sum(r["total_minor"] for r in expected["refunds"]))
        if expected["void"]:
            sums.update(voids=1, voids_minor=expected["void"]["total_minor"])
        for name in ("tax_minor", "rounding_minor"):
            sums[name] += sale[name] - sum(back[name] for back in backs)
        for payment in one.basket["payments"]:
            tenders[payment["method"]]["taken_minor"] += payment["amount_minor"]
        tenders["cash"]["taken_minor"] -= sale["change_minor"]
        for payment in (payment for back in backs for payment in back["payments"]):
            tenders[payment["method"]]["returned_minor"] += payment["amount_minor"]
        count_taxes(taxes, one)
    return {**sums, "tenders": tenders, "taxes": taxes}


def count_taxes(taxes: Counter[tuple[str, str]], one: Sold) -> None:
    """Add a basket's tax and net per code; a refund takes back those of its lines."""
    expected = one.basket["expected"]
    codes = {product["sku"]: product["tax_code"] for product in one.basket["products"]}
    for tax in expected["sale"]["taxes"]:
        sign = 0 if expected["void"] else 1
        taxes[tax["code"], "net_minor"] += sign * tax["net_minor"]
        taxes[tax["code"], "tax_minor"] += sign * tax["tax_minor"]
    for line in (line for back in expected["refunds"] for line in back["lines"]):
        code = codes[one.basket["lines"][line["line"]]["sku"]]
        taxes[code, "net_minor"] -= line["total_minor"] - line["tax_minor"]
        taxes[code, "tax_minor"] -= line["tax_minor"]
