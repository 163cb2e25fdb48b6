"""Recognition as a till asks it: from the bytes of a JPEG to the answer of the worker process, and what that holds."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from tillmesh.adapters.inference.tasks.recognition import LOOK
from tillmesh.bench.measuring import Row, spread
from tillmesh.kernel.limits import INFERENCE_DEADLINE_MS_MAX
from tillmesh.terminal.ai import RECOGNITION, Ai

PHOTOS: Final = 200
SIZE: Final = (640, 480)  # what the page asks a camera for
AIM_MS: Final = 50.0  # issue: from JPEG to answer


def run(place: Path, *, photos: int = PHOTOS) -> list[Row]:
    """Start the worker, load the model, and look at photos that are all different: none is answered from memory."""
    return asyncio.run(_run(place, photos))


async def _run(place: Path, photos: int) -> list[Row]:
    ai = Ai(place)
    ai.stock_up()
    try:
        begun = time.perf_counter()
        await ai.runner.load(RECOGNITION)
        started_ms = (time.perf_counter() - begun) * 1e3
        asked = [_photo(number) for number in range(photos)]
        for given in asked[:5]:
            await ai.ask(RECOGNITION, LOOK + given, INFERENCE_DEADLINE_MS_MAX)
        times = []
        for given in asked:
            begun = time.perf_counter()
            await ai.ask(RECOGNITION, LOOK + given, INFERENCE_DEADLINE_MS_MAX)
            times.append((time.perf_counter() - begun) * 1e3)
        memory = ai.runner.memory_bytes / (1 << 20)
    finally:
        await ai.stop()
    whole = spread(times)
    return [
        Row(what="JPEG to answer, recognition", unit="ms", spread=whole, aim="p99 under 50", met=whole.p99 < AIM_MS),
        Row(what="worker started and model loaded", unit="ms", spread=spread([started_ms])),
        Row(what="memory of the worker", unit="MiB", spread=spread([memory])),
    ]


def _photo(number: int) -> bytes:
    """Give a photo of nothing in particular: noise in large patches, different each time."""
    draw = np.random.default_rng(number)
    patches = Image.fromarray(draw.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    file = BytesIO()
    patches.resize(SIZE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()
