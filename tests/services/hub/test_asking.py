"""What a store asks passes the one writer, too: a store that asks without end takes nobody's turn."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.requests import Request

from tillmesh.fleet.throttle import ASKS_BURST, ASKS_PER_S, Throttle
from tillmesh.hub.bootstrap import Opened as OpenedOffice
from tillmesh.hub.running import LISTENERS_PER_STORE_MAX, Hub
from tillmesh.hub.web import recovery_calls, store_calls
from tillmesh.hub.web.api import Context, Services
from tillmesh.hub.web.people import People
from tillmesh.hub.web.store_calls import Admitted
from tillmesh.kernel.errors import TooMany
from tillmesh.kernel.limits import BUNDLE_BYTES_MAX, MODEL_CHUNK_BYTES_MAX
from tillmesh.sync.upload import State

ANYBODY = cast("People", SimpleNamespace())
Ask = Callable[[Context], Coroutine[None, None, object]]


class Asked:
    """Head office as far as a store's questions need it."""

    async def state(self, store: str, generation: int) -> State:
        return State({store: 1}, generation)

    async def news(self, store: str, have: int, orders: bytes | None) -> bool:
        return False


async def loud(context: Context) -> Admitted:
    return Admitted("loud", b"serial", 0)


async def quiet(context: Context) -> Admitted:
    return Admitted("quiet", b"serial", 0)


def asked(services: Services) -> Context:
    return Context(services, Request({"type": "http", "query_string": b"", "headers": [], "path_params": {}}))


@pytest.mark.parametrize(
    "call",
    [store_calls.state, store_calls.news, store_calls.bundle, recovery_calls.estate, recovery_calls.events],
    ids=["state", "news", "a model", "what there is to recover", "a page of the log"],
)
def test_a_store_that_asks_without_end_waits_and_no_other_does(call: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(cast("Hub", Asked()), ANYBODY, clock=lambda: 1_000, asking=Throttle(burst=4, per_s=2))
    monkeypatch.setattr(store_calls, "admitted_as", loud)
    for _ in range(4):
        asyncio.run(store_calls.state(asked(services)))
    with pytest.raises(TooMany, match="loud") as refused:
        asyncio.run(call(asked(services)))
    assert refused.value.retry_after_ms == 500
    monkeypatch.setattr(store_calls, "admitted_as", quiet)
    assert asyncio.run(store_calls.state(asked(services))).status_code == 200


def test_the_largest_model_comes_without_a_pause_and_so_does_a_leader_that_asks_at_every_change() -> None:
    assert BUNDLE_BYTES_MAX // MODEL_CHUNK_BYTES_MAX < ASKS_BURST
    throttle = Throttle(ASKS_BURST, ASKS_PER_S)
    for at_ms in range(0, 600_000, 250):  # what a leader that hears of news again and again pauses between
        throttle.admit("one", at_ms)
        throttle.admit("one", at_ms)


def test_a_store_that_listens_many_times_over_is_told_that_one_of_its_tills_is_enough() -> None:
    class Opened:
        """A head office that never has news."""

        service = SimpleNamespace(seen={}, carry_by=lambda _: None, held=lambda _: SimpleNamespace(heads={}))
        models = SimpleNamespace(has_news=lambda *_: False)
        shelf = None  # nobody asks for pictures
        shared = False

        def reading(self) -> object:
            return SimpleNamespace(close=lambda: None)

        def asked(self) -> object:
            return SimpleNamespace(close=lambda: None)

        def close(self) -> None:
            pass

    async def listen() -> None:
        hub = Hub(cast("OpenedOffice", Opened()))
        waiting = [asyncio.create_task(hub.news("loud", 0)) for _ in range(LISTENERS_PER_STORE_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(TooMany, match="loud"):
            await hub.news("loud", 0)
        quiet_one = asyncio.create_task(hub.news("quiet", 0))
        await asyncio.sleep(0)
        assert not quiet_one.done()
        for task in (*waiting, quiet_one):
            task.cancel()
        await asyncio.gather(*waiting, quiet_one, return_exceptions=True)
        again = asyncio.create_task(hub.news("loud", 0))  # who hung up is counted no more
        await asyncio.sleep(0)
        assert not again.done()
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        hub.close()

    asyncio.run(listen())
