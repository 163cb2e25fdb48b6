"""The demo's tills as child processes: started, asked whether they are ready, stopped; nobody is left behind."""

from __future__ import annotations

import ctypes
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tillmesh.kernel.errors import Conflict, TillmeshError

READY_S: Final = 60.0
STOP_S: Final = 10.0
POLL_S: Final = 0.05
LOG_TAIL_LINES: Final = 15
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


class NotReady(TillmeshError):
    """A till did not come up; what it said last is in the detail."""

    status = 503
    kind = "not-ready"
    title = "A till did not start"


@dataclass(slots=True)
class Child:
    """One till of the demo, or (``n`` 0) head office. ``process`` is None while it is down."""

    n: int
    data_dir: Path
    port: int
    log: Path
    extra: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    terminal_id: str = ""
    program: str = "terminal"

    @property
    def name(self) -> str:
        """What people call it."""
        return f"till {self.n}" if self.n else "head office"

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Say whether the process runs; reaps it when it does not."""
        return self.process is not None and self.process.poll() is None

    def view(self) -> dict[str, object]:
        """Show it as in demo.json."""
        return {
            "n": self.n,
            "pid": self.process.pid if self.process is not None and self.alive else None,
            "url": self.url,
            "data_dir": str(self.data_dir),
            "terminal_id": self.terminal_id,
        }

    def start(self) -> None:
        """Start the program and return; :func:`wait_ready` says when it sells."""
        if self.alive:
            raise Conflict(f"{self.name} runs already", hint="Kill it first, or leave it alone.")
        require_free(self.port)
        command = [sys.executable, "-m", "tillmesh", self.program, "--data-dir", str(self.data_dir)]
        command += ["--port", str(self.port), *self.extra]
        with self.log.open("ab") as log:
            self.process = _spawn(command, log)

    def kill(self) -> None:
        """Stop it the way a power cut does."""
        if self.process is None or not self.alive:
            raise Conflict(f"{self.name} is not running", hint="Start it first.")
        self.process.kill()
        self.process.wait()


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: Ctrl-C reaches us, and we stop the children in order."""
    return subprocess.Popen(  # noqa: S603 - our own program and our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - we have no threads
    )


def _die_with_parent() -> None:
    """Ask the kernel to stop this child when the demo is killed without a chance to do it itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def require_free(port: int) -> None:
    """Raise :class:`Conflict` if somebody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as cause:
            raise Conflict(
                f"port {port} can't be used: {cause.strerror}", hint="Choose others with --port; tills use PORT+N."
            ) from cause


def wait_ready(child: Child, *, within_s: float = READY_S) -> None:
    """Wait until the till answers, and learn its terminal id; raises :class:`NotReady` with its last words."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if not child.alive:
            code = child.process.returncode if child.process is not None else None
            raise NotReady(f"{child.name} ended with {code}:\n{_tail(child.log)}", hint=f"All of it: {child.log}")
        state = _ask(child.port, "/api/v1/state" if child.n else "/api/v1/health")
        if state is not None:
            child.terminal_id = str(state["terminal"]["terminal_id"]) if child.n else ""
            return
        time.sleep(POLL_S)
    raise NotReady(f"{child.name} did not answer in {within_s:g} s:\n{_tail(child.log)}", hint=f"See {child.log}")


def _ask(port: int, path: str) -> dict[str, dict[str, object]] | None:
    """Get JSON from a till, or None while it does not serve."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            return None
        found: dict[str, dict[str, object]] = json.loads(body)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found


def stop_all(children: list[Child], *, within_s: float = STOP_S) -> None:
    """Ask all children to stop, wait for them together, and kill those that don't."""
    running = [child.process for child in children if child.process is not None and child.alive]
    for process in running:
        process.terminate()
    until = time.monotonic() + within_s
    for process in running:
        try:
            process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_TAIL_LINES:])
