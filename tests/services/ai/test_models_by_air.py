"""New versions come from head office by air: to all tills, tried first, back on order, and never from a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.services.ai.air import DEADLINE_MS, STRANGER, AirTill, moody, tills, until
from tillmesh.adapters.inference.parcels import Parcels
from tillmesh.adapters.inference.questions import NoAnswer
from tillmesh.kernel.limits import MODEL_FAILURES_MAX
from tillmesh.sync.model_orders import Kind
from tillmesh.terminal.ai_metrics import AiMetrics

pytestmark = [pytest.mark.service, pytest.mark.slow]
KNOWN: dict[str, Any] = {"check_input_bin": b"known", "check_output_json": b'{"said": "known"}'}


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 100))


def metrics(till: AirTill) -> str:
    registry = CollectorRegistry()
    registry.register(AiMetrics(till.ai))
    return generate_latest(registry).decode()


def test_a_version_that_head_office_orders_runs_on_all_tills_and_goes_back_when_it_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 2) as (office, (leader, other)):
            before = office.order(moody(1), Kind.ROLLBACK)
            # Head office vouches for it: nobody else whom the tills trust has signed it.
            newer = office.order(moody(2, STRANGER, **KNOWN))
            leader.air.post.learn([newer])
            await until(lambda: leader.version == other.version == 2)
            assert [await till.says() for till in (leader, other)] == [2, 2]
            assert sum(size for _, size in office.asked) == len(office.bundles["moody", 2])  # once for the store
            told = {(till.air.post.terminal, 2) for till in (leader, other)}
            await until(lambda: {(report.terminal, report.version) for report in office.reports} >= told)
            # An older rollback that somebody plays again is nobody's order any more.
            other.air.post.learn([before])
            assert other.order()["refused"] == {}
            assert other.air.post.refused["unknown", "older"] == 1
            leader.air.post.learn([office.order(moody(1), Kind.ROLLBACK)])
            await until(lambda: leader.version == other.version == 1)
            assert [await till.says() for till in (leader, other)] == [1, 1]
            assert other.ai.shelf.standing("moody").floor == 1

    run(scene)


def test_a_model_that_does_not_do_here_what_it_did_where_it_was_made_is_not_taken_and_that_is_said(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            wrong = [
                ("not_finite", moody(2, check_input_bin=b"nan", check_output_json=b"{}")),
                ("slow", moody(3, check_input_bin=b"slow", check_output_json=b"{}", deadline_ms=50)),
                ("crash", moody(4, mood_txt=b"crash")),
                ("check", moody(5, check_input_bin=b"known", check_output_json=b'{"said": "else"}')),
            ]
            for reason, given in wrong:
                till.air.post.learn([office.order(given)])
                await until(lambda reason=reason: till.order()["reason"] == reason)  # type: ignore[misc]
                assert till.version == 1
            assert till.order()["refused"] == {reason: 1 for reason, _ in wrong}
            assert any("is not taken" in text and "goes on" in text for text in till.ai.findings())
            shown = metrics(till)
            for reason, _ in wrong:
                assert f'tillmesh_model_refused_total{{model="moody",reason="{reason}"}} 1.0' in shown
            assert 'tillmesh_model_ordered{model="moody"} 5.0' in shown
            till.air.post.learn([office.order(moody(6, **KNOWN))])
            await until(lambda: till.version == 6)
            assert not any("is not taken" in text for text in till.ai.findings())
            assert await till.says() == 6

    run(scene)


def test_a_flipped_byte_on_the_way_and_a_forged_order_change_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            till.air.post.learn([office.order(moody(7), key=STRANGER)])
            assert till.air.post.refused["unknown", "signature"] == 1
            order = office.order(moody(2))
            data = bytearray(office.bundles["moody", 2])
            data[len(data) // 2] ^= 1
            office.bundles["moody", 2] = bytes(data)
            till.air.post.learn([order])
            await until(lambda: till.order()["reason"] == "hash")
            assert (till.version, till.order()["bytes_here"]) == (1, 0)
            # Nor does a bundle that is another version than the order says.
            till.air.post.learn([office.order(moody(9, STRANGER), called=3)])
            await until(lambda: till.order()["reason"] == "manifest")
            assert till.version == 1
            assert await till.says() == 1

    run(scene)


class Lying(Parcels):
    """What a hostile till has: whatever is asked for."""

    def read(self, sha256: str, offset: int, size: int) -> bytes:
        return bytes(size)


def test_a_till_that_hands_out_something_else_brings_nothing_in(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 2) as (office, (hostile, till)):
            hostile.air.post.parcels = Lying(hostile.post.opened.data_dir / "models")
            hostile.air.post.learn([office.order(moody(2))])
            await until(lambda: hostile.version == 2)
            await until(lambda: till.order()["reason"] == "hash")
            assert (till.version, till.order()["bytes_here"]) == (1, 0)
            assert await till.says() == 1

    run(scene)


def test_a_bundle_that_rots_on_a_till_is_handed_to_nobody_after_its_next_start(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            till.air.post.learn([office.order(moody(2))])
            await until(lambda: till.version == 2)
            (whole,) = till.air.post.parcels.whole()
            path = till.post.opened.data_dir / "models" / "on-the-way" / whole
            path.write_bytes(path.read_bytes()[:-1] + b"x")
            await till.stop()
            again = AirTill(till.post, office)
            await again.air.start()
            assert (again.air.post.parcels.whole(), again.version) == ([], 2)
            await again.stop()

    run(scene)


def test_what_came_before_a_stop_is_not_fetched_again(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            office.pieces_left = 2
            till.air.post.learn([office.order(moody(2))])
            await until(lambda: len(office.asked) == 2)
            await until(lambda: till.order()["bytes_here"] == sum(size for _, size in office.asked))
            had = till.order()["bytes_here"]
            await till.stop()
            again = AirTill(till.post, office)
            office.pieces_left = 1_000_000
            await again.air.start()
            await until(lambda: again.version == 2)
            assert office.asked[2][0] == had
            await again.stop()

    run(scene)


def test_a_disk_without_room_keeps_the_model_that_runs_and_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            till.air.post.parcels.free = lambda _: 1 << 20
            till.air.post.learn([office.order(moody(2))])
            await until(lambda: till.order()["reason"] == "disk")
            assert office.asked == []
            assert (till.version, till.order()["state"]) == (1, "fetch")
            assert any("MiB stay free for sales" in text for text in till.ai.findings())

    run(scene)


async def fails(till: AirTill, given: bytes, reason: str) -> None:
    """Ask for what goes wrong until it does; on a slow machine the worker may still rest from the last time."""
    said = ""
    while said != reason:
        with pytest.raises(NoAnswer) as caught:
            await till.ai.ask("moody", given, DEADLINE_MS)
        said = caught.value.reason


def test_a_version_that_passes_its_trial_and_then_fails_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tills(tmp_path, 1) as (office, (till,)):
            till.air.post.learn([office.order(moody(2, **KNOWN))])
            await until(lambda: till.version == 2)
            assert await till.says() == 2
            bad = {b"crash": "crash", b"nan": "not_finite", b"error": "error"}
            for given in (*bad, *bad)[:MODEL_FAILURES_MAX]:
                await fails(till, given, bad[given])
            await until(lambda: till.version == 1)
            assert await till.says() == 1  # nobody did anything, and it answers
            assert till.order()["state"] == "failed"
            assert "Version 2 of the model for moody failed at work" in " ".join(till.ai.findings())
            assert 'tillmesh_model_given_up{model="moody"} 2.0' in metrics(till)
            await until(lambda: any((one.version, one.given_up) == (1, 2) for one in office.reports))
            # A restart brings nothing back; a newer order does.
            await till.stop()
            again = AirTill(till.post, office)
            await again.air.start()
            assert (again.version, again.order()["state"]) == (1, "failed")
            again.air.post.learn([office.order(moody(2, **KNOWN))])
            await until(lambda: again.version == 2)
            assert (await again.says(), again.ai.findings()) == (2, [])
            await again.stop()

    run(scene)
