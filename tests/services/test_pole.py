"""A pole display on a serial line: the newest screen, after it was pulled out and plugged in as well."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.services.simulated_devices import PtyCable
from tillmesh.adapters.devices.pole import SerialPole
from tillmesh.adapters.devices.serial_line import Line
from tillmesh.adapters.devices.targets import open_pole
from tillmesh.kernel.errors import Invalid
from tillmesh.till.pole import Row, Screen, written

WAIT_S = 60.0


class Display:
    """Takes what it is sent, for the test to look at."""

    def __init__(self) -> None:
        self.got = b""
        self._news = threading.Condition()

    def hear(self, data: bytes) -> bytes:
        with self._news:
            self.got += data
            self._news.notify_all()
        return b""

    def until(self, screen: Screen) -> None:
        wanted = written(screen, "epson", "pc858")
        with self._news:
            assert self._news.wait_for(lambda: wanted in self.got, WAIT_S), self.got


@pytest.mark.slow
def test_a_pole_shows_the_newest_screen_also_after_it_was_unplugged(tmp_path: Path) -> None:
    display, path = Display(), tmp_path / "pole"
    pole = SerialPole(Line(str(path), 9600, 8, "N", 1), "epson", "pc858")
    hello, tea = Screen(Row("Welcome")), Screen(Row("Tea", "£2.50"), Row("TOTAL", "£2.50"))
    with PtyCable(path, display) as cable:
        pole.show(hello)
        pole.start()
        display.until(hello)
        assert display.got.startswith(b"\x1b@\x1bt\x13")
        cable.pull()
        pole.show(tea)
        display.got = b""
        cable.plug()
        display.until(tea)
        pole.stop()
    assert not pole.silent()


def test_a_pole_that_is_not_there_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    pole = SerialPole(Line(str(tmp_path / "nothing"), 9600, 8, "N", 1), "cd5220", "pc437")
    pole.start()
    told = threading.Event()
    while not pole.silent():
        told.wait(0.01)
    pole.stop()


def test_only_a_serial_line_becomes_a_pole() -> None:
    assert open_pole("none", "", "pc858") is None
    with pytest.raises(Invalid):
        open_pole("epson", "/etc/passwd", "pc858")
    with pytest.raises(Invalid, match="no pole display"):
        open_pole("tower", "/dev/ttyUSB0", "pc858")
