"""Customers' money: points, gift cards and accounts as sums of moves, each written into the event that made it.

A purse is never a stored balance: it is the sum of all moves in the log. Moves stand in events, which every till takes
in once, so merging or replaying them can't count anything twice. See docs/reference/purses.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import GIFT_CODE_CHARS_MAX, GIFT_CODE_CHARS_MIN
from tillmesh.shop.events import Payment, PurseMove, SaleClosed, SaleLine, SaleRefunded
from tillmesh.shop.refund import Answer

POINTS: Final = "points"  # in points; positive: the customer has them
GIFT_CARD: Final = "gift_card"  # in minor units; positive: the shop owes them
ACCOUNT: Final = "account"  # in minor units; positive: the customer owes them
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
PURSES: Final = (POINTS, GIFT_CARD, ACCOUNT)
CARD_SKU: Final = "gift-card"
PAYOFF_SKU: Final = "account-payment"


def card_account(store: str, code: str) -> str:
    """Give the account of a gift card: a hash, so that the log holds nothing that a card could be made of."""
    digest = sha256(f"tillmesh gift card\0{store}\0{card_code(code)}".encode()).hexdigest()[:40]
    # Letters only: a run of digits could be taken for the number of a bank card.
    return digest.translate(_LETTERS)


def pin_tag(account: str, pin: str) -> str:
    """Give what is stored of a card's PIN; the account is as secret as the code is long."""
    return sha256(f"tillmesh gift card pin\0{account}\0{pin}".encode()).hexdigest()[:32] if pin else ""


def card_code(text: str) -> str:
    """Write a card's code as it is hashed: capitals, without spaces and dashes; or raise :class:`Invalid`."""
    code = "".join(text.split()).replace("-", "").upper()
    if not (GIFT_CODE_CHARS_MIN <= len(code) <= GIFT_CODE_CHARS_MAX and code.isascii() and code.isalnum()):
        raise Invalid(
            f"a gift card's code has {GIFT_CODE_CHARS_MIN} to {GIFT_CODE_CHARS_MAX} letters and digits",
            hint="Scan the card, or type the code again.",
        )
    if code.isdigit():
        raise Invalid("a gift card's code needs a letter", hint="Digits alone could be a bank card's number.")
    return code


def points_earned(paid_minor: int, earn_minor: int) -> int:
    """Give the points for an amount: one for every full ``earn_minor`` (0: none are earned)."""
    return paid_minor // earn_minor if earn_minor else 0


def points_needed(amount_minor: int, point_minor: int) -> int:
    """Give the points that pay an amount, or raise :class:`Invalid` if no whole number of them does."""
    if not point_minor:
        raise Invalid("points can't pay in this store", hint="A manager sets what a point is worth.")
    points, rest = divmod(amount_minor, point_minor)
    if rest:
        raise Invalid(f"points pay in steps of {point_minor} minor units", hint="Lower the amount to a whole step.")
    return points


def paid_minor(total_minor: int, lines: Iterable[SaleLine], payments: Iterable[Payment]) -> int:
    """Give the part of a sale that earns points: goods, paid with anything but points."""
    loads = sum(line.total_minor for line in lines if line.loads)
    by_points = sum(payment.amount_minor for payment in payments if payment.method == POINTS)
    return max(0, total_minor - loads - by_points)


def loads_of(lines: Iterable[SaleLine]) -> list[PurseMove]:
    """Give what lines put into purses: a gift card gets its face value, an account owes less."""
    moves = []
    for line in lines:
        purse, _, account = line.loads.partition(":")
        if purse == GIFT_CARD:
            moves.append(PurseMove(purse=purse, account=account, amount=line.gross_minor))
        elif purse == ACCOUNT:
            moves.append(PurseMove(purse=purse, account=account, amount=-line.gross_minor))
    return moves


def payments_of(payments: Iterable[Payment], customer_id: str, point_minor: int) -> list[PurseMove]:
    """Give what payments take out of purses; an account owes more."""
    moves = []
    for payment in payments:
        if payment.method == GIFT_CARD:
            moves.append(PurseMove(purse=GIFT_CARD, account=payment.reference, amount=-payment.amount_minor))
        elif payment.method == ACCOUNT:
            moves.append(PurseMove(purse=ACCOUNT, account=customer_id, amount=payment.amount_minor))
        elif payment.method == POINTS:
            points = points_needed(payment.amount_minor, point_minor)
            moves.append(PurseMove(purse=POINTS, account=customer_id, amount=-points))
    return moves


def summed(moves: Iterable[PurseMove]) -> list[PurseMove]:
    """Give one move for each purse and account."""
    sums: dict[tuple[str, str], int] = {}
    for one in moves:
        sums[one.purse, one.account] = sums.get((one.purse, one.account), 0) + one.amount
    return [PurseMove(purse=purse, account=account, amount=amount) for (purse, account), amount in sums.items()]


def undone(sale: SaleClosed) -> tuple[PurseMove, ...]:
    """Give the moves of a void: those of its sale, backwards."""
    return tuple(PurseMove(purse=one.purse, account=one.account, amount=-one.amount) for one in sale.purses)


def given_back(
    sale: SaleClosed, answers: Sequence[Answer], total_minor: int, payments: Sequence[Payment]
) -> tuple[PurseMove, ...]:
    """Give the moves of a refund: money back to cards and accounts, points given back, points taken back.

    Points are steps of a running value, as money is: what was spent and earned for the part that came back so far, less
    what was moved before. So however a sale comes back, in the end every point is where it was.
    """
    moves = []
    for payment in payments:
        if payment.method == GIFT_CARD:
            moves.append(PurseMove(purse=GIFT_CARD, account=payment.reference, amount=payment.amount_minor))
        elif payment.method == ACCOUNT:
            moves.append(PurseMove(purse=ACCOUNT, account=sale.customer_id, amount=-payment.amount_minor))
    points = _points_back(sale, answers, total_minor, payments)
    if points:
        moves.append(PurseMove(purse=POINTS, account=sale.customer_id, amount=points))
    return tuple(moves)


def _points_back(sale: SaleClosed, answers: Sequence[Answer], total_minor: int, payments: Sequence[Payment]) -> int:
    refunds = [one for one in answers if isinstance(one, SaleRefunded)]
    spent = -sum(one.amount for one in sale.purses if one.purse == POINTS and one.amount < 0)
    earned = sum(one.amount for one in sale.purses if one.purse == POINTS and one.amount > 0)
    by_points = _by_points(sale.payments)
    back = _by_points(payments)
    before = sum(_by_points(one.payments) for one in refunds)
    returned = spent * (before + back) // by_points - spent * before // by_points if by_points else 0
    base = max(1, paid_minor(sale.total_minor, sale.lines, sale.payments))
    gone = sum(one.total_minor - _by_points(one.payments) for one in refunds)
    upto = min(base, gone + total_minor - back)
    taken = -(-earned * upto // base) + (-earned * min(base, gone) // base)
    return returned - taken


def _by_points(payments: Iterable[Payment]) -> int:
    return sum(payment.amount_minor for payment in payments if payment.method == POINTS)
