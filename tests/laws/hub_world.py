"""A store's tills, their way to head office, and head office itself, in one thread: for laws about what arrives."""

from collections.abc import Callable, Sequence
from enum import Enum

from tests.contracts.memory_hub import MemoryLog, MemoryMaster
from tillmesh.fleet.syncing import SyncService
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import NotAllowed, TillmeshError
from tillmesh.kernel.hlc import pack
from tillmesh.shop.events import NAMES, Payment, SaleClosed
from tillmesh.sync.session import Side
from tillmesh.sync.signatures import SignedHead, Verdict
from tillmesh.sync.uplink import AskState, LoadUp, Refusal, Take, Uplink, UplinkStep, Upload
from tillmesh.sync.upload import read_answer, read_batch, read_state, write_answer, write_batch

STORE = "corner"
OFFICE, OFFICE_ANEW = "headoffice.aaaaaaaa", "headoffice.bbbbbbbb"


class Fate(Enum):
    """What becomes of one request."""

    ARRIVES = "arrives"
    LOST = "lost"
    ANSWER_LOST = "answer lost"
    DIES = "the till dies after sending"
    BUSY = "429"
    AWAY = "503"


BUSY = {Fate.BUSY, Fate.AWAY}


class Believing:
    """A notary for tests that are not about signatures."""

    def judge(self, signed: SignedHead) -> Verdict:
        return Verdict.SIGNED


def sale(number: int, total_minor: int) -> SaleClosed:
    return SaleClosed(
        cart_id=f"cart-{number}", receipt_number=str(number), shift_id="s", cashier="mary", currency="EUR",
        prices_include_tax=True, lines=(), taxes=(), payments=(Payment(method="cash", amount_minor=total_minor),),
        discount_minor=0, tax_minor=0, total_minor=total_minor, closed_at_ms=1_000 * number,
    )  # fmt: skip


def sealed(head: Head, body: Record, at_ms: int, store: str = STORE) -> Envelope:
    return seal(store, head, hlc=pack(at_ms), kind=NAMES[type(body)], version=1, body=encode(body))


def signed(store: str, head: Head) -> bytes:
    """Stand in for head office's signature: :class:`Believing` believes anything."""
    return b"s" * 64


class Office:
    """Head office in memory."""

    def __init__(self) -> None:
        self.log, self.master = MemoryLog(), MemoryMaster()
        self.actor = OFFICE
        self.generation = 0  # of the store's credentials
        self.revoked: set[str] = set()
        self.service = self._come_up()

    def _come_up(self) -> SyncService:
        return SyncService(self.log, self.master, self.actor, signed, mint=self._mint)

    def _mint(self) -> str:
        self.actor = OFFICE_ANEW
        return self.actor

    def revoke(self, credentials: str) -> None:
        """Let nobody in with these any more."""
        self.revoked.add(credentials)
        self.generation += 1

    def restart(self) -> None:
        """Come up again on what is in the log and the master database."""
        self.service = self._come_up()

    def numbers(self) -> dict[str, int]:
        return {actor: head.seq for actor, head in self.master.held(STORE).heads.items()}


class Till:
    """One till that may lead, with the logs it holds."""

    def __init__(self, actor: str, office: Office, fate: Callable[[], Fate]) -> None:
        self.actor, self.office, self.fate = actor, office, fate
        self.logs: dict[str, list[Envelope]] = {}
        self.now_ms = 0
        self.alive = True
        self.credentials = "first"
        self.alarms: list[str] = []
        self.requests = 0
        self.uplink = self._fresh()

    def _fresh(self) -> Uplink:
        heads = {actor: Head(actor, log[-1].seq, log[-1].hash) for actor, log in self.logs.items() if log}
        return Uplink(Side(STORE, self.actor), heads, lambda: 0.5, Believing())

    def sell(self, total_minor: int) -> Envelope:
        log = self.logs.setdefault(self.actor, [])
        head = Head(self.actor, log[-1].seq, log[-1].hash) if log else Head(self.actor)
        event = sealed(head, sale(head.seq + 1, total_minor), self.now_ms + 1)
        self.take([event])
        return event

    def take(self, events: Sequence[Envelope]) -> None:
        """Hold events that are new here, from the own till or from another."""
        for event in events:
            log = self.logs.setdefault(event.actor, [])
            if event.seq == len(log) + 1:
                log.append(event)
                self.perform(self.uplink.appended(Head(event.actor, event.seq, event.hash), self.now_ms))

    def learn(self, other: "Till") -> None:
        """Hear from another till what it holds."""
        for log in other.logs.values():
            self.take(log)

    def lead(self, term: int | None) -> None:
        if not self.alive:  # it comes up again with nothing but its disk
            self.alive, self.uplink = True, self._fresh()
        self.perform(self.uplink.lead(term, self.now_ms))

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        self.perform(self.uplink.wake(self.now_ms))

    def perform(self, steps: Sequence[UplinkStep]) -> None:
        queue = list(steps)
        while queue and self.alive:
            step = queue.pop(0)
            match step:
                case AskState():
                    queue += self._ask(step)
                case Upload():
                    queue += self._upload(step)
                case LoadUp():
                    events = [e for span in step.spans for e in self.logs[span.actor][span.first - 1 : span.last]]
                    ends = {(e.actor, e.seq): signed(STORE, Head(e.actor, e.seq, e.hash)) for e in events}
                    queue += self.uplink.loaded(step.ticket, events[: step.events_max], ends, self.now_ms)
                case Take(events, _):
                    self.take(events)
                case _:
                    self.alarms += [step.kind] if hasattr(step, "kind") else []

    def _ask(self, step: AskState) -> list[UplinkStep]:
        fate = self._met()
        if fate in BUSY:
            return self._put_off(step.ticket, fate)
        if fate is not Fate.ARRIVES:
            return self._silence(step.ticket, fate)
        try:
            self._let_in()
            state = self.office.service.state(STORE, self.office.generation)
        except TillmeshError as error:
            return self._refused(step.ticket, error)
        return self.uplink.told(step.ticket, read_state(write_answer(state)), self.now_ms)

    def _upload(self, step: Upload) -> list[UplinkStep]:
        fate = self._met()
        if fate in BUSY:
            return self._put_off(step.ticket, fate)
        if fate is Fate.LOST:
            return self._silence(step.ticket, fate)
        try:
            self._let_in()
            batch = read_batch(write_batch(step.batch))
            answer = self.office.service.take(batch, self.now_ms, self.office.generation)
        except TillmeshError as error:
            return self._refused(step.ticket, error)
        if fate is not Fate.ARRIVES:
            return self._silence(step.ticket, fate)
        return self.uplink.answered(step.ticket, read_answer(write_answer(answer)), self.now_ms)

    def _let_in(self) -> None:
        if self.credentials in self.office.revoked:
            raise NotAllowed("these credentials were revoked", hint="Ask head office for new ones.")

    def _refused(self, ticket: int, error: TillmeshError) -> list[UplinkStep]:
        actor = str(error.members().get("actor", ""))
        why = Refusal(status=error.status, kind=error.kind, detail=error.detail, subject=actor)
        return self.uplink.failed(ticket, why, self.now_ms)

    def _put_off(self, ticket: int, fate: Fate) -> list[UplinkStep]:
        return self.uplink.failed(ticket, Refusal(status=int(fate.value), retry_after_s=30), self.now_ms)

    def _silence(self, ticket: int, fate: Fate) -> list[UplinkStep]:
        if fate is Fate.DIES:
            self.alive = False
            return []
        return self.uplink.failed(ticket, Refusal(), self.now_ms)

    def _met(self) -> Fate:
        self.requests += 1
        return self.fate()


def arrived(office: Office, tills: Sequence[Till]) -> None:
    """Check that head office holds every event of the tills once, and their money to the cent."""
    logs: dict[str, list[Envelope]] = {}
    for till in tills:
        for actor, log in till.logs.items():
            logs[actor] = max(logs.get(actor, []), log, key=len)
    assert office.numbers() == {actor: len(log) for actor, log in logs.items() if log}
    held = office.master.tenants[STORE]
    assert [held.events[e.actor, e.seq] for log in logs.values() for e in log] == [
        e for log in logs.values() for e in log
    ]
    rows = office.master.tenants[STORE].rows.sales
    assert len(rows) == len({(row.actor, row.seq) for row in rows})
    sold = [e for log in logs.values() for e in log if e.type == "sale_closed"]
    assert len(rows) == len(sold)


def drained(till: Till, office: Office, limit: int = 400) -> None:
    """Let a till that leads try again until nothing is left, however long it was put off."""
    for _ in range(limit):
        if all(office.numbers().get(actor, 0) >= len(log) for actor, log in till.logs.items()):
            return
        till.wait(400_000)
    raise AssertionError(f"head office has {office.numbers()}")
