"""Customers' money: gift cards, points, accounts with their statements, and what the shop owes in all."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite import listings, purses
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import BLOCK_REASON_CHARS_MAX, CUSTOMER_SALES_LOOKED_AT_MAX, PURSE_ENTRIES_SHOWN_MAX
from tillmesh.kernel.times import day_bounds, parse_day, rfc3339, zone
from tillmesh.shop.events import KINDS, Change, SaleClosed
from tillmesh.shop.people import Role
from tillmesh.shop.purses import ACCOUNT, GIFT_CARD, POINTS, card_account
from tillmesh.terminal.web.api import CSV, JSON, Call, Context
from tillmesh.terminal.web.report_sheets import reader, statement_file
from tillmesh.terminal.web.statement_paper import PDF, statement_paper
from tillmesh.till import views
from tillmesh.till.commands import AdjustPurse, ChangeRecords
from tillmesh.till.desk import checked_text
from tillmesh.till.oversell_views import terminal
from tillmesh.till.purses import available_at


class CardBody(msgspec.Struct):
    """A gift card, by its code: never part of an address, as addresses are logged."""

    code: str


class BlockBody(msgspec.Struct):
    """A gift card that is blocked, or freed again: by its code, or by the account that it is shown with."""

    active: bool
    code: str = ""
    account: str = ""
    reason: str = ""  # shown at the till when somebody pays with it


class AdjustBody(msgspec.Struct):
    """A correction of a purse by hand; ``account`` is a customer, or the account that a gift card is shown with."""

    purse: str
    account: str
    amount: int
    reason: str


async def new_card(context: Context) -> tuple[int, Any]:  # noqa: ARG001
    """Make up the code of a new gift card; it is worth nothing until it is sold."""
    code = listings.new_id().upper()[:16]
    code = code if any(c.isalpha() for c in code) else "G" + code[1:]
    return 201, {"code": "-".join(code[at : at + 4] for at in range(0, len(code), 4))}


async def card(context: Context, body: CardBody) -> Any:
    """Show what is on a gift card."""
    account = card_account(context.driver.identity.store, body.code)
    company = context.driver.company()

    def query(books: Books) -> dict[str, Any]:
        free = available_at(books, context.driver.identity, company, GIFT_CARD, account)
        found = _card(books, account)
        return found | {"available_minor": max(0, free) if found["active"] else 0, "all_heard": company.is_whole}

    return await context.driver.look(query)


def _card(books: Books, account: str) -> dict[str, Any]:
    fields = books.fields("gift_card", account)
    if fields is None:
        raise NotFound("no gift card has this code", hint="Scan the card, or type its code again.")
    return {
        "account": account,
        "last_four": fields.get("last_four") or "",
        "has_pin": bool(fields.get("pin_tag")),
        "active": fields.get("active") is not False,
        "blocked_reason": fields.get("blocked_reason") or "",
        "balance_minor": books.purse(GIFT_CARD, account),
        "currency": books.store().currency,
    }


async def block_card(context: Context, body: BlockBody) -> Any:
    """Block a gift card, or free it again."""
    account = card_account(context.driver.identity.store, body.code) if body.code else body.account
    await context.driver.look(lambda books: _card(books, account))
    reason = "" if body.active else checked_text(body.reason, "reason", most=BLOCK_REASON_CHARS_MAX)
    change = Change(key=account, fields={"active": body.active, "blocked_reason": reason})
    await context.do(ChangeRecords(entity="gift_card", changes=(change,)))
    return await context.driver.look(lambda books: _card(books, account))


async def customer_purses(context: Context) -> Any:
    """Show a customer's points and account, and how much of them this till can take now."""
    key, company = context.path("customer_id"), context.driver.company()

    def query(books: Books) -> dict[str, Any]:
        fields = books.fields("customer", key)
        if fields is None:
            raise NotFound(f"no customer {key[:40]!r}", hint="Search by name.")
        store, points = books.store(), books.purse(POINTS, key)
        free, credit = (
            max(0, available_at(books, context.driver.identity, company, purse, key)) for purse in (POINTS, ACCOUNT)
        )
        return {
            "customer_id": key,
            "points": points,
            "points_minor": max(0, points) * store.loyalty_point_minor,
            "points_available_minor": free * store.loyalty_point_minor,
            "owes_minor": books.purse(ACCOUNT, key),
            "credit_limit_minor": fields.get("credit_limit_minor") or 0,
            "account_available_minor": credit,
            "all_heard": company.is_whole,
            "price_lists": _lists_of(books, key, str(fields.get("group") or "")),
            "gift_cards": _cards_of(books, key),
            "currency": store.currency,
        }

    return await context.driver.look(query)


def _lists_of(books: Books, customer: str, group: str) -> list[dict[str, str]]:
    found = (one for one in books.price_lists() if one.active and one.is_for(customer, group))
    return [{"price_list": one.list_id, "name": one.name} for one in found]


def _cards_of(books: Books, customer: str) -> list[dict[str, Any]]:
    """List the gift cards that stand in this customer's last sales: bought, topped up or paid with."""
    wanted = listings.SaleFilter(customer_id=customer, limit=CUSTOMER_SALES_LOOKED_AT_MAX)
    accounts: dict[str, None] = {}
    for event in listings.sales(books, wanted):
        moves = decode(event.body, SaleClosed).purses
        accounts.update((one.account, None) for one in moves if one.purse == GIFT_CARD)
    return [_card(books, one) for one in accounts if books.fields("gift_card", one) is not None]


async def statement(context: Context) -> Any:
    """List a customer's account (or points) between two days, with what was there before, as JSON, CSV or PDF."""
    key, purse = context.path("customer_id"), context.query("purse", ACCOUNT)
    if purse not in {ACCOUNT, POINTS}:
        raise Invalid(f"{purse[:40]!r} is no purse", hint=f"Use one of {ACCOUNT}, {POINTS}.")
    first, last = context.query("from"), context.query("to")

    def query(db: Any, books: Books) -> dict[str, Any]:
        where = zone(books.store().time_zone)
        begin = day_bounds(parse_day(first, "from"), where)[0] if first else 0
        end = day_bounds(parse_day(last, "to"), where)[1] if last else 1 << 60
        held = carried = purses.before(db, purse, key, begin)
        shown = []
        for entry in purses.entries(db, purse, key, first_ms=begin, after_ms=end, limit=PURSE_ENTRIES_SHOWN_MAX):
            held += entry.amount
            shown.append({**_entry(books, entry), "balance": held})
        return {
            "customer": views.customer(books, key), "purse": purse, "currency": books.store().currency,
            "before": carried, "entries": shown, "balance": held,
        }  # fmt: skip

    found = await context.driver.read(query)
    match context.query("format"):
        case "csv":
            return statement_file(found, await reader(context))
        case "pdf":
            return await statement_paper(context, found, first, last)
        case _:
            return found


def _entry(books: Books, entry: purses.Entry) -> dict[str, Any]:
    event = books.event(entry.event_id)
    kind = "" if event is None else event.type
    body = decode(event.body, KINDS[event.type]) if event is not None and event.type in KINDS else None
    return {
        "event_id": entry.event_id,
        "at": rfc3339(entry.at_ms),
        "kind": kind,
        "receipt_number": getattr(body, "receipt_number", ""),
        "amount": entry.amount,
    }


def _whose(books: Books, purse: str, account: str) -> str:
    """Name whose purse it is: a customer, or the last characters of a card."""
    if purse == GIFT_CARD:
        return str((books.fields("gift_card", account) or {}).get("last_four") or "")
    return str((views.customer(books, account) or {}).get("name", ""))


def _sold_twice(db: Any, books: Books) -> list[dict[str, Any]]:
    """List the cards that two tills apart sold as new ones, until one sale is voided or the card blocked or empty."""
    found = ((_card(books, account), sales) for account, sales in purses.sold_twice(db).items())
    return [
        {**card, "sales": [_sale_of(books, sale_id, card["account"]) for sale_id in sales]}
        for card, sales in found
        if card["active"] and card["balance_minor"] > 0
    ]


def _sale_of(books: Books, sale_id: str, account: str) -> dict[str, Any]:
    event = books.event(sale_id)
    assert event is not None, "what has moves is there"
    sale = decode(event.body, SaleClosed)
    return {
        "sale_id": sale_id,
        "receipt_number": sale.receipt_number,
        "at": rfc3339(sale.closed_at_ms),
        "terminal": terminal(books, event.actor),
        "amount_minor": sum(one.amount for one in sale.purses if one.account == account),
    }


async def liabilities(context: Context) -> Any:
    """Say what is owed on cards and in points and by customers, what went below zero, and which card was sold twice."""

    def query(db: Any, books: Books) -> dict[str, Any]:
        store, sums = books.store(), purses.totals(db)
        nothing = {"count": 0, "held": 0, "below": 0}
        points = sums.get(POINTS, nothing)
        return {
            "currency": store.currency,
            "gift_cards": sums.get(GIFT_CARD, nothing),
            "points": points | {"worth_minor": points["held"] * store.loyalty_point_minor},
            "accounts": sums.get(ACCOUNT, nothing),
            "owing": [
                {"customer": views.customer(books, account), "owes_minor": owed} for account, owed in purses.owing(db)
            ],
            "below_zero": [
                {"purse": purse, "account": account, "balance": held, "name": _whose(books, purse, account)}
                for purse, account, held in purses.below_zero(db)
            ],
            "sold_twice": _sold_twice(db, books),
        }

    return await context.driver.read(query)


async def adjust(context: Context, body: AdjustBody) -> tuple[int, Any]:
    """Correct a purse by hand: a courtesy, a card that went below zero, a debt that is written off."""
    command = AdjustPurse(purse=body.purse, account=body.account, amount=body.amount, reason=body.reason)
    outcome = await context.do(command)
    held = await context.driver.look(lambda books: books.purse(body.purse, body.account))
    return 201, {"event_id": outcome.reply, "balance": held}


MANAGER = Role.MANAGER
CALLS = [
    Call("POST", "/gift-cards", new_card, "Make up a gift card's code", status=201),
    Call("POST", "/gift-cards/balance", card, "Show a gift card", CardBody),
    Call("POST", "/gift-cards/block", block_card, "Block a gift card", BlockBody, role=MANAGER),
    Call("GET", "/customers/{customer_id}/purses", customer_purses, "Show points and account of a customer"),
    Call(
        "GET", "/customers/{customer_id}/statement", statement, "Show a customer's statement",
        query=("purse", "from", "to", "format", "language"), gives=(JSON, CSV, PDF),
    ),
    Call("GET", "/purses", liabilities, "Show what is owed", role=MANAGER),
    Call("POST", "/purses/adjust", adjust, "Correct a purse", AdjustBody, role=MANAGER, status=201),
]  # fmt: skip
