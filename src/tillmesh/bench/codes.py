"""Bar codes on real photographs: how many are read, how many wrongly, and how long it takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image, ImageFilter

from tillmesh.adapters.inference.barcodes import looks
from tillmesh.bench.measuring import Row, spread
from tillmesh.edge.scanning import Seen, View, look
from tillmesh.kernel.errors import Invalid
from tillmesh.learn.photographs import NO_CODES, Photo, fit, read_photos, same

SIDES: Final = (320, 640)  # of the longer side: what edge-ai's figures were taken at, and what the camera is asked for
FRAMES: Final = 12  # of one photograph, each a little otherwise: a hand that holds a product before the camera
FRAME_MS: Final = 100
AIM_MS: Final = 10.0


def run(folder: Path | None, *, frames: int = FRAMES) -> list[Row]:
    """Measure recall and time at two sizes, and wrong reads of shaken frames with and without the rule of agreement."""
    if folder is None:
        raise Invalid("no photographs", hint="Name their folder: tillmesh bench barcode --photos DIR.")
    photos = list(read_photos(folder))
    if not photos:
        raise Invalid(f"no photographs in {folder}", hint="It needs folders like ean13-1 with pictures and their .txt.")
    rows: list[Row] = []
    for side in SIDES:
        rows += _recall([Photo(one.kind, one.expected, fit(one.grey, side)) for one in photos], side)
    return [*rows, *_wrong(photos, frames)]


def _recall(photos: Iterable[Photo], side: int) -> list[Row]:
    """Read every photograph once, quickly and with the whole cascade."""
    quick: dict[str, list[bool]] = {}
    deep: dict[str, list[bool]] = {}
    quick_ms: list[float] = []
    deep_ms: list[float] = []
    quick_cpu: list[float] = []
    wrong = {"quick": 0, "cascade": 0}
    for photo in photos:
        began, began_cpu = time.perf_counter(), time.thread_time()
        found: list[Seen] = []
        for number, (_, seen) in enumerate(looks(photo.grey, deep=True)):
            if number == 0:
                quick_ms.append((time.perf_counter() - began) * 1e3)
                quick_cpu.append((time.thread_time() - began_cpu) * 1e3)
                quick.setdefault(photo.kind, []).append(any(same(one.text, photo.expected) for one in seen))
                wrong["quick"] += any(not same(one.text, photo.expected) for one in seen)
            if found := seen:
                break
        deep_ms.append((time.perf_counter() - began) * 1e3)
        deep.setdefault(photo.kind, []).append(any(same(one.text, photo.expected) for one in found))
        wrong["cascade"] += any(not same(one.text, photo.expected) for one in found)
    rows = [
        Row(
            what=f"{kind} at {side} px, read with the cascade", unit="%",
            spread=spread([100 * sum(deep[kind]) / len(hits)]),
            note=f"{sum(deep[kind])} of {len(hits)}; zxing alone {sum(hits)}",
        )
        for kind, hits in quick.items() if kind != NO_CODES
    ]  # fmt: skip
    time_ = spread(quick_ms)
    return [
        *rows,
        Row(what=f"CPU of the usual look at {side} px", unit="ms", spread=spread(quick_cpu)),
        Row(what=f"the usual look at {side} px", unit="ms", spread=time_, aim=f"below {AIM_MS:.0f} ms",
            met=time_.p99 < AIM_MS),
        Row(what=f"with the cascade at {side} px", unit="ms", spread=spread(deep_ms)),
        Row(what=f"wrong reads at {side} px", unit="photographs", spread=spread([float(wrong["cascade"])]),
            note=f"of {len(quick_ms)}; zxing alone {wrong['quick']}"),
    ]  # fmt: skip


def _wrong(photos: Iterable[Photo], count: int) -> list[Row]:
    """Shake each photograph before the camera, and count what would be rung up though it does not stand there."""
    rng = random.Random(20_261_125)  # noqa: S311 - shaking needs no secrets
    read = misread = scans = wrong_any = wrong_sold = right = 0
    for photo in photos:
        frames = [[one for _, one in _first(shaken(photo.grey, rng), number)] for number in range(count)]
        read += sum(len(found) for found in frames)
        misread += sum(not same(one.text, photo.expected) for found in frames for one in found)
        scans += 1
        taken = _rung_up(frames, lambda text: True)  # noqa: ARG005 - a shop that sells every number there is
        wrong_any += any(not same(text, photo.expected) for text in taken)
        right += any(same(text, photo.expected) for text in taken)
        sold = _rung_up(frames, partial(same, expected=photo.expected))
        wrong_sold += any(not same(text, photo.expected) for text in sold)
    return [
        Row(what="misread, single shaken frames", unit="per 1,000 reads", spread=spread([1e3 * misread / max(1, read)]),
            note=f"{misread} of {read} reads of {scans * count} frames"),
        Row(what="rung up wrongly by agreement alone", unit="per 1,000 scans", spread=spread([1e3 * wrong_any / scans]),
            note=f"{wrong_any} of {scans} scans, in a shop that sells every number; right in {right}"),
        Row(what="rung up wrongly by agreement and catalogue", unit="per 1,000 scans",
            spread=spread([1e3 * wrong_sold / scans]), aim="none", met=not wrong_sold,
            note="in a shop that sells what stands there"),
    ]  # fmt: skip


def _first(grey: Image.Image, number: int) -> Iterator[tuple[str, Seen]]:
    """Look as a scan does: each fourth frame through the cascade."""
    for name, seen in looks(grey, deep=number % 4 == 3):
        if seen:
            yield from ((name, one) for one in seen)
            return


def shaken(grey: Image.Image, rng: random.Random) -> Image.Image:
    """Make a frame of 640 pixels of a photograph in a hand: turned and moved a little, out of focus, noisy."""
    frame = fit(grey, 640).rotate(rng.uniform(-6, 6), Image.Resampling.BILINEAR, fillcolor=200)
    scale = rng.uniform(0.45, 1.0)
    frame = frame.resize((max(8, int(frame.width * scale)), max(8, int(frame.height * scale))))
    frame = frame.filter(ImageFilter.GaussianBlur(rng.choice((0.0, 0.6, 1.0, 1.5, 2.2))))
    noise = Image.effect_noise(frame.size, rng.uniform(2, 20))
    return Image.blend(frame, noise, rng.uniform(0, 0.15))


def _rung_up(frames: list[list[Seen]], is_product: Callable[[str], bool]) -> list[str]:
    view = View()
    taken: list[str] = []
    for number, found in enumerate(frames):
        looked = look(view, found, number * FRAME_MS, is_product)
        view = looked.view
        taken += looked.accepted
    return taken
