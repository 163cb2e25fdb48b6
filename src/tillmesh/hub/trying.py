"""Try a model before it is published: in a worker process of its own, as a till would, with its known answer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.inference.frames import HEADER, Load, Loaded, frame, from_worker
from tillmesh.adapters.inference.process import TASKS
from tillmesh.adapters.inference.shelf import write_folder
from tillmesh.edge.bundle import Manifest, Refused, Sealed, Trusted
from tillmesh.kernel.limits import INFERENCE_LOAD_MS_MAX, INFERENCE_MEMORY_MIB

CHECKS: Final = ("check_input.bin", "check_output.json")


def try_out(given: Sealed, manifest: Manifest, trusted: Trusted) -> float:
    """Load a model and ask it what it should know; gives the milliseconds, or raises :class:`Refused`.

    One without a known answer is refused: on a till nobody could tell whether it works there.
    """
    if not all(name in given.files for name in CHECKS):
        raise Refused(
            f"{manifest.name} {manifest.version} comes without a known answer", reason="check",
            hint=f"Let its pipeline write {' and '.join(CHECKS)}.",
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="tillmesh-model-") as folder:
        write_folder(Path(folder), given)
        said = _ask(Load(manifest.name, folder, manifest.version, dict(trusted), b""))
    if said.refused:
        raise Refused(said.detail or f"{manifest.name} is refused: {said.refused}", reason=said.refused)
    return said.ms


def _ask(load: Load) -> Loaded:
    command = [
        sys.executable, "-m", "tillmesh.adapters.inference.worker", "--memory-mib", str(INFERENCE_MEMORY_MIB),
        "--tasks", TASKS,
    ]  # fmt: skip
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
            command, input=frame(load), capture_output=True, timeout=INFERENCE_LOAD_MS_MAX / 1000, check=False
        )
    except subprocess.TimeoutExpired as cause:
        raise Refused(f"{load.name} did not load in {INFERENCE_LOAD_MS_MAX} ms", reason="deadline") from cause
    try:
        said = from_worker(ended.stdout[HEADER.size :])
    except msgspec.DecodeError as cause:
        why = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Refused(f"the worker that tries {load.name} ended: {''.join(why)[:200]}", reason="crash") from cause
    assert isinstance(said, Loaded), "a worker answers a load with how it went"
    return said
