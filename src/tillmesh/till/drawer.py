"""The drawer and the printer as things that people ask for by hand; both leave a trace."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.shop.people import Action
from tillmesh.till.commands import OpenDrawer, Reprint
from tillmesh.till.desk import Desk, checked_text
from tillmesh.till.effects import Print

_PRINTABLE: Final = {"sale_closed": "sale", "sale_refunded": "refund", "sale_voided": "void", "shift_closed": "z"}


def decide(desk: Desk, command: OpenDrawer | Reprint) -> object:
    """Send a command about drawer and paper to its use case; nothing is answered."""
    match command:
        case OpenDrawer():
            open_drawer(desk, command)
        case Reprint():
            reprint(desk, command)
    return None


def open_drawer(desk: Desk, command: OpenDrawer) -> None:
    """Open the drawer without a sale: a supervisor's right, audited."""
    approved_by = desk.require(Action.OPEN_DRAWER)
    reason = checked_text(command.reason, "reason", least=1)
    desk.audit("drawer_opened", desk.identity.terminal, reason, approved_by)
    desk.effect(Print(kind="drawer", ref=desk.identity.terminal))


def reprint(desk: Desk, command: Reprint) -> None:
    """Print a receipt again, marked as a copy, audited."""
    if desk.books.terminal().printer_kind == "none":
        raise Conflict("no printer is set up on this till", hint="Show the receipt on the screen, or set one up.")
    event = desk.books.event(command.event)
    if event is None or event.type not in _PRINTABLE:
        raise NotFound(f"no receipt {command.event[:60]!r}", hint="Look it up in the list of sales.")
    approved_by = desk.require(Action.REPRINT)
    desk.audit("receipt_reprinted", command.event, approved_by=approved_by)
    desk.effect(Print(kind=_PRINTABLE[event.type], ref=command.event, copy=True))
