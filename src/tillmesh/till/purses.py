"""Paying with points, gift cards and on account; loading cards, paying accounts off; bounded while tills are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from msgspec import structs

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, CARTS_LOOKED_AT_MAX
from tillmesh.kernel.money import check_amount
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.cart import Cart, CartLine
from tillmesh.shop.events import (
    Change,
    GiftCardsChanged,
    Payment,
    PurseMove,
    PursesAdjusted,
    SaleClosed,
    SaleLine,
    Value,
)
from tillmesh.shop.people import Action
from tillmesh.shop.purses import (
    ACCOUNT,
    CARD_SKU,
    GIFT_CARD,
    PAYOFF_SKU,
    POINTS,
    PURSES,
    card_account,
    card_code,
    loads_of,
    paid_minor,
    payments_of,
    pin_tag,
    points_earned,
    summed,
)
from tillmesh.shop.settings import VOUCHER
from tillmesh.shop.tender import amount_text
from tillmesh.till.commands import AdjustPurse, CartOperation
from tillmesh.till.desk import Company, Desk, Identity, checked_key, checked_text
from tillmesh.till.ports import Books

_LOADS = {GIFT_CARD: (CARD_SKU, "Gift card"), ACCOUNT: (PAYOFF_SKU, "Payment on account")}  # purse -> sku, name
PIN_MARK = "/"  # between a card's code and its PIN, in the reference of a payment


def known_payments(desk: Desk, payments: Sequence[Payment]) -> tuple[Payment, ...]:
    """Give the payments with cards named by account instead of code, each known, not blocked, its PIN right."""
    return tuple(_known(desk, one) if one.method == GIFT_CARD else one for one in payments)


def _known(desk: Desk, payment: Payment) -> Payment:
    code, _, pin = payment.reference.partition(PIN_MARK)
    account = card_account(desk.identity.store, code)
    fields = desk.books.fields("gift_card", account)
    if fields is None:
        raise NotFound("no gift card has this code", hint="Scan the card, or type its code again.")
    refuse_blocked(fields)
    tag = fields.get("pin_tag")
    if tag and tag != pin_tag(account, pin.strip()):
        raise Invalid("the PIN of this gift card is wrong", hint="Ask the customer to type it again.")
    return structs.replace(payment, reference=account, last_four=card_code(code)[-4:] if _digits(code) else "")


def refuse_blocked(fields: Mapping[str, Value]) -> None:
    """Raise if a gift card is blocked, with the reason that was given."""
    if fields.get("active") is False:
        why = fields.get("blocked_reason")
        raise Conflict(
            f"this gift card is blocked: {why}" if why else "this gift card is blocked", hint="Ask a manager."
        )


def _digits(code: str) -> bool:
    return card_code(code)[-4:].isdigit()


def takings_of(books: Books, store: str, customer_id: str, payments: Sequence[Payment]) -> list[PurseMove]:
    """Give what payments are about to take out of purses; nothing for those that the sale itself will refuse."""
    named = [
        structs.replace(one, reference=card_account(store, one.reference.partition(PIN_MARK)[0]))
        if one.method == GIFT_CARD
        else one
        for one in payments
        if one.method == GIFT_CARD or customer_id
    ]
    return payments_of(named, customer_id, books.store().loyalty_point_minor)


def moves_of(
    desk: Desk, cart: Cart, total_minor: int, lines: Sequence[SaleLine], payments: Sequence[Payment]
) -> tuple[PurseMove, ...]:
    """Give what a sale does to purses, or raise if it takes more than there is, or than tills apart may risk."""
    store = desk.store()
    if any(one.method in {POINTS, ACCOUNT} for one in payments) and not cart.customer_id:
        raise Invalid("this way to pay needs a customer", hint="Name the customer first.")
    taken = payments_of(payments, cart.customer_id, store.loyalty_point_minor)
    for one in summed(taken):
        _may_take(desk, one.purse, one.account, abs(one.amount))
    loads = loads_of(lines)
    _refuse_too_much_paid_off(desk, loads)
    moves = [*loads, *taken]
    if cart.customer_id:
        earned = points_earned(paid_minor(total_minor, lines, payments), store.loyalty_earn_minor)
        if earned:
            moves.append(PurseMove(purse=POINTS, account=cart.customer_id, amount=earned))
    return tuple(moves)


def _refuse_too_much_paid_off(desk: Desk, loads: Sequence[PurseMove]) -> None:
    """Raise if an account is paid off by more than is owed: another cart may have done so since this one was begun."""
    for one in loads:
        if one.purse == ACCOUNT and -one.amount > desk.books.purse(ACCOUNT, one.account):
            raise Conflict("this is more than the customer owes", hint="Lower the amount.")


def _may_take(desk: Desk, purse: str, account: str, amount: int) -> None:
    most = available(desk, purse, account)
    if amount <= most:
        return
    shown = str(max(0, most)) if purse == POINTS else amount_text(max(0, most), desk.policy().currency)
    if desk.company.knows_all:
        raise Conflict(f"at most {shown} can be taken", hint="Take the rest another way.")
    raise Conflict(f"at most {shown} can be taken while not all tills are heard", hint="Take the rest another way.")


def available(desk: Desk, purse: str, account: str) -> int:
    """Say how much can be taken out of a purse at this till now."""
    return available_at(desk.books, desk.identity, desk.company, purse, account)


def available_at(books: Books, identity: Identity, company: Company, purse: str, account: str) -> int:
    """Say how much can be taken out of a purse at a till that hears these others.

    All of it while every other till is heard and nothing of theirs is missing here. Otherwise at most
    ``offline_redeem_max_minor / (tills - 1)`` less what this till took while not everybody knew: if every till of a
    store in pieces takes as much, what was in the purse and the limit cover it.
    """
    store, held = books.store(), books.purse(purse, account)
    if purse == ACCOUNT:
        limit = (books.fields("customer", account) or {}).get("credit_limit_minor")
        held = (limit if isinstance(limit, int) else 0) - held
    if company.knows_all:
        return held
    most = store.offline_redeem_max_minor // max(1, len(company.others))
    if purse == POINTS:
        most //= max(1, store.loyalty_point_minor)
    spent = books.purse_spent_unheard(purse, account, identity.actor, company.others)
    return min(held, most - spent)


def issue_cards(desk: Desk, cart: Cart) -> None:
    """Write the cards down that a sale has loaded and nobody knows yet.

    Raises :class:`Conflict` for a new card that another sale has sold since it came into the cart: two customers would
    hold its code, and the second's PIN would be none.
    """
    new = []
    for line in cart.lines:
        purse, _, account = line.loads.partition(":")
        if purse != GIFT_CARD:
            continue
        if desk.books.fields("gift_card", account) is None:
            new.append(Change(key=account, fields={"last_four": line.note[-4:], "pin_tag": line.pin_tag}))
        elif line.issues:
            raise Conflict(
                f"another sale has sold the gift card {line.note} meanwhile",
                hint="Remove its line, and sell another card.",
            )
    if new:
        desk.record(GiftCardsChanged(changes=tuple(new), by=desk.who.user_id))


def with_gift_card(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    """Sell a gift card, or top one up: a line whose amount goes onto the card. ``reason`` is a new card's PIN."""
    line_id = checked_key(operation.line_id, "line_id")
    account = card_account(desk.identity.store, operation.text)
    fields = desk.books.fields("gift_card", account)
    if fields is not None:
        refuse_blocked(fields)
    else:
        _refuse_sold_beside(desk, cart, account, operation.text)
    pin = operation.reason.strip()
    if pin and not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise Invalid("the PIN of a gift card has 4 to 8 digits", hint="Choose another one.")
    code = card_code(operation.text)
    return _with_load(
        cart, line_id, f"{GIFT_CARD}:{account}", operation.amount_minor,
        note=f"**** {code[-4:]}", tag=pin_tag(account, pin), issues=fields is None,
    )  # fmt: skip


def _refuse_sold_beside(desk: Desk, cart: Cart, account: str, code: str) -> None:
    """Raise if another open sale of this till sells the same new card."""
    for other, _ in islice(desk.books.open_carts(), CARTS_LOOKED_AT_MAX):
        if other.cart_id != cart.cart_id and any(line.loads == f"{GIFT_CARD}:{account}" for line in other.lines):
            raise Conflict(
                f"another open sale of this till sells the gift card **** {card_code(code)[-4:]}",
                hint="Take another card, or finish or clear that sale first.",
            )


def with_payoff(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    """Let a customer pay what is owed: a line whose amount comes off the account."""
    line_id = checked_key(operation.line_id, "line_id")
    if not cart.customer_id:
        raise Invalid("this way to pay needs a customer", hint="Name the customer first.")
    if operation.amount_minor > desk.books.purse(ACCOUNT, cart.customer_id):
        raise Conflict("this is more than the customer owes", hint="Lower the amount.")
    return _with_load(cart, line_id, f"{ACCOUNT}:{cart.customer_id}", operation.amount_minor)


def _with_load(
    cart: Cart, line_id: str, loads: str, amount_minor: int, *, note: str = "", tag: str = "", issues: bool = False
) -> Cart:
    check_amount(amount_minor, "the amount", least=1)
    if any(line.line_id == line_id or line.loads == loads for line in cart.lines):
        raise Conflict("this is in the cart already", hint="Remove it first.")
    sku, name = _LOADS[loads.partition(":")[0]]
    line = CartLine(
        line_id=line_id, sku=sku, name=name, unit="piece", quantity_milli=ONE, list_price_minor=amount_minor,
        fixed_price_minor=amount_minor, tax_code=VOUCHER, note=note, loads=loads, pin_tag=tag,
        issues=issues,
    )  # fmt: skip
    return structs.replace(cart, lines=(*cart.lines, line))


def refuse_spent_loads(books: Books, sale: SaleClosed) -> None:
    """Raise if a card that a sale has loaded was used since: taking the sale back would take it below zero."""
    for line in sale.lines:
        purse, _, account = line.loads.partition(":")
        if purse == GIFT_CARD and books.purse(GIFT_CARD, account) < line.gross_minor:
            raise Conflict("this gift card was used already", hint="It can't be taken back any more.")


def refuse_loads(sale: SaleClosed, lines: Sequence[int]) -> None:
    """Raise if a line that only moves money is to be returned like goods."""
    if any(sale.lines[index].loads for index in lines if 0 <= index < len(sale.lines)):
        raise Conflict("a gift card or a payment on account is not returned", hint="Void the sale instead.")


def adjust(desk: Desk, command: AdjustPurse) -> EventId:
    """Correct a purse by hand; a manager's right, with a reason."""
    desk.require(Action.CHANGE_OFFER)
    if command.purse not in PURSES:
        raise Invalid(f"{command.purse[:40]!r} is no purse", hint=f"Use one of {', '.join(PURSES)}.")
    if not 0 < abs(command.amount) <= AMOUNT_MINOR_MAX:
        raise Invalid("an adjustment of nothing", hint="Type by how much.")
    known = "gift_card" if command.purse == GIFT_CARD else "customer"
    if desk.books.fields(known, command.account) is None:
        raise NotFound(f"nobody has the account {command.account[:60]!r}", hint="Reload the list.")
    move = PurseMove(purse=command.purse, account=command.account, amount=command.amount)
    reason = checked_text(command.reason, "reason", least=1)
    return desk.record(PursesAdjusted(purses=(move,), by=desk.who.user_id, reason=reason, adjusted_at_ms=desk.now_ms))
