"""Receipts of this till in the store's language and time zone, for the printer and for the screen."""

from __future__ import annotations

from tillmesh.adapters.locales import words_of
from tillmesh.shop.receipt import Mark, Receipt, Ticket, header_of, layout
from tillmesh.till.ports import Books
from tillmesh.till.printing import PrintJob
from tillmesh.till.receipts import find_ticket, interim_ticket


def receipt_of(books: Books, event_id: str, *, mark: Mark = Mark.ORIGINAL) -> Receipt | None:
    """Lay out the receipt of an event, or give None if it has none."""
    ticket = find_ticket(books, event_id)
    return None if ticket is None else laid_out(books, ticket, mark=mark)


def receipt_for(books: Books, job: PrintJob, now_ms: int) -> Receipt | None:
    """Lay out what a print job asks for; the X report is the open shift's, as it is when it is printed."""
    if job.kind != "x":
        return receipt_of(books, job.ref, mark=job.mark)
    shift = books.current_shift()
    if shift is None or shift.shift_id != job.ref:
        return None
    return laid_out(books, interim_ticket(books, shift, by="", now_ms=now_ms), mark=job.mark)


def laid_out(books: Books, ticket: Ticket, *, mark: Mark = Mark.ORIGINAL) -> Receipt:
    """Lay a ticket out with the head, language and zone of the store."""
    store = books.store()
    terminal, words = books.terminal(), words_of(store.locale, store.time_zone)
    return layout(ticket, header_of(store, terminal), words, mark=mark, training=terminal.training)
