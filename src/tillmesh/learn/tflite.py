"""Write a chain of convolutions as a TFLite file: in floats, or static INT8 when the ranges of activations are known.

No framework is needed for it: the format is a FlatBuffer, the quantisation is arithmetic.
Source: TensorFlow Lite schema version 3 and the "8-bit quantization specification": activations asymmetric per tensor,
weights symmetric per output channel, biases 32 bits at the product of both scales.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import flatbuffers
import numpy as np

from tillmesh.learn.efficientnet import Array, Conv

Ranges = Mapping[str, tuple[float, float]]  # name of a tensor -> least and greatest value seen
FLOAT32, INT32, INT8 = 0, 2, 9
SAME, NO_ACTIVATION, RELU6 = 0, 0, 3
ADD, CONV, DEPTHWISE = 0, 3, 4  # operators; their versions below
VERSIONS: Final = {ADD: (1, 2), CONV: (1, 3), DEPTHWISE: (1, 3)}  # of floats, of INT8
OPTIONS: Final = {ADD: 11, CONV: 1, DEPTHWISE: 2}
BIAS_MAX: Final = 1 << 30
INPUT: Final = "input"
INPUT_SCALE: Final = (1 / 128, -1)  # (pixel - 127) / 128 of a pixel that is stored less 128: exact


@dataclass
class _Tensor:
    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes = b""
    scales: Array | None = None
    zeros: Array | None = None
    axis: int = 0


@dataclass
class _Op:
    code: int
    inputs: list[int]
    outputs: list[int]
    stride: int
    activation: int


@dataclass
class _Graph:
    """Tensors and operators in order, before they are bytes."""

    ranges: Ranges | None
    tensors: list[_Tensor] = field(default_factory=list)
    ops: list[_Op] = field(default_factory=list)

    def add(self, tensor: _Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, name: str, shape: tuple[int, ...]) -> int:
        if self.ranges is None:
            return self.add(_Tensor(name, shape, FLOAT32))
        scale, zero = INPUT_SCALE if name == INPUT else affine(*self.ranges[name])
        return self.add(_Tensor(name, shape, INT8, b"", np.array([scale], np.float32), np.array([zero], np.int64)))


def affine(least: float, most: float) -> tuple[float, int]:
    """Give scale and zero point of a range; zero itself is always exact."""
    least, most = min(least, 0.0), max(most, 0.0)
    scale = max((most - least) / 255, 1e-9)
    return scale, int(np.clip(round(-128 - least / scale), -128, 127))


def write(layers: Sequence[Conv], pixels: int, ranges: Ranges | None = None) -> bytes:
    """Give the file; with ``ranges`` every number in it is an integer."""
    graph = _Graph(ranges)
    size = pixels
    places = {INPUT: graph.activation(INPUT, (1, pixels, pixels, 3))}
    last = INPUT
    for layer in layers:
        size = -(-size // layer.stride)
        places[layer.name] = _conv(graph, layer, places[last], size)
        last = layer.name
        if layer.adds:
            total = graph.activation(f"{layer.name}_sum", (1, size, size, layer.weights.shape[0]))
            graph.ops.append(_Op(ADD, [places[layer.name], places[layer.adds]], [total], 1, NO_ACTIVATION))
            places[layer.name] = total
    return _flat(graph, places[INPUT], places[last])


def _conv(graph: _Graph, layer: Conv, given: int, size: int) -> int:
    channels = layer.weights.shape[0]
    weights = layer.weights
    axis = 0
    if layer.depthwise:
        weights, axis = weights.transpose(3, 1, 2, 0), 3
    kind = DEPTHWISE if layer.depthwise else CONV
    if graph.ranges is None:
        parts = [
            _Tensor(f"{layer.name}_w", weights.shape, FLOAT32, np.ascontiguousarray(weights, np.float32).tobytes()),
            _Tensor(f"{layer.name}_b", (channels,), FLOAT32, layer.bias.astype(np.float32).tobytes()),
        ]
    else:
        before = graph.tensors[given].scales
        assert before is not None, "every activation of an INT8 graph has a scale"
        parts = _quantised(layer, weights, axis, float(before[0]))
    inputs = [given, *(graph.add(part) for part in parts)]
    out = graph.activation(layer.name, (1, size, size, channels))
    graph.ops.append(_Op(kind, inputs, [out], layer.stride, RELU6 if layer.relu6 else NO_ACTIVATION))
    return out


def _quantised(layer: Conv, weights: Array, axis: int, scale_before: float) -> list[_Tensor]:
    others = tuple(place for place in range(4) if place != axis)
    # A channel whose weights are all but nothing is its bias alone, which has to fit as well.
    for_bias = np.abs(layer.bias) / (scale_before * BIAS_MAX)
    scales = np.maximum(np.maximum(np.abs(weights).max(axis=others) / 127, for_bias), 1e-9).astype(np.float32)
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    whole = np.clip(np.round(weights / scales.reshape(shape)), -127, 127).astype(np.int8)
    zeros = np.zeros(len(scales), np.int64)
    bias_scales = (scales * scale_before).astype(np.float32)
    bias = np.round(layer.bias.astype(np.float64) / bias_scales).astype(np.int32)
    return [
        _Tensor(f"{layer.name}_w", whole.shape, INT8, whole.tobytes(), scales, zeros, axis),
        _Tensor(f"{layer.name}_b", bias.shape, INT32, bias.tobytes(), bias_scales, zeros),
    ]


# ---------------------------------------------------------------- the FlatBuffer


def _flat(graph: _Graph, given: int, out: int) -> bytes:
    to = flatbuffers.Builder(1 << 20)
    codes = sorted({op.code for op in graph.ops})
    buffers = [_table(to, {})]  # the first buffer is empty, by convention
    tensors = []
    for tensor in graph.tensors:
        number = 0
        if tensor.data:
            number = len(buffers)
            buffers.append(_table(to, {0: ("offset", _bytes(to, tensor.data))}))
        tensors.append(_tensor(to, tensor, number))
    ops = [_op(to, op, codes.index(op.code)) for op in graph.ops]
    subgraph = _table(to, {
        0: ("offset", _offsets(to, tensors)),
        1: ("offset", to.CreateNumpyVector(np.array([given], np.int32))),
        2: ("offset", to.CreateNumpyVector(np.array([out], np.int32))),
        3: ("offset", _offsets(to, ops)),
    })  # fmt: skip
    quantised = graph.ranges is not None
    named = [
        _table(to, {0: ("int8", code), 2: ("int32", VERSIONS[code][quantised]), 3: ("int32", code)}) for code in codes
    ]
    model = _table(to, {
        0: ("uint32", 3),
        1: ("offset", _offsets(to, named)),
        2: ("offset", _offsets(to, [subgraph])),
        4: ("offset", _offsets(to, buffers)),
    })  # fmt: skip
    to.Finish(model, file_identifier=b"TFL3")
    return bytes(to.Output())


def _table(to: Any, slots: Mapping[int, tuple[str, int]]) -> int:
    """Write a table; values equal to 0 are the schema's defaults wherever they are used here."""
    to.StartObject(max(slots, default=-1) + 1)
    for slot, (kind, value) in slots.items():
        match kind:
            case "offset":
                to.PrependUOffsetTRelativeSlot(slot, value, 0)
            case "int8":
                to.PrependInt8Slot(slot, value, 0)
            case "uint8":
                to.PrependUint8Slot(slot, value, 0)
            case "int32":
                to.PrependInt32Slot(slot, value, 0)
            case _:
                to.PrependUint32Slot(slot, value, 0)
    return int(to.EndObject())


def _offsets(to: Any, offsets: Sequence[int]) -> int:
    to.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        to.PrependUOffsetTRelative(offset)
    return int(to.EndVector())


def _bytes(to: Any, data: bytes) -> int:
    """Write bytes at an address that is a multiple of 16: kernels read them in place."""
    to.StartVector(1, len(data), 16)
    to.head = to.Head() - len(data)
    to.Bytes[to.Head() : to.Head() + len(data)] = data
    return int(to.EndVector())


def _tensor(to: Any, tensor: _Tensor, number: int) -> int:
    slots: dict[int, tuple[str, int]] = {
        0: ("offset", to.CreateNumpyVector(np.array(tensor.shape, np.int32))),
        1: ("int8", tensor.kind),
        2: ("uint32", number),
        3: ("offset", to.CreateString(tensor.name)),
    }
    if tensor.scales is not None and tensor.zeros is not None:
        scales = to.CreateNumpyVector(tensor.scales)
        zeros = to.CreateNumpyVector(tensor.zeros)
        slots[4] = (
            "offset",
            _table(to, {2: ("offset", scales), 3: ("offset", zeros), 6: ("int32", tensor.axis)}),
        )
    return _table(to, slots)


def _op(to: Any, op: _Op, code: int) -> int:
    if op.code == ADD:
        options = _table(to, {0: ("int8", op.activation)})
    else:
        slots = {0: ("int8", SAME), 1: ("int32", op.stride), 2: ("int32", op.stride)}
        slots |= {3: ("int8", op.activation)} if op.code == CONV else {3: ("int32", 1), 4: ("int8", op.activation)}
        options = _table(to, slots)  # fmt: skip
    return _table(to, {
        0: ("uint32", code),
        1: ("offset", to.CreateNumpyVector(np.array(op.inputs, np.int32))),
        2: ("offset", to.CreateNumpyVector(np.array(op.outputs, np.int32))),
        3: ("uint8", OPTIONS[op.code]),
        4: ("offset", options),
    })  # fmt: skip
