"""A card terminal that is none: for training, for demonstrations, and for tests of everything that can go wrong.

It behaves like a device of its own: what it did is in a file beside the till's database, and is remembered when the
till was killed. It takes no money.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Final

from tillmesh.shop.card_payment import REFUND, CardAnswer, CardPayment, Said
from tillmesh.till.card_payments import TerminalSilent

FILE: Final = "simulated-card-terminal.json"
SCRIPTS: Final = ("ask", "accept", "decline", "lost", "late", "silent")
OUTCOMES: Final = SCRIPTS[1:]
KEPT_MAX: Final = 500
WAIT_S: Final = 120.0  # as Adyen's: then the customer has gone
_WAITING, _APPROVED, _DECLINED = "waiting", "approved", "declined"


class SimulatedTerminal:
    """Fulfils ``till.card_payments.CardTerminal``; ``script`` is what it does, or ``ask`` to wait for :meth:`press`.

    accept and decline answer. lost takes the money and its answer never comes. late takes it only after it was asked
    about twice. silent never hears of the payment.
    """

    def __init__(self, folder: Path, script: str = "ask") -> None:
        self._file = folder / FILE
        self.script = script
        self._changed = threading.Condition()
        self._pressed: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._at_it: set[str] = set()  # payments that wait for the customer now
        self._closed = False

    def press(self, payment: CardPayment, outcome: str) -> None:
        """Do as the customer: hold a card to it, or whatever else is scripted."""
        with self._changed:
            self._pressed[payment.service_id] = outcome
            self._changed.notify_all()

    def pay(self, payment: CardPayment) -> CardAnswer:
        """Wait for the customer, or do what is scripted."""
        name = payment.service_id
        self._note(name, _WAITING)
        outcome = self._outcome(name)
        match outcome:
            case "accept":
                self._note(name, _APPROVED)
                return _approved(name)
            case "lost":
                self._note(name, _APPROVED)
            case "silent":
                self._note(name, "")
            case "late":
                self._note(name, "late")
            case _:
                self._note(name, _DECLINED)
                return CardAnswer(said=Said.DECLINED, reason="cancelled" if outcome == "cancel" else "refused")
        raise TerminalSilent("the simulated card terminal does not answer")

    def status(self, payment: CardPayment) -> CardAnswer:
        """Say what became of a payment."""
        name = payment.service_id
        match self._held().get(name, ""):
            case "approved":
                return _approved(name)
            case "declined":
                return CardAnswer(said=Said.DECLINED, reason="refused")
            case "late":
                with self._changed:
                    self._asked[name] = self._asked.get(name, 0) + 1
                    done = self._asked[name] > 1
                if done:
                    self._note(name, _APPROVED)
                return _approved(name) if done else CardAnswer(said=Said.WAITING)
            case "waiting":
                if name in self._at_it:
                    return CardAnswer(said=Said.WAITING)
                self._note(name, _DECLINED)  # the program was killed while it waited: nobody stands before it any more
                return CardAnswer(said=Said.DECLINED, reason="cancelled")
            case _:
                return CardAnswer(said=Said.NOT_FOUND)

    def cancel(self, payment: CardPayment) -> None:
        """Take a payment off the screen, if the customer was not faster."""
        if self._held().get(payment.service_id, _WAITING) == _WAITING:  # what comes a moment later ends at once
            self.press(payment, "cancel")

    def refund(self, payment: CardPayment) -> CardAnswer:
        """Give money back."""
        assert payment.kind == REFUND, f"{payment.payment_id} is no refund"
        self._note(payment.service_id, _APPROVED)
        return _approved(payment.service_id)

    def close(self) -> None:
        """End whatever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _outcome(self, name: str) -> str:
        if self.script != "ask":
            return self.script
        with self._changed:
            self._at_it.add(name)
            try:
                self._changed.wait_for(lambda: self._closed or name in self._pressed, WAIT_S)
                if self._closed:
                    raise TerminalSilent("the simulated card terminal was switched off")
                return self._pressed.pop(name, "cancel")
            finally:
                self._at_it.discard(name)

    def _held(self) -> dict[str, str]:
        try:
            held: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return held

    def _note(self, name: str, state: str) -> None:
        with self._changed:
            held = self._held()
            held.pop(name, None)
            if state:
                held[name] = state
            kept = dict(list(held.items())[-KEPT_MAX:])
            beside = self._file.with_suffix(".new")
            beside.write_text(json.dumps(kept), encoding="utf-8")
            beside.replace(self._file)


def _approved(name: str) -> CardAnswer:
    return CardAnswer(
        said=Said.APPROVED, token=f"SIM-{name}", approval_code=f"T{name[:5]}", last_four="0000", brand="training"
    )
