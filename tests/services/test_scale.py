"""A scale on a serial line: weighed, unplugged in the middle, plugged in again, and never in the way of a sale."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.simulated_devices import Mettler, PtyCable
from tillmesh.adapters.devices.scale import SerialScale
from tillmesh.adapters.devices.serial_line import Line, line_of
from tillmesh.adapters.devices.targets import open_scale
from tillmesh.kernel.errors import Invalid
from tillmesh.till.scales import DIALOGUES, Reading

WAIT_S = 60.0


class Bench:
    """A scale, its cable, and what the till was told."""

    def __init__(self, path: Path) -> None:
        self.device = Mettler()
        self.cable = PtyCable(path, self.device)
        self.told: queue.SimpleQueue[Reading] = queue.SimpleQueue()
        self.scale = SerialScale(Line(str(path), 9600, 7, "E", 1), DIALOGUES["mettler8217"])
        self.scale.start(self.told.put)

    def until(self, reading: Reading) -> None:
        """Wait for a reading, whatever comes before it."""
        while self.told.get(timeout=WAIT_S) != reading:
            pass


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "scale")
    with bench.cable:
        yield bench
        bench.scale.stop()


@pytest.mark.slow
def test_what_is_put_on_the_scale_is_read_while_it_moves_and_when_it_stands(bench: Bench) -> None:
    bench.until(Reading("stable", 0))
    bench.scale.weigh(399)
    bench.device.shake()
    bench.until(Reading("moving"))
    bench.device.put(1_234)
    bench.until(Reading("stable", 1_234))


@pytest.mark.slow
def test_a_cable_that_is_pulled_and_plugged_in_again_needs_nobody(bench: Bench) -> None:
    bench.until(Reading("stable", 0))
    bench.cable.pull()
    bench.until(Reading("silent"))
    bench.device.put(500)
    bench.cable.plug()
    bench.until(Reading("stable", 500))


@pytest.mark.slow
def test_a_scale_that_is_switched_off_is_called_silent_and_heard_again(bench: Bench) -> None:
    bench.until(Reading("stable", 0))
    bench.device.mute()
    bench.until(Reading("silent"))
    bench.device.put(20)
    bench.until(Reading("stable", 20))


def test_a_scale_that_was_never_there_is_silent_and_can_be_stopped(tmp_path: Path) -> None:
    told: queue.SimpleQueue[Reading] = queue.SimpleQueue()
    scale = SerialScale(Line(str(tmp_path / "nothing"), 9600, 8, "N", 1), DIALOGUES["lines"])
    scale.start(told.put)
    assert told.get(timeout=WAIT_S) == Reading("silent")
    scale.stop()
    assert not [one for one in threading.enumerate() if one is scale._thread]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/dev/ttyUSB0", Line("/dev/ttyUSB0", 9600, 7, "E", 1)),
        ("/dev/serial/by-id/usb-1a86  2400 8N2", Line("/dev/serial/by-id/usb-1a86", 2400, 8, "N", 2)),
        ("192.168.1.50:4001", Line("socket://192.168.1.50:4001", 9600, 7, "E", 1)),
        ("[fe80::1]:4001", Line("socket://[fe80::1]:4001", 9600, 7, "E", 1)),
    ],
)
def test_a_line_is_named_by_its_device_or_its_server(target: str, line: Line) -> None:
    assert line_of(target, "9600 7E1") == line


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/etc/shadow",
        "/dev/sda",
        "/dev/ttyUSB0/../sda",
        "/dev/ttyUSB0 fast",
        "loop://",
        "host",
        "host:0",
        "host:99999",
    ],
)
def test_nothing_but_a_serial_line_is_opened(target: str) -> None:
    with pytest.raises(Invalid):
        line_of(target, "9600 7E1")


def test_a_till_without_a_scale_opens_none() -> None:
    assert open_scale("none", "/dev/ttyUSB0") is None
    with pytest.raises(Invalid, match="no kind of scale"):
        open_scale("spring", "/dev/ttyUSB0")
