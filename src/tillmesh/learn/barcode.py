"""The reader of bar codes as a bundle: nothing is trained, but a till tries its decoders on a known picture first."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import msgspec
import zxingcpp
from PIL import Image

from tillmesh.edge.bundle import Contract, Manifest
from tillmesh.edge.scanning import FAST
from tillmesh.learn.shipping import SHIPPED, ship

NAME: Final = "barcode"
VERSION: Final = 1
KNOWN: Final = "4006381333931"
# A look takes a millisecond, the cascade on a picture without a code a hundred; a frame that waits longer is stale.
DEADLINE_MS: Final = 2_000


def make(target: Path = SHIPPED) -> Path:
    """Write the signed bundle, and say where it is."""
    answer = [{"format": "EAN-13", "text": KNOWN}]
    files = {"check_input.bin": FAST + known_picture(), "check_output.json": msgspec.json.encode([answer])[1:-1]}
    contract = Contract(input="one byte, f or d: how hard to look; then a PNG, JPEG or WebP", deadline_ms=DEADLINE_MS)
    manifest = Manifest(
        name=NAME, version=VERSION, task="barcode", engine="none", licence="Apache-2.0", contract=contract, files={},
        sources=("zxing-cpp (Apache-2.0), linked", "zbar (LGPL-2.1), where the system has it"),
    )  # fmt: skip
    return ship(manifest, files, target)


def known_picture() -> bytes:
    """Print a code that every till must be able to read."""
    code = zxingcpp.create_barcode(KNOWN, zxingcpp.BarcodeFormat.EAN13)
    bare = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=2)).convert("L")
    page = Image.new("L", (bare.width + 40, bare.height + 40), 255)
    page.paste(bare, (20, 20))
    with io.BytesIO() as held:
        page.save(held, "PNG")
        return held.getvalue()
