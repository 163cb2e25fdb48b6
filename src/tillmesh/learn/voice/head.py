"""The head in numpy: two convolutions over time and a layer of words, trained with CTC and Adam.

About 100,000 numbers: a framework would be most of the installation and none of the speed.
Source of the loss: Graves et al., "Connectionist temporal classification", ICML 2006, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # of 32 bits
Weights = dict[str, Floats]
REACH: Final = 1  # steps that a convolution looks to each side
HIDDEN: Final = 96
NONE: Final = -1e30


def new_weights(rng: np.random.Generator, width: int, words: int, hidden: int = HIDDEN) -> Weights:
    """Draw weights to begin with (He et al. 2015)."""

    def drawn(fan_in: int, fan_out: int) -> Floats:
        weights: Floats = (rng.standard_normal((fan_in, fan_out)) * np.sqrt(2 / fan_in)).astype(np.float32)
        return weights

    span = 2 * REACH + 1
    return {
        "mean": np.zeros(width, np.float32),
        "scale": np.ones(width, np.float32),
        "w1": drawn(span * width, hidden),
        "b1": np.zeros(hidden, np.float32),
        "w2": drawn(span * hidden, hidden),
        "b2": np.zeros(hidden, np.float32),
        "w3": drawn(hidden, words),
        "b3": np.zeros(words, np.float32),
    }


def around(x: Floats) -> Floats:
    """Put the steps before and after beside each step: (batch, steps, width) to (batch, steps, 3 width)."""
    padded = np.pad(x, ((0, 0), (REACH, REACH), (0, 0)))
    return np.concatenate([padded[:, shift : shift + x.shape[1]] for shift in range(2 * REACH + 1)], axis=2)


def _around_back(grad: Floats) -> Floats:
    width = grad.shape[2] // (2 * REACH + 1)
    out = np.zeros((grad.shape[0], grad.shape[1] + 2 * REACH, width), np.float32)
    for shift in range(2 * REACH + 1):
        out[:, shift : shift + grad.shape[1]] += grad[:, :, shift * width : (shift + 1) * width]
    return out[:, REACH : out.shape[1] - REACH]


def _flat(a: Floats) -> Floats:
    flat: Floats = a.reshape(-1, a.shape[2])
    return flat


def log_softmax(logits: Floats) -> Floats:
    """Give log probabilities over the last axis."""
    high = logits.max(axis=-1, keepdims=True)
    shifted = logits - high
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


def train_step(
    weights: Weights,
    x: Floats,
    lengths: Sequence[int],
    targets: Sequence[list[int]],
    rng: np.random.Generator,
    dropout: float,
) -> tuple[float, Weights]:
    """Give the mean loss of a batch and the gradient of every weight."""
    keep = np.float32(1 - dropout)
    normal = (x - weights["mean"]) * weights["scale"]
    normal *= (rng.random(normal.shape, np.float32) < 1 - dropout / 2) / np.float32(1 - dropout / 2)
    a0 = around(normal)
    z1 = a0 @ weights["w1"] + weights["b1"]
    m1 = (z1 > 0) * (rng.random(z1.shape, np.float32) < keep) / keep
    a1 = around((z1 * m1).astype(np.float32))
    z2 = a1 @ weights["w2"] + weights["b2"]
    m2 = (z2 > 0) * (rng.random(z2.shape, np.float32) < keep) / keep
    h2 = (z2 * m2).astype(np.float32)
    logs = log_softmax(h2 @ weights["w3"] + weights["b3"])
    loss, grad = ctc(logs, lengths, targets)
    g2 = (grad @ weights["w3"].T) * m2
    g1 = _around_back(g2 @ weights["w2"].T) * m1
    gradient = {
        "w3": _flat(h2).T @ _flat(grad), "b3": _flat(grad).sum(axis=0),
        "w2": _flat(a1).T @ _flat(g2), "b2": _flat(g2).sum(axis=0),
        "w1": _flat(a0).T @ _flat(g1), "b1": _flat(g1).sum(axis=0),
    }  # fmt: skip
    return loss, {name: value.astype(np.float32) for name, value in gradient.items()}


def ctc(logs: Floats, lengths: Sequence[int], targets: Sequence[list[int]]) -> tuple[float, Floats]:
    """Give the mean CTC loss and its gradient by the logits; 0 is the blank."""
    batch, steps, _ = logs.shape
    states = 2 * max(len(one) for one in targets) + 1
    label = np.zeros((batch, states), np.int64)
    valid = np.zeros((batch, states), bool)
    for row, target in enumerate(targets):
        label[row, 1 : 2 * len(target) : 2] = target
        valid[row, : 2 * len(target) + 1] = True
    skip = np.zeros((batch, states), bool)
    skip[:, 2:] = (label[:, 2:] != 0) & (label[:, 2:] != label[:, :-2])
    emit = np.take_along_axis(logs, np.repeat(label[:, None, :], steps, axis=1), axis=2).astype(np.float64)
    emit = np.where(valid[:, None, :], emit, NONE)
    end = np.asarray(lengths)
    last = np.array([2 * len(one) for one in targets])
    rows = np.arange(batch)
    alpha = np.full((batch, steps, states), NONE)
    alpha[:, 0, :2] = emit[:, 0, :2]
    for t in range(1, steps):
        alpha[:, t] = _come(alpha[:, t - 1], skip) + emit[:, t]
    beta = np.full((batch, steps, states), NONE)
    for t in range(steps - 1, -1, -1):
        if t < steps - 1:
            beta[:, t] = _go(beta[:, t + 1] + emit[:, t + 1], skip)
        at_end = rows[end - 1 == t]
        beta[at_end, t] = NONE
        beta[at_end, t, last[at_end]] = 0.0
        beta[at_end, t, np.maximum(last[at_end] - 1, 0)] = 0.0
    final = alpha[rows, end - 1] + beta[rows, end - 1]
    total = _logsum(final)
    posterior = np.exp(np.minimum(alpha + beta - total[:, None, None], 0.0))
    inside = np.arange(steps)[None, :] < end[:, None]
    possible = (total > NONE / 2) & (end > 0)
    posterior *= (inside & possible[:, None])[:, :, None]
    grad = np.exp(logs) * (inside & possible[:, None])[:, :, None]
    np.subtract.at(grad, (rows[:, None, None], np.arange(steps)[None, :, None], label[:, None, :]), posterior)
    count = max(1, int(possible.sum()))
    return float(-total[possible].sum() / count), (grad / count).astype(np.float32)


def _logsum(values: Floats) -> Floats:
    high = values.max(axis=1)
    logs: Floats = high + np.log(np.exp(values - high[:, None]).sum(axis=1))
    return logs


def _come(before: Floats, skip: NDArray[np.bool_]) -> Floats:
    one = np.full_like(before, NONE)
    one[:, 1:] = before[:, :-1]
    two = np.full_like(before, NONE)
    two[:, 2:] = np.where(skip[:, 2:], before[:, :-2], NONE)
    return np.logaddexp(np.logaddexp(before, one), two)


def _go(after: Floats, skip: NDArray[np.bool_]) -> Floats:
    one = np.full_like(after, NONE)
    one[:, :-1] = after[:, 1:]
    two = np.full_like(after, NONE)
    two[:, :-2] = np.where(skip[:, 2:], after[:, 2:], NONE)
    return np.logaddexp(np.logaddexp(after, one), two)


class Adam:
    """Kingma and Ba 2015, with decoupled weight decay (Loshchilov and Hutter 2019)."""

    def __init__(self, weights: Weights, decay: float = 1e-4) -> None:
        self._mean = {name: np.zeros_like(value) for name, value in weights.items()}
        self._square = {name: np.zeros_like(value) for name, value in weights.items()}
        self._decay = decay
        self._count = 0

    def step(self, weights: Weights, gradient: Weights, rate: float) -> None:
        """Change the weights in place."""
        self._count += 1
        norm = float(np.sqrt(sum(float((value**2).sum()) for value in gradient.values())))
        clip = min(1.0, 5.0 / (norm + 1e-9))
        for name, value in gradient.items():
            value = value * np.float32(clip)  # noqa: PLW2901 - the clipped one is meant from here on
            self._mean[name] = 0.9 * self._mean[name] + 0.1 * value
            self._square[name] = 0.999 * self._square[name] + 0.001 * value**2
            mean = self._mean[name] / (1 - 0.9**self._count)
            square = self._square[name] / (1 - 0.999**self._count)
            weights[name] -= (rate * (mean / (np.sqrt(square) + 1e-8) + self._decay * weights[name])).astype(np.float32)
