"""A receipt printer on the network: ESC/POS over TCP port 9100.

A printer that answers is asked twice. Before the receipt, DLE EOT (real time, answered even while it is stopped) says
whether there is paper, so that nothing is sent into the void. After it, GS r (answered in its turn) says that
everything before it was worked off. Silence after the receipt alone is taken for done: many printers know DLE EOT
only. Source: Epson's ESC/POS command reference.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tillmesh.adapters.devices.answers import ASK_OFFLINE, ASK_PAPER, ASK_PRINTER, ASK_WORKED_OFF, Answers, read_answers
from tillmesh.till.printing import PrinterStatus, PrintFailed, Printout

PORT: Final = 9100
CONNECT_S: Final = 2.0
ANSWER_S: Final = 1.0
SEND_S: Final = 4.0  # a printer takes 64 KiB into its buffers at once, and prints 10 receipts a minute when it must
WORKED_OFF_S: Final = 4.0


class NetworkPrinter:
    """Prints over TCP, one connection a job, so that several tills can share a printer.

    ``answers`` is False for one-way print servers: then nothing is asked and nothing is known.
    """

    def __init__(self, host: str, port: int = PORT, *, answers: bool = True, patience: float = 1.0) -> None:
        """Take an address; ``patience`` stretches every time limit."""
        self._address = (host, port)
        self._answers = answers
        self._patience = patience

    def print(self, out: Printout) -> None:
        """Print, and return when the printer has taken it all; raises PrintFailed."""
        with self._connection() as connection:
            if self._answers:
                before = self._ask(connection)
                if before.state != "ready":
                    raise PrintFailed(before.detail, state=before.state, hint="Look at the printer.")
            self._send(connection, out.data)
            if self._answers:
                self._wait_until_worked_off(connection)

    def status(self) -> PrinterStatus:
        """Say how the printer is; never raises."""
        try:
            with self._connection() as connection:
                return self._ask(connection) if self._answers else PrinterStatus("ready")
        except PrintFailed as failure:
            return PrinterStatus(failure.state, failure.detail)

    @property
    def _where(self) -> str:
        return f"the printer at {self._address[0]}:{self._address[1]}"

    @contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        try:
            connection = socket.create_connection(self._address, CONNECT_S * self._patience)
        except OSError as cause:
            raise PrintFailed(
                f"{self._where} can't be reached ({cause})", hint="Is it switched on, and is its cable in?"
            ) from cause
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection

    def _ask(self, connection: socket.socket) -> PrinterStatus:
        """Ask printer, cause of being offline, and paper; all three are answered with one byte each."""
        try:
            connection.sendall(ASK_PRINTER + ASK_OFFLINE + ASK_PAPER)
            answers = self._read(connection, 3, ANSWER_S)
        except OSError as cause:
            raise PrintFailed(f"{self._where} hung up ({cause})", hint="Switch it off and on.") from cause
        if len(answers) < 3:
            raise PrintFailed(
                f"{self._where} does not answer",
                hint="Switch it off and on. If it never answers, say so in its settings.",
            )
        return read_answers(Answers(*answers[:3]))

    def _send(self, connection: socket.socket, data: bytes) -> None:
        connection.settimeout(SEND_S * self._patience)
        try:
            connection.sendall(data)
        except OSError as cause:
            raise PrintFailed(f"{self._where} stopped in the middle ({cause})", maybe_printed=True) from cause

    def _wait_until_worked_off(self, connection: socket.socket) -> None:
        """Wait for the answer behind the receipt; if it does not come, ask why not."""
        try:
            connection.sendall(ASK_WORKED_OFF)
            if self._read(connection, 1, WORKED_OFF_S):
                return
            after = self._ask(connection)
        except PrintFailed as failure:
            raise PrintFailed(failure.detail, hint=failure.hint, state=failure.state, maybe_printed=True) from failure
        except OSError as cause:
            raise PrintFailed(f"{self._where} stopped in the middle ({cause})", maybe_printed=True) from cause
        if after.state != "ready":
            raise PrintFailed(after.detail, state=after.state, maybe_printed=True)

    def _read(self, connection: socket.socket, count: int, seconds: float) -> bytes:
        """Read up to ``count`` bytes; fewer when time is up. A closed connection raises."""
        connection.settimeout(seconds * self._patience)
        found = b""
        while len(found) < count:
            try:
                chunk = connection.recv(count - len(found))
            except TimeoutError:
                break
            if not chunk:
                raise ConnectionResetError("connection closed")
            found += chunk
        return found
