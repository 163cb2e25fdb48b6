"""Hosts on one cable: a network namespace each with a bridge between them, where tills find each other by mDNS."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.running import Answer, Program, until

CLONE_NEWNET = 0x40000000  # linux/sched.h


@dataclass(slots=True)
class LanTill(Program):
    """A till on a host of its own. Its page is on the loopback there, so it is asked from a thread that moved there."""

    namespace: str = ""
    _there: ThreadPoolExecutor | None = field(default=None)

    def start(self) -> None:
        command = ["ip", "netns", "exec", self.namespace, sys.executable, "-m", "tillmesh", "terminal"]
        command += ["--data-dir", str(self.shop), "--port", str(self.port), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, **self.environment})
        until(self._answers, "the till answers")

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        if self._there is None:
            self._there = ThreadPoolExecutor(1, initializer=move_to, initargs=(self.namespace,))
        return self._there.submit(Program.call, self, method, path, body, token).result()

    def memory_kb(self) -> int:
        """What the process holds in memory."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def move_to(namespace: str) -> None:
    """Move the calling thread, and only it, into a network namespace (setns(2))."""
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(handle)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def cabled(count: int) -> Iterator[list[str]]:
    """Make so many hosts at one switch, 10.79.0.1 and so on; skips where that is not possible."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2 to make network namespaces")
    switch = f"tms{os.getpid()}"
    names = [f"tmh{os.getpid()}n{number}" for number in range(1, count + 1)]
    with contextlib.ExitStack() as undo:
        try:
            for name in (switch, *names):
                ip("netns", "add", name)
                undo.callback(ip, "netns", "delete", name)
            ip("-n", switch, "link", "add", "br0", "type", "bridge")
        except subprocess.CalledProcessError as cause:
            pytest.skip(f"no network namespaces with a bridge here: {cause.stderr.decode()}")
        ip("-n", switch, "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            port = f"p{number}"
            ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", port, "netns", switch)
            ip("-n", switch, "link", "set", port, "master", "br0", "up")
            ip("-n", name, "addr", "add", f"10.79.0.{number}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                ip("-n", name, "link", "set", link, "up")
        yield names
