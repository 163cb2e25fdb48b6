"""Makes small bundles of models in a process of its own and prints the SHA-256 of all they are made of."""

import hashlib
import json
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from tests.unit.learn.test_fraud_learning import BEGIN, robbed
from tillmesh.edge.bundle import Manifest, seal
from tillmesh.edge.features import DAY_MS
from tillmesh.learn import recognition
from tillmesh.learn.efficientnet import Conv
from tillmesh.learn.fraud import program as fraud
from tillmesh.learn.fraud.table import table
from tillmesh.learn.grocery import Labelled

PIXELS, CHANNELS, EACH, CLASSES = 32, 520, 10, 65  # as few as imagined shops of 64 products with 5 photos can do with
KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)


@dataclass(frozen=True)
class Drawn(Labelled):
    """A photo that nobody took."""

    data: bytes = b""

    def read(self) -> bytes:
        return self.data


def photos() -> list[Labelled]:
    """Stripes: those of one class are alike."""
    dice, made = Random(4), list[Labelled]()
    rows, columns = np.mgrid[0:PIXELS, 0:PIXELS]
    for label in range(CLASSES):
        for _ in range(EACH):
            wave = np.sin(rows * (label % 11 + dice.random()) / 8 + columns * (label // 11) / 8)
            grey = (127 + 100 * wave)[..., None] * np.array([1, dice.random(), label / CLASSES])
            out = BytesIO()
            Image.fromarray(grey.astype(np.uint8)).save(out, "PNG")
            made.append(Drawn(Path("drawn"), label, out.getvalue()))
    return made


def network() -> list[Conv]:
    """Three layers of chance; what is learnt of them is real."""
    draw = np.random.default_rng(2)

    def conv(name: str, channels: int, size: int, before: int, stride: int) -> Conv:
        weights = draw.standard_normal((channels, size, size, before)).astype(np.float32) / (size * before**0.5)
        return Conv(name, weights, draw.standard_normal(channels).astype(np.float32) / 4, stride)

    return [conv("stem", 16, 3, 3, 2), conv("middle", 32, 3, 16, 2), conv("head", CHANNELS, 1, 32, 1)]


def sealed(manifest: Manifest, files: dict[str, bytes]) -> dict[str, str]:
    given = seal(manifest, files, KEY)
    every = {**given.files, "manifest": given.manifest, "signature": given.signature}
    return {name: hashlib.sha256(data).hexdigest() for name, data in every.items()}


def recognised() -> dict[str, str]:
    shown = photos()
    fitted = recognition.fit(network(), PIXELS, shown, 3)
    names = [f"class {label}" for label in range(CLASSES)]
    files = recognition.files(fitted, names, shown[0])
    return sealed(recognition.manifest(1, fitted, names, {}), files)


def suspected() -> dict[str, str]:
    made = fraud.made(table([(robbed(), BEGIN + 60 * DAY_MS, BEGIN + 90 * DAY_MS)]), 1)
    return sealed(made.manifest, dict(made.files))


if __name__ == "__main__":
    print(json.dumps({"fraud": suspected, "recognition": recognised}[sys.argv[1]]()))  # noqa: T201 - its answer
