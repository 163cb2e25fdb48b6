"""From sound to probabilities of words: a spectrogram, Google's frozen speech embedding, and our head.

The embedding (Lin et al. 2020, "Training keyword spotters with limited and synthesized speech data") gives 96 numbers
for each 0.78 s, every 80 ms. The head is two small convolutions in numpy: calling a runtime would take longer.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tillmesh.edge.voice.sound import Sound, prepared

Floats = NDArray[Any]  # of 32 bits, as networks take and give them
MEL_FILE: Final = "melspectrogram.tflite"
EMBEDDING_FILE: Final = "speech_embedding.tflite"
HEAD_FILE: Final = "head.npz"
WINDOW: Final = 76  # frames of 10 ms that one embedding sees
STEP: Final = 8  # frames from one to the next
WIDTH: Final = 96


class Ear:
    """The two frozen networks. Not for two threads at once."""

    def __init__(self, mel: bytes, embedding: bytes, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._mel = Interpreter(model_content=mel, num_threads=threads)
        self._embedding = Interpreter(model_content=embedding, num_threads=threads)
        self._shapes: dict[int, tuple[int, ...]] = {}

    def hear(self, sound: Sound) -> Floats:
        """Give one row of 96 numbers for each step of a sound of 16,000 samples a second."""
        mel = self._call(self._mel, prepared(sound)[None, :]).reshape(-1, 32) / 10 + 2
        # The network is convolutions alone: over the whole length it gives what it gives window by window, for a fifth.
        return self._call(self._embedding, mel[None, :, :, None].astype(np.float32)).reshape(-1, WIDTH)

    def _call(self, network: Any, given: Floats) -> Floats:
        details = network.get_input_details()[0]
        if self._shapes.get(id(network)) != given.shape:
            network.resize_tensor_input(details["index"], given.shape)
            network.allocate_tensors()
            self._shapes[id(network)] = given.shape
        network.set_tensor(details["index"], given)
        network.invoke()
        out: Floats = network.get_tensor(network.get_output_details()[0]["index"])
        return out


def around(x: Floats) -> Floats:
    """Put the step before and the one after beside each step."""
    padded = np.pad(x, ((1, 1), (0, 0)))
    return np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=1)


def words_of(heard: Floats, head: Mapping[str, Floats]) -> Floats:
    """Give the log probability of each word in each step."""
    x = (heard - head["mean"]) * head["scale"]
    x = np.maximum(around(x) @ head["w1"] + head["b1"], 0)
    x = np.maximum(around(x) @ head["w2"] + head["b2"], 0)
    logits = x @ head["w3"] + head["b3"]
    high = logits.max(axis=1, keepdims=True)
    shifted: Floats = logits - high
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def read_head(data: bytes) -> dict[str, Floats]:
    """Read a head; no pickles."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        return {name: held[name].astype(np.float32) for name in held.files}


def write_head(head: Mapping[str, Floats]) -> bytes:
    """Write a head as it is shipped: half precision is twice as exact as it needs to be."""
    out = io.BytesIO()
    halves: dict[str, Any] = {name: value.astype(np.float16) for name, value in sorted(head.items())}
    np.savez_compressed(out, **halves)
    return out.getvalue()
