"""Who may do what alone, and whose approval the others need (security requirement S9).

Models hold no role: nothing here can be satisfied by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import RATE_PPM_MAX


class Role(StrEnum):
    """What somebody is in the shop; each may do all that the ones before may."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"


class Action(StrEnum):
    """What the shop guards. The names are stored in approvals and audit entries: never rename one."""

    SELL = "sell"
    PARK = "park"
    OPEN_SHIFT = "open_shift"
    CHANGE_CUSTOMER = "change_customer"
    RECEIVE_STOCK = "receive_stock"
    DISCOUNT = "discount"
    REFUND = "refund"
    PRICE_OVERRIDE = "price_override"
    VOID = "void"
    OPEN_DRAWER = "open_drawer"
    CASH_MOVE = "cash_move"
    REPRINT = "reprint"
    CLOSE_SHIFT = "close_shift"
    DISCARD_PARKED = "discard_parked"
    COUNT_STOCK = "count_stock"
    ADJUST_STOCK = "adjust_stock"
    SEE_EXPECTED_CASH = "see_expected_cash"
    SEE_REPORTS = "see_reports"
    SEE_PEOPLE = "see_people"
    REFUND_WITHOUT_RECEIPT = "refund_without_receipt"
    CHANGE_PRODUCT = "change_product"
    CHANGE_PERSON = "change_person"
    CHANGE_SETTING = "change_setting"
    SEE_AUDIT = "see_audit"
    RESOLVE_OVERSELL = "resolve_oversell"
    CHANGE_OFFER = "change_offer"
    TEACH_PRODUCT = "teach_product"
    ERASE_CUSTOMER = "erase_customer"
    SETTLE_CARD = "settle_card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cashier may give away alone, from the store's settings; a supervisor has no limit of this kind."""

    discount_limit_ppm: int = 0  # share of the line or cart
    refund_limit_minor: int = 0


RANK: Final[dict[str, int]] = {role: rank for rank, role in enumerate(Role)}
# Whoever sold counts the drawer, and counts it blind; a copy of a receipt says that it is one.
_CASHIER: Final = dict.fromkeys(
    (
        Action.SELL, Action.PARK, Action.OPEN_SHIFT, Action.CLOSE_SHIFT, Action.REPRINT, Action.CHANGE_CUSTOMER,
        Action.RECEIVE_STOCK,
    ),
    Role.CASHIER,
)  # fmt: skip
# Cashiers up to their limits, see `least`.
_LIMITED: Final = dict.fromkeys((Action.DISCOUNT, Action.REFUND), Role.SUPERVISOR)
_SUPERVISOR: Final = dict.fromkeys(
    (
        Action.PRICE_OVERRIDE, Action.VOID, Action.OPEN_DRAWER, Action.CASH_MOVE, Action.DISCARD_PARKED,
        Action.COUNT_STOCK, Action.ADJUST_STOCK, Action.SEE_EXPECTED_CASH, Action.SEE_REPORTS, Action.SEE_PEOPLE,
        Action.TEACH_PRODUCT, Action.SETTLE_CARD,
    ),
    Role.SUPERVISOR,
)  # fmt: skip
_MANAGER: Final = dict.fromkeys(
    (
        Action.REFUND_WITHOUT_RECEIPT, Action.CHANGE_PRODUCT, Action.CHANGE_PERSON, Action.CHANGE_SETTING,
        Action.SEE_AUDIT, Action.RESOLVE_OVERSELL, Action.CHANGE_OFFER, Action.ERASE_CUSTOMER,
    ),
    Role.MANAGER,
)  # fmt: skip
LEAST: Final[dict[Action, Role]] = {**_CASHIER, **_LIMITED, **_SUPERVISOR, **_MANAGER}
# What one person may approve for another in place; the rest is done by whoever signs in with the role.
APPROVABLE: Final = (
    Action.DISCOUNT, Action.PRICE_OVERRIDE, Action.VOID, Action.REFUND, Action.REFUND_WITHOUT_RECEIPT,
    Action.OPEN_DRAWER, Action.CASH_MOVE, Action.DISCARD_PARKED, Action.COUNT_STOCK, Action.ADJUST_STOCK,
    Action.REPRINT, Action.CLOSE_SHIFT, Action.RESOLVE_OVERSELL, Action.SETTLE_CARD, Action.TEACH_PRODUCT,
)  # fmt: skip


def role(text: str) -> Role:
    """Read a role, or raise :class:`Invalid` naming the known ones."""
    try:
        return Role(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not a role", hint=f"Roles are {', '.join(Role)}.") from None


def covers(who: str, lowest: Role) -> bool:
    """Say whether a role is at least another one; a role of a newer program covers nothing."""
    return RANK.get(who, -1) >= RANK[lowest]


def least(action: Action, limits: Limits, *, discount_ppm: int = RATE_PPM_MAX, refund_minor: int | None = None) -> Role:
    """Give the lowest role that may do this alone; a discount or refund without a size counts as over every limit."""
    match action:
        case Action.DISCOUNT if discount_ppm <= limits.discount_limit_ppm:
            return Role.CASHIER
        case Action.REFUND if refund_minor is not None and refund_minor <= limits.refund_limit_minor:
            return Role.CASHIER
        case _:
            return LEAST[action]


def needs(
    action: Action, who: Role, limits: Limits, *, discount_ppm: int = RATE_PPM_MAX, refund_minor: int | None = None
) -> Role | None:
    """Give the role whose approval is needed, or None when ``who`` may do it alone."""
    lowest = least(action, limits, discount_ppm=discount_ppm, refund_minor=refund_minor)
    return None if covers(who, lowest) else lowest


def approver(action: Action) -> Role:
    """Give the lowest role that can approve the action for others, whatever its size."""
    return max(LEAST[action], Role.SUPERVISOR, key=RANK.__getitem__)


def may_approve(who: str, action: Action) -> bool:
    """Say whether somebody of this role can approve the action for others, whatever its size."""
    return covers(who, approver(action))
