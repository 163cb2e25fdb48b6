"""Bugs planted into the product, each of a kind that one oracle of the simulator has to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from tillmesh.adapters.sqlite import identity, ledger, raft_storage
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.store import Writer
from tillmesh.crdt import LWWMap
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.raft import RawNode, quorum
from tillmesh.shop.events import SaleRefunded
from tillmesh.shop.stock import movements
from tillmesh.sim.machine import Machine
from tillmesh.sim.nemesis import Nemesis
from tillmesh.sync.signatures import KeyNotary, SignedHead, Verdict
from tillmesh.till.exchange import Exchange

Patch = pytest.MonkeyPatch


class Plant(NamedTuple):
    """A bug, the oracle that has to see it, and the store in which it shows."""

    oracle: str
    plant: Callable[[Patch], None]
    tills: int = 3


def _commits_without_sync(patch: Patch) -> None:
    real = Machine.open

    def opened(machine: Machine) -> Any:
        db = real(machine)
        db.execute("PRAGMA synchronous=OFF")
        return db

    patch.setattr(Machine, "open", opened)


def _forgets_which_carts_were_sold(patch: Patch) -> None:
    patch.setattr(Books, "requested", lambda _books, _key: None)


def _lets_the_later_arrival_win(patch: Patch) -> None:
    patch.setattr(LWWMap, "merge", lambda mine, theirs: LWWMap({**mine.entries, **theirs.entries}))


def _does_not_push_what_others_brought(patch: Patch) -> None:
    real = Exchange.appended

    def appended(exchange: Exchange, head: Any, but: str = "") -> Any:
        return [] if but else real(exchange, head, but)

    patch.setattr(Exchange, "appended", appended)


def _keeps_refunded_goods_off_the_shelf(patch: Patch) -> None:
    patch.setattr(ledger, "movements", lambda body: [] if isinstance(body, SaleRefunded) else movements(body))


def _leaves_cash_moves_out_of_the_drawer(patch: Patch) -> None:
    real = Books.shift_events
    patch.setattr(Books, "shift_events", lambda books, shift: (e for e in real(books, shift) if e.type != "cash_moved"))


def _miscounts_receipts_at_a_start(patch: Patch) -> None:
    real = Writer.receipts_used
    patch.setattr(Writer, "receipts_used", lambda writer, actor: real(writer, actor) + 1)


def _stores_another_stamp(patch: Patch) -> None:
    real = Ledger._store_event

    def store(to: Ledger, event: Any) -> None:
        real(to, event)
        if event.type == "sale_closed" and event.seq % 5 == 0:
            to._db.execute("DROP TRIGGER IF EXISTS event_is_append_only")
            to._db.execute("UPDATE event SET hlc = hlc + 1 WHERE type = 'sale_closed' AND seq = ?", (event.seq,))

    patch.setattr(Ledger, "_store_event", store)


def _takes_sent_for_held(patch: Patch) -> None:
    real = Exchange.replicated_to

    def replicated_to(exchange: Exchange, actor: str, seq: int) -> Any:
        linked = {name for name, peer in exchange._peers.items() if peer.session is not None}
        return tuple(sorted({*real(exchange, actor, seq), *linked}))

    patch.setattr(Exchange, "replicated_to", replicated_to)


def _starts_at_the_largest_stamp_on_disk(patch: Patch) -> None:
    real = identity.till_of

    def till_of(writer: Writer, origin: Any, now_ms: int) -> Any:
        till = real(writer, origin, now_ms)
        till.clock = HybridLogicalClock(origin.actor, last=max(writer.last_hlcs().values(), default=0))
        return till

    patch.setattr("tillmesh.sim.rig.till_of", till_of)


def _forgets_some_movements(patch: Patch) -> None:
    seen = [0]

    def moved(body: Any) -> Any:
        seen[0] += 1
        return [] if seen[0] % 7 == 0 else movements(body)

    patch.setattr(ledger, "movements", moved)


def _leaves_the_store_alone(patch: Patch) -> None:
    patch.setattr(Nemesis, "trouble", lambda _nemesis: None)


def _wins_with_one_vote(patch: Patch) -> None:
    patch.setattr(quorum, "size", lambda _voters: 1)


def _keeps_votes_in_memory(patch: Patch) -> None:
    real = raft_storage.SqliteRaftStorage._write_hard_state

    def write(storage: Any, hard: Any) -> None:
        real(storage, hard)
        storage._db.execute("UPDATE raft_state SET vote = NULL")

    patch.setattr(raft_storage.SqliteRaftStorage, "_write_hard_state", write)


def _keeps_terms_in_memory(patch: Patch) -> None:
    patch.setattr(raft_storage.SqliteRaftStorage, "_write_hard_state", lambda _storage, _hard: None)


def _takes_decisions_for_events(patch: Patch) -> None:
    patch.setattr(Books, "settings_authority", lambda _books: 1 << 30)


def _cuts_what_it_holds_itself(patch: Patch) -> None:
    patch.setattr(Exchange, "stable", lambda exchange, _members: {a: h.seq for a, h in exchange._heads.items()})


def _never_stands_for_election(patch: Patch) -> None:
    patch.setattr(RawNode, "tick", lambda _node: None)


def _judge(_notary: KeyNotary, signed: SignedHead) -> Verdict:
    return Verdict.FORGED if signed.head.seq > 9 else Verdict.SIGNED


def _takes_the_diligent_for_forgers(patch: Patch) -> None:
    patch.setattr(KeyNotary, "judge", _judge)


PLANTS: Final = {
    "commits without sync": Plant("lost", _commits_without_sync),
    "forgets which carts were sold": Plant("doubled", _forgets_which_carts_were_sold),
    "lets the later arrival win": Plant("convergence", _lets_the_later_arrival_win),
    "does not push what others brought": Plant("convergence", _does_not_push_what_others_brought, 5),
    "keeps refunded goods off the shelf": Plant("stock", _keeps_refunded_goods_off_the_shelf),
    "leaves cash moves out of the drawer": Plant("money", _leaves_cash_moves_out_of_the_drawer),
    "miscounts receipts at a start": Plant("receipts", _miscounts_receipts_at_a_start),
    "stores another stamp": Plant("chain", _stores_another_stamp, 1),
    "takes sent for held": Plant("replicated", _takes_sent_for_held),
    "starts at the largest stamp on disk": Plant("clocks", _starts_at_the_largest_stamp_on_disk, 5),
    "forgets some movements": Plant("tables", _forgets_some_movements, 1),
    "leaves the store alone": Plant("nemesis", _leaves_the_store_alone, 1),
    "wins with one vote": Plant("leader", _wins_with_one_vote, 5),
    "keeps votes in memory": Plant("vote", _keeps_votes_in_memory, 5),
    "keeps terms in memory": Plant("term", _keeps_terms_in_memory, 5),
    "takes decisions for events": Plant("decision", _takes_decisions_for_events),
    "cuts what it holds itself": Plant("cut", _cuts_what_it_holds_itself, 5),
    "never stands for election": Plant("leadership", _never_stands_for_election),
    "takes the diligent for forgers": Plant("forged", _takes_the_diligent_for_forgers),
}
