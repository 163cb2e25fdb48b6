"""Head office's models: what is published, what each store is told to run, and how it does there.

What stores are told is read from a picture of the registry in memory, on any thread; everything else happens on the one
thread for models, so that a slow registry holds up no store's upload.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.blobs import Blobs
from tillmesh.edge.bundle import Manifest, Sealed, Trusted, open_bundle, pack, unpack
from tillmesh.fleet.model_standing import Standing, look, why_halt
from tillmesh.fleet.models import (
    ALL,
    Published,
    Registry,
    Reports,
    Rollout,
    activated,
    check_next,
    halted,
    orders_for,
    renewed,
    require,
    rolled_back,
    wanted_versions,
)
from tillmesh.fleet.ports import Away
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import BUNDLE_BYTES_MAX, MODELS_MAX
from tillmesh.sync.model_orders import Report, SignedOrder, orders_digest, sign_order

log = logging.getLogger(__name__)
SHIPPED: Final = Path(__file__).parents[1] / "models"
FOLDER: Final = "models"  # of bundles, in the data directory
LOOKED_MS: Final = 10_000
HALT_LOOKS_MS: Final = 14 * 86_400_000
TOLD_MAX: Final = 10_000  # stores whose signed orders are kept in memory


@dataclass(frozen=True, slots=True)
class Picture:
    """What the registry said last."""

    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    versions: Mapping[str, Sequence[Published]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What one store is told."""

    versions: dict[str, str]
    orders: list[SignedOrder]
    digest: bytes


class Models:
    """The registry with what head office adds: signatures, checks, files."""

    def __init__(
        self, registry: Registry, reports: Reports, blobs: Blobs, pen: Ed25519PrivateKey, shipped: Path = SHIPPED
    ) -> None:
        self.registry, self.reports, self.blobs = registry, reports, blobs
        self._pen, self._shipped = pen, shipped
        self._picture = Picture()
        self._with_program: dict[str, Manifest] = {}
        self._looked: dict[str, tuple[int, list[Standing]]] = {}
        try:
            self.refresh()
        except Away as away:
            log.warning("%s", away.detail)

    def refresh(self) -> None:
        """Look what the registry holds; another process may have changed it."""
        rollouts = self.registry.rollouts()
        versions = {name: tuple(self.registry.versions(name)) for name in self.registry.names()}
        before = self._picture
        if (rollouts, versions) != (before.rollouts, before.versions):
            self._picture = Picture(rollouts, versions)

    @property
    def picture(self) -> Picture:
        """What the registry said last."""
        return self._picture

    def told(self, store: str) -> Told:
        """Give what a store is to run, with head office's signed orders. On any thread."""
        picture = self._picture
        known = picture.told.get(store)
        if known is None:
            orders = [
                order
                for name, rollout in sorted(picture.rollouts.items())
                for order in orders_for(store, name, rollout, picture.versions.get(name, ()))
            ]
            signed = [sign_order(order, self._pen) for order in orders]
            known = Told(wanted_versions(orders), signed, orders_digest(signed))
            if len(picture.told) >= TOLD_MAX:
                picture.told.clear()
            picture.told[store] = known
        return known

    def answer(self, store: str, known: bytes) -> tuple[dict[str, str], list[SignedOrder] | None]:
        """Give what goes into the answer to an upload; orders only if they are not those that the store has."""
        told = self.told(store)
        return told.versions, told.orders if self.has_news(store, known) else None

    def has_news(self, store: str, known: bytes) -> bool:
        """Say whether the store's orders are others than these. Who has none says nothing: another service may."""
        told = self.told(store)
        return bool(told.orders) and told.digest != known

    def bundle_for(self, store: str, name: str, version: int) -> Published:
        """Give a version that a store is to have some of its tills run; any other one is not there for it."""
        picture = self._picture
        held = picture.versions.get(name, ())
        rollout = picture.rollouts.get(name, Rollout())
        if not any(order.version == version for order in orders_for(store, name, rollout, held)):
            raise NotFound(f"{store} is not to run {name[:40]} {version}", hint="Look at the orders of head office.")
        return require(held, version)

    def publish(self, data: bytes, signer: str, by: str, now_ms: int) -> Published:
        """Check a bundle (one file) and put it into the registry; nobody runs it yet. The same again is no news.

        ``signer`` is the key (hex) that signed it, as who publishes it says. Tills need not know that key: head
        office's orders name the bundle by its hash.
        """
        given = unpack(data)
        trusted: Trusted = {signer: ("*",)} if signer else self.shipped_keys()
        manifest = open_bundle(given, trusted).manifest
        self._with_shipped(manifest, now_ms)
        return self._keep(given, manifest, signer, by, now_ms)

    def _keep(self, given: Sealed, manifest: Manifest, signer: str, by: str, now_ms: int) -> Published:
        packed = pack(given)
        if len(packed) > BUNDLE_BYTES_MAX:
            raise Invalid(f"a bundle of {len(packed)} bytes; the limit is {BUNDLE_BYTES_MAX}", hint="Make it smaller.")
        version = Published(
            name=manifest.name, version=manifest.version, sha256=self.blobs.put(packed), size=len(packed),
            manifest=given.manifest, at_ms=now_ms, by=by, signer=signer,
        )  # fmt: skip
        held = self.registry.versions(manifest.name)
        if not check_next(held, version):
            return require(held, manifest.version)
        self.registry.put(version)
        self.refresh()
        return version

    def _with_shipped(self, wanted: Manifest, now_ms: int) -> None:
        """Before the first version of a model, add the one that came with the program: what tills can go back to."""
        if self.registry.versions(wanted.name) or not (self._shipped / wanted.name).is_dir():
            return
        given = _read(self._shipped / wanted.name)
        manifest = open_bundle(given, self.shipped_keys()).manifest
        if manifest.version < wanted.version:
            self._keep(given, manifest, "", "system", now_ms)
            self.activate(manifest.name, manifest.version, (), ALL, now_ms)

    def shipped_keys(self) -> Trusted:
        """Give the keys that tills know from their own program."""
        path = self._shipped / "trusted.json"
        return msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[str, ...]]) if path.exists() else {}

    def activate(self, name: str, version: int, stores: Sequence[str], share: int, now_ms: int) -> Rollout:
        """Let more tills run a version."""
        return self._change(name, lambda now, held: activated(now, held, version, stores, share, now_ms))

    def roll_back(self, name: str, version: int, now_ms: int) -> Rollout:
        """Let all tills go back to a version."""
        return self._change(name, lambda now, held: rolled_back(now, held, version, now_ms))

    def halt(self, name: str, why: str, now_ms: int) -> Rollout:
        """Let no further till take what is being tried."""
        return self._change(name, lambda now, _: halted(now, why, now_ms))

    def _change(self, name: str, change: Callable[[Rollout, Sequence[Published]], Rollout]) -> Rollout:
        held = self.registry.versions(name)
        if not held:
            raise NotFound(f"no model {name[:40]!r} is in the registry", hint="Publish it first.")
        changed = change(self.registry.rollouts().get(name, Rollout()), held)
        self.registry.note(name, changed)
        self.refresh()
        return changed

    def renew(self, now_ms: int) -> None:
        """Write orders anew that would be over before long."""
        for name, rollout in self.registry.rollouts().items():
            if (again := renewed(rollout, now_ms)) is not None:
                self.registry.note(name, again)
        self.refresh()

    def take(self, store: str, reports: Sequence[Report], now_ms: int) -> dict[str, str]:
        """Keep what tills say of their models; halts what does worse, and gives which and why."""
        reports = self._worth_keeping(reports)
        self.reports.take(store, reports, now_ms)
        self._looked = {}
        found = {}
        for name in {one.name for one in reports}:
            rollout = self._picture.rollouts.get(name, Rollout())
            if rollout.challenger and not rollout.halted:
                heard = self.reports.of(name, now_ms - HALT_LOOKS_MS)
                if why := why_halt(rollout, heard):
                    self.halt(name, why, now_ms)
                    found[name] = f"version {rollout.challenger}: {why}"
        return found

    def _worth_keeping(self, reports: Sequence[Report]) -> list[Report]:
        """Let fall what is said of models that nobody knows, once there are many: a name takes room on every page."""
        strange = {one.name for one in reports} - self._picture.versions.keys()
        strange = {name for name in strange if not (self._shipped / name).is_dir()}
        if strange:
            before = {*self.reports.names()}
            strange -= before
            strange = {*sorted(strange)[max(0, MODELS_MAX - len(before)) :]}
        return [one for one in reports if one.name not in strange]

    def looked(self, name: str, now_ms: int) -> list[Standing]:
        """Say how each version of a model does, as of some seconds ago at most."""
        at_ms, known = self._looked.get(name, (0, []))
        if not known or now_ms - at_ms > LOOKED_MS:
            known = look(self._picture.versions.get(name, ()), self.reports.of(name), now_ms)
            self._looked[name] = now_ms, known
        return known

    def counted(self, now_ms: int) -> list[tuple[str, bool, list[Standing]]]:
        """Say of each model that is in the registry or on a till whether its roll-out is halted, and how it does."""
        names = sorted({*self._picture.versions, *self.reports.names()})
        rollouts = self._picture.rollouts
        return [(name, bool(rollouts.get(name, Rollout()).halted), self.looked(name, now_ms)) for name in names]

    def known(self) -> list[str]:
        """List the models of the registry, those that came with the program, and those that tills report on."""
        shipped = [path.name for path in self._shipped.iterdir() if path.is_dir()] if self._shipped.is_dir() else []
        return sorted({*self._picture.versions, *shipped, *self.reports.names()})

    def shipped(self, name: str) -> Manifest | None:
        """Give what came with the program of that name."""
        if name not in self._with_program and (folder := self._shipped / name).is_dir():
            self._with_program[name] = open_bundle(_read(folder), self.shipped_keys()).manifest
        return self._with_program.get(name)

    def close(self) -> None:
        """Close the registry and the reports."""
        self.registry.close()
        self.reports.close()
        self.blobs.close()


def affected(before: Rollout, after: Rollout) -> frozenset[str] | None:
    """Give the stores that get other orders by a change; None means all."""
    if before == after:
        return frozenset()
    if (before.champion_serial, before.champion_ms) != (after.champion_serial, after.champion_ms):
        return None
    tried = [one.stores for one in (before, after) if one.challenger]
    return None if any(not stores for stores in tried) else frozenset(store for stores in tried for store in stores)


def _read(folder: Path) -> Sealed:
    from tillmesh.adapters.inference.shelf import read_folder

    return read_folder(folder)
