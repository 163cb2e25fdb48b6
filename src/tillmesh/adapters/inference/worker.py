"""The process that runs models: it may crash, stall or run out of memory, and the till beside it sells on.

It gets questions on standard input and answers on standard output, one after the other, and ends when its till does. It
is started by :mod:`tillmesh.adapters.inference.process`, never by hand.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import IO, Any, Final

from tillmesh.adapters.inference.frames import (
    HEADER,
    Answered,
    Load,
    Loaded,
    Run,
    Tell,
    frame,
    size_of,
    to_worker,
)
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.adapters.inference.tasks import Task
from tillmesh.edge.bundle import Bundle, Refused, open_bundle

CHECK_INPUT: Final = "check_input.bin"
CHECK_OUTPUT: Final = "check_output.json"
NICENESS: Final = 5  # the till's own work goes first
log = logging.getLogger(__name__)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory-mib", type=int, required=True)
    parser.add_argument("--tasks", required=True)
    options = parser.parse_args()
    limit = options.memory_mib << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    os.nice(NICENESS)
    # What a library prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(options.tasks).serve(sys.stdin.buffer, answers)


class Worker:
    """Models by name, and the loop around them."""

    def __init__(self, tasks: str) -> None:
        self._tasks = tasks
        self._models: dict[str, Task] = {}

    def serve(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        """Answer one question after the other until there are no more."""
        while header := questions.read(HEADER.size):
            message = to_worker(questions.read(size_of(header)))
            match message:
                case Load():
                    _say(answers, self._load(message))
                case Run():
                    _say(answers, self._run(message))
                case Tell():
                    self._tell(message)

    def _load(self, asked: Load) -> Loaded:
        """Verify, load and try a model; the one of that name that runs goes on unless the new one works."""
        began = time.perf_counter()
        try:
            bundle = open_bundle(read_folder(Path(asked.folder)), asked.trusted)
            if (bundle.manifest.name, bundle.manifest.version) != (asked.name, asked.version):
                raise Refused(f"{bundle.manifest.name} {bundle.manifest.version} lies in its place", reason="older")
            task = importlib.import_module(f"{self._tasks}.{bundle.manifest.task}").load(bundle, steady_ms)
            if asked.state:
                task.tell(asked.state)
            check(task, bundle, asked.within_ms)
        except Refused as refused:
            return Loaded(asked.name, asked.version, refused.reason, refused.detail)
        except MemoryError:
            return Loaded(asked.name, asked.version, "memory", "the model does not fit the worker's memory")
        except Exception as cause:
            log.exception("%s %s does not load", asked.name, asked.version)
            return Loaded(asked.name, asked.version, "broken", f"{type(cause).__name__}: {cause}"[:300])
        self._models[asked.name] = task
        ms = (time.perf_counter() - began) * 1e3
        return Loaded(asked.name, asked.version, ms=ms, memory_bytes=memory_bytes())

    def _tell(self, told: Tell) -> None:
        if task := self._models.get(told.name):
            try:
                task.tell(told.state)
            except Exception:
                log.exception("%s can't take in what the till knows", told.name)

    def _run(self, asked: Run) -> Answered:
        began, worked = time.perf_counter(), time.process_time()
        task = self._models[asked.name]
        outputs: list[Any] = []
        wrong: list[str] = []
        try:
            answered = _each(task, asked.inputs)
        except MemoryError:
            return Answered([], [], "memory", memory_bytes=memory_bytes())
        except Exception:
            log.exception("%s failed", asked.name)
            return Answered([], [], "error", memory_bytes=memory_bytes())
        for output in answered:
            if isinstance(output, ValueError):
                outputs.append(str(output)[:300])
                wrong.append("input")
            elif is_finite(output):
                outputs.append(output)
                wrong.append("")
            else:
                outputs.append(None)
                wrong.append("not_finite")
        ms, cpu_ms = (time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3
        return Answered(outputs, wrong, ms=ms, memory_bytes=memory_bytes(), cpu_ms=cpu_ms)


def _say(answers: IO[bytes], answer: Loaded | Answered) -> None:
    answers.write(frame(answer))
    answers.flush()


def _each(task: Task, inputs: list[bytes]) -> list[Any]:
    """Answer a batch; when one input is none the others are answered all the same."""
    try:
        return list(task.run(inputs))
    except ValueError:
        answers: list[Any] = []
        for given in inputs:
            try:
                answers += task.run([given])
            except ValueError as error:
                answers.append(error)
        return answers


def check(task: Task, bundle: Bundle, within_ms: int = 0) -> None:
    """Raise :class:`Refused` unless the model gives the known answer that came with it, a finite one and in time.

    Whatever is slow only the first time is given a second one.
    """
    given, expected = bundle.files.get(CHECK_INPUT), bundle.files.get(CHECK_OUTPUT)
    if given is None or expected is None:
        return
    import msgspec

    answer, took_ms = _timed(task, given)
    wanted = msgspec.json.decode(expected)
    what, tolerance = f"{bundle.manifest.name} {bundle.manifest.version}", bundle.manifest.settings
    if not is_finite(answer):
        raise Refused(f"{what} says what is no number to its known question", reason="not_finite")
    if not agrees(msgspec.to_builtins(answer), wanted, float(tolerance.get("check_tolerance", 0.05))):
        raise Refused(f"{what} does not give its known answer here", reason="check")
    if 0 < within_ms < took_ms and within_ms < (again_ms := _timed(task, given)[1]):
        raise Refused(f"{what} took {again_ms:.0f} ms for its known answer; {within_ms} ms are allowed", reason="slow")


def _timed(task: Task, given: bytes) -> tuple[Any, float]:
    began = time.perf_counter()
    (answer,) = task.run([given])
    return answer, (time.perf_counter() - began) * 1e3


def agrees(answer: Any, wanted: Any, tolerance: float) -> bool:
    """Say whether an answer holds what is wanted: numbers within the tolerance, everything else exactly."""
    if isinstance(wanted, dict):
        return isinstance(answer, dict) and all(
            key in answer and agrees(answer[key], value, tolerance) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(answer, list | tuple)
            and len(answer) == len(wanted)
            and all(agrees(a, w, tolerance) for a, w in zip(answer, wanted, strict=True))
        )
    if isinstance(wanted, float):
        return isinstance(answer, int | float) and math.isclose(answer, wanted, abs_tol=tolerance)
    return bool(answer == wanted)


def is_finite(value: Any) -> bool:
    """Say whether no number in a value is NaN or infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(is_finite(part) for part in value.values())
    if isinstance(value, list | tuple):
        return all(is_finite(part) for part in value)
    return True


def steady_ms() -> int:
    """Read the clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


def memory_bytes() -> int:
    """Say how much of the memory this process holds."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
