"""From a WAV file to what the recogniser hears: mono, 16,000 samples a second, one loudness. Training does the same."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import VOICE_SECONDS_MAX

Sound = NDArray[Any]  # floats of 32 bits; full scale is 1
RATE_HZ: Final = 16_000
RATES_HZ: Final = range(8_000, 96_001)
CHANNELS_MAX: Final = 8
LEVEL: Final = 0.08  # of the louder half; full scale is 1
RANGE_DB: Final = 25.0  # what is softer than the loudest by more is a pause; guess, as hearing aids take it
LEAD: Final = 10_400  # samples of silence before: the first step looks 0.76 s ahead
TAIL: Final = 6_400
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_HINT: Final = "Send a WAV file: PCM of 8, 16, 24 or 32 bits, or floats."


def read_wav(data: bytes) -> Sound:
    """Decode a WAV file within limits: channels are mixed, other rates resampled. Raises :class:`Invalid`."""
    kind, channels, rate, bits, body = _chunks(data)
    if rate not in RATES_HZ or not 1 <= channels <= CHANNELS_MAX:
        raise Invalid(f"sound of {rate} samples a second on {channels} channels", hint=_HINT)
    width = channels * bits // 8
    if not width or (kind, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32)}:
        raise Invalid(f"sound coded as kind {kind} with {bits} bits", hint=_HINT)
    count = len(body) // width
    if count > VOICE_SECONDS_MAX * rate:
        raise TooLarge(f"sound of {count // rate} s; the limit is {VOICE_SECONDS_MAX} s", hint="Speak shorter.")
    mixed = _samples(body[: count * width], kind, bits).reshape(count, channels).mean(axis=1, dtype=np.float32)
    if not np.isfinite(mixed).all():
        raise Invalid("the sound holds numbers that are none", hint=_HINT)
    return resampled(np.clip(mixed, -1, 1), rate)


def resampled(sound: Sound, rate_hz: int) -> Sound:
    """Bring a sound to 16,000 samples a second, by its spectrum: what is too high for that is cut off."""
    count = round(len(sound) * RATE_HZ / rate_hz)
    if rate_hz == RATE_HZ or not count:
        return sound.astype(np.float32)
    spectrum = np.fft.rfft(sound)
    room = np.zeros(count // 2 + 1, complex)
    shared = min(len(spectrum), len(room))
    room[:shared] = spectrum[:shared]
    return (np.fft.irfft(room, count) * (count / len(sound))).astype(np.float32)


def level(sound: Sound) -> float:
    """Give the loudness (root of the mean square) of the louder half of 20 ms pieces: pauses do not count."""
    pieces = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    if not len(pieces):
        return float(np.sqrt(np.mean(np.square(sound)) if len(sound) else 0.0) + 1e-6)
    power = np.sort(np.square(pieces).mean(axis=1))
    return float(np.sqrt(power[len(power) // 2 :].mean()) + 1e-6)


def spoken_seconds(sound: Sound) -> float:
    """Say for how long somebody spoke: pieces of 20 ms in the louder half of the range between quiet and loud."""
    pieces = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    if not len(pieces):
        return 0.0
    decibels = 10 * np.log10(np.square(pieces).mean(axis=1) + 1e-10)
    quiet, loud = np.percentile(decibels, (10, 95))
    edge = max((quiet + loud) / 2, loud - RANGE_DB)
    return float(np.count_nonzero(decibels > edge) * 0.02)


def prepared(sound: Sound) -> Sound:
    """Bring a sound to one loudness, and give it silence on both sides; in the numbers of 16-bit samples."""
    even = np.clip(sound * np.float32(LEVEL / level(sound)), -1, 1)
    return np.pad(even, (LEAD, TAIL)) * np.float32(32_767)


def _chunks(data: bytes) -> tuple[int, int, int, int, bytes]:
    """Find format and samples in the file: kind, channels, rate, bits, body."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise Invalid("this is no WAV file", hint=_HINT)
    at, form = 12, b""
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            form = data[at + 8 : at + 8 + min(size, 40)]
        elif name == b"data":
            if len(form) < 16:
                break
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
            if kind == _EXTENSIBLE and len(form) >= 26:
                kind = int.from_bytes(form[24:26], "little")
            return kind, channels, rate, bits, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise Invalid("the WAV file names no format or holds no sound", hint=_HINT)


def _samples(body: bytes, kind: int, bits: int) -> Sound:
    if kind == _FLOAT:
        return np.frombuffer(body, "<f4").astype(np.float32)
    if bits == 8:
        return (np.frombuffer(body, np.uint8).astype(np.float32) - 128) / 128
    if bits == 24:
        bytes_ = np.frombuffer(body, np.uint8).reshape(-1, 3).astype(np.int32)
        whole = bytes_[:, 0] | bytes_[:, 1] << 8 | bytes_[:, 2] << 16
        return ((whole ^ 0x800000) - 0x800000).astype(np.float32) / 0x800000
    return np.frombuffer(body, f"<i{bits // 8}").astype(np.float32) / np.float32(1 << bits - 1)
