"""Where a till keeps its models: three slots each, and beside them what was ever installed there.

``models/NAME/{a,b,c}/`` hold bundles as files, ``models/NAME/standing.json`` says which one runs. What lies there is
believed only after its signature was verified, each time it is loaded.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.edge.bundle import (
    FILE_NAME,
    MANIFEST,
    NAME,
    SIGNATURE,
    VOUCHED,
    Manifest,
    Refused,
    Sealed,
    Trusted,
    open_bundle,
    read_manifest,
    vouched,
)
from tillmesh.edge.orders import gone_back
from tillmesh.edge.slots import (
    SLOTS,
    Rollback,
    Standing,
    check_install,
    fallen_back,
    lifted,
    read_rollback,
    rolled_back,
    switched,
    with_spare,
)
from tillmesh.kernel.limits import BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, MODELS_MAX
from tillmesh.sync.model_orders import Order

VOUCHED_FILE: Final = "vouched.json"  # which manifests are trusted whoever signed them, beside the keys of trusted.json


class Shelf:
    """The models of one data directory. Used by one thread at a time."""

    def __init__(self, folder: Path, trusted: Trusted) -> None:
        self._folder = folder
        self.trusted = {**trusted, **self._read_vouched()}
        # As last read or written: questions come often, the disk is slow, and what is loaded is verified anew anyway.
        self._standings: dict[str, Standing] = {}
        self._manifests: dict[tuple[str, str, int], Manifest] = {}

    def names(self) -> list[str]:
        """List the models that have a place here."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if NAME.fullmatch(path.name))[:MODELS_MAX]

    def standing(self, name: str) -> Standing:
        """Say what this till has of a model; what can't be read counts as nothing, with a floor that holds."""
        held = self._standings.get(name)
        if held is None:
            held = self._standings[name] = self._read_standing(name)
        return held

    def _read_standing(self, name: str) -> Standing:
        try:
            return msgspec.json.decode((self._folder / name / "standing.json").read_bytes(), type=Standing)
        except FileNotFoundError:
            return Standing()
        except (msgspec.DecodeError, OSError, UnicodeDecodeError):
            return Standing(floor=self._highest(name))

    def _highest(self, name: str) -> int:
        """Give the highest version whose signed manifest lies in a slot."""
        return max((manifest.version for slot in SLOTS if (manifest := self._manifest(name, slot))), default=0)

    def folder(self, name: str, slot: str) -> Path:
        """Say where a slot is."""
        assert NAME.fullmatch(name), "names are checked where they come in"
        return self._folder / name / slot

    def manifest(self, name: str) -> Manifest | None:
        """Give the manifest of the version that runs, if it is one that this till believes."""
        standing = self.standing(name)
        key = (name, standing.active, standing.version)
        held = self._manifests.get(key)
        if held is None and standing.active and (read := self._manifest(name, standing.active)):
            held = self._manifests[key] = read
        return held

    def _manifest(self, name: str, slot: str) -> Manifest | None:
        folder = self.folder(name, slot)
        try:
            return read_manifest((folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes(), self.trusted)
        except (OSError, Refused):
            return None

    def put(self, given: Sealed, now_ms: int) -> Manifest:
        """Verify a bundle and put it into the spare slot; it does not run yet. Raises :class:`Refused`."""
        manifest = open_bundle(given, self.trusted).manifest
        standing = self.standing(manifest.name)
        check_install(standing, manifest, now_ms)
        target = self.folder(manifest.name, standing.spare)
        half = target.with_name(target.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        try:
            half.mkdir(parents=True)
            write_folder(half, given)
        except OSError:  # a full disk: what lies in the slots stays as it is
            shutil.rmtree(half, ignore_errors=True)
            raise
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)
        self._note(manifest.name, with_spare(standing, manifest.version))
        self.vouch(given, manifest.name)  # the next program has another key, and this is what there is to go back to
        return manifest

    def mend(self, given: Sealed) -> bool:
        """Put the files of the version that runs back if they are not what these are; says whether they were not.

        A bit that rots costs a model until the next start, in place of for good. Another model that has the same
        number, as somebody else made it, is left alone. Raises :class:`Refused`.
        """
        manifest = open_bundle(given, self.trusted).manifest
        standing = self.standing(manifest.name)
        held = self.manifest(manifest.name)  # None: it is not one that this till believes any more
        if not standing.active or standing.version != manifest.version or (held is not None and held != manifest):
            return False
        target = self.folder(manifest.name, standing.active)
        try:
            if read_folder(target) == given:
                return False
        except Refused:
            pass  # a file is missing, or one too many is there
        half = target.with_name(target.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        write_folder(half, given)
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)
        return True

    def switch(self, name: str) -> Standing:
        """Let what is in the spare slot run from now on."""
        return self._note(name, switched(self.standing(name)))

    def roll_back(self, raw: bytes, signature: bytes) -> Rollback:
        """Go back to an older version, as somebody signed."""
        rollback = read_rollback(raw, signature, self.trusted)
        self._note(rollback.name, rolled_back(self.standing(rollback.name), rollback))
        return rollback

    def go_back(self, order: Order) -> Standing:
        """Go back to an older version, as head office ordered; raises :class:`Refused` for an order seen before."""
        return self._note(order.name, gone_back(self.standing(order.name), order))

    def lift(self, name: str, version: int) -> None:
        """Let newer versions come again after a rollback, and this one if it was given up: head office ordered it."""
        standing = self.standing(name)
        if (again := lifted(standing, version)) != standing:
            self._note(name, again)

    def fall_back(self, name: str, reason: str, serial: int) -> Standing:
        """Give up the version that runs for the one before it, if there is one."""
        standing = self.standing(name)
        if (back := fallen_back(standing, reason, serial)) == standing:
            return standing
        return self._note(name, back)

    def vouch(self, given: Sealed, name: str) -> None:
        """Trust this manifest for a model of this name from now on, and no other one that lies in no slot."""
        in_slots = {self._vouched_in(name, slot) for slot in SLOTS}
        before = self._read_vouched().items()
        held = {key: names for key, names in before if names != (name,) or key in in_slots}
        held[vouched(given.manifest, given.signature)] = (name,)
        self._write(self._folder / VOUCHED_FILE, msgspec.json.encode(held))
        keys = {key: names for key, names in self.trusted.items() if not key.startswith(VOUCHED)}
        self.trusted = {**keys, **held}

    def _vouched_in(self, name: str, slot: str) -> str:
        try:
            folder = self.folder(name, slot)
            return vouched((folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes())
        except OSError:
            return ""

    def _read_vouched(self) -> dict[str, tuple[str, ...]]:
        try:
            return msgspec.json.decode((self._folder / VOUCHED_FILE).read_bytes(), type=dict[str, tuple[str, ...]])
        except (msgspec.DecodeError, OSError, UnicodeDecodeError):
            return {}  # what was vouched for is fetched again

    def _note(self, name: str, standing: Standing) -> Standing:
        self._write(self._folder / name / "standing.json", msgspec.json.encode(standing))
        self._standings[name] = standing
        return standing

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".new")
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)


def read_folder(folder: Path) -> Sealed:
    """Read a bundle's files; nothing of them is believed yet."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        total = sum(path.stat().st_size for path in paths)
        if len(paths) > BUNDLE_FILES_MAX + 2 or total > BUNDLE_BYTES_MAX:
            raise Refused(f"{folder} holds {len(paths)} files of {total} bytes", reason="size")
        held = {path.name: path.read_bytes() for path in paths}
    except OSError as cause:
        raise Refused(f"{folder} can't be read ({cause.strerror})", reason="missing") from cause
    return Sealed(held.pop(MANIFEST, b""), held.pop(SIGNATURE, b""), held)


def write_folder(folder: Path, given: Sealed) -> None:
    """Write a bundle's files so that they are on disk before anything names them."""
    for name, data in {**given.files, MANIFEST: given.manifest, SIGNATURE: given.signature}.items():
        if not FILE_NAME.fullmatch(name):
            raise Refused(f"{name[:40]!r} is no name of a file of a model", reason="manifest")
        with (folder / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
