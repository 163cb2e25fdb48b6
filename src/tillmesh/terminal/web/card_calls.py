"""Charging a card by the terminal of this till, and setting the terminal up."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import msgspec

from tillmesh.adapters.cards import SimulatedTerminal
from tillmesh.adapters.cards.simulated import OUTCOMES
from tillmesh.adapters.sqlite import card_payments as journal
from tillmesh.adapters.sqlite.card_payments import Setup
from tillmesh.adapters.sqlite.database import write
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.card_payment import CardPayment
from tillmesh.shop.people import Role
from tillmesh.terminal.card_desk import CardDesk
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.live import Live
from tillmesh.till.commands import AskCard, CardSettled, Note, ReverseCard
from tillmesh.till.desk import checked_text

KEY_VERSION_MAX = 1_000_000


class CardBody(msgspec.Struct):
    """What the terminal is to charge; the same ``payment_id`` again is the same payment."""

    payment_id: str
    cart_id: str
    amount_minor: int


class SettleBody(msgspec.Struct):
    """How a payment ended that the terminal says nothing about."""

    paid: bool
    approval_code: str = ""
    approval: str = ""


class PressBody(msgspec.Struct):
    """What the customer does at a simulated terminal."""

    outcome: str


class SetupBody(msgspec.Struct):
    """How an Adyen terminal is reached; a passphrase left out stays as it is."""

    host: str
    poi_id: str
    key_identifier: str
    authority: str
    port: int = 8443
    key_version: int = 1
    passphrase: str = ""


def view(payment: CardPayment) -> dict[str, Any]:
    """Show a payment; never its token."""
    return {
        "payment_id": payment.payment_id,
        "kind": payment.kind,
        "cart_id": payment.cart_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "state": str(payment.state),
        "open": payment.is_open,
        "free": payment.is_free,
        "approval_code": payment.approval_code,
        "last_four": payment.last_four,
        "brand": payment.brand,
        "reason": payment.reason,
        "late": payment.late,
        "used_by": payment.used_by,
        "asked_at": rfc3339(payment.asked_at_ms),
    }


def telling(live: Live) -> Callable[[CardPayment], None]:
    """Give what tells the pages of this till how a payment stands."""
    return lambda payment: live.send("card", view(payment))


def _desk(context: Context) -> CardDesk:
    practice = context.services.practising
    desk: CardDesk = context.services.extra["cards"] if practice is None else practice.cards
    if desk.terminal is None:
        raise Conflict("this till has no card terminal", hint="Set one up under Settings, or type the card in by hand.")
    return desk


async def _found(context: Context) -> CardPayment:
    payment_id = context.path("payment_id")
    found = await context.driver.look(lambda books: books.card_payment(payment_id))
    if found is None:
        raise NotFound(f"no card payment {payment_id[:40]!r} on this till", hint="Reload the page.")
    return found


async def charge(context: Context, body: CardBody) -> tuple[int, Any]:
    """Send an amount to the terminal; how it ends is asked for, or comes as the live event ``card``."""
    _desk(context)
    command = AskCard(payment_id=body.payment_id, cart_id=body.cart_id, amount_minor=body.amount_minor)
    outcome = await context.do(command)
    assert isinstance(outcome.reply, CardPayment)
    return (201 if outcome.effects else 200), view(outcome.reply)


async def show(context: Context) -> Any:
    """Show how a card payment stands."""
    return view(await _found(context))


async def list_payments(context: Context) -> Any:
    """List the newest card payments, or those of one cart."""
    cart_id = context.query("cart_id")[:100]

    def query(db: Any, _: Any) -> dict[str, Any]:
        found = journal.of_cart(db, cart_id) if cart_id else journal.newest(db)
        return {"payments": [view(one) for one in found]}

    return await context.driver.read(query)


async def cancel(context: Context) -> tuple[int, Any]:
    """Take a payment off the terminal's screen; it may be too late for it."""
    payment = await _found(context)
    await _desk(context).cancel(payment)
    return 202, view(await _found(context))


async def ask_again(context: Context) -> tuple[int, Any]:
    """Ask the terminal now how a payment ended."""
    payment = await _found(context)
    _desk(context).ask_now(payment.payment_id)
    return 202, view(payment)


async def settle(context: Context, body: SettleBody) -> Any:
    """Say how a payment ended, after a look at the terminal itself."""
    command = CardSettled(payment_id=context.path("payment_id"), paid=body.paid, approval_code=body.approval_code)
    outcome = await context.do(command, body.approval)
    assert isinstance(outcome.reply, CardPayment)
    return view(outcome.reply)


async def reverse(context: Context) -> tuple[int, Any]:
    """Give back what the terminal took and no sale has counted in; gives the refund."""
    _desk(context)
    outcome = await context.do(ReverseCard(payment_id=context.path("payment_id")))
    assert isinstance(outcome.reply, CardPayment)
    return 202, view(outcome.reply)


async def press(context: Context, body: PressBody) -> tuple[int, Any]:
    """Do as the customer at a simulated terminal."""
    if body.outcome not in OUTCOMES:
        raise Invalid(f"{body.outcome[:20]!r} can't be simulated", hint=f"Use one of {', '.join(OUTCOMES)}.")
    payment, terminal = await _found(context), _desk(context).terminal
    if not isinstance(terminal, SimulatedTerminal):
        raise Conflict("the card terminal of this till is a real one", hint="Hold a card to it.")
    terminal.press(payment, body.outcome)
    return 202, view(payment)


def _shown(setup: Setup) -> dict[str, Any]:
    return {
        "host": setup.host,
        "port": setup.port,
        "poi_id": setup.poi_id,
        "key_identifier": setup.key_identifier,
        "key_version": setup.key_version,
        "has_passphrase": bool(setup.passphrase),
        "authority": setup.authority,
    }


async def get_setup(context: Context) -> Any:
    """Show how the card terminal is reached; never its passphrase."""
    return await context.driver.read(lambda db, _: _shown(journal.read_setup(db)))


async def put_setup(context: Context, body: SetupBody) -> Any:
    """Set up how the card terminal is reached."""
    held = await context.driver.read(lambda db, _: journal.read_setup(db))
    if not 1 <= body.port <= 65_535:
        raise Invalid(f"{body.port} is no port", hint="Adyen's terminals listen at 8443.")
    if not 0 <= body.key_version <= KEY_VERSION_MAX:
        raise Invalid(f"key_version must be a whole number from 0 to {KEY_VERSION_MAX}", hint="Check the number.")
    try:
        ssl.create_default_context(cadata=body.authority or "none")  # nothing would be the authorities of the web
    except (ssl.SSLError, ValueError, TypeError):  # the last: not ASCII
        raise Invalid("the root certificate can't be read", hint="Paste the whole PEM file.") from None
    setup = Setup(
        host=checked_text(body.host, "the address", least=1, most=100),
        port=body.port,
        poi_id=checked_text(body.poi_id, "the terminal's id", least=1, most=100),
        key_identifier=checked_text(body.key_identifier, "the key's name", least=1, most=100),
        key_version=body.key_version,
        passphrase=checked_text(body.passphrase, "the passphrase", most=200) or held.passphrase,
        authority=body.authority,
    )
    if not setup.passphrase:
        raise Invalid("the shared key has no passphrase", hint="Type the passphrase of the terminal's key.")

    def keep(db: Any) -> None:
        with write(db):
            journal.write_setup(db, setup)

    await context.driver.on_writer(keep)
    await context.do(Note(action="card_terminal_set_up", subject=setup.poi_id, detail=setup.host))
    await context.services.extra["cards"].refresh()
    return _shown(setup)


CALLS = [
    Call("POST", "/card-payments", charge, "Charge a card", CardBody, status=201),
    Call("GET", "/card-payments", list_payments, "List card payments", query=("cart_id",)),
    Call("GET", "/card-payments/{payment_id}", show, "Show a card payment"),
    Call("POST", "/card-payments/{payment_id}/cancel", cancel, "Cancel a card payment", status=202),
    Call("POST", "/card-payments/{payment_id}/ask", ask_again, "Ask how a card payment ended", status=202),
    Call("POST", "/card-payments/{payment_id}/settle", settle, "Say how a card payment ended", SettleBody),
    Call("POST", "/card-payments/{payment_id}/reverse", reverse, "Give a card payment back", status=202),
    Call("POST", "/card-payments/{payment_id}/press", press, "Act at a simulated terminal", PressBody, status=202),
    Call("GET", "/card-terminal", get_setup, "How the card terminal is reached", role=Role.MANAGER),
    Call("PUT", "/card-terminal", put_setup, "Set the card terminal up", SetupBody, role=Role.MANAGER),
]
