"""A real worker process that crashes, stalls, says NaN and runs out of memory; who asks goes on without, every time."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.inference.process import WorkerProcess
from tillmesh.adapters.inference.questions import NoAnswer
from tillmesh.adapters.inference.runner import Runner
from tillmesh.adapters.inference.shelf import Shelf
from tillmesh.edge.bundle import Contract, Manifest, Refused, Sealed, seal
from tillmesh.terminal.ai import Ai

pytestmark = [pytest.mark.service, pytest.mark.slow]
KEY = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
TRUSTED = {KEY.public_key().public_bytes_raw().hex(): ("moody",)}
TASKS = "tests.services.ai.moody_tasks"
LONG_MS = 10_000  # however slow the machine: what is asked with it is answered


def moody(version: int = 1, **files: bytes) -> Sealed:
    manifest = Manifest(
        name="moody", version=version, task="moody", engine="none", licence="Apache-2.0",
        contract=Contract(input="what to do", deadline_ms=LONG_MS), files={},
    )  # fmt: skip
    return seal(manifest, {"about.txt": b"moody", **files}, KEY)


@asynccontextmanager
async def till(folder: Path, version: int = 1, **more: Any) -> AsyncIterator[Ai]:
    """The models of a till, with a moody one installed and loaded."""
    ai = Ai(folder, folder / "nothing ships", tasks=TASKS, **more)
    ai.shelf.trusted.update(TRUSTED)
    ai.shelf.put(moody(version), 0)
    ai.shelf.switch("moody")
    try:
        await ai.runner.load("moody")
        yield ai
    finally:
        await ai.stop()


def on_till(folder: Path, work: Callable[[Ai], Awaitable[None]], **more: Any) -> None:
    async def run() -> None:
        async with till(folder, **more) as ai:
            await work(ai)

    asyncio.run(run())


async def reason(ai: Ai, given: bytes, wait_ms: int = LONG_MS) -> str:
    with pytest.raises(NoAnswer) as caught:
        await ai.ask("moody", given, wait_ms)
    return caught.value.reason


async def answers_again(ai: Ai) -> Any:
    """Ask until the worker is back: after a crash it rests a moment before it starts anew."""
    for _ in range(50):
        try:
            return (await ai.ask("moody", b"hello", LONG_MS)).output
        except NoAnswer:
            continue
    raise AssertionError("it never came back")


def test_a_model_answers_and_many_questions_go_together(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        ai.runner.tell("moody", b"monday")
        replies = await asyncio.gather(*(ai.ask("moody", f"q{n}".encode()) for n in range(9)))
        assert [reply.output["said"] for reply in replies] == [f"q{n}" for n in range(9)]
        assert {reply.output["state"] for reply in replies} == {"monday"}
        tally = ai.tally("moody")
        assert (tally.asked, tally.answered, sum(tally.fallbacks.values())) == (9, 9, 0)
        shown = ai.status()
        assert shown["worker"]["running"]
        assert shown["worker"]["memory_bytes"] > 0
        (model,) = shown["models"]
        assert (model["loaded"], model["version"], model["p99_ms"] > 0) == (True, 1, True)
        assert ai.findings() == []

    on_till(tmp_path, work)


@pytest.mark.parametrize(
    ("mood", "why"), [(b"crash", "crash"), (b"memory", "memory"), (b"error", "error"), (b"nan", "not_finite")]
)
def test_a_model_that_fails_is_a_fallback_that_is_counted_and_it_answers_again(
    tmp_path: Path, mood: bytes, why: str
) -> None:
    async def work(ai: Ai) -> None:
        assert await reason(ai, mood) == why
        assert ai.tally("moody").fallbacks[why] == 1
        assert any("went on by hand" in text for text in ai.findings())
        assert (await answers_again(ai))["said"] == "hello"

    on_till(tmp_path, work)


def test_a_model_that_stalls_is_given_up_at_the_deadline_and_its_worker_is_ended(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        stalled = ai.runner.pid
        assert await reason(ai, b"stall", 1_000) == "deadline"
        assert (await answers_again(ai))["said"] == "hello"
        assert ai.runner.pid != stalled
        assert ai.runner.restarts == 1

    on_till(tmp_path, work)


def test_an_answer_that_comes_late_is_thrown_away_and_counted(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        assert ai.runner.pid is not None
        os.kill(ai.runner.pid, signal.SIGSTOP)
        assert await reason(ai, b"too late", 20) == "deadline"
        os.kill(ai.runner.pid, signal.SIGCONT)
        assert (await answers_again(ai))["said"] == "hello"
        assert ai.tally("moody").late == 1
        assert ai.runner.restarts == 0

    on_till(tmp_path, work, stall_ms=60_000)


def test_a_worker_over_its_memory_starts_anew(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        first = ai.runner.pid
        ai.runner.memory_mib = 64  # below what it holds after this
        assert (await ai.ask("moody", b"hold", LONG_MS)).output["said"] == "hold"
        ai.runner.memory_mib = 512
        assert (await answers_again(ai))["said"] == "hello"
        assert ai.runner.pid != first

    on_till(tmp_path, work, memory_mib=512)


def test_a_question_that_is_none_spoils_no_other(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        good, bad = await asyncio.gather(
            ai.ask("moody", b"fine", LONG_MS), ai.ask("moody", b"no input", LONG_MS), return_exceptions=True
        )
        assert not isinstance(good, BaseException)
        assert good.output["said"] == "fine"
        assert isinstance(bad, NoAnswer)
        assert (bad.reason, bad.detail) == ("input", "this is no picture")

    on_till(tmp_path, work)


@pytest.mark.parametrize("name", ["about.txt", "manifest.json", "manifest.sig"])
def test_a_flipped_byte_on_disk_is_found_before_the_model_is_loaded(tmp_path: Path, name: str) -> None:
    async def work(ai: Ai) -> None:
        path = ai.shelf.folder("moody", "a") / name
        data = bytearray(path.read_bytes())
        data[3] ^= 1
        path.write_bytes(bytes(data))
        assert await reason(ai, b"crash") == "crash"
        assert await reason(ai, b"hello") in {"hash", "signature"}
        assert any("is not used" in text for text in ai.findings())

    on_till(tmp_path, work)


def test_a_newer_model_takes_over_while_questions_go_on(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        versions: list[int] = []

        async def go_on() -> None:
            while not versions or versions[-1] < 2:
                versions.append((await ai.ask("moody", b"hello", LONG_MS)).output["version"])

        going = asyncio.create_task(go_on())
        await ai.install(moody(2))
        await going
        assert sorted(versions) == versions
        assert ai.runner.restarts == 0
        assert ai.shelf.standing("moody").versions == {"a": 1, "b": 2}
        with pytest.raises(Refused) as caught:
            await ai.install(moody(1))
        assert caught.value.reason == "older"

    on_till(tmp_path, work)


@pytest.mark.parametrize(("mood", "why"), [(b"crash", "crash"), (b"broken", "broken")])
def test_a_newer_model_that_does_not_load_never_takes_over(tmp_path: Path, mood: bytes, why: str) -> None:
    async def work(ai: Ai) -> None:
        with pytest.raises(Refused) as caught:
            await ai.install(moody(2, **{"mood.txt": mood}))
        assert caught.value.reason == why
        assert (await answers_again(ai))["version"] == 1
        assert ai.shelf.standing("moody").version == 1

    on_till(tmp_path, work)


def test_a_model_that_gives_another_answer_here_than_where_it_was_made_is_refused(tmp_path: Path) -> None:
    async def work(ai: Ai) -> None:
        check = {"check_input.bin": b"known", "check_output.json": b'{"said": "known", "version": 2}'}
        await ai.install(moody(2, **check))
        with pytest.raises(Refused) as caught:
            await ai.install(moody(3, **check))
        assert caught.value.reason == "check"

    on_till(tmp_path, work)


class Slow:
    """A process that takes its time to end."""

    pid, stdin, stdout = 1, None, None

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def kill(self) -> None: ...

    async def wait(self) -> None:
        await self.ended.wait()


def test_no_worker_is_started_before_the_last_one_is_seen_off() -> None:
    async def work() -> None:
        worker = WorkerProcess(started=lambda: None, heard=lambda _: None, ended=lambda: None)
        worker._process = slow = Slow()  # type: ignore[assignment]
        worker._living = asyncio.create_task(worker._bury())
        await asyncio.sleep(0)
        assert (worker.is_up, worker.is_gone) == (False, False), "another one would be taken for it"
        slow.ended.set()
        await worker._living
        assert (worker.is_gone, worker.ends) == (True, 1)

    asyncio.run(work())


def test_no_model_at_all_is_an_answer_too(tmp_path: Path) -> None:
    async def work() -> None:
        runner = Runner(Shelf(tmp_path, {}))
        with pytest.raises(NoAnswer) as caught:
            await runner.ask("fruit", b"")
        assert caught.value.reason == "none"
        assert runner.pid is None
        await runner.stop()
        with pytest.raises(NoAnswer):
            await runner.ask("fruit", b"")

    asyncio.run(work())
