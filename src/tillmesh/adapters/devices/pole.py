"""A pole display on a serial line: a thread writes the newest screen, and opens the line again while it is away."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Final

from tillmesh.adapters.devices.serial_line import BROKEN, Line, Port
from tillmesh.till.pole import Screen, beginning, written

AGAIN_S: Final = 10.0  # what stands there is written anew: a display that was switched off and on is empty
REOPEN_S: Final = 1.0
STOP_S: Final = 3.0  # longer than any one call of a Port


class SerialPole:
    """Shows the newest screen."""

    def __init__(self, line: Line, kind: str, page: str) -> None:
        """Name the line, the kind and its code page; it is opened by :meth:`start`."""
        self._line, self._kind, self._page = line, kind, page
        self._screen = Screen()
        self._silent = False
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pole", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def show(self, screen: Screen) -> None:
        """Show this from now on."""
        self._screen = screen
        self._awake.set()

    def silent(self) -> bool:
        """Say whether it can't be written to."""
        return self._silent

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._awake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(Port(self._line)) as port:
                    port.write(beginning(self._kind, self._page))
                    self._write(port)
            except BROKEN:
                self._silent = True
            self._stopping.wait(REOPEN_S)

    def _write(self, port: Port) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            port.write(written(self._screen, self._kind, self._page))
            self._silent = False
            self._awake.wait(AGAIN_S)
