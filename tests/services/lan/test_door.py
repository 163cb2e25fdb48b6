"""The listening socket against a stranger who comes again and again: handshakes cost what the till's page needs."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from tillmesh.adapters.lan.door import VISITS_AT_ONCE, VISITS_PER_S, Door

HERE = "127.0.0.1"


class Clock:
    """The seconds of a test."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def visit(door: Door) -> bool:
    """Knock and leave again; say whether anybody opened."""
    with closing(socket.create_connection(door.getsockname(), 30)):
        try:
            visitor, _ = door.accept()
        except BlockingIOError:
            return False
        visitor.close()
        return True


@pytest.fixture
def turned_away() -> list[tuple[str, str]]:
    return []


def test_a_stranger_who_knocks_without_end_is_let_in_so_often_a_second(turned_away: list[tuple[str, str]]) -> None:
    clock = Clock()
    with Door(socket.AF_INET, lambda why, whom: turned_away.append((why, whom)), clock_s=clock) as door:
        door.bind((HERE, 0))
        door.listen()
        assert sum(visit(door) for _ in range(VISITS_AT_ONCE + 50)) == VISITS_AT_ONCE
        assert turned_away.count(("crowd", HERE)) == 50
        clock.now_s += 0.5
        assert sum(visit(door) for _ in range(VISITS_PER_S)) == VISITS_PER_S // 2
        clock.now_s += 3_600
        assert visit(door)


def test_a_door_of_many_behind_one_address_asks_nobody_to_wait(turned_away: list[tuple[str, str]]) -> None:
    with Door(socket.AF_INET, lambda why, whom: turned_away.append((why, whom)), hurried=False) as door:
        door.bind((HERE, 0))
        door.listen()
        assert all(visit(door) for _ in range(VISITS_AT_ONCE + 50))
