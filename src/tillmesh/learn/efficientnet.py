"""EfficientNet-Lite as a list of layers, from the published weights: batch normalisation folded, nothing trained here.

Source: Tan & Le, EfficientNet (2019), and the Lite variants of the TensorFlow TPU models: no squeeze-and-excitation,
ReLU6 throughout, stem and head not scaled. Input is ``(pixel - 127) / 128``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tillmesh.learn.weights import Tensors

Array = np.ndarray[Any, np.dtype[Any]]
EPSILON: Final = 1e-3  # of batch normalisation, in the published models
STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage
REPEATS: Final = {
    "lite0": (1, 2, 2, 3, 3, 4, 1),
    "lite1": (1, 3, 3, 4, 4, 5, 1),
    "lite2": (1, 3, 3, 4, 4, 5, 1),
}
PIXELS: Final = {"lite0": 224, "lite1": 240, "lite2": 260}


@dataclass(frozen=True)
class Conv:
    """A convolution with bias, and ReLU6 after it or nothing. ``weights`` are out, height, width, in."""

    name: str
    weights: Array
    bias: Array
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True
    adds: str = ""  # the layer whose output is added after it


def layers(tensors: Tensors, variant: str) -> list[Conv]:
    """Give the layers up to the 1,280 feature maps; every layer reads the one before it."""
    found = [_conv(tensors, "stem", "_conv_stem", "_bn0", stride=2)]
    firsts = {sum(REPEATS[variant][:stage]): stride for stage, stride in enumerate(STRIDES)}
    for number in range(sum(REPEATS[variant])):
        found += _block(tensors, number, firsts.get(number, 1), found[-1])
    found.append(_conv(tensors, "head", "_conv_head", "_bn1"))
    return found


def _block(tensors: Tensors, number: int, stride: int, before: Conv) -> list[Conv]:
    at = f"_blocks.{number}."
    name = f"block{number}"
    block = []
    if f"{at}_expand_conv.weight" in tensors:
        block.append(_conv(tensors, f"{name}_expand", f"{at}_expand_conv", f"{at}_bn0"))
    block.append(_conv(tensors, f"{name}_depth", f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, depthwise=True))
    out = _conv(tensors, f"{name}_out", f"{at}_project_conv", f"{at}_bn2", relu6=False)
    channels_before = before.weights.shape[0]
    if stride == 1 and out.weights.shape[0] == channels_before:
        out = Conv(out.name, out.weights, out.bias, relu6=False, adds=before.name)
    return [*block, out]


def _conv(
    tensors: Tensors, name: str, conv: str, norm: str, *, stride: int = 1, depthwise: bool = False, relu6: bool = True
) -> Conv:
    weights = tensors[f"{conv}.weight"].astype(np.float64)  # out, in, height, width
    factor = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"].astype(np.float64) + EPSILON)
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * factor
    folded = (weights * factor[:, None, None, None]).transpose(0, 2, 3, 1)
    return Conv(name, folded.astype(np.float32), bias.astype(np.float32), stride, depthwise, relu6)
