"""Short ways to say carts, policies and payments in the tests of the shop."""

from hypothesis import strategies as st

from tillmesh.kernel.money import Rounding
from tillmesh.shop.cart import Cart, CartLine, Discount, Policy
from tillmesh.shop.events import Payment, SaleClosed, SaleRefunded, SaleVoided
from tillmesh.shop.giveback import tenders, undo
from tillmesh.shop.pricing import price, to_sale_lines
from tillmesh.shop.refund import Answer, Wanted, quote
from tillmesh.shop.tender import cash_amount, settle

RATES = {"std": 200_000, "red": 50_000, "zero": 0, "odd": 88_750}


def line(
    price_minor: int,
    quantity: int = 1,
    *,
    milli: int | None = None,
    tax: str = "std",
    off: Discount | None = None,
    fixed: int | None = None,
    override: int | None = None,
) -> CartLine:
    return CartLine(
        line_id=f"{tax}-{price_minor}",
        sku=f"sku-{price_minor}",
        name="Oat milk",
        unit="piece" if milli is None else "kg",
        quantity_milli=quantity * 1000 if milli is None else milli,
        list_price_minor=price_minor,
        tax_code=tax,
        discount=off,
        fixed_price_minor=fixed,
        unit_price_minor=override,
    )


def cart(*lines: CartLine, off: Discount | None = None) -> Cart:
    return Cart(cart_id="cart-1", lines=lines, discount=off)


def percent(text: float) -> Discount:
    return Discount(rate_ppm=round(text * 10_000), reason="price match")


def amount(minor: int) -> Discount:
    return Discount(amount_minor=minor, reason="damaged")


def policy(
    *,
    included: bool = True,
    by: str = "total",
    rounding: str = "half_up",
    currency: str = "EUR",
    step: int = 1,
    cash_rounding: str = "half_up",
    rates: dict[str, int] | None = None,
) -> Policy:
    return Policy(
        currency=currency,
        prices_include_tax=included,
        tax_rounding="line" if by == "line" else "total",
        rounding=rounding,
        cash_step_minor=step,
        cash_rounding=cash_rounding,
        tax_rates_ppm=RATES if rates is None else rates,
    )


def cash(minor: int) -> Payment:
    return Payment(method="cash", amount_minor=minor)


def card(minor: int, **more: str) -> Payment:
    return Payment(method="card", amount_minor=minor, **more)


discounts = st.none() | st.one_of(
    st.builds(Discount, rate_ppm=st.integers(1, 1_000_000)),
    st.builds(Discount, amount_minor=st.integers(1, 30_000)),
)
cart_lines = st.builds(
    CartLine,
    line_id=st.just("l"),
    sku=st.sampled_from(["a", "b", "c"]),
    name=st.just("Bread"),
    unit=st.just("kg"),
    quantity_milli=st.one_of(st.integers(1, 20).map(lambda n: n * 1000), st.integers(1, 99_999)),
    list_price_minor=st.integers(0, 20_000),
    tax_code=st.sampled_from(sorted(RATES)),
    unit_price_minor=st.none() | st.integers(0, 20_000),
    fixed_price_minor=st.none() | st.integers(0, 9_999),
    discount=discounts,
)
carts = st.builds(Cart, cart_id=st.just("c"), lines=st.lists(cart_lines, max_size=8).map(tuple), discount=discounts)
policies = st.builds(
    Policy,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    prices_include_tax=st.booleans(),
    tax_rounding=st.sampled_from(["line", "total"]),
    rounding=st.sampled_from(list(map(str, Rounding))),
    cash_step_minor=st.sampled_from([1, 5, 10, 50, 100]),
    cash_rounding=st.sampled_from(list(map(str, Rounding))),
    tax_rates_ppm=st.just(RATES),
)


def sold(some_cart: Cart, by: Policy, *payments: Payment, number: str = "T1-000001") -> SaleClosed:
    """Close a sale over a cart; without payments it is paid in cash to the coin."""
    priced = price(some_cart, by)
    paid = settle(priced.total_minor, payments or [cash(cash_amount(priced.total_minor, by))], by)
    return SaleClosed(
        cart_id=some_cart.cart_id,
        receipt_number=number,
        shift_id="k3m7qx2p.4f9a2c-1",
        cashier="ana",
        currency=by.currency,
        prices_include_tax=by.prices_include_tax,
        lines=to_sale_lines(priced),
        taxes=priced.taxes,
        payments=paid.payments,
        discount_minor=priced.discount_minor,
        tax_minor=priced.tax_minor,
        total_minor=priced.total_minor,
        rounding_minor=paid.rounding_minor,
        change_minor=paid.change_minor,
    )


def refunded(sale: SaleClosed, answers: list[Answer], by: Policy, *wanted: Wanted) -> SaleRefunded:
    """Refund parts of a sale to the original tenders."""
    worth = quote(sale, answers, wanted)
    back = tenders(sale, answers, worth.total_minor, by)
    return SaleRefunded(
        sale_id="k3m7qx2p.4f9a2c-2",
        refund_key="r",
        receipt_number="T1-000002",
        shift_id=sale.shift_id,
        by="ana",
        reason="too small",
        currency=sale.currency,
        lines=worth.lines,
        taxes=worth.taxes,
        payments=back.payments,
        tax_minor=worth.tax_minor,
        total_minor=worth.total_minor,
        rounding_minor=back.rounding_minor,
    )


def voided(sale: SaleClosed, answers: list[Answer] | None = None) -> SaleVoided:
    """Void a sale."""
    undone = undo(sale, answers or [])
    return SaleVoided(
        sale_id="k3m7qx2p.4f9a2c-2",
        receipt_number="T1-000003",
        shift_id=sale.shift_id,
        by="ana",
        reason="wrong customer",
        payments=undone.payments,
        total_minor=undone.total_minor,
        tax_minor=undone.tax_minor,
        rounding_minor=undone.rounding_minor,
        taxes=undone.taxes,
        moves=undone.moves,
    )
