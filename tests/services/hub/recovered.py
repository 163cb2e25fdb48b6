"""A store at head office without any process between them: uploaded, lost and got back in one thread."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.faults.corner_shop import FLOAT_MINOR, MANAGER, driving, found_shop, sale
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.wan.bundle import Bundle, read_bundle, write_bundle
from tillmesh.adapters.wan.certificates import serial_of
from tillmesh.adapters.wan.client import Reply
from tillmesh.fleet.recovering import page_of, read_place
from tillmesh.hub import recovery
from tillmesh.hub.bootstrap import Opened
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import SYNC_BATCH_BYTES_MAX
from tillmesh.sync.messages import Mark, Span, runs_of
from tillmesh.sync.recovery import Claim, Page, write_estate, write_page
from tillmesh.sync.upload import Batch
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.joining import join_here
from tillmesh.terminal.signing import Signatures
from tillmesh.terminal.store_recovery import Asked, recover

NOW_MS = 1_800_000_000_000
PIN = "9999"


def found_store(folder: Path, tills: int) -> list[Path]:
    """Make a shop of so many tills; one alone belongs to no store of several."""
    places = [folder / f"till-{number}" for number in range(1, tills + 1)]
    found_shop(places[0], pins=True)
    for number, place in enumerate(places[1:], 2):
        join_here(places[0], place, number=number, float_minor=FLOAT_MINOR, by=MANAGER)
    return places


def sell(place: Path, *numbers: int) -> list[str]:
    """Sell baskets at a till and give the sale ids."""
    with driving(place) as driver:
        outcomes = [driver.do_now(MANAGER, sale(f"{place.name}-{number}", number)) for number in numbers]
    return [outcome.events[-1].id for outcome in outcomes]


def upload(hub: Opened, place: Path, *, term: int = 1, events_max: int = 7) -> None:
    """Let head office have all that a till holds, in small batches, as its leader would."""
    opened = open_terminal(place)
    try:
        store, db, books = opened.origin.store, opened.writer.db, opened.writer.books
        lists = provisioning.membership_in(place, store).lists if provisioning.store_authority(place) else ()
        heads = replica.heads(db)
        marks = {actor: Mark(head.seq, head.hash) for actor, head in heads.items()}
        for actor, head in heads.items():
            at = hub.service.state(store).acked.get(actor, 0)
            while at < head.seq:
                events, signed = replica.load_signed(
                    db, books, [Span(actor, at + 1, head.seq)], Signatures(place, store),
                    events_max=events_max, bytes_max=SYNC_BATCH_BYTES_MAX,
                )  # fmt: skip
                batch = Batch(store, term, opened.origin.actor, marks, runs_of(events, signed), list(lists))
                at = hub.service.take(batch, NOW_MS).acked[actor]
    finally:
        opened.close()


class Direct:
    """The way to head office without a network; ``spoil`` may change a page on its way, or raise."""

    def __init__(self, hub: Opened, bundle: Bundle, spoil: Callable[[Page], Page] = lambda page: page) -> None:
        self.hub, self.store, self.serial = hub, bundle.store, serial_of(bundle.certificate)
        self.spoil, self.pages, self.now_ms = spoil, 0, NOW_MS

    def estate(self) -> Reply:
        return _said(self._estate)

    def page(self, after: str) -> Reply:
        return _said(lambda: self._page(after))

    def claim(self, body: bytes) -> Reply:
        said = msgspec.json.decode(body, type=Claim)
        return _said(lambda: str(recovery.claim(self.hub, self.store, self.serial, said, self.now_ms)).encode())

    def _estate(self) -> bytes:
        found, held = recovery.estate(self.hub, self.store, self.serial, self.now_ms)
        reading = self.hub.reading()
        try:
            tills = {actor.partition(".")[0] for actor in held.heads} - {"headoffice"}
            names = {till: dict(reading.setting(self.store, till)) for till in tills}
        finally:
            reading.close()
        return write_estate(recovery.named(found, dict(self.hub.service.seen[self.store].has), names))

    def _page(self, after: str) -> bytes:
        self.pages += 1
        tills = recovery.vouching(self.hub, self.store, self.serial, self.now_ms)
        stretch = self.hub.log.of_store(self.store, read_place(after))
        made = page_of(self.store, stretch, lambda head: recovery.vouch(self.hub, self.store, head, tills))
        return write_page(self.spoil(made))


def _said(work: Callable[[], bytes]) -> Reply:
    try:
        return Reply(200, work())
    except TillmeshError as error:
        return Reply(error.status, f'{{"kind": "{error.kind}", "detail": "{error.detail}"}}'.encode())


def permitted(hub: Opened, store: str) -> Bundle:
    return read_bundle(recovery.permit(hub, store, NOW_MS))


def recovered(place: Path, bundle: Bundle, line: Direct, **said: str) -> dict[str, object]:
    """Run the command on a new machine."""
    asked = Asked(write_bundle(bundle), pin=PIN, **said)
    return recover(place, asked, bundle, line)


def burn(*places: Path) -> None:
    """Lose machines with everything on them."""
    for place in places:
        shutil.rmtree(place)
