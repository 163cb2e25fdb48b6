"""Whatever a network does to messages, tills that talk long enough hold the same events, each once."""

from __future__ import annotations

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.sync_world import STORE, World, genesis_fork
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Head, seal
from tillmesh.sync import (
    Ack,
    Closed,
    FrameDamaged,
    Hello,
    Mark,
    Push,
    Send,
    Session,
    Side,
    read_frame,
    runs_of,
    write_frame,
)
from tillmesh.sync.messages import NEWEST
from tillmesh.sync.session import PRESENCE_MS, SILENT_MS

SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS, tills=st.integers(2, 5), sales=st.lists(st.integers(0, 4), max_size=30))
def test_tills_agree_whatever_is_lost_doubled_or_overtaken(seed: int, tills: int, sales: list[int]) -> None:
    world = World([f"till{n}" for n in range(tills)], seed, loss=0.3, double=0.2)
    world.connect_all()
    for place, seller in enumerate(sales):
        world.sell(f"till{seller % tills}", b"%d" % place)
        for _ in range(world.random.randrange(4)):
            world.deliver()
    world.loss = 0.0  # the network heals; nothing that was lost before is sent again by anybody but the sessions
    world.connect_all()
    world.settle()
    assert world.equal()
    for name, till in world.tills.items():
        for peer, durable in till.told.items():
            held = {actor: head.seq for actor, head in world.tills[peer].heads().items()}
            assert all(seq <= held.get(actor, 0) for actor, seq in durable.items()), (
                f"{name} believes too much of {peer}"
            )


@given(seed=SEEDS, cuts=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6))
def test_links_cut_in_the_middle_of_a_batch_lose_nothing(seed: int, cuts: list[tuple[int, int]]) -> None:
    world = World(["till0", "till1", "till2"], seed)
    world.connect_all()
    for one, other in [*cuts, (0, 1)]:
        for _ in range(5):
            world.sell(f"till{one}")
        for _ in range(world.random.randrange(6)):
            world.deliver()
        if one != other:
            world.connect(f"till{one}", f"till{other}")
    world.settle()
    assert world.equal()
    assert sum(len(log) for log in world.tills["till0"].logs.values()) == 5 * (len(cuts) + 1)


def test_500_sales_queued_offline_arrive_once_each_after_the_second_cut() -> None:
    world = World(["till0", "till1"], seed=7)
    for place in range(500):
        world.sell("till0", b"%d" % place)
    for _ in range(200):  # every link lives for one to three messages only
        world.connect("till0", "till1")
        for _ in range(world.random.randrange(1, 4)):
            world.deliver()
    world.connect("till0", "till1")
    world.settle()
    assert [event.body for event in world.tills["till1"].logs["till0.boot1"]] == [b"%d" % n for n in range(500)]


def test_a_sale_travels_on_through_a_till_in_between() -> None:
    world = World(["a111", "b222", "c333"], seed=1)
    world.connect("a111", "b222")
    world.connect("b222", "c333")
    world.settle()
    world.sell("a111", b"apples")
    world.settle()
    assert world.tills["c333"].logs["a111.boot1"][0].body == b"apples"


def test_two_tills_with_one_identity_are_told_apart() -> None:
    session = Session(Side(STORE, "till1.boot1"), {})
    session.start(0)
    steps = session.receive(Hello(1, STORE, 0, "till1.boot1", {}), 1)
    assert isinstance(steps[-1], Closed)
    assert "cloned" in steps[-1].detail


def test_an_actor_with_two_different_logs_is_fenced_and_sent_no_more() -> None:
    world = World(["a111", "b222"], seed=1)
    for name, body in (("a111", b"mine"), ("b222", b"yours")):
        world.tills[name].logs["cloned.boot1"] = [genesis_fork("cloned.boot1", body)]
    world.sell("a111")
    world.connect("a111", "b222")
    while world.deliver():
        pass
    assert world.tills["a111"].fenced == world.tills["b222"].fenced == ["cloned.boot1"]
    assert world.tills["b222"].logs["cloned.boot1"][0].body == b"yours"
    assert "a111.boot1" in world.tills["b222"].logs, "the honest till's sale still arrives"


def test_another_store_and_another_protocol_are_refused() -> None:
    for hello in (Hello(1, "other", 0, "b222.boot1", {}), Hello(99, STORE, 0, "b222.boot1", {})):
        session = Session(Side(STORE, "a111.boot1"), {})
        session.start(0)
        assert isinstance(session.receive(hello, 1)[-1], Closed)


def test_a_message_before_the_hello_ends_the_session() -> None:
    session = Session(Side(STORE, "a111.boot1"), {})
    session.start(0)
    assert isinstance(session.receive(Ack(1, {}), 1)[-1], Closed)


def framed(*parts: object, protocol: int = 1) -> bytes:
    """A frame as some other program would write it."""
    body = msgspec.msgpack.encode(parts)
    return write_frame(Ack(1, {}))[:2] + bytes([protocol, 0]) + len(body).to_bytes(4, "big") + body


def test_what_only_a_newer_program_says_is_passed_over_and_shows_that_the_peer_is_there() -> None:
    session = Session(Side(STORE, "a111.boot1"), {})
    session.start(0)
    session.receive(Hello(1, STORE, 0, "b222.boot1", {}), 1)
    assert read_frame(framed(NEWEST + 1, {"anything": 1})) is None
    assert session.receive(read_frame(framed(NEWEST + 1, "anything")), SILENT_MS - 1) == []
    assert not any(isinstance(step, Closed) for step in session.wake(SILENT_MS + 1))


def test_a_newer_program_may_say_more_in_its_hello() -> None:
    hello = read_frame(framed(1, 1, STORE, 0, "b222.boot1", {}, "1.7", ["and", "more"]))
    assert hello == Hello(1, STORE, 0, "b222.boot1", {})


def test_another_protocol_is_refused_with_what_to_do() -> None:
    with pytest.raises(FrameDamaged, match="a message of protocol 2") as refused:
        read_frame(framed(1, 2, STORE, 0, "b222.boot1", {}, protocol=2))
    assert refused.value.hint == "Update both tills."
    session = Session(Side(STORE, "a111.boot1"), {})
    session.start(0)
    steps = session.receive(Hello(2, STORE, 0, "b222.boot1", {}), 1)
    assert [type(step) for step in steps] == [Send, Closed]
    assert "speaks 1, not 2" in str(steps[0])


def test_a_peer_that_says_nothing_is_given_up() -> None:
    session = Session(Side(STORE, "a111.boot1"), {})
    session.start(0)
    assert not any(isinstance(step, Closed) for step in session.wake(PRESENCE_MS))
    assert any(isinstance(step, Closed) for step in session.wake(SILENT_MS))


def test_a_gap_is_answered_by_what_is_needed() -> None:
    world = World(["a111", "b222"], seed=3)
    for _ in range(3):
        world.sell("a111")
    events = world.tills["a111"].logs["a111.boot1"]
    session = Session(Side(STORE, "b222.boot1"), {"a111.boot1": Head("a111.boot1", 1, events[0].hash)})
    session.start(0)
    session.receive(Hello(1, STORE, 0, "a111.boot1", {"a111.boot1": Mark(3, events[2].hash)}), 1)
    (step,) = session.receive(Push(1, runs_of(events[2:])), 2)
    assert isinstance(step, Send)
    assert getattr(step.message, "after", None) == {"a111.boot1": 1}


@given(st.binary(max_size=300))
def test_bytes_from_a_hostile_lan_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(FrameDamaged):
        read_frame(data)


@given(seed=SEEDS, at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_damaged_frame_is_refused_or_still_a_message(seed: int, at: int, flip: int) -> None:
    world = World(["a111", "b222"], seed)
    for _ in range(20):
        world.sell("a111", bytes(100))
    frame = bytearray(write_frame(Push(1, runs_of(world.tills["a111"].logs["a111.boot1"]))))
    frame[at % len(frame)] ^= flip
    try:
        message = read_frame(bytes(frame))
    except FrameDamaged:
        return
    assert message is None or read_frame(write_frame(message)) == message


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    bomb = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(bytes(64 << 20))
    frame = write_frame(Ack(1, {}))[:2] + bytes([1, 1]) + (1000).to_bytes(4, "big") + bomb
    with pytest.raises(FrameDamaged, match="more than the declared"):
        read_frame(frame)


def test_logs_that_parted_long_ago_are_found_out_by_the_next_sale() -> None:
    world = World(["a111", "b222"], seed=1)
    for name in ("a111", "b222"):
        till = world.tills[name]
        till.logs["cloned.boot1"] = [genesis_fork("cloned.boot1", name.encode())]
    longer = world.tills["b222"].logs["cloned.boot1"]
    longer.append(seal(STORE, Head("cloned.boot1", 1, longer[0].hash), hlc=2, kind="x", version=1, body=b""))
    world.connect("a111", "b222")
    while world.deliver():
        pass
    assert world.tills["a111"].fenced == world.tills["b222"].fenced == ["cloned.boot1"]
    assert len(world.tills["a111"].logs["cloned.boot1"]) == 1


def test_compression_saves_at_least_70_percent_on_sales() -> None:
    world = World(["a111", "b222"], seed=1)
    pick = world.random.randrange
    for place in range(200):
        lines = [
            (f"50{pick(10**8):011d}", f"Product {pick(500)}", "piece", 1000 * pick(1, 4), pick(2000)) for _ in range(4)
        ]
        world.sell("a111", encode((f"cart-{pick(10**9)}", f"ZXMW-{place:06d}", "till.boot1-3", "maya", "GBP", lines)))
    events = world.tills["a111"].logs["a111.boot1"]
    plain = len(msgspec.msgpack.encode(events))
    assert len(write_frame(Push(1, runs_of(events)))) < 0.3 * plain
