"""The models of one till: what ships with the program is put on the shelf, and a worker answers when somebody asks.

Selling never waits for any of it: whatever fails here is counted, said in words, and done by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from tillmesh.adapters.inference.questions import NoAnswer, Reply
from tillmesh.adapters.inference.runner import Runner
from tillmesh.adapters.inference.shelf import Shelf, read_folder
from tillmesh.adapters.inference.tally import Tally
from tillmesh.adapters.sqlite.examples import examples, named
from tillmesh.edge.bundle import Manifest, Refused, Sealed, Trusted, read_manifest, unpack, vouched
from tillmesh.sync.model_orders import Kind, Order
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.model_failing import GivingUp, finding

RECOGNITION: Final = "recognition"
SHIPPED: Final = Path(__file__).parents[1] / "models"
# The limits of docs/operations/monitoring.md.
FALLBACK_SHARE_MAX: Final = 0.05
AGREEMENT_MIN: Final = 0.9
P99_MS_MAX: Final = 300.0
TIMED_MIN: Final = 100  # of fewer answers none is one in a hundred; the first ones wait for the model to be loaded
JUDGED_MIN: Final = 20  # Guess: fewer confirmations say nothing about a model
log = logging.getLogger(__name__)


class Orders(Protocol):
    """What head office wants of the models, and how far this till is with it."""

    def names(self) -> list[str]:
        """List the models that there are orders for."""
        ...

    def view(self, name: str) -> dict[str, Any]:
        """Say it of one model, for the page."""
        ...

    def findings(self) -> list[str]:
        """Say in words what a manager should know."""
        ...

    def serial(self, name: str) -> int:
        """Give the newest order's for a model; 0 without any."""
        ...

    @property
    def refused(self) -> Mapping[tuple[str, str], int]:
        """How often something was refused, by model and reason."""
        ...


class Ai:
    """The models of this till, and how they do."""

    orders: Orders | None = None  # of a till that hears of head office

    def __init__(
        self,
        data_dir: Path,
        shipped: Path = SHIPPED,
        *,
        driver: Driver | None = None,
        deadline_ms: int = 0,
        **runner: Any,
    ) -> None:
        self._shipped, self._driver, self._deadline_ms = shipped, driver, deadline_ms
        self._errands = Errands("looking after models")
        self._is_telling = False
        self._is_behind = False  # something was learnt that recognition was not told yet
        self.shelf = Shelf(data_dir / "models", trusted_keys(shipped, data_dir))
        self.runner = Runner(self.shelf, **runner)
        self._changing = asyncio.Lock()  # of which version runs: one change after the other
        self.giving_up = GivingUp(self.shelf, self._changing, self._errands, self._serial, self._fell_back)
        self.runner.did = self.giving_up.heard

    def stock_up(self) -> None:
        """Put the models that ship with the program on the shelf, where they are newer than what is there. Blocks."""
        if not self._shipped.is_dir():
            return
        for folder in sorted(path for path in self._shipped.iterdir() if path.is_dir()):
            try:
                self._put(read_folder(folder))
            except Refused as refused:
                if refused.reason not in {"same", "older", "held", "failed"}:
                    log.error("the model in %s is not used: %s", folder.name, refused.detail)  # noqa: TRY400
            except OSError as cause:
                log.error("the model in %s can't be installed: %s", folder.name, cause)  # noqa: TRY400

    def _put(self, given: Sealed) -> None:
        if self.shelf.mend(given):
            log.warning("a model on the shelf was not what was put there any more; it is again")
            return
        manifest = self.shelf.put(given, now_ms())
        self.shelf.switch(manifest.name)
        log.info("model %s %s is installed", manifest.name, manifest.version)

    async def start(self) -> None:
        """Put what ships on the shelf, and tell models what this till knows."""
        await asyncio.to_thread(self.stock_up)
        self.learnt()

    def learnt(self) -> None:
        """Products were shown to a camera, here or elsewhere, or changed: tell recognition what to compare with."""
        self._is_behind = True
        if self._driver is not None and not self._is_telling:
            self._is_telling = True
            self._errands.run(self._catch_up(self._driver))

    async def _catch_up(self, driver: Driver) -> None:
        """Tell recognition what changed, and again while more does: an import is many changes."""
        try:
            while self._is_behind:
                self._is_behind = False
                await self._tell_products(driver)
        finally:
            self._is_telling = False

    async def _tell_products(self, driver: Driver) -> None:
        manifest = self.shelf.manifest(RECOGNITION)
        if manifest is None:
            return
        space, starters = str(manifest.settings["space"]), manifest.settings["starters"]
        state = await driver.read(lambda db, _: (examples(db, space), named(db, starters)))
        self.runner.tell(RECOGNITION, msgspec.msgpack.encode(state))

    async def install(self, given: Sealed) -> Manifest:
        """Take a new version: verify it, try it beside the one that runs, and let it run only if it works."""
        async with self._changing:
            manifest = await asyncio.to_thread(self.shelf.put, given, now_ms())
            spare = self.shelf.standing(manifest.name).spare
            tried = await self.runner.try_out(manifest.name, spare, manifest.version, manifest.contract.deadline_ms)
            if tried.refused:
                raise Refused(f"{manifest.name} {manifest.version}: {tried.detail}", reason=tried.refused)
            await asyncio.to_thread(self.shelf.switch, manifest.name)
        self.learnt()
        return manifest

    async def roll_back(self, raw: bytes, signature: bytes) -> None:
        """Go back to an older version, as somebody who may sign the model signed."""
        async with self._changing:
            rollback = await asyncio.to_thread(self.shelf.roll_back, raw, signature)
        self.runner.refused.pop(rollback.name, None)

    async def follow(self, order: Order, data: bytes) -> None:
        """Take the bundle that head office ordered; ``data`` are the bytes whose SHA-256 the order names."""
        given = await asyncio.to_thread(self._believe, order, data)
        await self.install(given)

    def _believe(self, order: Order, data: bytes) -> Sealed:
        """Let head office's order vouch for a model that nobody else signed whom this till trusts."""
        if sha256(data).hexdigest() != order.sha256:
            raise Refused(f"this is not {order.name} {order.version} as head office ordered it", reason="hash")
        given, shelf = unpack(data), self.shelf
        manifest = read_manifest(
            given.manifest, given.signature, {vouched(given.manifest, given.signature): (order.name,)}
        )
        if (manifest.name, manifest.version) != (order.name, order.version):
            what = f"{manifest.name} {manifest.version} where {order.name} {order.version} was ordered"
            raise Refused(f"the bundle holds {what}", reason="manifest")
        try:
            read_manifest(given.manifest, given.signature, shelf.trusted)
        except Refused:
            shelf.vouch(given, order.name)
        if order.kind is Kind.RUN:
            shelf.lift(order.name, order.version)
        return given

    async def go_back(self, order: Order) -> None:
        """Go back to an older version, as head office ordered; the worker loads it at once if it runs."""
        async with self._changing:
            standing = await asyncio.to_thread(self.shelf.go_back, order)
        self.runner.refused.pop(order.name, None)
        self.learnt()
        if standing.active and self.runner.pid is not None:
            with suppress(NoAnswer):
                await self.runner.load(order.name)

    def _serial(self, name: str) -> int:
        return 0 if self.orders is None else self.orders.serial(name)

    def _fell_back(self, name: str) -> None:
        """The version before runs again: what it refused or knew is of the one that was given up."""
        self.runner.refused.pop(name, None)
        self.learnt()

    async def ask(self, model: str, given: bytes, wait_ms: int | None = None) -> Reply:
        """Ask a model; raises :class:`NoAnswer` by the deadline."""
        return await self.runner.ask(model, given, wait_ms or self._deadline_ms or None)

    def tally(self, model: str) -> Tally:
        """Give a model's counts."""
        return self.runner.tallies[model]

    def status(self) -> dict[str, Any]:
        """Say how every model is, for the page and for whoever wonders."""
        runner = self.runner
        return {
            "enabled": True,
            "worker": {
                "pid": runner.pid,
                "running": runner.pid is not None,
                "ended": runner.restarts,
                "memory_bytes": runner.memory_bytes,
                "memory_limit_bytes": runner.memory_mib << 20,
            },
            "models": [self._view(name) for name in self._names()],
        }

    def _names(self) -> list[str]:
        return sorted({*self.shelf.names(), *(self.orders.names() if self.orders is not None else ())})

    def _view(self, name: str) -> dict[str, Any]:
        standing = self.shelf.standing(name)
        manifest = self.shelf.manifest(name)
        refused = self.runner.refused.get(name)
        described: dict[str, Any] = {}
        if manifest is not None:
            described = {
                "engine": manifest.engine,
                "licence": manifest.licence,
                "metrics": manifest.metrics,
                "contract": msgspec.to_builtins(manifest.contract),
            }
        return {
            "name": name,
            "version": standing.version,
            "slot": standing.active,
            "floor": standing.floor,
            "given_up": standing.failed,
            "given_up_reason": standing.failed_reason,
            "loaded": self.runner.loaded.get(name) == standing.version and bool(standing.active),
            "refused": "" if refused is None else refused[0],
            "detail": "" if refused is None else refused[1],
            **described,
            **self.tally(name).view(),
            **(self.orders.view(name) if self.orders is not None else {"order": None, "refused_orders": {}}),
        }

    def findings(self) -> list[str]:
        """Say in plain words what a manager should know; nothing when all is well."""
        found = []
        for name in self.shelf.names():
            refused = self.runner.refused.get(name)
            if refused is not None:
                found.append(f"The model for {name} is not used ({refused[1]}). Work goes on by hand.")
            if gone := finding(name, self.shelf.standing(name)):
                found.append(gone)
            found += [f"{name}: {text}" for text in troubles(self.tally(name))]
        return found + (self.orders.findings() if self.orders is not None else [])

    async def stop(self) -> None:
        """End the worker."""
        await self._errands.stop()
        await self.runner.stop()


def troubles(tally: Tally) -> list[str]:
    """Say which of the limits that monitoring knows a model is over."""
    found = []
    if tally.asked and tally.fallback_share() > FALLBACK_SHARE_MAX:
        missed = sum(tally.fallbacks.values())
        found.append(f"{missed} of {tally.asked} times there was no answer in time; people went on by hand.")
    agreement = tally.agreement()
    if agreement is not None and tally.confirmed + tally.corrected >= JUDGED_MIN and agreement < AGREEMENT_MIN:
        found.append(f"people corrected {tally.corrected} of {tally.confirmed + tally.corrected} suggestions.")
    if len(tally.latencies_ms) >= TIMED_MIN and tally.percentile_ms(0.99) > P99_MS_MAX:
        found.append(f"one answer in a hundred took {tally.percentile_ms(0.99):.0f} ms or more.")
    return found


def trusted_keys(shipped: Path, data_dir: Path) -> Trusted:
    """Read who may sign models: keys of what ships with the program, and head office's in the data directory."""
    found: dict[str, tuple[str, ...]] = {}
    for path in (shipped / "trusted.json", data_dir / "models" / "trusted.json"):
        try:
            keys: Mapping[str, tuple[str, ...]] = msgspec.json.decode(
                path.read_bytes(), type=dict[str, tuple[str, ...]]
            )
        except FileNotFoundError:
            continue
        except (msgspec.DecodeError, OSError) as cause:
            log.error("%s is not read: %s", path, cause)  # noqa: TRY400
            continue
        for key, names in keys.items():
            found[key] = (*found.get(key, ()), *names)
    return found


__all__ = ["Ai", "NoAnswer", "Reply", "troubles", "trusted_keys"]
