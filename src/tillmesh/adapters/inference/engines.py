"""The two runtimes behind one port. Imported by the worker and the pipeline only: they are heavy."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Engine(Protocol):
    """A network that is loaded."""

    def run(self, *inputs: Array) -> list[Array]:
        """Compute the outputs of one input, in the order the network declares them."""
        ...


class LiteRt:
    """TensorFlow Lite with XNNPACK."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=model, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def run(self, *inputs: Array) -> list[Array]:
        """Compute the outputs; floats are quantised and results given back as floats where the network wants it."""
        for details, given in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(details["index"], _quantised(given, details))
        self._interpreter.invoke()
        return [_real(self._interpreter.get_tensor(details["index"]), details) for details in self._outputs]


class Onnx:
    """ONNX Runtime on the processor."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._names = [given.name for given in self._session.get_inputs()]

    def run(self, *inputs: Array) -> list[Array]:
        """Compute the outputs."""
        return [np.asarray(out) for out in self._session.run(None, dict(zip(self._names, inputs, strict=True)))]


def open_engine(kind: str, model: bytes, threads: int = 1) -> Engine:
    """Load a network into the runtime that its manifest names."""
    match kind:
        case "litert":
            return LiteRt(model, threads)
        case "onnx":
            return Onnx(model, threads)
        case _:
            raise ValueError(f"no runtime is called {kind!r}")


def _quantised(given: Array, details: dict[str, Any]) -> Array:
    kind = details["dtype"]
    if given.dtype == kind:
        return given
    scale, zero = details["quantization"]
    if not scale:
        return given.astype(kind)
    limits = np.iinfo(kind)
    whole: Array = np.clip(np.round(given / scale) + zero, limits.min, limits.max).astype(kind)
    return whole


def _real(out: Array, details: dict[str, Any]) -> Array:
    scale, zero = details["quantization"]
    if out.dtype == np.float32 or not scale:
        return out
    real: Array = ((out.astype(np.float32) - zero) * scale).astype(np.float32)
    return real
