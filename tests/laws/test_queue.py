"""Whatever a till hears, loses and is told about who leads: its events move only as the queue's states allow."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.sync import Ack, Hello, Load, Mark, Side
from tillmesh.till.exchange import Ask, Exchange
from tillmesh.till.queue import Cause, Marks, SyncState, may_become

STORE, ME, ACTOR = "store", "t111", "t111.boot1"
PEERS = ("t222", "t333")
NUMBERS = st.integers(0, 40)
STATES = st.sampled_from(SyncState)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_totals_count_every_event_once_and_in_its_own_state(
    head: int, to_leader: int, at_leader: int, to_hub: int, at_hub: int, pruned: int
) -> None:
    marks = Marks(
        head=head, to_leader=to_leader, at_leader=at_leader, to_hub=to_hub, at_hub=at_hub, pruned=pruned
    )  # fmt: skip
    counted = Counter(marks.state(seq) for seq in range(1, head + 1))
    assert marks.totals() == {state: counted[state] for state in SyncState}


@given(STATES, STATES, st.sampled_from(Cause))
def test_what_head_office_has_is_never_waiting_again(before: SyncState, after: SyncState, cause: Cause) -> None:
    settled = {SyncState.COMPLETE, SyncState.PRUNED}
    if before in settled and after not in settled:
        assert not may_become(before, after, cause)
    if cause is Cause.TIMEOUT and after is not before:
        assert not (may_become(before, after, cause) and may_become(before, after, Cause.PROGRESS))


class Till(RuleBasedStateMachine):
    """A till with two peers, one of which may lead; each happening names its cause."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.till = Exchange(Side(STORE, ACTOR), ME, {})
        self.log: list[Envelope] = []
        self.links: dict[str, int] = {}
        self.disks = dict.fromkeys(PEERS, 0)
        self.batches = dict.fromkeys(PEERS, 0)
        self.loads: list[Ask] = []
        self.hub = 0
        self.before: list[SyncState] = []
        self.causes: set[Cause] = set()

    def happens(self, *causes: Cause) -> None:
        """Remember how everything was, and why it may be otherwise after this."""
        self.before = self.states()
        self.causes = set(causes)

    def states(self) -> list[SyncState]:
        marks = self.till.marks(ACTOR)
        return [marks.state(seq) for seq in range(1, len(self.log) + 1)]

    def hear(self, asks: list[Ask]) -> None:
        self.loads += [ask for ask in asks if isinstance(ask.step, Load)]

    @rule()
    def sell(self) -> None:
        self.happens(Cause.PROGRESS)
        head = Head(ACTOR, self.log[-1].seq, self.log[-1].hash) if self.log else Head(ACTOR)
        self.log.append(seal(STORE, head, hlc=head.seq + 1, kind="sale_closed", version=1, body=b"sale"))
        self.hear(self.till.appended(Head(ACTOR, self.log[-1].seq, self.log[-1].hash)))

    @rule(peer=st.sampled_from(PEERS), lost=st.booleans())
    def meet(self, peer: str, lost: bool) -> None:
        """A link comes up; now and then the peer begins with an empty disk."""
        self.happens(Cause.PROGRESS, Cause.TIMEOUT, Cause.LEADER)
        if lost:
            self.disks[peer] = 0
        self.links[peer], asks = self.till.linked(peer, self.now_ms)
        self.batches[peer] = 0
        self.hear(asks)
        held = self.disks[peer]
        heads = {ACTOR: Mark(held, self.log[held - 1].hash)} if held else {}
        hello = Hello(1, STORE, 0, f"{peer}.boot1", heads)
        self.hear(self.till.received(peer, self.links[peer], hello, self.now_ms))

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def part(self, data: st.DataObject) -> None:
        self.happens(Cause.TIMEOUT)
        peer = data.draw(st.sampled_from(sorted(self.links)))
        self.till.unlinked(peer, self.links.pop(peer))

    @precondition(lambda self: self.loads)
    @rule()
    def send(self) -> None:
        self.happens(Cause.PROGRESS)
        ask = self.loads.pop(0)
        assert isinstance(ask.step, Load)
        events = [event for span in ask.step.spans for event in self.log[span.first - 1 : span.last]]
        self.batches[ask.peer] += 1
        self.hear(self.till.loaded(ask.peer, ask.link, events, self.now_ms))

    @precondition(lambda self: self.links)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """A peer says what it has stored of what was sent: all of it, or a part."""
        self.happens(Cause.PROGRESS, Cause.TIMEOUT)
        peer = data.draw(st.sampled_from(sorted(self.links)))
        self.disks[peer] = data.draw(st.integers(self.disks[peer], len(self.log)))
        ack = Ack(self.batches[peer], {ACTOR: self.disks[peer]})
        self.hear(self.till.received(peer, self.links[peer], ack, self.now_ms))

    @rule(wait_ms=st.sampled_from((100, 3_000)))
    def wait(self, wait_ms: int) -> None:
        self.happens(Cause.TIMEOUT)
        self.now_ms += wait_ms
        self.hear(self.till.wake(self.now_ms))

    @rule(leader=st.sampled_from((None, ME, "t999", *PEERS)))
    def lead(self, leader: str | None) -> None:
        # Who leads already is told again now and then: that moves nothing.
        self.happens(*([] if leader == self.till.leader else [Cause.LEADER]))
        self.hear(self.till.lead(leader))

    @rule(data=st.data())
    def upload(self, data: st.DataObject) -> None:
        self.happens(Cause.PROGRESS)
        held = sum(state is not SyncState.PENDING for state in self.states())
        self.till.uploading({ACTOR: max(self.till.marks(ACTOR).to_hub, data.draw(st.integers(0, held)))})

    @rule()
    def upload_unanswered(self) -> None:
        """The leader held what it was uploading, so that is where it goes back to."""
        marks = self.till.marks(ACTOR)
        self.happens(*([Cause.TIMEOUT] if marks.to_hub <= marks.at_leader else [Cause.LEADER]))
        self.till.uploading({})

    @rule(data=st.data())
    def upload_acknowledged(self, data: st.DataObject) -> None:
        self.happens(Cause.PROGRESS)
        self.hub = data.draw(st.integers(self.hub, len(self.log)))
        self.till.uploaded({ACTOR: self.hub})

    @invariant()
    def moves_as_the_states_allow(self) -> None:
        for seq, (before, after) in enumerate(zip(self.before, self.states(), strict=False), 1):
            allowed = before is after or any(may_become(before, after, cause) for cause in self.causes)
            assert allowed, f"event {seq} went from {before} to {after} by {self.causes}"

    @invariant()
    def nothing_is_called_replicated_that_a_peer_did_not_name(self) -> None:
        for seq in range(1, len(self.log) + 1):
            for peer in self.till.replicated_to(ACTOR, seq):
                assert self.disks[peer] >= seq


TestTill = Till.TestCase
