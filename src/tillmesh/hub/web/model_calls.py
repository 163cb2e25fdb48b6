"""Models: what is published, who runs what, how it does; and, for administrators, who is to run what from now on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tillmesh.edge.bundle import Manifest
from tillmesh.fleet.drift import Sum
from tillmesh.fleet.model_standing import Running, Standing
from tillmesh.fleet.models import ALL, Published, Rollout, stage
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.models import Models
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.carrying import MEDIA
from tillmesh.hub.web.office_calls import chosen_stores, stores_of
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.limits import BUNDLE_BYTES_MAX
from tillmesh.kernel.times import rfc3339

TILLS_SHOWN_MAX: Final = 200


class ActivateBody(msgspec.Struct):
    """Which version which stores are to run; ``stores`` and ``groups`` left out are all of them."""

    version: int
    stores: list[str] = []
    groups: list[str] = []
    share: int = ALL  # percent of the tills there


class RollbackBody(msgspec.Struct):
    """To which version all tills go back."""

    version: int


class HaltBody(msgspec.Struct):
    """Why no further till is to get the version that is being tried."""

    why: str = "stopped by hand"


async def models(context: Context) -> dict[str, Any]:
    """List the models: versions, who is to run what, who does, and how they do."""
    now = context.services.clock()
    return {"models": await context.hub.with_models(lambda held: [shown(held, name, now) for name in held.known()])}


async def model(context: Context) -> dict[str, Any]:
    """Show one model with its tills and its confidences."""
    name, now = context.path("name"), context.services.clock()
    found = await context.hub.with_models(
        lambda held: (shown(held, name, now), held.looked(name, now)) if name in held.known() else None
    )
    if found is None:
        raise NotFound(f"no model is called {name[:40]!r}", hint="Look at the list of models.")
    said, looked = found
    shops = {shop.store: shop.name for shop in await context.hub.read(lambda reading: reading.shops())}
    tills = [one for standing in looked for one in standing.running]
    return {
        **said,
        "tills": [_till(one, shops.get(one.store, one.store)) for one in tills[:TILLS_SHOWN_MAX]],
        "tills_left_out": max(0, len(tills) - TILLS_SHOWN_MAX),
        "confidences": {
            str(one.version): {"first": one.first.confidences, "now": one.now.confidences} for one in looked
        },
    }


async def publish(context: Context, raw: bytes) -> dict[str, Any]:
    """Put a signed bundle into the registry; nobody runs it yet. The same again changes nothing."""
    who, now, signer = context.who().name, context.services.clock(), context.query("signer")[:64]
    version = await context.hub.with_models(lambda held: held.publish(raw, signer, who, now))
    await context.note("model_published", version.name, f"version {version.version}, {version.size} bytes")
    return {"name": version.name, "version": version.version, "sha256": version.sha256, "bytes": version.size}


async def activate(context: Context, body: ActivateBody) -> dict[str, Any]:
    """Let some tills of some stores run a version, or all of all; it never goes back by this."""
    name, now = context.path("name"), context.services.clock()
    named = await stores_of(context, body.stores, body.groups)
    stores = await context.hub.read(lambda reading: chosen_stores(reading, named)) if named else []
    rollout = await context.hub.with_models(lambda held: held.activate(name, body.version, stores, body.share, now))
    where = ", ".join(stores)[:200] or "all stores"
    await context.note("model_activated", name, f"version {body.version}: {body.share} % of the tills of {where}")
    return decided(name, rollout)


async def roll_back(context: Context, body: RollbackBody) -> dict[str, Any]:
    """Let all tills of all stores go back to a version."""
    name, now = context.path("name"), context.services.clock()
    rollout = await context.hub.with_models(lambda held: held.roll_back(name, body.version, now))
    await context.note("model_rolled_back", name, f"version {body.version}")
    return decided(name, rollout)


async def halt(context: Context, body: HaltBody) -> dict[str, Any]:
    """Let no further till take the version that is being tried."""
    name, now = context.path("name"), context.services.clock()
    rollout = await context.hub.with_models(lambda held: held.halt(name, body.why or "stopped by hand", now))
    await context.note("model_halted", name, rollout.halted)
    return decided(name, rollout)


def shown(held: Models, name: str, now_ms: int) -> dict[str, Any]:
    """Show one model."""
    picture, shipped = held.picture, held.shipped(name)
    rollout = picture.rollouts.get(name, Rollout())
    looked = {one.version: one for one in held.looked(name, now_ms)}
    listed: dict[int, Published | None] = {one.version: one for one in picture.versions.get(name, ())}
    for version in looked:
        listed.setdefault(version, None)
    if shipped is not None:
        listed.setdefault(shipped.version, None)
    versions = [
        _version(version, listed[version], shipped, looked.get(version)) for version in sorted(listed, reverse=True)
    ]
    running = looked.get(rollout.challenger or rollout.champion or (shipped.version if shipped else 0))
    return {
        **decided(name, rollout),
        "shipped": shipped.version if shipped else None,
        "retrain_wanted": running is not None and running.verdict.retrain_wanted,
        "versions": versions,
    }


def decided(name: str, rollout: Rollout) -> dict[str, Any]:
    """Show who is to run what."""
    return {
        "name": name, "stage": stage(rollout), "champion": rollout.champion, "challenger": rollout.challenger,
        "stores": list(rollout.stores), "share": rollout.share if rollout.challenger else ALL, "halted": rollout.halted,
        "serial": rollout.serial, "began": rfc3339(rollout.began_ms) if rollout.began_ms else None,
    }  # fmt: skip


def _version(number: int, one: Published | None, shipped: Manifest | None, how: Standing | None) -> dict[str, Any]:
    said: dict[str, Any] = {"version": number, "registered": one is not None}
    manifest = shipped if one is None and shipped is not None and shipped.version == number else None
    if one is not None:
        manifest = msgspec.json.decode(one.manifest, type=Manifest)
        said |= {"at": rfc3339(one.at_ms), "by": one.by, "bytes": one.size, "sha256": one.sha256}
    if manifest is not None:
        said |= {
            "engine": manifest.engine, "licence": manifest.licence, "sources": list(manifest.sources),
            "metrics": manifest.metrics,
        }  # fmt: skip
    how = how or Standing(version=number)
    tills: Sequence[Running] = how.running
    return said | {
        "tills": len(tills),
        "stores_running": len({till.store for till in tills}),
        "given_up": len(how.given_up),
        "state": how.verdict.state, "psi": how.verdict.psi, "reasons": list(how.verdict.reasons),
        "first": _rates(how.first), "now": _rates(how.now),
    }  # fmt: skip


def _rates(of: Sum) -> dict[str, Any]:
    return {
        "asked": of.asked, "answers": of.answers, "verdicts": of.verdicts,
        "corrections": of.corrected / of.verdicts if of.verdicts else None,
        "fallbacks": of.fell_back / of.asked if of.asked else None, "p95_ms": of.p95_ms,
    }  # fmt: skip


def _till(one: Running, name: str) -> dict[str, Any]:
    heard = rfc3339(one.heard_ms)
    return {"store": one.store, "name": name, "terminal": one.terminal, "version": one.version, "heard": heard}


_ADMIN: Final = OfficeRole.ADMIN
CALLS: Final = [
    Call("GET", "/models", models, "Models"),
    Call("GET", "/models/{name}", model, "A model"),
    Call("POST", "/models", publish, "Publish a model", body=bytes, role=_ADMIN, status=201, query=("signer",),
         media=MEDIA, bytes_max=BUNDLE_BYTES_MAX),
    Call("POST", "/models/{name}/activate", activate, "Let tills run a version", body=ActivateBody, role=_ADMIN),
    Call("POST", "/models/{name}/rollback", roll_back, "Go back to a version", body=RollbackBody, role=_ADMIN),
    Call("POST", "/models/{name}/halt", halt, "Halt a roll-out", body=HaltBody, role=_ADMIN),
]  # fmt: skip
