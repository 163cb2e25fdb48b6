"""The keys of customers' personal data among the tills of a store: told when made, compared now and then.

A till that was away, or lost its disk, has them again from any other. One that comes back with the key of an erased
customer finds nobody who keeps it, and hears of the erasure with the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from tillmesh.adapters.sqlite.subject_keys import SubjectKey
from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import SUBJECT_KEY_MESSAGES_WAITING_MAX, SUBJECT_KEYS_PER_MESSAGE_MAX
from tillmesh.shop.events import CustomersSealed
from tillmesh.sync.channels import Channel
from tillmesh.sync.key_messages import Keys, Sums, Told, read_keys, write_keys
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh
from tillmesh.till.effects import Outcome

log = logging.getLogger(__name__)
COMPARE_S: Final = 20.0
REST_S: Final = 1.0  # between two answers to the same till


class KeyGossip:
    """Keeps the keys of this till and of the others alike."""

    def __init__(self, driver: Driver, mesh: Mesh) -> None:
        self._driver = driver
        self._mesh = mesh
        self._errands = Errands("keys of customers' data")
        self._taking: Counter[str] = Counter()  # messages of a till that wait for the writer
        self._sums: dict[str, Sums | None] = {}  # of tills that are being answered: what they said since
        mesh.on(Channel.KEYS, self._heard)
        mesh.watch(self._link_changed)
        driver.listen(self._committed)

    def start(self) -> None:
        """Begin to compare now and then."""
        self._errands.run(self._comparing())

    async def stop(self) -> None:
        """Stop comparing."""
        await self._errands.stop()

    async def _comparing(self) -> None:
        while True:
            await asyncio.sleep(COMPARE_S)
            for terminal in self._mesh.linked():
                self._compare(terminal)

    def _compare(self, terminal: str) -> None:
        if (keys := self._driver.opened.writer.keys) is not None:
            self._mesh.tell(terminal, Channel.KEYS, write_keys(Sums(keys.buckets())))

    def _link_changed(self, actor: str) -> None:
        if (terminal := terminal_of(actor)) in self._mesh.linked():
            self._compare(terminal)

    def _committed(self, outcome: Outcome) -> None:
        """Tell everybody the keys of customers that were written here: they need them to read it."""
        keys = self._driver.opened.writer.keys
        for event in outcome.events:
            if event.type == "customers_sealed" and keys is not None:
                changes = decode(event.body, CustomersSealed).changes
                self._tell(self._mesh.linked(), keys.keys([change.key for change in changes]))

    def _tell(self, terminals: Iterable[str], keys: Sequence[SubjectKey]) -> None:
        for first in range(0, len(keys), SUBJECT_KEYS_PER_MESSAGE_MAX):
            part = [Told(one.subject, one.key) for one in keys[first : first + SUBJECT_KEYS_PER_MESSAGE_MAX]]
            body = write_keys(Keys(part))
            for terminal in terminals:
                self._mesh.tell(terminal, Channel.KEYS, body)

    def _heard(self, actor: str, body: bytes) -> None:
        message, terminal = read_keys(body), terminal_of(actor)
        if isinstance(message, Sums):
            if terminal not in self._sums:
                self._errands.run(self._answering(terminal))
            self._sums[terminal] = message  # the newest says it all
        elif message is not None and self._taking[terminal] < SUBJECT_KEY_MESSAGES_WAITING_MAX:
            self._taking[terminal] += 1
            self._errands.run(self._take(terminal, message))

    async def _answering(self, terminal: str) -> None:
        """Tell a till what it lacks, as long as it asks: with a rest after each, since that is a walk over all keys."""
        try:
            while (sums := self._sums[terminal]) is not None:
                self._sums[terminal] = None
                if (held := self._driver.opened.writer.keys) is not None:
                    pairs = enumerate(zip(held.buckets(), sums.buckets, strict=True))
                    if other := [number for number, (mine, its) in pairs if mine != its]:
                        self._tell([terminal], held.in_buckets(other))
                await asyncio.sleep(REST_S)
        finally:
            del self._sums[terminal]

    async def _take(self, terminal: str, message: Keys) -> None:
        held = self._driver.opened.writer.keys
        told = [SubjectKey(one.subject, one.key) for one in message.keys]
        try:
            new = [] if held is None else await self._driver.on_opened(lambda _: held.keep(told))
        except TillmeshError as cause:
            log.warning("keys that %s told could not be kept: %s", terminal, cause.detail)
            return
        finally:
            self._taking[terminal] -= 1
        self._tell([name for name in self._mesh.linked() if name != terminal], new)
