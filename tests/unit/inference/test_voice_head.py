"""The trainer of the voice head: its gradients are those of its loss, and it learns what can be learnt."""

import numpy as np
import pytest

from tillmesh.adapters.inference.hearing import read_head, words_of, write_head
from tillmesh.learn.voice.head import Adam, ctc, log_softmax, new_weights, train_step


def test_the_gradient_of_the_loss_is_its_slope() -> None:
    rng = np.random.default_rng(0)
    logits, lengths, targets = rng.standard_normal((3, 8, 6)), [8, 6, 7], [[1, 2, 2], [3], [4, 5, 1]]
    _, gradient = ctc(log_softmax(logits), lengths, targets)
    for place in [(0, 0, 1), (0, 3, 2), (1, 2, 3), (1, 5, 0), (1, 7, 2), (2, 6, 1), (2, 7, 3)]:
        up, down = logits.copy(), logits.copy()
        up[place] += 1e-4
        down[place] -= 1e-4
        slope = (ctc(log_softmax(up), lengths, targets)[0] - ctc(log_softmax(down), lengths, targets)[0]) / 2e-4
        assert gradient[place] == pytest.approx(slope, abs=1e-5)


def test_words_that_do_not_fit_the_time_are_left_out_of_the_loss() -> None:
    logs = log_softmax(np.zeros((2, 3, 4)))
    loss, gradient = ctc(logs, [3, 3], [[1], [1, 1, 1]])
    assert np.isfinite(loss)
    assert not gradient[1].any()


def test_three_words_are_learnt_and_survive_being_shipped() -> None:
    rng = np.random.default_rng(1)
    sounds = rng.standard_normal((4, 6)).astype(np.float32)
    weights = new_weights(rng, 6, 4, 24)
    adam = Adam(weights)

    def spoken(words: list[int]) -> np.ndarray:
        steps = [sounds[0], *(step for word in words for step in (sounds[word], sounds[word], sounds[0]))]
        return np.array(steps, np.float32) + rng.standard_normal((len(steps), 6)).astype(np.float32) * 0.1

    loss = np.inf
    for _ in range(150):
        said = [[int(word) for word in rng.integers(1, 4, 3)] for _ in range(16)]
        x = np.stack([spoken(words) for words in said])
        loss, gradient = train_step(weights, x, [x.shape[1]] * 16, said, rng, 0.1)
        adam.step(weights, gradient, 5e-3)
    assert loss < 0.5
    heard = words_of(spoken([3, 1, 2]), read_head(write_head(weights))).argmax(axis=1)
    collapsed = [int(word) for at, word in enumerate(heard) if word and (at == 0 or heard[at - 1] != word)]
    assert collapsed == [3, 1, 2]
