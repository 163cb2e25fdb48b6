"""A till does not wait for whoever reads its log."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tillmesh.terminal.logs import PIECE_BYTES, Careful, Unwaiting


@pytest.fixture
def reader() -> Iterator[int]:
    """The end of a pipe whose other end a handler has; nobody reads it."""
    there, here = os.pipe()
    with os.fdopen(here, "w") as stream:
        handler = Unwaiting(stream)
        handler.setFormatter(Careful("%(levelname)s: %(message)s"))
        log = logging.getLogger("tests.unwaiting")
        log.propagate = False
        log.addHandler(handler)
        yield there
        log.removeHandler(handler)
        handler.close()
    with suppress(OSError):
        os.close(there)


def fill() -> None:
    """Say more than any pipe holds; the test ends in its time limit if somebody waits."""
    for _ in range(100):
        logging.getLogger("tests.unwaiting").warning("x" * 20_000)


def test_a_line_is_written_at_once_without_card_numbers(reader: int) -> None:
    logging.getLogger("tests.unwaiting").warning("paid with %s", "4111 1111 1111 1111")
    said = os.read(reader, 1_000).decode()
    assert said.startswith("WARNING: paid with ")
    assert "4111 1111 1111 1111" not in said


def test_who_does_not_read_keeps_nothing_waiting_and_hears_afterwards_how_much_was_lost(reader: int) -> None:
    fill()
    os.set_blocking(reader, False)
    with suppress(BlockingIOError):
        while os.read(reader, 1 << 20):
            pass
    logging.getLogger("tests.unwaiting").warning("here again")
    told, line, _ = os.read(reader, PIECE_BYTES).decode().split("\n")
    assert told.endswith(" lines before this one were lost: nobody took them")
    assert 0 < int(told.partition(" ")[0]) <= 100
    assert line == "WARNING: here again"


def test_who_hung_up_is_nobodys_fault(reader: int) -> None:
    os.close(reader)
    fill()
