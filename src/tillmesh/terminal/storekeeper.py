"""Keeps up who belongs to the store: passes lists of tills on, acts on revocations, gets and gives certificates.

Lists live in memory and are brought to the disk beside everything else; one that was lost in a crash comes again with
the next link. All of it is on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tillmesh.adapters.host.keys import signing_key
from tillmesh.adapters.lan.certificates import (
    Authority,
    CertificateRefused,
    issuing_time_s,
    make_request,
    needs_renewal,
    public_of,
)
from tillmesh.adapters.lan.enrolment import rebirth_message, reborn, renew
from tillmesh.adapters.lan.links import Links
from tillmesh.kernel.errors import NotFound, TillmeshError
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.sync.store_messages import Declined, Lists, Reborn, Renew, Renewed, Retire
from tillmesh.terminal import provisioning
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.terminal.provisioning import Belonging
from tillmesh.terminal.store_post import StorePost
from tillmesh.till.commands import Note

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 0.5  # at what another program left
ASK_AGAIN_S: Final = 30.0  # of an issuer that was asked and did not answer
GIVE_AGAIN_S: Final = 10.0  # to the same till: each certificate makes a list that all tills check, pass on and write
assert GIVE_AGAIN_S < ASK_AGAIN_S


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks that an issuer looks at, in seconds."""

    wall_s: Callable[[], float] = time.time
    monotonic_s: Callable[[], float] = time.monotonic


class Storekeeper:
    """Keeps one till's place in its store up to date."""

    def __init__(
        self, place: Belonging, driver: Driver, mesh: Mesh, links: Links, *, clocks: Clocks | None = None
    ) -> None:
        self._clocks = clocks or Clocks()
        self.place = place
        self._driver, self._mesh, self._links = driver, mesh, links
        self._membership = place.gate.membership
        self._issuers: set[str] = set()  # linked terminals that said that they issue
        self._asked = ""
        self._asked_s: dict[tuple[str, str], float] = {}  # what was asked for, for which actor -> when
        self._given_s: dict[str, float] = {}  # terminal -> when it got a certificate here
        self._begun_s = self._clocks.monotonic_s()
        self._changed = asyncio.Event()
        self._disk, self._newest = threading.Lock(), self._membership.lists
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self.before_leaving: Callable[[], Awaitable[bool]] | None = None  # tried until it says that it is done
        self.staying: Callable[[], None] = lambda: None  # told as long as this till does not leave
        self._errands = Errands("the storekeeper")
        self.post = StorePost(mesh)
        self.post.on(Lists, self._heard)
        self.post.on(Renew, self._renew)
        self.post.on(Reborn, self._reborn)
        self.post.on(Renewed, self._renewed)
        self.post.on(Declined, self._declined)
        self.post.on(Retire, self._retire)
        mesh.watch(self._link_changed)

    @property
    def authority(self) -> Authority | None:
        """The store's authority, on the tills that issue."""
        return self.place.authority

    @property
    def issuers(self) -> frozenset[str]:
        """The terminals that issue, this one too, as far as they are in reach."""
        mine = {terminal_of(self.place.actor)} if self.authority is not None else set[str]()
        return frozenset(self._issuers | mine)

    def listen(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Call the listener when the lists have changed, with the actors that are revoked only since then."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to write down what changes, and to look after the own certificate."""
        self._errands.run(self._writing())
        self._errands.run(self._looking())

    async def stop(self) -> None:
        """Stop, with everything on disk."""
        await self._errands.stop()
        await self.write()

    def learn(self, *lists: bytes, source: str = "") -> None:
        """Take in lists from anyone, act on them at once and pass on what was news; raises RosterRefused."""
        before = self._membership.lists
        revoked: frozenset[str] = frozenset()
        for signed in lists:
            revoked |= self._membership.merge(signed)
        if self._membership.lists == before:
            return
        if self.authority is not None and not self._membership.whole:
            source = ""  # who told us lacks something, too
            self._membership.merge(self.authority.sign(self._membership.revised(self.as_of_s(), {})))
        self._changed.set()
        # Before the links go: whoever is revoked may know it, and the others hear it at once.
        self.post.tell_all(self._lists(), but=source)
        if revoked:
            self._part(revoked)
        for listener in self._listeners:
            listener(revoked)

    def members(self) -> list[str]:
        """List the terminals of the store."""
        return provisioning.terminals(self._membership)

    def revoke(self, terminal: str) -> None:
        """Remove a terminal from the store, for good; only on a till that issues."""
        self.learn(provisioning.revoke(self.require_issuer(), self._membership, terminal, self.as_of_s()))

    def as_of_s(self) -> int:
        """Give the time that may be vouched for, as far as this till can know it."""
        return issuing_time_s(self._membership, **self.times())

    def times(self) -> dict[str, int]:
        """Give what an issuer goes by: the wall clock, and for how long this program has been running."""
        running_s = int(self._clocks.monotonic_s() - self._begun_s)
        return {"wall_s": int(self._clocks.wall_s()), "running_s": running_s}

    # Lists ------------------------------------------------------------------------------------------------------

    def _link_changed(self, actor: str) -> None:
        terminal = terminal_of(actor)
        if terminal in self._mesh.linked():
            self.post.tell(terminal, self._lists())
        else:
            self._issuers.discard(terminal)

    def _lists(self) -> Lists:
        return Lists(list(self._membership.lists), issuer=self.authority is not None)

    def _heard(self, actor: str, message: Lists) -> None:
        if message.issuer:
            self._issuers.add(terminal_of(actor))
        self.learn(*message.lists, source=terminal_of(actor))
        self._ask_if_due()

    def _part(self, revoked: frozenset[str]) -> None:
        """Close the links of actors that are no tills any more, at once."""
        gone = sorted(actor for actor in revoked if not is_office(actor))  # head office never was one
        if gone:
            log.warning("no tills of this store any more: %s", ", ".join(gone))
        self._links.reconsider()
        self._mesh.drop(revoked)

    async def _writing(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.write()

    async def write(self) -> None:
        """Bring the lists to the disk."""
        self._newest = self._membership.lists
        try:
            await asyncio.to_thread(self._keep)
        except OSError as cause:
            log.warning("the list of tills could not be written: %s", cause)

    def _keep(self) -> None:
        with self._disk:  # one after the other, and whoever comes last writes the newest
            provisioning.write_lists(self.place.data_dir, self._newest)

    async def _looking(self) -> None:
        """Take in what another program on this machine left, and see whether a certificate is due."""
        while True:
            for signed in await asyncio.to_thread(provisioning.collect_lists, self.place.data_dir):
                self._learn_left(signed)
            self._ask_if_due()
            if not await asyncio.to_thread(provisioning.is_asked_to_leave, self.place.data_dir):
                self.staying()
            elif await self._ready():
                self._leave()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _ready(self) -> bool:
        """Say whether this till has handed on what others need from it before it leaves."""
        return self.before_leaving is None or await self.before_leaving()

    def _learn_left(self, signed: bytes) -> None:
        """Take in a list that another program on this machine signed: a removal that was ordered there."""
        before = self._membership.revoked
        try:
            self.learn(signed)
        except TillmeshError as cause:
            log.warning("a list that was left here is none: %s", cause.detail)
        for actor in self._membership.revoked - before:
            self.note("till_revoked", terminal_of(actor), "on the command line")

    def _leave(self) -> None:
        """Have the own actor retired, then throw away what proves that this till belonged to the store."""
        me = self.place.actor
        if self._membership.state(me) == "revoked":
            provisioning.leave(self.place.data_dir)
            self.note("store_left", terminal_of(me), me)
        elif self.authority is None or self._issuers or len(self.members()) == 1:
            self._ask(Retire(me))  # an issuer that leaves needs another one that stays

    # The own certificate ----------------------------------------------------------------------------------------

    def _ask_if_due(self) -> None:
        """Get the next certificate when it is time, and have those retired that this terminal was before.

        Whom of those no list knows is introduced first: without its key nobody believes what it sold.
        """
        held, me = self.place.credentials, self.place.actor
        if self._membership.state(me) == "revoked":
            return
        if held.actor != me:
            self._ask(self._rebirth(me))
        elif needs_renewal(held.certificate, self.as_of_s()):
            self._ask(Renew(make_request(held.key, held.store, me)))
        else:
            for old in provisioning.own_actors(self.place.data_dir) - {me}:
                if self._membership.state(old) == "active":
                    self._ask(Retire(old))
                elif self._membership.state(old) == "unknown" and self._mesh.exchange.marks(old).head:
                    self._ask(self._rebirth(old, former=True))

    def _rebirth(self, actor: str, *, former: bool = False) -> Reborn:
        held = self.place.credentials
        request = make_request(held.key, held.store, actor)
        signer = signing_key(self.place.data_dir, actor, create=False)
        proof = signer.sign(rebirth_message(held.actor, actor, request))
        return Reborn(actor, request, signer.public_key().public_bytes_raw(), proof, former)

    def _ask(self, message: Renew | Reborn | Retire) -> None:
        """Ask oneself, or a linked issuer; the same thing again after a while."""
        held = self.place.credentials.actor
        if self.authority is not None:
            match message:
                case Renew():
                    self._renew(held, message)
                case Reborn():
                    self._reborn(held, message)
                case Retire():
                    self._retire(held, message)
            return
        what, now_s = (type(message).__name__, getattr(message, "actor", "")), self._clocks.monotonic_s()
        if self._issuers and now_s >= self._asked_s.get(what, float("-inf")) + ASK_AGAIN_S:
            self._asked_s[what] = now_s
            # Each in turn: the one that was asked last may claim what it can't do, or be stuck.
            self._asked = min((each for each in self._issuers if each > self._asked), default=min(self._issuers))
            self.post.tell(self._asked, message)

    def _renewed(self, actor: str, message: Renewed) -> None:
        self.learn(message.list, source=terminal_of(actor))
        self._take(message.certificate)

    def _take(self, certificate: bytes) -> None:
        """Go on with a certificate, if it is really ours."""
        me, key = self.place.actor, self.place.credentials.key
        named = self.place.gate.admit(certificate)
        if named != me and terminal_of(named) == terminal_of(me):
            self._asked_s.clear()  # who this terminal was before: it is on the list now, and needs no certificate
            return
        if named != me or public_of(certificate) != key.public_key():
            raise CertificateRefused("malformed", "a certificate for somebody else")
        self.place.take(certificate)
        self._links.use(self.place.credentials)
        self._asked_s.clear()
        log.info("this till has a new certificate")

    def _declined(self, actor: str, message: Declined) -> None:
        log.warning("%s gave no certificate: %s: %s", actor, message.code, message.detail)

    # As an issuer -----------------------------------------------------------------------------------------------

    def require_issuer(self) -> Authority:
        """Give the store's authority; raises if this till does not issue."""
        if self.authority is None:
            names = ", ".join(sorted(self._issuers))
            lost = "Switch on a till that does. If all of them are lost for good, your technician can let this one."
            hint = f"Do it at one that does: {names}." if names else lost
            raise NotFound("this till does not issue certificates", hint=hint)
        return self.authority

    def _renew(self, actor: str, message: Renew) -> None:
        self._give(
            actor, lambda: renew(self.require_issuer(), self._membership, message.request, actor, **self.times())
        )

    def _reborn(self, actor: str, message: Reborn) -> None:
        if self._give(actor, lambda: reborn(self.require_issuer(), self._membership, message, actor, **self.times())):
            if message.former:
                self.note("former_till_listed", terminal_of(actor), f"{actor} was {message.actor} before")
            else:
                self.note("till_reborn", terminal_of(actor), f"{actor} goes on as {message.actor}")

    def _give(self, actor: str, issue: Callable[[], tuple[bytes, bytes]]) -> bool:
        """Give a certificate with the list that knows of it, or say why not."""
        terminal, now_s = terminal_of(actor), self._clocks.monotonic_s()
        is_own = terminal == terminal_of(self.place.actor)
        try:
            if not is_own and now_s < self._given_s.get(terminal, float("-inf")) + GIVE_AGAIN_S:
                raise CertificateRefused("crowded", "this till got a certificate a moment ago", hint="Use that one.")
            certificate, signed = issue()
        except TillmeshError as cause:
            self.post.tell(terminal, Declined(cause.kind, cause.detail[:500]))
            return False
        self._given_s[terminal] = now_s
        self.learn(signed)
        if is_own:
            self._take(certificate)
        else:
            self.post.tell(terminal, Renewed(certificate, signed))
        return True

    def _retire(self, actor: str, message: Retire) -> None:
        """Retire an actor for the terminal that it belongs to."""
        if self.authority is None or terminal_of(message.actor) != terminal_of(actor):
            log.warning("%s asked to retire %s, which is not for it to ask here", actor, message.actor)
        elif self._membership.state(message.actor) == "active":
            signed = provisioning.retire(self.authority, self._membership, [message.actor], self.as_of_s())
            is_own_end = message.actor == actor
            self.note("till_retired" if is_own_end else "former_till_retired", terminal_of(actor), message.actor)
            self.learn(signed)

    def note(self, action: str, subject: str, detail: str) -> None:
        """Write something about the store into the audit log."""
        self._errands.run(self._driver.do(SYSTEM, Note(action=action, subject=subject, detail=detail)))
