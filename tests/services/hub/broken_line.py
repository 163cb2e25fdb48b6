"""The internet between a store and head office, which breaks where it is told to; and a till that uploads over it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.laws.hub_world import Fate, Office, Till
from tests.ports import free_ports
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply, Unreachable
from tillmesh.kernel.envelope import Envelope
from tillmesh.sync.uplink import AskState, Refusal, UplinkStep, Upload
from tillmesh.sync.upload import MEDIA, read_answer, read_state, write_batch
from tillmesh.terminal.uplinking import refusal

PIECE: Final = 16_384


def limited(data_dir: Path, limits: str) -> Path:
    """Write a hub.toml with ports of its own and these limits; give where it is."""
    port = free_ports(2)
    config = data_dir.parent / f"{data_dir.name}.toml"
    config.write_text(f"[doors]\npeople_port = {port}\n[limits]\n{limits}", "utf-8")
    return config


class BrokenLine:
    """Hands bytes to and fro. Armed, it hangs up on both ends when so many bytes have passed in one direction.

    ``swallow`` hangs up instead of handing on the next answer: what was asked has arrived, and nobody is told.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._guard = threading.Lock()
        self._left: dict[str, int] = {}
        self._swallow = 0
        self.cuts = 0
        self.passed = {"up": 0, "down": 0}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, direction: str, count: int) -> None:
        """Hang up when ``count`` more bytes have gone up or down; the bytes before them arrive."""
        with self._guard:
            self._left = {direction: count}

    def swallow(self, answers: int) -> None:
        """Hang up instead of the next answers."""
        with self._guard:
            self._swallow = answers

    def heal(self) -> None:
        """Break no more."""
        with self._guard:
            self._left, self._swallow = {}, 0

    @property
    def armed(self) -> bool:
        """Whether it is still going to break."""
        return bool(self._left) or bool(self._swallow)

    def close(self) -> None:
        """Take no more calls."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            call = _Call()
            for direction, source, sink in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._pump, args=(direction, source, sink, call), daemon=True).start()

    def _pump(self, direction: str, source: socket.socket, sink: socket.socket, call: _Call) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                allowed = self._allowed(direction, len(piece), call)
                sink.sendall(piece[:allowed])
                if allowed < len(piece):
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def _allowed(self, direction: str, size: int, call: _Call) -> int:
        """Say how many bytes of a piece may pass, and count the cut if not all of them."""
        with self._guard:
            if direction == "up":
                call.asked = True
            elif call.asked:
                call.asked, call.turns = False, call.turns + 1
                if self._swallow and call.turns > 1:  # the first turn is the handshake
                    self._swallow -= 1
                    self.cuts += 1
                    return 0
            left = self._left.get(direction)
            if left is not None and left < size:
                self._left = {}
                self.cuts += 1
                return left
            if left is not None:
                self._left[direction] = left - size
            self.passed[direction] += size
            return size


class _Call:
    """One connection: whose turn it is, and how often head office has begun to speak."""

    def __init__(self) -> None:
        self.asked = False
        self.turns = 0


class FarTill(Till):
    """A till that may lead, whose head office is a process at the other end of a line. Its waiting is not real."""

    def __init__(self, actor: str, url: str, bundle: Bundle) -> None:
        self.client = HubClient(url, bundle)
        self.statuses: dict[int, int] = {}
        self.taken_minor = 0
        super().__init__(actor, Office(), lambda: Fate.ARRIVES)

    def sell(self, total_minor: int) -> Envelope:
        self.taken_minor += total_minor
        return super().sell(total_minor)

    def _ask(self, step: AskState) -> list[UplinkStep]:
        reply = self._speak(self.client.state)
        if reply is None:
            return self.uplink.failed(step.ticket, Refusal(), self.now_ms)
        if reply.status != 200:
            return self.uplink.failed(step.ticket, refusal(reply), self.now_ms)
        return self.uplink.told(step.ticket, read_state(reply.body), self.now_ms)

    def _upload(self, step: Upload) -> list[UplinkStep]:
        reply = self._speak(lambda: self.client.upload(write_batch(step.batch), MEDIA))
        if reply is None:
            return self.uplink.failed(step.ticket, Refusal(), self.now_ms)
        if reply.status != 200:
            return self.uplink.failed(step.ticket, refusal(reply), self.now_ms)
        return self.uplink.answered(step.ticket, read_answer(reply.body), self.now_ms)

    def _speak(self, call: Callable[[], Reply]) -> Reply | None:
        self.requests += 1
        try:
            reply = call()
        except Unreachable:
            self.statuses[0] = self.statuses.get(0, 0) + 1
            return None
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        return reply

    @property
    def behind(self) -> int:
        """How many of the events held here head office has not acknowledged to this till."""
        theirs = self.uplink._theirs or {}
        return sum(max(0, len(log) - theirs.get(actor, 0)) for actor, log in self.logs.items())
