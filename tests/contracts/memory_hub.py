"""Head office's event log and master database in memory: what the contract suite holds the real ones to."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256

from tillmesh.fleet.ports import Entry, Held, Position, Stretch
from tillmesh.fleet.projecting import Kind, Rows, project
from tillmesh.fleet.syncing import fresh
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import StorageFailed
from tillmesh.kernel.ids import is_office


class MemoryLog:
    """An event log that forgets everything with the process. ``fail`` makes so many writes fail."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.fail = 0

    def append(self, entry: Entry) -> Position:
        if self.fail:
            self.fail -= 1
            raise StorageFailed("the event log is away", hint="Wait.")
        self.entries.append(entry)
        return {"log": len(self.entries)}

    def replay(self, after: Position) -> Iterator[tuple[Position, Entry]]:
        for number, entry in enumerate(self.entries[after.get("log", 0) :], after.get("log", 0) + 1):
            yield {"log": number}, entry

    def of_store(self, store: str, after: Position) -> Stretch:
        found = tuple(entry for entry in self.entries[after.get("log", 0) :] if entry.store == store)
        return Stretch({"log": len(self.entries)}, found, whole=True)

    def close(self) -> None:
        pass


@dataclass
class Tenant:
    """What is held of one store."""

    generation: int = 0
    term: int = 0
    clock: int = 0
    heads: dict[str, Head] = field(default_factory=dict)
    events: dict[tuple[str, int], Envelope] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    weights: dict[str, int] = field(default_factory=dict)


class MemoryMaster:
    """A master database in memory. ``fail`` makes so many writes fail: a crash after the log was written."""

    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.fences: dict[str, dict[str, str]] = {}
        self.at: dict[str, int] = {}
        self.fail = 0

    def position(self) -> Position:
        return dict(self.at)

    def held(self, store: str) -> Held:
        tenant = self.tenants.get(store, Tenant())
        fenced = dict(self.fences.get(store, {}))
        return Held(
            heads=dict(tenant.heads), term=tenant.term, clock=tenant.clock, fenced=fenced, generation=tenant.generation
        )

    def hash_of(self, store: str, actor: str, seq: int) -> bytes | None:
        event = self.tenants.get(store, Tenant()).events.get((actor, seq))
        return None if event is None else event.hash

    def apply(self, position: Position, entry: Entry) -> None:
        if self.fail:
            self.fail -= 1
            raise StorageFailed("the master database is away", hint="Wait.")
        events = fresh(self.held(entry.store), entry.events)
        tenant = self.tenants.setdefault(entry.store, Tenant())
        claimed = (tenant.generation, tenant.term), (entry.generation, entry.term)
        tenant.generation, tenant.term = max(claimed)
        for event in events:
            tenant.heads[event.actor] = Head(event.actor, event.seq, event.hash)
            tenant.events[event.actor, event.seq] = event
            tenant.clock = max(tenant.clock, event.hlc)
        found = project(events, tenant.weights)
        tenant.rows.add(found)
        for actor, weight in found.weights.items():
            tenant.weights[actor] = tenant.weights.get(actor, 0) + weight
        self.at.update(position)

    def fence(self, store: str, actor: str, detail: str, at_ms: int) -> None:
        self.fences.setdefault(store, {}).setdefault(actor, detail)

    def outbox(self, store: str, has: Mapping[str, int], events_max: int, bytes_max: int) -> list[Envelope]:
        events = self.tenants.get(store, Tenant()).events
        wanted = [
            events[key] for key in sorted(events) if is_office(key[0]) and key[1] > has.get(key[0], 0)
        ][:events_max]  # fmt: skip
        found: list[Envelope] = []
        for event in wanted:
            if found and sum(len(e.body) for e in found) + len(event.body) > bytes_max:
                break
            found.append(event)
        return found

    def said(self, store: str, kind: str, limit: int) -> list[bytes]:
        events = self.tenants.get(store, Tenant()).events.values()
        own = [event for event in events if is_office(event.actor) and event.type == kind]
        return [event.body for event in sorted(own, key=lambda event: -event.hlc)[:limit]]

    def digest(self) -> str:
        shown = [
            (name, sorted(tenant.heads.items()), sorted(tenant.rows.sales), sorted(tenant.rows.moves))
            for name, tenant in sorted(self.tenants.items())
        ]
        return sha256(repr(shown).encode()).hexdigest()

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def begin_anew(self) -> None:
        self.tenants, self.at = {}, {}

    def close(self) -> None:
        pass

    def revenue(self, store: str) -> int:
        rows = self.tenants.get(store, Tenant()).rows
        return sum(row.total_minor if row.kind == Kind.SALE else -row.total_minor for row in rows.sales)
