"""From a network in floats to one in whole numbers: how far its activations reach, seen on some photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tillmesh.learn.efficientnet import Array, Conv
from tillmesh.learn.tflite import INPUT, write

Ranges = dict[str, tuple[float, float]]


def ranges(layers: Sequence[Conv], pixels: int, photos: Iterable[Array]) -> Ranges:
    """Run the network in floats over photos and give the least and greatest value of every activation."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(
        model_content=write(layers, pixels), num_threads=1, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    wanted = {layer.name for layer in layers} | {f"{layer.name}_sum" for layer in layers if layer.adds}
    places = {one["name"]: one["index"] for one in interpreter.get_tensor_details() if one["name"] in wanted}
    given = interpreter.get_input_details()[0]["index"]
    seen: Ranges = {INPUT: (-127 / 128, 1.0)}
    for photo in photos:
        interpreter.set_tensor(given, ((photo.astype(np.float32) - 127) / 128)[None])
        interpreter.invoke()
        for name, place in places.items():
            values = interpreter.get_tensor(place)
            least, most = seen.get(name, (0.0, 0.0))
            seen[name] = (min(least, float(values.min())), max(most, float(values.max())))
    return seen
