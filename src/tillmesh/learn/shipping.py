"""Put a model into the program: signed with a key that exists for this once and may sign this name alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.inference.shelf import read_folder, write_folder
from tillmesh.edge.bundle import Manifest, Trusted, open_bundle, seal

SHIPPED: Final = Path(__file__).parents[1] / "models"


def ship(manifest: Manifest, files: Mapping[str, bytes], target: Path = SHIPPED) -> Path:
    """Write a signed bundle to where a till finds what came with it; the key is thrown away.

    Nobody can sign another model in its place: the next one comes with a key of its own.
    """
    key = Ed25519PrivateKey.generate()
    folder = target / manifest.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_folder(folder, seal(manifest, files, key))
    path = target / "trusted.json"
    trusted: dict[str, list[str]] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    trusted = {known: names for known, names in trusted.items() if names != [manifest.name]}
    trusted[key.public_key().public_bytes_raw().hex()] = [manifest.name]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(trusted, order="sorted"), indent=2) + b"\n")
    open_bundle(read_folder(folder), shipped_keys(target))
    return folder


def shipped_keys(target: Path = SHIPPED) -> Trusted:
    """Read which keys signed what ships with the program."""
    path = target / "trusted.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[str, ...]]) if path.exists() else {}
