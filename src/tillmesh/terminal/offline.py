"""A till without its web page and its clock: for imports, replays and the demo's history."""

from __future__ import annotations

from pathlib import Path

from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.web.pins import Pins
from tillmesh.till.commands import Command, Who
from tillmesh.till.effects import Outcome


class OfflineTill:
    """One data directory, one thread, one command after the other, each as of the moment the caller says."""

    def __init__(self, data_dir: Path, *, hurried: bool = False) -> None:
        """Open the directory; ``hurried`` makes the whole work durable at the end instead of every command.

        Only for data that can be made again: after a power cut a hurried till may have lost everything.
        """
        self._opened = open_terminal(data_dir)
        self._pins = Pins(self._opened.pepper, self._opened.origin.store)
        self.terminal_id = self._opened.origin.terminal
        if hurried:
            self._opened.writer.db.execute("PRAGMA synchronous=OFF")

    def do(self, who: Who, command: Command, at_ms: int) -> Outcome:
        """Decide and store one command as of a moment; raises with nothing stored."""
        return self._opened.writer.execute(self._opened.till, who, command, at_ms)

    def pin_tag(self, pin: str) -> str:
        """Give what the shop stores instead of a PIN."""
        return self._pins.tag_now(pin)

    def close(self) -> None:
        """Bring everything to the disk and close."""
        opened = self._opened
        opened.writer.db.execute("PRAGMA synchronous=FULL")  # the checkpoint that closing runs syncs everything
        opened.anchor.remember(opened.till.head, opened.till.receipts)
        opened.close()
