"""A model as it travels and lies on disk: files, a manifest that names each by its hash, and a signature over that.

Nothing is parsed before the signature holds: first the raw bytes of the manifest, then its fields, then every file by
size and SHA-256. What comes out of :func:`open_bundle` was verified byte by byte; a model is loaded from those bytes
and never from a path that somebody could change in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import (
    BUNDLE_BYTES_MAX,
    BUNDLE_FILES_MAX,
    INFERENCE_DEADLINE_MS,
    INFERENCE_DEADLINE_MS_MAX,
    MANIFEST_BYTES_MAX,
    MODEL_VERSION_MAX,
)

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
CONTEXT: Final = b"tillmesh model bundle 1\n"
VOUCHED: Final = "sha256:"
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
FILE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")


class Refused(TillmeshError):
    """A model is not what it should be, and is not loaded. ``reason`` is one word for counters."""

    status = 409
    kind = "model-refused"
    title = "This model is not used"

    def __init__(self, detail: str, *, reason: str, hint: str = "Get the model again from head office.") -> None:
        super().__init__(detail, hint=hint)
        self.reason = reason


class FileInfo(msgspec.Struct, frozen=True):
    """What a file must be."""

    sha256: str
    bytes: int


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What the model takes, and how long anybody waits for it."""

    input: str  # in words: "JPEG or PNG", "20 floats, see edge/risk.py"
    shape: tuple[int, ...] = ()
    dtype: str = ""
    deadline_ms: int = INFERENCE_DEADLINE_MS


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to know of a model before it is loaded.

    Invariant: of two bundles with one name and one version, the files are the same.
    """

    name: str
    version: int  # 1, 2, 3 ...; never goes back but by a signed rollback
    task: str  # which code of ours runs it: a module of adapters/inference/tasks
    engine: str  # litert | onnx | none
    licence: str
    contract: Contract
    files: dict[str, FileInfo]
    metrics: dict[str, float] = {}
    settings: dict[str, Any] = {}  # for the task: classes, temperatures, sample rates
    made_ms: int = 0
    expires_ms: int = 0  # not installed after it; what is installed goes on. 0: never
    sources: tuple[str, ...] = ()  # weights and data it was made of, with their licences


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle as it came: nothing of it is believed yet."""

    manifest: bytes
    signature: bytes
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was verified."""

    manifest: Manifest
    files: Mapping[str, bytes]


# Public key in hex -> names of models it may sign; "*" is any. Or what `vouched` gives for a manifest that head office
# has vouched for by an order, or that was installed: it counts whoever signed it.
Trusted = Mapping[str, tuple[str, ...]]


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    manifest: bytes
    signature: bytes
    files: dict[str, bytes]


def seal(manifest: Manifest, files: Mapping[str, bytes], key: Ed25519PrivateKey) -> Sealed:
    """Name every file by its hash and sign the manifest."""
    infos = {name: FileInfo(sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())}
    raw = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(manifest, files=infos)), indent=2) + b"\n"
    return Sealed(raw, key.sign(CONTEXT + raw), dict(files))


def read_manifest(raw: bytes, signature: bytes, trusted: Trusted) -> Manifest:
    """Give the manifest if somebody who may sign this model signed these very bytes."""
    if len(raw) > MANIFEST_BYTES_MAX:
        raise Refused(f"a manifest of {len(raw)} bytes; the limit is {MANIFEST_BYTES_MAX}", reason="size")
    signers = [names for key, names in trusted.items() if signed_by(key, signature, raw)]
    signers.append(trusted.get(vouched(raw, signature), ()))
    if not any(signers):
        what = "bears no valid signature" if signature else "is not signed"
        raise Refused(f"the model {what} of anybody this till trusts", reason="signature")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Refused(f"the manifest does not read: {cause}", reason="manifest") from cause
    if not any("*" in names or manifest.name in names for names in signers):
        raise Refused(f"who signed this may not sign {manifest.name[:40]!r}", reason="signature")
    _check_fields(manifest)
    return manifest


def open_bundle(given: Sealed, trusted: Trusted) -> Bundle:
    """Verify everything, or raise :class:`Refused` naming what is wrong."""
    manifest = read_manifest(given.manifest, given.signature, trusted)
    for name, info in manifest.files.items():
        data = given.files.get(name)
        if data is None:
            raise Refused(f"{manifest.name} {manifest.version} lacks its file {name}", reason="missing")
        if len(data) != info.bytes or sha256(data).hexdigest() != info.sha256:
            raise Refused(
                f"{name} of {manifest.name} {manifest.version} is not the file that was signed", reason="hash"
            )
    return Bundle(manifest, {name: given.files[name] for name in manifest.files})


def pack(given: Sealed) -> bytes:
    """Give a bundle as one file, to be carried."""
    return msgspec.msgpack.encode(_Packed(given.manifest, given.signature, dict(given.files)))


def unpack(data: bytes) -> Sealed:
    """Read what :func:`pack` wrote; nothing of it is believed yet."""
    if len(data) > BUNDLE_BYTES_MAX:
        raise Refused(f"a bundle of {len(data)} bytes; the limit is {BUNDLE_BYTES_MAX}", reason="size")
    try:
        packed = msgspec.msgpack.decode(data, type=_Packed)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Refused(f"these bytes are no bundle: {cause}", reason="manifest") from cause
    return Sealed(packed.manifest, packed.signature, packed.files)


def vouched(raw: bytes, signature: bytes) -> str:
    """Give under what a signed manifest is trusted whoever signed it: these very bytes and no others."""
    return VOUCHED + sha256(sha256(raw).digest() + signature).hexdigest()


def signed_by(key: str, signature: bytes, raw: bytes) -> bool:
    """Say whether this key (hex) signed these bytes; a key or signature that is none did not."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, CONTEXT + raw)
    except (InvalidSignature, ValueError):
        return False
    return True


def _check_fields(manifest: Manifest) -> None:
    sizes = [info.bytes for info in manifest.files.values()]
    wrong = (
        f"the name {manifest.name[:40]!r}" if not NAME.fullmatch(manifest.name) else
        f"the task {manifest.task[:40]!r}" if not NAME.fullmatch(manifest.task) else
        f"version {manifest.version}" if not 1 <= manifest.version <= MODEL_VERSION_MAX else
        f"a deadline of {manifest.contract.deadline_ms} ms"
        if not 1 <= manifest.contract.deadline_ms <= INFERENCE_DEADLINE_MS_MAX else
        f"{len(sizes)} files" if not len(sizes) <= BUNDLE_FILES_MAX else
        "a name of a file" if not all(FILE_NAME.fullmatch(name) for name in manifest.files) else
        f"{sum(sizes)} bytes" if min(sizes, default=0) < 0 or sum(sizes) > BUNDLE_BYTES_MAX else ""
    )  # fmt: skip
    if wrong:
        raise Refused(f"the manifest of {manifest.name[:40]!r} has {wrong}", reason="manifest")
