"""Which product is in the photo: the network's view of it, compared with the views of products that were enrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import msgspec
import numpy as np

from tillmesh.adapters.inference.engines import Engine, open_engine
from tillmesh.adapters.inference.photos import Photo, open_photo
from tillmesh.edge.bundle import Bundle
from tillmesh.edge.cache import AnswerCache
from tillmesh.edge.recognition import Calibration, Gallery, Known, answer_of
from tillmesh.edge.sight import CLOSE_CENTRE, WHOLE_CENTRE, Array, Space, likeness, network_input, pack, pooled
from tillmesh.kernel.limits import RECOGNITION_CACHE_MAX, RECOGNITION_CACHE_MS

RECOGNISE, LOOK = b"R", b"L"  # the first byte of a question: which product is it, or only what is seen
_known = msgspec.msgpack.Decoder(Known)


class Recognition:
    """The network and what it is compared with."""

    def __init__(self, bundle: Bundle, engine: Engine, now_ms: Callable[[], int]) -> None:
        settings = bundle.manifest.settings
        self._engine, self._now_ms = engine, now_ms
        self._side = int(settings["pixels"])
        arrays = np.load(BytesIO(bundle.files["space.npz"]), allow_pickle=False)
        self._space = Space(
            settings["space"],
            arrays["mean"].astype(np.float32),
            arrays["matrix"].astype(np.float32),
            float(settings["colour_weight"]),
        )
        rows = arrays["starters"].astype(np.float32)
        self._starters = {name: rows[first:last] for name, (first, last) in settings["starters"].items()}
        self._calibration = msgspec.convert(settings["calibration"], Calibration)
        self._gallery = Gallery([], self._calibration)
        self._cache = AnswerCache[dict[str, Any]](RECOGNITION_CACHE_MAX, RECOGNITION_CACHE_MS)

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        """Answer each question."""
        return [self._one(given[:1], given[1:]) for given in inputs]

    def _one(self, what: bytes, data: bytes) -> dict[str, Any]:
        photo = open_photo(data, self._side)
        key = likeness(photo.small)
        if what == RECOGNISE and (held := self._cache.get(key, self._now_ms())):
            return {**held, "cached": True}
        vector = self._space.vector(*views(self._engine, photo), photo.small)
        if what == LOOK:
            return {"space": self._space.name, "example": pack(vector)}
        found = {**answer_of(self._gallery.rank(vector)), "box": list(photo.box)}
        self._cache.put(key, found, self._now_ms())
        return {**found, "cached": False}

    def tell(self, state: bytes) -> None:
        """Learn which products the shop enrolled, and which it sells under a name that comes with the model."""
        self._gallery = Gallery(_known.decode(state).examples(self._space.length, self._starters), self._calibration)
        self._cache.clear()


def views(engine: Engine, photo: Photo) -> tuple[Array, Array]:
    """Let the network see both views of a photo, and give what it saw, pooled."""
    (whole,) = engine.run(network_input(photo.whole))
    pooled_whole = pooled(whole[0], WHOLE_CENTRE)
    (close,) = engine.run(network_input(photo.close))
    return pooled_whole, pooled(close[0], CLOSE_CENTRE)


def load(bundle: Bundle, now_ms: Callable[[], int]) -> Recognition:
    """Load the network and its space."""
    return Recognition(bundle, open_engine(bundle.manifest.engine, bundle.files["network.tflite"]), now_ms)
