"""Where events count only if their own actor signed them, tills still agree, and nobody believes what was made up."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.sync_world import STORE, World
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.limits import SYNC_ACTORS_MAX
from tillmesh.sync import (
    Ack,
    Acked,
    Apply,
    Closed,
    Fence,
    Forked,
    Hello,
    KeyNotary,
    Later,
    Load,
    Mark,
    Push,
    Send,
    Session,
    Side,
    SignedHead,
    Verdict,
    head_message,
    runs_of,
)

SEEDS = st.integers(0, 2**32)


def key_of(actor: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(actor.encode()).digest())


def public_of(actor: str) -> bytes | None:
    return None if actor.startswith("stranger") else key_of(actor).public_key().public_bytes_raw()


def sign(head: Head) -> bytes:
    return key_of(head.actor).sign(head_message(STORE, head))


NOTARY = KeyNotary(STORE, public_of)


class SignedWorld(World):
    """Every till signs its own log wherever it is asked to, and passes on others' as far as they are signed."""

    def __init__(self, names: list[str], seed: int, *, loss: float = 0.0, double: float = 0.0) -> None:
        super().__init__(names, seed, loss=loss, double=double)
        self.notary = NOTARY
        self.signed: dict[tuple[str, str, int], bytes] = {}  # till, actor, seq

    def load(self, me: str, step: Load) -> tuple[list[Envelope], dict[tuple[str, int], bytes]]:
        till = self.tills[me]
        found: list[Envelope] = []
        signatures: dict[tuple[str, int], bytes] = {}
        for span in step.spans:
            run = till.logs[span.actor][span.first - 1 : span.last][: step.events_max - len(found)]
            while run:
                end = Head(span.actor, run[-1].seq, run[-1].hash)
                signature = sign(end) if span.actor == till.actor else self.signed.get((me, span.actor, end.seq))
                if signature is not None:
                    signatures[span.actor, end.seq] = signature
                    break
                run.pop()
            found += run
        return found, signatures

    def keep_signatures(self, me: str, step: Apply) -> None:
        for each in step.signed:
            self.signed[me, each.head.actor, each.head.seq] = each.signature


@given(seed=SEEDS, tills=st.integers(2, 4), sales=st.lists(st.integers(0, 3), max_size=15))
def test_tills_agree_on_signed_logs_whatever_the_network_does(seed: int, tills: int, sales: list[int]) -> None:
    world = SignedWorld([f"till{n}" for n in range(tills)], seed, loss=0.3, double=0.2)
    for place in range(tills - 1):
        world.connect(f"till{place}", f"till{place + 1}")  # a chain: all but two tills live on what others pass on
    for place, seller in enumerate(sales):
        world.sell(f"till{seller % tills}", b"%d" % place)
        for _ in range(world.random.randrange(4)):
            world.deliver()
    world.loss = 0.0
    for place in range(tills - 1):
        world.connect(f"till{place}", f"till{place + 1}")
    world.settle()
    assert world.equal()
    assert not any(till.closed or till.fenced for till in world.tills.values())


def sold(actor: str, count: int, body: bytes = b"sale") -> list[Envelope]:
    head, events = Head(actor), []
    for _ in range(count):
        events.append(seal(STORE, head, hlc=head.seq + 1, kind="sale_closed", version=1, body=body))
        head = Head(actor, events[-1].seq, events[-1].hash)
    return events


def hearing(*held: Envelope) -> Session:
    heads = {event.actor: Head(event.actor, event.seq, event.hash) for event in held}
    session = Session(Side(STORE, "b222.boot1"), heads, notary=NOTARY)
    session.start(0)
    session.receive(Hello(1, STORE, 0, "c333.boot1", {}), 1)
    return session


def push(events: list[Envelope], signature: bytes) -> Push:
    return Push(1, runs_of(events, {(events[-1].actor, events[-1].seq): signature}))


@given(at=st.integers(0, 511))
def test_one_wrong_bit_in_a_signature_ends_the_session(at: int) -> None:
    events = sold("a111.boot1", 3)
    signature = bytearray(sign(Head("a111.boot1", 3, events[-1].hash)))
    signature[at // 8] ^= 1 << at % 8
    steps = hearing().receive(push(events, bytes(signature)), 2)
    assert isinstance(steps[-1], Closed)
    assert steps[-1].forger


def test_a_signature_of_another_head_store_or_actor_does_not_count() -> None:
    events = sold("a111.boot1", 3)
    end = Head("a111.boot1", 3, events[-1].hash)
    for wrong in (
        sign(Head("a111.boot1", 2, events[1].hash)),
        key_of("a111.boot1").sign(head_message("another", end)),
        key_of("c333.boot1").sign(head_message(STORE, end)),
    ):
        assert NOTARY.judge(SignedHead(end, wrong)) is Verdict.FORGED
    assert NOTARY.judge(SignedHead(end, sign(end))) is Verdict.SIGNED


def test_events_of_somebody_who_was_not_introduced_yet_are_asked_for_later() -> None:
    events = sold("stranger.boot1", 1)
    (step,) = hearing().receive(push(events, bytes(64)), 2)
    assert isinstance(step, Send)
    assert isinstance(step.message, Later)


def test_a_stranger_in_a_batch_holds_up_nobody_elses_sales() -> None:
    events, strange = sold("a111.boot1", 2), sold("stranger.boot1", 1)
    signatures = {("a111.boot1", 2): sign(Head("a111.boot1", 2, events[-1].hash)), ("stranger.boot1", 1): bytes(64)}
    steps = hearing().receive(Push(1, runs_of([*strange, *events], signatures)), 2)
    (applied,) = [step for step in steps if isinstance(step, Apply)]
    assert list(applied.events) == events


def test_a_peer_that_names_new_actors_for_ever_is_not_remembered_for_ever() -> None:
    session = hearing(*sold("a111.boot1", 1))
    named = 0
    for round_ in range(20):
        said = session.receive(Ack(0, {f"made-up.{round_}x{n}": 1 for n in range(1_000)}), 2)
        named += sum(len(step.durable) for step in said if isinstance(step, Acked))
    assert named <= SYNC_ACTORS_MAX
    (known,) = [step for step in session.receive(Ack(0, {"a111.boot1": 1}), 3) if isinstance(step, Acked)]
    assert known.durable == {"a111.boot1": 1}, "what is held here is heard of all the same"


def test_a_peer_that_calls_actors_forked_whom_nobody_knows_moves_nobody() -> None:
    session = hearing(*sold("a111.boot1", 1))
    assert session.receive(Forked("made-up.boot1", "two histories"), 2) == []
    assert session.receive(Forked("a111.boot1", "two histories"), 3) != []


def test_what_is_held_already_needs_no_signature() -> None:
    events = sold("a111.boot1", 2)
    steps = hearing(events[-1]).receive(push(events, b""), 2)
    assert not any(isinstance(step, Closed | Apply) for step in steps)


def test_other_events_under_a_true_signature_are_taken_by_nobody() -> None:
    mine, yours = sold("a111.boot1", 2), sold("a111.boot1", 3, b"another")
    signature = sign(Head("a111.boot1", 3, yours[-1].hash))
    steps = hearing(mine[-1]).receive(push(yours, signature), 2)
    assert [step.everywhere for step in steps if isinstance(step, Fence)] == [False]
    assert not any(isinstance(step, Apply) for step in steps)


def test_the_word_of_one_peer_fences_an_actor_towards_that_peer_only() -> None:
    events = sold("a111.boot1", 2)
    session = hearing(events[-1])
    steps = session.receive(Hello(1, STORE, 0, "c333.boot1", {"a111.boot1": Mark(2, bytes(32))}), 2)
    assert [step.everywhere for step in steps if isinstance(step, Fence)] == [False]
