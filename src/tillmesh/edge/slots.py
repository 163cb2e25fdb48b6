"""Which version of a model runs: three slots, a floor, signed rollbacks, and the way back from a version that fails.

A new version goes into a slot that is not in use and is tried there; only then it runs. So a model that does not even
load never takes the place of one that works. The version that ran before keeps its slot until the next one has passed
its trial: a version that fails at work is given up for it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tillmesh.edge.bundle import Manifest, Refused, Trusted, signed_by
from tillmesh.kernel.limits import MANIFEST_BYTES_MAX, MODEL_VERSION_MAX

SLOTS: Final = ("a", "b", "c")  # what runs, what ran before, what is tried
ROLLBACK_CONTEXT: Final = b"rollback\n"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a till has of one model.

    Invariant: nothing below ``floor`` is ever loaded; it falls only by a rollback with a ``serial`` never seen before,
    and by one step, to the version in ``previous``, when the one that runs is given up.
    """

    active: str = ""  # the slot that runs; empty: none yet
    versions: dict[str, int] = {}  # slot -> version that was put there
    floor: int = 0
    serial: int = 0  # of the newest rollback
    ceiling: int = 0  # after a rollback nothing above it comes here by itself, with a new program say; 0: anything may
    previous: str = ""  # the slot of what ran before and did its work; empty: there is none to go back to
    failed: int = 0  # the version that was given up here; it comes again only by an order newer than failed_serial
    failed_serial: int = 0  # of the newest order for this model when that happened
    failed_reason: str = ""  # one word, as for a fallback

    @property
    def version(self) -> int:
        """The version that runs; 0 for none."""
        return self.versions.get(self.active, 0)

    @property
    def spare(self) -> str:
        """The slot that a new version goes into."""
        return next(slot for slot in SLOTS if slot not in (self.active, self.previous))

    @property
    def version_before(self) -> int:
        """The version to go back to when the one that runs fails; 0 for none."""
        return self.versions.get(self.previous, 0)


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign a model says: go back to this version, and count from there."""

    name: str
    version: int
    serial: int  # grows with every rollback of the model, so that an old one can't be played again


def check_install(standing: Standing, manifest: Manifest, now_ms: int) -> None:
    """Raise :class:`Refused` if this version may not come here: an older one, the same one, or one that expired."""
    what = f"{manifest.name} {manifest.version}"
    if manifest.version < standing.floor:
        raise Refused(f"{what} is older than {standing.floor}, which was here already", reason="older")
    if 0 < standing.ceiling < manifest.version:
        raise Refused(f"{what} is newer than {standing.ceiling}, which head office went back to", reason="held")
    if manifest.version == standing.version:
        raise Refused(f"{what} runs here already", reason="same", hint="Nothing is to be done.")
    if manifest.version == standing.failed:
        raise Refused(
            f"{what} was given up here ({standing.failed_reason})", reason="failed",
            hint="Publish a later version, or order this one again.",
        )  # fmt: skip
    if 0 < manifest.expires_ms < now_ms:
        raise Refused(f"{what} was to be installed earlier; its time is over", reason="expired")


def with_spare(standing: Standing, version: int) -> Standing:
    """Note what was put into the spare slot."""
    return msgspec.structs.replace(standing, versions={**standing.versions, standing.spare: version})


def lifted(standing: Standing, version: int) -> Standing:
    """Let newer versions come again, and this one: head office orders it, after it had gone back or given it up."""
    return msgspec.structs.replace(_forgiven(standing, version), ceiling=0)


def switched(standing: Standing) -> Standing:
    """Let the spare slot run: what is there was tried and works. What ran before stays to go back to."""
    version = standing.versions[standing.spare]
    forgiven = _forgiven(standing, standing.failed if version >= standing.failed else 0)
    return msgspec.structs.replace(
        forgiven, active=standing.spare, floor=max(standing.floor, version), previous=standing.active
    )


def fallen_back(standing: Standing, reason: str, serial: int) -> Standing:
    """Give up the version that runs for the one before it; ``serial`` is the newest order's. Without one: the same."""
    if not standing.previous:
        return standing
    return msgspec.structs.replace(
        standing, active=standing.previous, previous="", floor=standing.version_before, failed=standing.version,
        failed_serial=serial, failed_reason=reason,
    )  # fmt: skip


def _forgiven(standing: Standing, version: int) -> Standing:
    """Forget that this version was given up."""
    if version != standing.failed:
        return standing
    return msgspec.structs.replace(standing, failed=0, failed_serial=0, failed_reason="")


def read_rollback(raw: bytes, signature: bytes, trusted: Trusted) -> Rollback:
    """Give a rollback if somebody who may sign this model signed these very bytes."""
    signers = [names for key, names in trusted.items() if signed_by(key, signature, ROLLBACK_CONTEXT + raw)]
    if len(raw) > MANIFEST_BYTES_MAX or not signers:
        raise Refused("the rollback bears no signature of anybody this till trusts", reason="signature")
    try:
        rollback = msgspec.json.decode(raw, type=Rollback)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise Refused(f"the rollback does not read: {cause}", reason="manifest") from cause
    if not any("*" in names or rollback.name in names for names in signers):
        raise Refused(f"who signed this may not roll {rollback.name[:40]!r} back", reason="signature")
    if not (1 <= rollback.version <= MODEL_VERSION_MAX and 1 <= rollback.serial <= MODEL_VERSION_MAX):
        raise Refused("the rollback names an impossible version", reason="manifest")
    return rollback


def rolled_back(standing: Standing, rollback: Rollback) -> Standing:
    """Lower the floor, and run the slot that holds the version, if one does; else none until it is installed."""
    if rollback.serial <= standing.serial:
        raise Refused(f"rollback {rollback.serial} is not newer than {standing.serial}", reason="older")
    held = [slot for slot in SLOTS if standing.versions.get(slot) == rollback.version]
    return msgspec.structs.replace(
        _forgiven(standing, rollback.version), floor=rollback.version, serial=rollback.serial,
        active=held[0] if held else "", previous="",
    )  # fmt: skip
