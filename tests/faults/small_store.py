"""Two or three tills of one small shop as real processes with real links, to wipe and damage their disks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.checker import History
from tests.faults.corner_shop import FLOAT_MINOR, MANAGER, found_shop
from tests.faults.running import Program, until
from tests.ports import free_ports
from tillmesh.terminal.joining import join_here

BACK_S = 60.0  # the stated bound, far above what it takes on a machine that does nothing else


def build_store(folder: Path, count: int, *, last: Path | None = None) -> list[Program]:
    """Make the data directories of a store's tills, which know each other's addresses; the last one elsewhere."""
    places = [folder / f"till-{number}" for number in range(1, count)] + [(last or folder) / f"till-{count}"]
    found_shop(places[0], pins=True)
    for number, place in enumerate(places[1:], 2):
        join_here(places[0], place, number=number, float_minor=FLOAT_MINOR, by=MANAGER)
    first = free_ports(count)
    links = [first + n for n in range(count)]
    return [
        Program(
            places[n],
            arguments=(
                "--no-mdns",
                "--link-bind",
                "127.0.0.1",
                "--link-port",
                str(links[n]),
                *(word for port in links if port != links[n] for word in ("--peer", f"127.0.0.1:{port}")),
            ),
        )
        for n in range(count)
    ]


@contextmanager
def running(tills: Sequence[Program], *, among: int = 0) -> Iterator[None]:
    """Run tills until they hear ``among - 1`` others (each other); whatever happens, none of them stays behind."""
    with ExitStack() as undo:
        for till in tills:
            undo.enter_context(till)
        wanted = (among or len(tills)) - 1
        until(lambda: all(reachable(till) == wanted for till in tills), "the tills hear each other")
        yield


def reachable(till: Program) -> int:
    return sum(peer["reachable"] for peer in sync(till)["peers"])


def sync(till: Program) -> Any:
    answer = till.get("/sync")
    return answer.body if answer.status == 200 else {"peers": [], "unreplicated": -1}


def sells(till: Program) -> bool:
    """Say whether a till is ready: not out of order, not getting its data back."""
    try:
        return till.get("/state").status == 200
    except OSError:
        return False


def back(till: Program) -> None:
    """Wait until a till sells again, by itself."""
    until(lambda: sells(till), f"{till.shop.name} sells again: {till.said()}", BACK_S)


def reborn(till: Program, former: str) -> None:
    """Wait until a till sells as another incarnation; while it starts anew, it may hang up on who asks."""

    def is_another() -> bool:
        try:
            return sells(till) and actor_of(till) != former
        except (OSError, TypeError, KeyError):
            return False

    until(is_another, f"{till.shop.name} goes on as another incarnation", BACK_S)


def agree(tills: Sequence[Program]) -> None:
    """Wait until all tills hold the same."""
    until(lambda: len({_hash(till) for till in tills}) == 1, "all tills agree")


def _hash(till: Program) -> str:
    answer = till.get("/state-hash")
    return str(answer.body["hash"]) if answer.status == 200 else f"{till.shop.name} begins anew"


def replicated(till: Program) -> None:
    """Wait until another till holds everything that this one sold."""
    until(lambda: sync(till)["unreplicated"] == 0, "everything is replicated")


def actor_of(till: Program) -> str:
    return str(till.get("/state").body["terminal"]["actor"])


def trade(till: Program, history: History, name: str, count: int = 3) -> list[str]:
    """Sell a few carts; give their receipt numbers."""
    token, numbers = till.sign_in(), []
    for number in range(count):
        answer = till.sell(token, history, f"{name}-{number}", number)
        assert answer is not None
        assert answer.status in {200, 201}, answer
        numbers.append(str(answer.body["receipt_number"]))
    return numbers


def notice(till: Program, action: str) -> str:
    """Give what the health page says about how the till started."""
    [text] = [check["text"] for check in till.get("/health").body["checks"] if check["check"] == action]
    return str(text)
