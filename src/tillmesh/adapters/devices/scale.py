"""A scale on a serial line: a thread of its own asks it, and opens the line again for as long as it is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from tillmesh.adapters.devices.serial_line import BROKEN, Line, Port
from tillmesh.till.scales import Dialogue, Reading

WEIGHING_S: Final = 0.2  # how often it is asked while somebody looks at the weight
IDLE_S: Final = 1.5  # how often it is asked whether it is still there
SILENT_S: Final = 4.0  # after that long without a word it is called silent; guess
REOPEN_S: Final = 1.0
STOP_S: Final = 3.0  # longer than any one call of a Port

assert WEIGHING_S < IDLE_S < SILENT_S

SILENT: Final = Reading("silent")


class SerialScale:
    """Speaks with one scale. ``begin`` gives a dialogue for each time that the line is opened."""

    def __init__(self, line: Line, begin: Callable[[], Dialogue]) -> None:
        """Name the line; it is opened by :meth:`start`."""
        self._line, self._begin = line, begin
        self._price: int | None = None
        self._last: Reading | None = None
        self._told: Callable[[Reading], None] = lambda _: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scale", daemon=True)

    def start(self, told: Callable[[Reading], None]) -> None:
        """Begin to listen; ``told`` is called from a thread of its own whenever something has changed."""
        self._told = told
        self._thread.start()

    def weigh(self, price_minor: int | None) -> None:
        """Say whether somebody is weighing."""
        self._price = price_minor

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(Port(self._line)) as port:
                    self._talk(port)
            except BROKEN:
                self._tell(SILENT)
            self._stopping.wait(REOPEN_S)

    def _talk(self, port: Port) -> None:
        dialogue, heard_s, asked_s = self._begin(), time.monotonic(), float("-inf")
        while not self._stopping.is_set():
            now_s, price = time.monotonic(), self._price
            if now_s - asked_s >= (IDLE_S if price is None else WEIGHING_S):
                asked_s = now_s
                if question := dialogue.ask(price):
                    port.write(question)
            heard = dialogue.hear(port.read())
            if heard.answer:
                port.write(heard.answer)
            if heard.alive:
                heard_s = time.monotonic()
            if heard.reading is not None:
                self._tell(heard.reading)
            elif time.monotonic() - heard_s > SILENT_S:
                self._tell(SILENT)

    def _tell(self, reading: Reading) -> None:
        if reading != self._last and not self._stopping.is_set():
            self._last = reading
            self._told(reading)
