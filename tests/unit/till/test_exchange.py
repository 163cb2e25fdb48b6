"""A till with several links: who gets what."""

from __future__ import annotations

from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.sync import Ack, Acked, Apply, Hello, Later, Load, Mark, Presence, Push, Send, Side, runs_of
from tillmesh.sync.sending import RESEND_MS
from tillmesh.till.exchange import Ask, Exchange

STORE = "store"


def sales(actor: str, count: int) -> list[Envelope]:
    head, events = Head(actor), []
    for number in range(count):
        event = seal(STORE, head, hlc=number + 1, kind="sale_closed", version=1, body=b"%d" % number)
        events.append(event)
        head = Head(actor, event.seq, event.hash)
    return events


def head_of(events: list[Envelope]) -> Head:
    return Head(events[-1].actor, events[-1].seq, events[-1].hash)


def hello(terminal: str, **heads: Mark) -> Hello:
    return Hello(1, STORE, 0, f"{terminal}.boot1", {f"{name}.boot1": mark for name, mark in heads.items()})


def exchange(*own: Envelope) -> Exchange:
    heads = {own[-1].actor: head_of(list(own))} if own else {}
    return Exchange(Side(STORE, "t111.boot1"), "t111", heads)


def loads(asks: list[Ask]) -> list[str]:
    return [ask.peer for ask in asks if isinstance(ask.step, Load)]


def test_without_a_leader_a_sale_is_pushed_to_everybody_in_reach() -> None:
    till = exchange()
    for peer in ("t222", "t333"):
        link, _ = till.linked(peer, 0)
        till.received(peer, link, hello(peer), 0)
    assert loads(till.appended(head_of(sales("t111.boot1", 1)))) == ["t222", "t333"]


def test_a_follower_pushes_to_its_leader_only() -> None:
    till = exchange()
    for peer in ("t222", "t333"):
        link, _ = till.linked(peer, 0)
        till.received(peer, link, hello(peer), 0)
    till.lead("t333")
    assert loads(till.appended(head_of(sales("t111.boot1", 1)))) == ["t333"]


def test_a_leader_that_is_out_of_reach_stops_nobody() -> None:
    till = exchange()
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222"), 0)
    till.lead("t999")
    assert loads(till.appended(head_of(sales("t111.boot1", 1)))) == ["t222"]


def test_what_a_peer_brings_goes_on_to_the_others_once_it_is_on_disk() -> None:
    till = exchange()
    links = {}
    for peer in ("t222", "t333"):
        links[peer], _ = till.linked(peer, 0)
        till.received(peer, links[peer], hello(peer), 0)
    events = sales("t222.boot1", 2)
    known, ask = till.received("t222", links["t222"], Push(1, runs_of(events)), 1)
    assert known.step == Acked({"t222.boot1": 2}), "who sends an event has it on disk"
    assert isinstance(ask.step, Apply)
    assert ask.step.events == tuple(events)
    asks = till.applied("t222", links["t222"], 1, {"t222.boot1": head_of(events)}, 2)
    assert [type(ask.step.message) for ask in asks if isinstance(ask.step, Send)] == [Ack]
    assert loads(asks) == ["t333"]


def test_replicated_means_that_the_other_disk_said_so() -> None:
    events = sales("t111.boot1", 3)
    till = exchange(*events)
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222"), 0)
    till.loaded("t222", link, events, 0)
    assert till.replicated_to("t111.boot1", 1) == ()
    assert till.held_elsewhere() == 0
    till.received("t222", link, Ack(1, {"t111.boot1": 2}), 1)
    assert till.replicated_to("t111.boot1", 2) == ("t222",)
    assert till.replicated_to("t111.boot1", 3) == ()
    assert till.held_elsewhere() == 2


def test_what_an_old_link_still_says_is_ignored() -> None:
    till = exchange(*sales("t111.boot1", 1))
    old, _ = till.linked("t222", 0)
    new, _ = till.linked("t222", 1)
    assert till.received("t222", old, hello("t222"), 2) == []
    assert loads(till.received("t222", new, hello("t222"), 2)) == ["t222"]


def test_an_actor_that_forked_is_fenced_on_every_link() -> None:
    mine = sales("gone.boot1", 1)
    till = Exchange(Side(STORE, "t111.boot1"), "t111", {"gone.boot1": head_of(mine)})
    first, _ = till.linked("t222", 0)
    second, _ = till.linked("t333", 0)
    till.received("t222", first, hello("t222", gone=Mark(1, b"another")), 0)
    assert list(till.fenced) == ["gone.boot1"]
    assert loads(till.received("t333", second, hello("t333"), 0)) == []


def led(events: list[Envelope]) -> tuple[Exchange, int]:
    """A till that has just sent its sales to its leader."""
    till = exchange(*events)
    till.lead("t222")
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222"), 0)
    till.loaded("t222", link, events, 0)
    return till, link


def states(till: Exchange, count: int) -> list[str]:
    return [till.marks("t111.boot1").state(seq).value for seq in range(1, count + 1)]


def test_a_sale_goes_from_pending_over_the_leader_to_head_office() -> None:
    events = sales("t111.boot1", 2)
    alone = exchange(*events)
    assert states(alone, 2) == ["pending", "pending"]
    till, link = led(events)
    assert states(till, 2) == ["sent_to_leader", "sent_to_leader"]
    till.received("t222", link, Ack(1, {"t111.boot1": 2}), 1)
    assert states(till, 2) == ["acked_by_leader", "acked_by_leader"]
    till.uploading({"t111.boot1": 2})
    assert states(till, 2) == ["sent_to_hub", "sent_to_hub"]
    till.uploaded({"t111.boot1": 1})
    assert states(till, 2) == ["complete", "sent_to_hub"]
    till.uploading({})
    assert states(till, 2) == ["complete", "acked_by_leader"]


def test_a_batch_that_nobody_answered_is_pending_again() -> None:
    till, link = led(sales("t111.boot1", 1))
    till.wake(RESEND_MS)
    assert states(till, 1) == ["pending"]
    till.unlinked("t222", link)
    assert states(till, 1) == ["pending"]


def test_a_busy_leader_has_been_sent_nothing() -> None:
    till, link = led(sales("t111.boot1", 1))
    till.received("t222", link, Later(1, 500), 1)
    assert states(till, 1) == ["pending"]


def test_a_new_leader_has_to_be_told_what_the_old_one_knew() -> None:
    till, link = led(sales("t111.boot1", 1))
    till.received("t222", link, Ack(1, {"t111.boot1": 1}), 1)
    till.uploading({"t111.boot1": 1})
    till.lead("t333")
    assert states(till, 1) == ["pending"]
    assert till.replicated_to("t111.boot1", 1) == ("t222",), "the copy is still there"
    till.lead("t111")
    assert till.leader == "t111"
    assert states(till, 1) == ["acked_by_leader"], "who leads has its own sales at the leader"


def test_a_peer_that_comes_back_with_another_disk_holds_only_what_it_says() -> None:
    till, link = led(sales("t111.boot1", 2))
    till.received("t222", link, Ack(1, {"t111.boot1": 2}), 1)
    again, _ = till.linked("t222", 2)
    till.received("t222", link, hello("t222"), 2)
    assert till.held_elsewhere() == 2, "the old link has no say"
    till.received("t222", again, hello("t222"), 2)
    assert till.held_elsewhere() == 0


def test_what_peers_held_before_a_restart_counts_until_they_say_otherwise() -> None:
    till = exchange(*sales("t111.boot1", 3))
    till.recall({"t222": {"t111.boot1": 2}})
    assert till.replicated_to("t111.boot1", 2) == ("t222",)
    assert till.peers()["t222"] == (False, 0, 1), "it lacks the third"


def test_a_cut_is_stable_only_as_far_as_every_member_has_told() -> None:
    own = sales("t111.boot1", 3)
    till = exchange(*own)
    link, _ = till.linked("t222", 0)
    till.received("t222", link, hello("t222", t111=Mark(2, own[1].hash)), 0)
    assert till.stable(["t111", "t222"]) == {"t111.boot1": 2}
    assert till.stable(["t111", "t222", "t333"]) is None, "one was never heard"
    till.unlinked("t222", link)
    assert till.stable(["t111", "t222"]) == {"t111.boot1": 2}, "what it told stays true"


def test_a_follower_pushes_to_a_till_that_reaches_no_leader() -> None:
    till = exchange()
    for peer in ("t222", "t333"):
        link, _ = till.linked(peer, 0)
        till.received(peer, link, hello(peer), 0)
    till.lead("t333")
    till.received("t222", 1, Presence({}, leaderless=True), 1)
    assert sorted(loads(till.appended(head_of(sales("t111.boot1", 1))))) == ["t222", "t333"]
    till.received("t222", 1, Presence({"t111.boot1": 1}), 2)
    assert loads(till.appended(head_of(sales("t111.boot1", 2)))) == []


def test_a_till_tells_whom_it_reaches_when_its_leader_is_out_of_reach_and_when_it_is_back() -> None:
    till = exchange()
    link, _ = till.linked("t222", 0)
    told = till.received("t222", link, hello("t222"), 0)
    assert leaderless_told(told) == [("t222", True)]
    other, _ = till.linked("t333", 0)
    till.received("t333", other, hello("t333"), 0)
    asks = till.lead("t333")
    assert leaderless_told(asks) == [("t222", False), ("t333", False)]
    till.unlinked("t333", other)
    assert leaderless_told(till.wake(1)) == [("t222", True)]


def leaderless_told(asks: list[Ask]) -> list[tuple[str, bool]]:
    found = []
    for ask in asks:
        match ask.step:
            case Send(Presence() as presence):
                found.append((ask.peer, presence.leaderless))
            case _:
                pass
    return found
