"""All the links of a till at once: which session gets what, whom to push to, and how far each peer is.

Invariant: a peer has at most one session; a new link replaces the old one, and what the old one still says is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.ids import is_office
from tillmesh.sync import Acked, Closed, Fence, Hello, Intake, Message, Notary, Session, Side, Step
from tillmesh.sync.messages import NO_SIGNATURES
from tillmesh.till.queue import Marks

HUB: Final = "hub"  # under this name is noted what head office holds; no till is called so
PEERS_MAX: Final = 32  # Guess: 15 tills, and the back office's devices.


@dataclass(slots=True)
class Peer:
    """What is known of one peer."""

    session: Session | None = None
    link: int = 0  # which of its links is the live one
    durable: dict[str, int] = field(default_factory=dict)
    heard_ms: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that the driver has to do for one link of a peer."""

    peer: str
    link: int
    step: Step


class Exchange:
    """The replication state of one till. Peers are named by terminal id; ``leader`` is one of them, oneself or None."""

    def __init__(
        self,
        me: Side,
        terminal: str,
        heads: Mapping[str, Head],
        *,
        notary: Notary | None = None,
        intake: Intake | None = None,
    ) -> None:
        self._me = me
        self._notary = notary
        self._intake = intake
        self._terminal = terminal
        self._heads = dict(heads)
        self._peers: dict[str, Peer] = {}
        self._links = 0
        self._leader: str | None = None
        self._at_hub: dict[str, int] = {}
        self._put_away: dict[str, int] = {}
        self._to_hub: dict[str, int] = {}
        self.fenced: dict[str, str] = {}  # actor -> what was found out

    def recall(self, acks: Mapping[str, Mapping[str, int]]) -> None:
        """Begin with what peers were known to hold before the last stop; their next hello says how it is now."""
        for peer, durable in acks.items():
            if peer == HUB:
                self.uploaded(durable)
            elif len(self._peers) < PEERS_MAX:
                self._peers.setdefault(peer, Peer()).durable.update(durable)

    def linked(self, peer: str, now_ms: int) -> tuple[int, list[Ask]]:
        """A link to a peer is up: begin a session on it, and give the link's number."""
        if peer not in self._peers and len(self._peers) >= PEERS_MAX:
            self._forget_one()
        self._links += 1
        known = self._peers.setdefault(peer, Peer())
        known.link, known.heard_ms = self._links, now_ms
        eager = self._pushes_to(peer)
        known.session = Session(self._me, self._heads, eager=eager, notary=self._notary, intake=self._intake)
        for actor in self.fenced:
            known.session.fence(actor)
        return self._links, [*self._asks(peer, known, known.session.start(now_ms)), *self._follow()]

    def unlinked(self, peer: str, link: int) -> None:
        """A link is down; what the peer told stays true."""
        known = self._peers.get(peer)
        if known is not None and known.link == link:
            known.session = None

    def received(self, peer: str, link: int, message: Message | None, now_ms: int) -> list[Ask]:
        """A message came in on a link."""
        known = self._peers.get(peer)
        if known is not None:
            known.heard_ms = now_ms
            if isinstance(message, Hello) and known.link == link:
                known.durable = {}  # a hello names all that the peer holds: its disk may be another one now
        return self._on(peer, link, lambda session: session.receive(message, now_ms))

    def loaded(
        self,
        peer: str,
        link: int,
        events: Sequence[Envelope],
        now_ms: int,
        signatures: Mapping[tuple[str, int], bytes] = NO_SIGNATURES,
    ) -> list[Ask]:
        """What a session asked to read was read, with signatures of the heads it ends in."""
        return self._on(peer, link, lambda session: session.loaded(events, now_ms, signatures))

    def applied(self, peer: str, link: int, batch: int, heads: Mapping[str, Head], now_ms: int) -> list[Ask]:
        """A batch is on disk: acknowledge it, and let the other peers have it."""
        asks = self._on(peer, link, lambda session: session.applied(batch, heads, now_ms))
        for head in heads.values():
            asks += self.appended(head, but=peer)
        return asks

    def put_off(self, peer: str, link: int, batch: int, wait_ms: int, now_ms: int) -> list[Ask]:
        """A batch could not be stored now."""
        return self._on(peer, link, lambda session: session.refused(batch, wait_ms, now_ms))

    def appended(self, head: Head, but: str = "") -> list[Ask]:
        """The log of an actor has grown on this disk."""
        held = self._heads.get(head.actor)
        if held is not None and held.seq > head.seq:
            return []
        self._heads[head.actor] = head
        asks: list[Ask] = []
        for name, peer in self._peers.items():
            if peer.session is not None and name != but:
                asks += self._asks(name, peer, peer.session.appended(head))
        return asks

    def lead(self, leader: str | None) -> list[Ask]:
        """Follow who leads: the leader pushes to everybody, the others to the leader; without one, all to all."""
        if leader != self._leader:
            self._to_hub = {}  # what the last leader was uploading, the new one has to send again
        self._leader = leader
        return self._follow()

    def _follow(self) -> list[Ask]:
        """Push to whom the leader, and whether it is in reach, makes it right to push to; and tell them how that is."""
        asks: list[Ask] = []
        leaderless = self._leader != self._terminal and not self._is_linked(self._leader)
        for name, peer in self._peers.items():
            if peer.session is not None:
                asks += self._asks(name, peer, peer.session.be_leaderless(leaderless=leaderless))
            if peer.session is not None:
                asks += self._asks(name, peer, peer.session.be_eager(eager=self._pushes_to(name)))
        return asks

    def _is_linked(self, name: str | None) -> bool:
        peer = self._peers.get(name) if name is not None else None
        return peer is not None and peer.session is not None

    @property
    def leader(self) -> str | None:
        """Who leads, as far as this till was told."""
        return self._leader

    def uploading(self, sent: Mapping[str, int]) -> None:
        """Note what the leader has under way to the hub; nothing after an answer or a timeout."""
        self._to_hub = dict(sent)

    def uploaded(self, durable: Mapping[str, int]) -> None:
        """Note what the hub holds durably; that never becomes less."""
        for actor, seq in durable.items():
            self._at_hub[actor] = max(seq, self._at_hub.get(actor, 0))

    def wake(self, now_ms: int) -> list[Ask]:
        """Let every session look at the time, and see who is gone meanwhile."""
        asks = self._follow()
        for name, peer in self._peers.items():
            if peer.session is not None:
                asks += self._asks(name, peer, peer.session.wake(now_ms))
        return asks

    def replicated_to(self, actor: str, seq: int) -> tuple[str, ...]:
        """List the peers that hold an event durably."""
        return tuple(sorted(name for name, peer in self._peers.items() if peer.durable.get(actor, 0) >= seq))

    def marks(self, actor: str) -> Marks:
        """Say how far the events of an actor have come on their way to the leader and the hub."""
        head = self._heads.get(actor, Head(actor)).seq
        leader = self._peers.get(self._leader) if self._leader is not None else None
        session = leader.session if leader is not None else None
        at_leader = leader.durable.get(actor, 0) if leader is not None else 0
        return Marks(
            head=head,
            to_leader=session.in_flight.get(actor, 0) if session is not None else 0,
            at_leader=head if self._leader == self._terminal else at_leader,
            to_hub=self._to_hub.get(actor, 0),
            at_hub=self._at_hub.get(actor, 0),
            pruned=self._put_away.get(actor, 0),
        )

    def at_hub(self) -> dict[str, int]:
        """Give how far head office is known to hold every actor's events."""
        return dict(self._at_hub)

    def put_away(self, reached: Mapping[str, int]) -> None:
        """Hear how far every actor's sales lie in this till's archive."""
        self._put_away = dict(reached)

    def stable(self, members: Iterable[str]) -> dict[str, int] | None:
        """Give how far every log is durable on this till and on all of these others, or None if one was never heard."""
        others = [self._peers.get(name) for name in members if name != self._terminal]
        if not all(others):
            return None
        held = [peer.durable for peer in others if peer is not None]
        cut = {actor: min([head.seq, *(each.get(actor, 0) for each in held)]) for actor, head in self._heads.items()}
        return {actor: seq for actor, seq in cut.items() if seq}

    def lacked(self, members: Iterable[str]) -> dict[str, dict[str, int]]:
        """Name the others that are not linked and lack events held here: of each log the first one that they lack."""
        found: dict[str, dict[str, int]] = {}
        for name in set(members) - {self._terminal}:
            peer = self._peers.get(name) or Peer()
            if peer.session is None:
                held = peer.durable
                found[name] = {a: held.get(a, 0) + 1 for a, head in self._heads.items() if held.get(a, 0) < head.seq}
        return {name: first for name, first in found.items() if first}

    def ended(self, members: Iterable[str]) -> dict[str, int] | None:
        """Give the logs that end at the same event on this till and on all of these others, each with that event.

        None unless every one of them is linked: who is not may have heard more meanwhile.
        """
        others = [self._peers.get(name) for name in members if name != self._terminal]
        held = [peer.durable for peer in others if peer is not None and peer.session is not None]
        if len(held) < len(others):
            return None
        return {
            actor: head.seq for actor, head in self._heads.items() if all(one.get(actor) == head.seq for one in held)
        }

    def of_office(self) -> dict[str, int]:
        """Count per till of the store how many of head office's events it is known to hold durably."""
        held = {self._terminal: {actor: head.seq for actor, head in self._heads.items()}}
        held |= {name: dict(peer.durable) for name, peer in self._peers.items()}
        return {name: sum(seq for actor, seq in seqs.items() if is_office(actor)) for name, seqs in held.items()}

    def held_elsewhere(self) -> int:
        """Give the last own event that some other till holds durably."""
        return max((peer.durable.get(self._me.actor, 0) for peer in self._peers.values()), default=0)

    def peers(self) -> dict[str, tuple[bool, int, int | None]]:
        """Give per peer whether it is linked, when it was heard last (ms), and how many events it lacks, if known."""
        return {
            name: (peer.session is not None, peer.heard_ms, self._lacks(peer))
            for name, peer in sorted(self._peers.items())
        }

    def _lacks(self, peer: Peer) -> int | None:
        if peer.session is not None:
            return peer.session.lacks
        if not peer.durable:
            return None
        return sum(max(0, head.seq - peer.durable.get(actor, 0)) for actor, head in self._heads.items())

    def behind(self) -> dict[str, int | None]:
        """Give per linked peer how many events it holds that are not on this disk; None before its hello."""
        return {name: peer.session.behind for name, peer in self._peers.items() if peer.session is not None}

    def is_behind(self) -> bool:
        """Say whether a linked peer holds events that are on their way here, or has not said yet what it holds."""
        return any(peer.session is not None and peer.session.unheard != 0 for peer in self._peers.values())

    def _pushes_to(self, peer: str) -> bool:
        if self._leader == self._terminal or not self._is_linked(self._leader):
            return True  # a leader that is not linked is no help: tills then talk to whom they reach
        return peer == self._leader

    def _on(self, peer: str, link: int, work: Callable[[Session], list[Step]]) -> list[Ask]:
        known = self._peers.get(peer)
        if known is None or known.session is None or known.link != link:
            return []
        return self._asks(peer, known, work(known.session))

    def _asks(self, name: str, peer: Peer, steps: Sequence[Step]) -> list[Ask]:
        """Take in what concerns the till itself, and pass the rest on."""
        asks = []
        for step in steps:
            match step:
                case Acked(durable):
                    peer.durable.update(durable)
                case Fence(actor, detail, everywhere=True):
                    self.fenced[actor] = detail
                    self._fence_everywhere(actor)
                case Closed():
                    peer.session = None
                case _:
                    pass
            asks.append(Ask(name, peer.link, step))
        return asks

    def _fence_everywhere(self, actor: str) -> None:
        for peer in self._peers.values():
            if peer.session is not None:
                peer.session.fence(actor)

    def _forget_one(self) -> None:
        """Make room: the peer that was silent longest and has no link."""
        idle = [(peer.heard_ms, name) for name, peer in self._peers.items() if peer.session is None]
        if idle:
            del self._peers[min(idle)[1]]
