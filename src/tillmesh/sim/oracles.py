"""The judge: what must be true of a store, computed from what people did and not from how tills work.

Some oracles look while the store lives, the others once it was mended
and has had time to agree. The codes I1 to I10 are those of the fault catalogue.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from tillmesh.adapters.sqlite.database import in_memory, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope, Head, check_link
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX
from tillmesh.shop import events as e
from tillmesh.sim.history import Attempt, Claim, History, key_of
from tillmesh.sim.shop import FOUNDER, STORE
from tillmesh.sim.station import Station
from tillmesh.sim.verdicts import Broken, require
from tillmesh.till import commands as c
from tillmesh.till.shifts import shift_totals

CLOCK_SLACK_MS: Final = 10_000  # drift of honest clocks in one run, and stamps that only count on


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of the log, decoded, with the attempt that explains it."""

    event: Envelope
    body: Record
    attempt: Attempt | None


# While the store lives --------------------------------------------------------------------------------------------


def claims_are_true(station: Station, stations: Sequence[Station], history: History, attempt: Attempt) -> None:
    """I1: whoever a till names as holding a sale has it on its disk."""
    actor, seq = parse_event_id(attempt.event_id)
    names = station.exchange.replicated_to(actor, seq)
    if not names:
        return
    history.claims.append(Claim(station.number, attempt.event_id, names))
    history.counts["claims looked at"] += 1
    peers = station.exchange.peers()
    for other in stations:
        if not other.boots or other.origin.terminal not in names:
            continue
        # Of a peer that is away, has not said hello yet, or came back as somebody else without hanging up, a till knows
        # only what was so when it heard of it last.
        is_linked, _, lacks = peers[other.origin.terminal]
        if is_linked and lacks is not None and station.hears(other.origin.actor):
            held = other.held.get(actor, 0)
            require(
                "replicated",
                held >= seq or attempt.event_id in history.spared,
                f"till {station.number} says that till {other.number} holds {attempt.event_id}; it has {held}",
            )


# In the end -------------------------------------------------------------------------------------------------------


def all_equal(stations: Sequence[Station]) -> bool:
    """Say whether all tills hold the same events, by the heads that the judge saw being stored."""
    first, *others = [one.look(lambda books: books.vector()) for one in stations]
    return all(other == first for other in others)


def judge(stations: Sequence[Station], history: History) -> list[Fact]:
    """Look at everything; raises :class:`Broken` for the first promise that was not kept. Gives the whole log."""
    _tills_are_equal(stations)
    facts = _read(stations[0], history)
    _nothing_lost_or_doubled(facts, history)
    _numbers_have_no_gaps(facts)
    _clocks_were_not_dragged(facts, stations)
    _claims_held(facts, history)
    _tables_follow_from_the_log(stations)
    _stock_is_what_was_moved(facts, stations)
    _money_is_what_was_taken(facts, stations)
    return facts


def _tills_are_equal(stations: Sequence[Station]) -> None:
    """I3: the same events and the same shop everywhere."""
    parts = [state_parts(station.reader.db) for station in stations]
    for station, its in zip(stations, parts, strict=True):
        held, first = (one.look(lambda books: books.vector()) for one in (station, stations[0]))
        require("convergence", held == first, f"till {station.number} holds {held}, till 0 holds {first}")
        other = [table for table in its if its[table] != parts[0][table]]
        require("convergence", not other, f"till {station.number} has another {other} than till 0")


def _read(station: Station, history: History) -> list[Fact]:
    """I7: the chains verify; give the log, each event with its attempt."""
    by_key: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in history.attempts:
        by_key[attempt.key, _kind(attempt.command)].append(attempt)
    facts, head = [], Head("")
    for event in log(station.reader.db):
        if event.actor != head.actor:
            head = Head(event.actor)
        try:
            head = check_link(STORE, head, event)
        except TillmeshError as error:
            raise Broken("chain", error.detail) from error
        attempts = by_key[key_of(event), event.type]
        facts.append(Fact(event, decode(event.body, e.KINDS[event.type]), attempts[0] if attempts else None))
    return facts


_EVENT_OF: Final[Mapping[type, str]] = {
    c.CloseSale: "sale_closed", c.PayCart: "sale_closed", c.RefundSale: "sale_refunded", c.VoidSale: "sale_voided",
    c.ReceiveStock: "stock_received", c.AdjustStock: "stock_adjusted", c.CountStock: "stock_counted",
    c.MoveCash: "cash_moved", c.OpenShift: "shift_opened", c.CloseShift: "shift_closed", c.ParkCart: "cart_parked",
    c.ResumeCart: "cart_resumed",
}  # fmt: skip
_ENTITIES: Final = {"product": "products_changed", "customer": "customers_changed", "setting": "settings_changed"}


def _kind(command: c.Command) -> str:
    if isinstance(command, c.ChangeRecords):
        return _ENTITIES[command.entity]
    return _EVENT_OF.get(type(command), "")


def _nothing_lost_or_doubled(facts: Sequence[Fact], history: History) -> None:
    """I1, I2: what was acknowledged is there, once; what is there was asked for, and not refused."""
    held = {fact.event.id: fact for fact in facts}
    for attempt in history.attempts:
        if attempt.answer != "ok" or not attempt.event_id or attempt.event_id in history.spared:
            continue
        fact = held.get(attempt.event_id)  # type: ignore[call-overload]
        require("lost", fact is not None, f"{attempt.event_id} was acknowledged to {attempt.key} and is gone")
        require("lost", key_of(fact.event) == attempt.key or isinstance(attempt.command, c.VoidSale),
                f"{attempt.event_id} was the answer to {attempt.key} and is something else")  # fmt: skip
        if isinstance(fact.body, e.SaleClosed):
            told = attempt.total_minor, attempt.receipt_number
            require("lost", told == (fact.body.total_minor, fact.body.receipt_number),
                    f"{attempt.event_id} was told as {told} and is another sale")  # fmt: skip
    _each_once(facts, history)


def _each_once(facts: Sequence[Fact], history: History) -> None:
    answers: dict[str, set[str]] = defaultdict(set)
    for attempt in history.attempts:
        answers[attempt.key].add(attempt.answer)
    times: Counter[tuple[str, str, str]] = Counter()
    for fact in facts:
        key = key_of(fact.event)
        if fact.event.type == "audited" or fact.event.actor == FOUNDER.actor:
            continue
        require("doubled", fact.attempt is not None, f"{fact.event.id} ({fact.event.type} {key}): nobody asked for it")
        require("doubled", answers[key] != {"no"}, f"{fact.event.id} ({key}) is there, and was refused")
        times[fact.event.actor, fact.event.type, key] += 1  # a disk that was put back may not know what it did
    for (actor, kind, key), count in times.items():
        require("doubled", count == 1, f"{kind} {key} is there {count} times of {actor}")


def _numbers_have_no_gaps(facts: Iterable[Fact]) -> None:
    """I7: receipt numbers are unique and gapless in each series."""
    series: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact.body, e.SaleClosed | e.SaleRefunded | e.SaleVoided):
            name, _, digits = fact.body.receipt_number.rpartition("-")
            series[name].append(int(digits))
    for name, numbers in series.items():
        require("receipts", numbers == list(range(1, len(numbers) + 1)), f"series {name} has the numbers {numbers}")


def _clocks_were_not_dragged(facts: Iterable[Fact], stations: Sequence[Station]) -> None:
    """F16: one clock that is years ahead drags nobody else's stamps along."""
    ahead = {actor: station.clock.ahead_ms for station in stations for actor in station.incarnations}
    now_ms = max(station.clock.steady_ms() for station in stations)
    for fact in facts:
        limit = now_ms + ahead.get(fact.event.actor, 0) + HLC_DRIFT_MS_MAX + CLOCK_SLACK_MS
        require("clocks", physical_ms(fact.event.hlc) <= limit,
                f"{fact.event.id} is stamped {physical_ms(fact.event.hlc) - now_ms} ms ahead of true time, "
                "and its till's clock never was")  # fmt: skip


def _claims_held(facts: Iterable[Fact], history: History) -> None:
    """I1: what was shown as replicated outlives the loss of its till's disk."""
    held = {str(fact.event.id) for fact in facts}
    for claim in history.claims:
        require("replicated", claim.event_id in held or claim.event_id in history.spared,
                f"till {claim.till} showed {claim.event_id} as held by {claim.terminals}; it is nowhere")  # fmt: skip


def _stock_is_what_was_moved(facts: Sequence[Fact], stations: Sequence[Station]) -> None:
    """I3: stock = opening + received - sold + returned, per product, from what people asked for."""
    should: dict[str, int] = defaultdict(int)
    for fact in facts:
        for sku, milli in _moves(fact, facts):
            should[sku] += milli
    for station in stations:
        for sku, milli in should.items():
            found = station.reader.books.stock_milli(sku)
            require("stock", found == milli, f"till {station.number} has {found} of {sku}; moved were {milli}")


def _moves(fact: Fact, facts: Sequence[Fact]) -> list[tuple[str, int]]:
    """Give the movements of one event, from the request behind it where there is one."""
    command = fact.attempt.command if fact.attempt is not None else None
    match fact.body:
        case e.SaleClosed(lines=lines):
            wanted: Iterable[c.WantedLine | e.SaleLine] = command.lines if isinstance(command, c.CloseSale) else lines
            return [(line.sku, -line.quantity_milli) for line in wanted]
        case e.SaleRefunded(lines=lines):
            return [(line.sku, line.quantity_milli if line.restock else 0) for line in lines]
        case e.SaleVoided(moves=moves):
            return [(move.sku, move.quantity_milli) for move in moves]
        case e.StockReceived() | e.StockAdjusted():
            if isinstance(command, c.ReceiveStock | c.AdjustStock):
                return [(command.sku, command.quantity_milli)]
            return [(move.sku, move.quantity_milli) for move in fact.body.moves]
        case e.StockCounted():
            assert isinstance(command, c.CountStock)
            return [(command.sku, command.quantity_milli - _value_at(fact.body, facts))]
        case _:
            return []


def _value_at(count: e.StockCounted, facts: Sequence[Fact]) -> int:
    """Give what was on the shelf by everything that the counting till knew."""
    known = dict(count.vector)
    return sum(
        milli
        for fact in facts
        if fact.event.seq <= known.get(fact.event.actor, 0)
        for sku, milli in _moves(fact, facts)
        if sku == count.sku
    )


def _money_is_what_was_taken(facts: Sequence[Fact], stations: Sequence[Station]) -> None:
    """I4: each Z report, and each open drawer, has exactly the cash that its sales, refunds and moves amount to."""
    by_shift: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        _sale_balances(fact)
        by_shift[getattr(fact.body, "shift_id", "")].append(fact)
    opened = {str(fact.event.id): fact.body.float_minor for fact in facts if isinstance(fact.body, e.ShiftOpened)}
    alone = {station.origin.terminal for station in stations if len(station.incarnations) == 1}
    for shift_id, members in by_shift.items():
        if not shift_id or terminal_of(shift_id) not in alone:
            continue
        cash = opened[shift_id]
        for fact in members:
            cash += _cash(fact.body)
            if isinstance(fact.body, e.ShiftClosed):
                told = fact.body.totals.expected_cash_minor
                require("money", told == cash, f"Z report {fact.event.id} expects {told}; its sales come to {cash}")
    for station in stations:
        shift = station.look(lambda books: books.current_shift())
        if shift is not None:
            told = shift_totals(station.reader.books, shift).expected_cash_minor
            cash = opened[shift.shift_id] + sum(_cash(fact.body) for fact in by_shift[shift.shift_id])
            require("money", told == cash, f"till {station.number} expects {told} in its drawer; it took {cash}")


def _sale_balances(fact: Fact) -> None:
    body = fact.body
    if not isinstance(body, e.SaleClosed):
        return
    paid = sum(payment.amount_minor for payment in body.payments)
    require("money", paid - body.change_minor == body.total_minor + body.rounding_minor,
            f"{fact.event.id}: paid less change is not the total")  # fmt: skip
    require("money", sum(line.total_minor for line in body.lines) == body.total_minor,
            f"{fact.event.id}: the lines do not sum up")  # fmt: skip
    command = fact.attempt.command if fact.attempt is not None else None
    if isinstance(command, c.CloseSale | c.PayCart):
        require("money", command.payments == body.payments, f"{fact.event.id}: other payments than were made")


def _cash(body: Record) -> int:
    """Give what an event did to the cash in the drawer."""
    match body:
        case e.SaleClosed():
            return sum(one.amount_minor for one in body.payments if one.method == "cash") - body.change_minor
        case e.SaleRefunded() | e.SaleVoided():
            return -sum(one.amount_minor for one in body.payments if one.method == "cash")
        case e.CashMoved():
            return body.amount_minor
        case _:
            return 0


def _tables_follow_from_the_log(stations: Sequence[Station]) -> None:
    """Every table is a pure function of the set of events: made anew from the log it is the same."""
    with closing(in_memory()) as anew:
        with write(anew):
            Ledger(anew, STORE).append_own(log(stations[0].reader.db))
        should = state_parts(anew)
    for station in stations:
        held = state_parts(station.reader.db)
        wrong = [table for table in should if held[table] != should[table]]
        require("tables", not wrong, f"till {station.number}: {wrong} is not what the log says")
