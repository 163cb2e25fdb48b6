"""Stores with tills as processes at a head office that is one too: found, connected, started, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.corner_shop import FLOAT_MINOR, MANAGER, found_shop
from tests.faults.running import Program
from tests.ports import free_ports
from tests.services.hub.office import PASSWORD, USER
from tillmesh.hub.enrolling import prepare
from tillmesh.terminal.joining import join_here, store_of
from tillmesh.terminal.provisioning import store_authority
from tillmesh.terminal.store_commands import head_office

WAIT_S = 120.0


def until(what: str, holds: Callable[[], bool]) -> None:
    """Wait for something of the shops, generously: how soon it is, is measured elsewhere."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Till:
    """A till that runs, with its manager signed in."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.token = program.sign_in("ruth")

    @property
    def wan_file(self) -> Path:
        return self.program.shop / "wan-off"

    def get(self, path: str) -> Any:
        answer = self.program.get(path, self.token)
        assert answer.status == 200, answer
        return answer.body

    def price(self, sku: str) -> int:
        return int(self.get(f"/products/{sku}")["price_minor"])

    def now(self, sku: str) -> int:
        """Give what it costs everybody at this moment, by whatever price holds."""
        return int(self.get(f"/products/{sku}")["price_now_minor"])

    def reprice(self, sku: str, price_minor: int) -> None:
        answer = self.program.call("PATCH", f"/products/{sku}", {"price_minor": price_minor}, self.token)
        assert answer.status == 200, answer

    def sell(self, cart_id: str, sku: str = "BREAD") -> int:
        """Sell one thing and give what it came to."""
        order = {"cart_id": cart_id, "lines": [{"sku": sku, "quantity": 1}],
                 "payments": [{"method": "cash", "amount_minor": 5_000}]}  # fmt: skip
        answer = self.program.call("POST", "/sales", order, self.token)
        assert answer.status == 201, answer
        return int(answer.body["total_minor"])


def found(folder: Path, hub: Path, tills: int, *, at_ms: int = 0) -> str:
    """Found a store of so many tills that head office knows, now or before, and give its id; nothing runs yet."""
    places = [folder / f"till-{n}" for n in range(tills)]
    found_shop(places[0], pins=True, at_ms=at_ms)
    for number, place in enumerate(places[1:], 2):
        join_here(places[0], place, number=number, float_minor=FLOAT_MINOR, by=MANAGER)
    store = store_of(places[0])
    bundle = prepare(hub, store, USER, PASSWORD, store_authority(places[0]))
    for place in places:
        head_office(place, bundle)
    return store


@contextmanager
def open_store(folder: Path, hub_url: str, *, models: bool = False) -> Iterator[Sequence[Till]]:
    """Run the tills of a store that was founded, with models if a test is about them."""
    places = sorted(place for place in folder.glob("till-*") if place.is_dir())
    links = free_ports(len(places))
    with ExitStack() as stack:
        programs = []
        for n, place in enumerate(places):
            others = [f"127.0.0.1:{links + m}" for m in range(len(places)) if m != n]
            without = () if models else ("--no-ai",)
            arguments = (*without, "--no-mdns", "--link-bind", "127.0.0.1", "--link-port", str(links + n),
                         *(word for other in others for word in ("--peer", other)),
                         "--hub-url", hub_url, "--wan-file", str(place / "wan-off"))  # fmt: skip
            programs.append(stack.enter_context(Program(place, arguments=arguments)))
        yield [Till(program) for program in programs]
