"""What a shop does to a voice: speed, pitch, room, loudness, and noise of the kinds that shops make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tillmesh.edge.voice.sound import Sound, level

RATE_HZ: Final = 16_000


def resample(sound: Sound, ratio: float) -> Sound:
    """Stretch by a ratio; speed and pitch change together, as with a tape."""
    count = max(1, round(len(sound) * ratio))
    places = np.linspace(0, len(sound) - 1, count)
    return np.interp(places, np.arange(len(sound)), sound).astype(np.float32)


def trimmed(sound: Sound, share: float = 0.02) -> Sound:
    """Cut the silence before and after, but for 50 ms."""
    loud = np.flatnonzero(np.abs(sound) > share * np.abs(sound).max(initial=1e-9))
    if not len(loud):
        return sound
    edge = RATE_HZ // 20
    return sound[max(0, loud[0] - edge) : loud[-1] + edge]


def in_room(rng: np.random.Generator, sound: Sound) -> Sound:
    """Add the echo of a small or middling room: 0.1 to 0.5 s until it has fallen by 60 dB."""
    seconds = rng.uniform(0.1, 0.5)
    count = int(seconds * RATE_HZ)
    tail = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count) * rng.uniform(0.02, 0.12)
    tail[0] = 1.0
    size = _power_of_two(len(sound) + count)
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)
    return wet[: len(sound) + count // 3].astype(np.float32)


def microphone(rng: np.random.Generator, sound: Sound) -> Sound:
    """Tilt the spectrum and cut its ends, as cheap microphones do."""
    size = _power_of_two(len(sound))
    spectrum = np.fft.rfft(sound, size)
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    tilt = (np.maximum(hertz, 50) / 1000) ** rng.uniform(-0.3, 0.3)
    low, high = rng.uniform(40, 250), rng.uniform(3_600, 8_000)
    return np.fft.irfft(spectrum * tilt * (hertz > low) * (hertz < high), size)[: len(sound)].astype(np.float32)


def _power_of_two(count: int) -> int:
    """Give the next power of two: the spectrum of any other length takes up to ten times as long."""
    return 1 << max(1, count - 1).bit_length()


def shop_noise(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:
    """Make noise of a shop: people in the background, fridges, air, beeps, things put down. Loudness 1."""
    noise = np.zeros(count, np.float32)
    for part in rng.permutation(5)[: rng.integers(1, 4)]:
        made = _PARTS[part](rng, count, voices)
        noise += made / (level(made) + 1e-9) * rng.uniform(0.3, 1.0)
    even: Sound = (noise / (np.sqrt(np.mean(noise**2)) + 1e-9)).astype(np.float32)
    return even


def _people(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:
    mixed = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(3, 8))):
        voice = voices[int(rng.integers(len(voices)))]
        start = int(rng.integers(max(1, len(voice))))
        looped = np.tile(voice, count // max(1, len(voice)) + 2)[start : start + count]
        mixed += looped * rng.uniform(0.3, 1.0)
    return mixed


def _fridge(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:
    time = np.arange(count, dtype=np.float32) / np.float32(RATE_HZ)
    base = float(rng.choice([50.0, 60.0]))
    angle = time * np.float32(2 * np.pi * base)
    waves = [rng.uniform(0.1, 1) / n * np.sin(angle * n + np.float32(rng.uniform(0, 6.3))) for n in range(1, 9)]
    hum: Sound = np.sum(waves, axis=0).astype(np.float32)
    return hum + _air(rng, count, voices) * np.float32(0.1)


def _air(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:  # noqa: ARG001
    size = _power_of_two(count)
    spectrum = np.fft.rfft(rng.standard_normal(size, np.float32))
    falls = (np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0.2, 0.9)).astype(np.float32)
    return np.fft.irfft(spectrum * falls, size)[:count].astype(np.float32) * np.float32(size**0.5)


def _beeps(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:
    noise = _air(rng, count, voices) * np.float32(0.02)
    for _ in range(int(rng.integers(1, 4))):
        length = int(rng.uniform(0.05, 0.2) * RATE_HZ)
        start = int(rng.integers(max(1, count - length)))
        tone = np.sin(2 * np.pi * rng.uniform(900, 3_500) * np.arange(length) / RATE_HZ) * np.hanning(length)
        noise[start : start + length] += tone[: count - start].astype(np.float32)
    return noise


def _clatter(rng: np.random.Generator, count: int, voices: Sequence[Sound]) -> Sound:
    noise = _air(rng, count, voices) * np.float32(0.05)
    for _ in range(int(rng.integers(2, 8))):
        length = int(rng.uniform(0.02, 0.25) * RATE_HZ)
        start = int(rng.integers(max(1, count - length)))
        knock = rng.standard_normal(length) * np.exp(-rng.uniform(4, 12) * np.arange(length) / length)
        noise[start : start + length] += knock[: count - start].astype(np.float32) * np.float32(rng.uniform(0.2, 1))
    return noise


_PARTS: Final = (_people, _fridge, _air, _beeps, _clatter)


def with_noise(rng: np.random.Generator, sound: Sound, ratio_db: float, voices: Sequence[Sound]) -> Sound:
    """Add noise so that the voice is so many decibels above it."""
    noise = shop_noise(rng, len(sound), voices)
    return sound + noise * np.float32(level(sound) / 10 ** (ratio_db / 20))


def lived(rng: np.random.Generator, sound: Sound, voices: Sequence[Sound]) -> Sound:
    """Do to a clean voice what happens on the way to the till, a little or a lot; the way training hears it."""
    sound = resample(sound, rng.uniform(0.85, 1.18))
    around = np.zeros(int(rng.uniform(0.05, 0.5) * RATE_HZ), np.float32)
    after = np.zeros(int(rng.uniform(0.05, 0.5) * RATE_HZ), np.float32)
    sound = np.concatenate([around, sound, after])
    if rng.random() < 0.5:
        sound = in_room(rng, sound)
    if rng.random() < 0.4:
        sound = microphone(rng, sound)
    if rng.random() < 0.8:
        sound = with_noise(rng, sound, rng.uniform(2, 30), voices)
    return loud(sound, 10 ** rng.uniform(-1.6, -0.3))


def loud(sound: Sound, peak: float) -> Sound:
    """Bring the highest sample to a peak; 1 is full scale."""
    scaled: Sound = (sound / (np.abs(sound).max(initial=1e-9)) * peak).astype(np.float32)
    return scaled
