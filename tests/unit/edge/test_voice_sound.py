"""From a WAV file to sound, within limits."""

import io
import struct
import wave

import numpy as np
import pytest

from tillmesh.edge.voice.sound import RATE_HZ, level, prepared, read_wav, spoken_seconds
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import VOICE_SECONDS_MAX


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def wav(sound: np.ndarray, rate: int = RATE_HZ, channels: int = 1) -> bytes:
    with io.BytesIO() as held:
        with wave.open(held, "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes((np.repeat(sound, channels) * 32_767).astype("<i2").tobytes())
        return held.getvalue()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_every_usual_rate_becomes_sixteen_thousand_samples_a_second(rate: int) -> None:
    sound = read_wav(wav(tone(rate), rate))
    assert abs(len(sound) - RATE_HZ // 2) <= 1
    middle = slice(2_000, 6_000)
    assert np.allclose(sound[middle], tone(RATE_HZ)[middle], atol=0.02)


def test_two_channels_are_mixed() -> None:
    assert np.allclose(read_wav(wav(tone(RATE_HZ), channels=2)), tone(RATE_HZ), atol=1e-3)


def test_floats_are_taken_as_well() -> None:
    body = tone(RATE_HZ).tobytes()
    form = struct.pack("<HHIIHH", 3, 1, RATE_HZ, 4 * RATE_HZ, 4, 32)
    data = b"RIFF" + struct.pack("<I", 0) + b"WAVEfmt " + struct.pack("<I", 16) + form
    assert np.allclose(read_wav(data + b"data" + struct.pack("<I", len(body)) + body), tone(RATE_HZ))


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", wav(tone(RATE_HZ))[:30], b"\x89PNG" * 20,
     wav(tone(RATE_HZ)).replace(struct.pack("<I", RATE_HZ), struct.pack("<I", 1), 1),
     wav(tone(RATE_HZ))[:34] + b"\x05\x00" + wav(tone(RATE_HZ))[36:]],
)  # fmt: skip
def test_what_is_no_sound_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_wav(data)


def test_a_speech_is_no_command() -> None:
    with pytest.raises(TooLarge, match=str(VOICE_SECONDS_MAX)):
        read_wav(wav(np.zeros((VOICE_SECONDS_MAX + 1) * RATE_HZ, np.float32)))


def test_a_whisper_and_a_shout_are_heard_alike() -> None:
    assert np.allclose(prepared(tone(RATE_HZ) * 0.02), prepared(tone(RATE_HZ)), atol=60)


def test_nothing_at_all_is_still_finite() -> None:
    assert np.isfinite(prepared(np.zeros(0, np.float32))).all()
    assert level(np.zeros(RATE_HZ, np.float32)) > 0


def test_how_long_somebody_spoke_counts_no_pauses() -> None:
    pause = np.zeros(RATE_HZ, np.float32)
    spoken = np.concatenate([pause, tone(RATE_HZ, 0.6), pause, tone(RATE_HZ, 0.4), pause])
    assert spoken_seconds(spoken) == pytest.approx(1.0, abs=0.05)
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(spoken))
    assert spoken_seconds(spoken + noise) == pytest.approx(1.0, abs=0.05)
    assert spoken_seconds(np.zeros(0, np.float32)) == 0.0
