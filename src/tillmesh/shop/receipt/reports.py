"""Papers of the drawer: X and Z reports and slips for cash that moved. Sums of events, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from tillmesh.shop.events import ShiftTotals
from tillmesh.shop.receipt.frame import anchored, facts, large, tax_table
from tillmesh.shop.receipt.parts import Heading, Part, Row, Rule, Spacer, Table, Text
from tillmesh.shop.receipt.tickets import CashTicket, CloseTicket, Header, ReportTicket
from tillmesh.shop.receipt.words import Words


def x_parts(ticket: ReportTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out an X report: the shift so far."""
    totals = ticket.totals
    yield Heading(words("x_report"))
    yield Text(words("not_final"), "centre")
    yield from facts(
        words,
        ("opened", words.formats.moment(ticket.opened_at_ms)),
        ("printed", words.formats.moment(ticket.at_ms)),
        ("by", ticket.by),
        ("till", header.till),
    )
    yield from _turnover(totals, words)
    yield from _drawer(totals, words)


def z_parts(ticket: CloseTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out a Z report: the closed shift, the count and the difference."""
    closed, totals = ticket.closed, ticket.closed.totals
    money = words.formats.money
    yield Heading(words("z_report", number=str(closed.z_number)))
    yield from facts(
        words,
        ("opened", words.formats.moment(closed.opened_at_ms)),
        ("closed", words.formats.moment(closed.closed_at_ms)),
        ("by", ticket.by),
        ("till", header.till),
    )
    yield from _turnover(totals, words)
    yield from _drawer(totals, words)
    yield Row(words("counted"), money(closed.counted_minor, totals.currency), strong=True)
    yield _difference(closed.counted_minor - totals.expected_cash_minor, totals.currency, words)
    yield Rule()
    yield Row(words("perpetual"), money(closed.perpetual_minor, totals.currency))
    yield from _signature(words)
    if ticket.anchor is not None:
        # The anchor alone: a Z report is never scanned back, so it needs no barcode.
        yield from list(anchored(ticket.anchor, ""))[:2]


def _difference(variance_minor: int, currency: str, words: Words) -> Row:
    """Say in words whether the drawer holds too much or too little."""
    if variance_minor == 0:
        return Row(words("balanced"), words.formats.money(0, currency), strong=True)
    label = words("over" if variance_minor > 0 else "short")
    return Row(label, words.formats.money(abs(variance_minor), currency), strong=True, large=True)


def _turnover(totals: ShiftTotals, words: Words) -> Iterator[Part]:
    """Show sales, what was taken back, the taxes and the payments."""
    money, currency = words.formats.money, totals.currency
    yield from facts(words, ("first_receipt", totals.first_receipt), ("last_receipt", totals.last_receipt))
    yield Rule()
    yield Row(words("sales_count", count=str(totals.sales)), money(totals.sales_minor, currency))
    yield Row(words("refunds_count", count=str(totals.refunds)), money(-totals.refunds_minor, currency))
    yield Row(words("voids_count", count=str(totals.voids)), money(-totals.voids_minor, currency))
    net_minor = totals.sales_minor - totals.refunds_minor - totals.voids_minor
    yield Rule()
    yield large(words("net_sales"), money(net_minor, currency))
    yield Row(words("tax_total"), money(totals.tax_minor, currency))
    yield Row(words("discounts"), money(totals.discount_minor, currency))
    yield Row(words("rounding"), money(totals.rounding_minor, currency))
    if totals.taxes:
        yield Rule()
        yield tax_table(totals.taxes, currency, words)
    if totals.tenders:
        yield Rule()
        yield Table(
            head=(words("tenders"), words("taken"), words("returned"), words("balance")),
            rows=tuple(
                (
                    f"{words.tender(tender.method)} ({tender.count})",
                    money(tender.taken_minor, currency),
                    money(tender.returned_minor, currency),
                    money(tender.taken_minor - tender.returned_minor, currency),
                )
                for tender in totals.tenders
            ),
        )


def _drawer(totals: ShiftTotals, words: Words) -> Iterator[Part]:
    """Show how the expected cash comes about."""
    money, currency = words.formats.money, totals.currency
    cash = [tender for tender in totals.tenders if tender.method == "cash"]
    yield Rule()
    yield Text(words("drawer"), strong=True)
    yield Row(words("float"), money(totals.float_minor, currency))
    yield Row(words("cash_taken"), money(sum(tender.taken_minor for tender in cash), currency))
    yield Row(words("cash_returned"), money(-sum(tender.returned_minor for tender in cash), currency))
    yield Row(words("moved"), money(totals.moved_minor, currency))
    yield Row(words("expected"), money(totals.expected_cash_minor, currency), strong=True)


def cash_parts(ticket: CashTicket, header: Header, words: Words) -> Iterator[Part]:
    """Lay out the slip that stays in the drawer for cash put in or taken out."""
    moved = ticket.moved
    yield Heading(words("cash_in" if moved.amount_minor > 0 else "cash_out"))
    yield from facts(words, ("date", words.formats.moment(ticket.at_ms)), ("by", ticket.by), ("till", header.till))
    yield Text(words("reason", reason=moved.reason))
    if ticket.approved_by:
        yield Text(words("approved_by", name=ticket.approved_by))
    yield Rule()
    yield large(words("cash"), words.formats.money(abs(moved.amount_minor), ticket.currency))
    yield from _signature(words)


def _signature(words: Words) -> Iterator[Part]:
    yield Spacer()
    yield Spacer()
    yield Rule()
    yield Text(words("signature"), "centre")
