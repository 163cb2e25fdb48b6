"""How a new version of a model comes to the stores: first to some tills of some stores, then to all, or back.

What runs everywhere is the *champion*, what some try is the *challenger*. Only people widen a roll-out; head office
itself may only halt one. Nothing here knows where versions are kept: that is behind :class:`Registry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import CANARY_STORES_MAX, MODEL_ORDER_MS, MODEL_VERSIONS_MAX
from tillmesh.sync.model_orders import Kind, Order, Report

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
ALL: Final = 100  # percent
REPORT_AHEAD_MS: Final = 300_000  # as far as a till's clock may be ahead


class Published(Struct, frozen=True, kw_only=True):
    """A version of a model in the registry; its bundle lies under its hash."""

    name: str
    version: int
    sha256: str  # of the bundle as one file
    size: int
    manifest: bytes  # as it was signed
    at_ms: int
    by: str
    signer: str = ""  # the key (hex) that signed it; nothing: one that came with the program


class Rollout(Struct, frozen=True, kw_only=True):
    """Who is to run what of one model.

    Invariant: ``challenger`` is 0 or above ``champion``; serials only grow, so no order is taken for a later one.
    """

    champion: int = 0  # 0: whatever came with the program
    kind: Kind = Kind.RUN  # how the champion became it
    champion_serial: int = 0
    champion_ms: int = 0  # when its orders were written
    challenger: int = 0
    challenger_serial: int = 0
    challenger_ms: int = 0
    stores: tuple[str, ...] = ()  # that try the challenger; none: all
    share: int = ALL  # percent of the tills there
    halted: str = ""  # why no further till gets the challenger
    serial: int = 0
    began_ms: int = 0  # when the challenger was given out first


class Registry(Protocol):
    """Keeps versions of models and who is to run them. One contract suite runs against every adapter."""

    def names(self) -> list[str]:
        """List the models, in the order of the alphabet."""
        ...

    def versions(self, name: str) -> list[Published]:
        """List the versions of a model, the latest first."""
        ...

    def put(self, version: Published) -> None:
        """Add a version; raises :class:`Conflict` unless it is later than all others of its name."""
        ...

    def rollouts(self) -> dict[str, Rollout]:
        """Give who is to run what, of every model that anybody decided on."""
        ...

    def note(self, name: str, rollout: Rollout) -> None:
        """Change who is to run what; the aliases ``champion`` and ``challenger`` follow."""
        ...

    def aliases(self, name: str) -> dict[str, int]:
        """Give which version each alias names."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Reports(Protocol):
    """Keeps what tills say of their models. One contract suite runs against every adapter."""

    def take(self, store: str, reports: Sequence[Report], now_ms: int) -> int:
        """Keep reports of a store; the same window again takes the place of what was said before."""
        ...

    def of(self, name: str, since_ms: int = 0) -> list[tuple[str, Report]]:
        """Give the reports on a model that end after a time, the newest first, each with its store."""
        ...

    def names(self) -> list[str]:
        """List the models that anybody reported on."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Bundles(Protocol):
    """Keeps bundles where every machine of head office finds them. Used from any thread."""

    def keep(self, sha256: str, data: bytes) -> None:
        """Keep a bundle under its hash."""
        ...

    def give(self, sha256: str) -> bytes | None:
        """Give a bundle, or None."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def check_windows(reports: Sequence[Report], now_ms: int) -> None:
    """Raise :class:`Invalid` for a report on a time that is not over yet, or ends before it begins."""
    for one in reports:
        if one.window_end > now_ms + REPORT_AHEAD_MS or one.window_end < one.window_start:
            window = f"{one.window_start} to {one.window_end}"
            raise Invalid(f"a report of {one.terminal} for {window}", hint="Set its clock.")


def check_next(held: Sequence[Published], version: Published) -> bool:
    """Say whether a version is new; raises :class:`Conflict` if it is not later than every other one of its name.

    The very same bundle again is no news, so that a publication that broke off can be repeated.
    """
    same = [one for one in held if one.version == version.version]
    if same and same[0].sha256 == version.sha256:
        return False
    latest = max((one.version for one in held), default=0)
    if version.version <= latest:
        raise Conflict(
            f"{version.name} {version.version} is not later than {latest}, which is here already",
            hint=f"Train it as version {latest + 1} or later.",
        )
    if len(held) >= MODEL_VERSIONS_MAX:
        raise Conflict(f"{version.name} has {len(held)} versions; the limit is {MODEL_VERSIONS_MAX}")
    return True


def activated(
    now: Rollout, held: Sequence[Published], version: int, stores: Sequence[str], share: int, now_ms: int
) -> Rollout:
    """Let more tills run a version: some of some stores, or all of all. It never goes back by this."""
    require(held, version)
    if not 1 <= share <= ALL:
        raise Invalid(f"{share} percent of the tills is outside 1 to {ALL}", hint="Leave it out for all tills.")
    if len(stores) > CANARY_STORES_MAX:
        raise Invalid(f"{len(stores)} stores; {CANARY_STORES_MAX} may try a version", hint="Or name none, for all.")
    if version < now.champion or (version == now.champion and now.kind is Kind.RUN):
        raise Conflict(
            f"version {now.champion} runs everywhere; {version} is not later",
            hint="To go back to an older version, roll back to it.",
        )
    if version < now.challenger:
        raise Conflict(
            f"version {now.challenger} is being tried; {version} is not later",
            hint="Roll back first, or widen that one.",
        )
    serial = now.serial + 1
    if share == ALL and not stores:
        return Rollout(champion=version, champion_serial=serial, champion_ms=now_ms, serial=serial)
    return msgspec.structs.replace(
        now, challenger=version, challenger_serial=serial, challenger_ms=now_ms, stores=tuple(sorted(set(stores))),
        share=share, halted="", serial=serial,
        began_ms=now.began_ms if version == now.challenger and now.began_ms else now_ms,
    )  # fmt: skip


def rolled_back(now: Rollout, held: Sequence[Published], version: int, now_ms: int) -> Rollout:
    """Let every till of every store go back to a version, whatever it runs."""
    require(held, version)
    serial = now.serial + 1
    return Rollout(
        champion=version, kind=Kind.ROLLBACK, champion_serial=serial, champion_ms=now_ms, serial=serial
    )  # fmt: skip


def halted(now: Rollout, why: str, now_ms: int) -> Rollout:
    """Let no further till take the challenger; those that have it keep it until somebody rolls back.

    What all tills run is ordered anew: this order is later than the one that is taken back, so it ends that one.
    """
    if not now.challenger or now.halted:
        raise Conflict("no version is being tried", hint="Look at the model's versions.")
    serial = now.serial + 1
    return msgspec.structs.replace(
        now, halted=why[:200], champion_serial=serial, champion_ms=now_ms, serial=serial
    )  # fmt: skip


def renewed(now: Rollout, now_ms: int) -> Rollout | None:
    """Give the same with orders that last again, once half of their time is over; None if that is not yet so."""
    old = now_ms - MODEL_ORDER_MS // 2
    again = msgspec.structs.replace(
        now,
        champion_ms=now_ms if now.champion and now.champion_ms < old else now.champion_ms,
        challenger_ms=now_ms if now.challenger and now.challenger_ms < old else now.challenger_ms,
    )
    return None if again == now else again


def orders_for(store: str, name: str, now: Rollout, held: Sequence[Published]) -> list[Order]:
    """Write the orders for one model in one store: what all its tills run, and what some of them try."""
    known = {one.version: one for one in held}
    wanted = [(now.champion, now.kind, ALL, now.champion_serial, now.champion_ms)]
    if not now.halted and (not now.stores or store in now.stores):
        wanted.append((now.challenger, Kind.RUN, now.share, now.challenger_serial, now.challenger_ms))
    return [
        Order(
            store=store, name=name, version=version, share=share, serial=serial, sha256=known[version].sha256,
            size=known[version].size, kind=kind, expires_ms=written_ms + MODEL_ORDER_MS,
        )
        for version, kind, share, serial, written_ms in wanted
        if version in known
    ]  # fmt: skip


def aliases_of(now: Rollout) -> dict[str, int]:
    """Give which version each alias names."""
    found = {CHAMPION: now.champion, CHALLENGER: now.challenger}
    return {alias: version for alias, version in found.items() if version}


def wanted_versions(orders: Sequence[Order]) -> dict[str, str]:
    """Give per model the latest version that any till of a store is to run, as words."""
    found: dict[str, int] = {}
    for order in sorted(orders, key=lambda one: one.serial):
        found[order.name] = order.version
    return {name: str(version) for name, version in found.items()}


def require(held: Sequence[Published], version: int) -> Published:
    """Give a version that is in the registry, or raise :class:`NotFound`."""
    for one in held:
        if one.version == version:
            return one
    has = ", ".join(str(one.version) for one in held) or "none"
    raise NotFound(f"version {version} is not in the registry, which has {has}", hint="Publish it first.")


def stage(now: Rollout) -> str:
    """Say in a word how far a roll-out is: none, all, canary, share, halted or rollback."""
    if now.challenger:
        return "halted" if now.halted else "canary" if now.stores else "share"
    if not now.champion:
        return "none"
    return "rollback" if now.kind is Kind.ROLLBACK else "all"
