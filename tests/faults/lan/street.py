"""A store whose tills are hosts of their own: a network namespace each, and a switch between them that takes orders."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.corner_shop import FLOAT_MINOR, MANAGER, found_shop
from tests.faults.lan.switch import enter
from tests.faults.running import Program, until
from tillmesh.terminal.joining import join_here

SWITCH = Path(__file__).with_name("switch.py")
LINK_PORT = 9461
HTTP_PORT = 8081


@dataclass(slots=True)
class Host(Program):
    """A till on a machine of its own."""

    namespace: str = ""
    number: int = 1
    faketime: tuple[str, ...] = ()  # words before the program: a clock of its own
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    @property
    def address(self) -> str:
        return f"10.78.0.{self.number}"

    def command(self) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *self.faketime, *Program.command(self)]

    def connection(self) -> http.client.HTTPConnection:
        """Connect from inside the namespace: nobody else reaches it."""
        found = http.client.HTTPConnection(self.address, self.port, timeout=30)
        found.sock = self._thread.submit(self._connected).result()
        return found

    def _connected(self) -> socket.socket:
        enter(f"/run/netns/{self.namespace}")
        return socket.create_connection((self.address, self.port), timeout=30)

    def cable(self, state: str) -> None:
        """Pull the cable ("down") or put it back ("up")."""
        ip("-n", self.namespace, "link", "set", "e0", state)
        if state == "up":
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("-n", self.namespace, "route", "add", "224.0.0.0/4", "dev", "e0")


class Street:
    """The hosts and the switch between them."""

    def __init__(self, hosts: Sequence[Host], switch: subprocess.Popen[str]) -> None:
        self.hosts = list(hosts)
        self._switch = switch

    def order(self, **order: Any) -> dict[str, int]:
        """Tell the switch something; give what happened to frames so far."""
        assert self._switch.stdin is not None
        assert self._switch.stdout is not None
        self._switch.stdin.write(json.dumps(order) + "\n")
        self._switch.stdin.flush()
        found: dict[str, int] = json.loads(self._switch.stdout.readline())
        return found

    def part(self, *groups: Sequence[int]) -> None:
        """Cut the street into groups of hosts (from 1) that hear only themselves."""
        of = {number: place for place, group in enumerate(groups) for number in group}
        self.order(cut=[[a, b] for a in of for b in of if of[a] != of[b]])

    def cut(self, one: int, other: int) -> None:
        """Cut two hosts off from each other; both still hear everybody else."""
        self.order(cut=[[one, other], [other, one]])

    def heal(self) -> None:
        """Repair every cable and every weather."""
        self.order(cut=[], weather={"delay_s": 0, "jitter_s": 0, "loss": 0, "double": 0, "corrupt": 0})

    def up(self) -> list[Host]:
        return [host for host in self.hosts if host.process is not None and host.process.poll() is None]

    def leader(self, among: Sequence[Host] = ()) -> Host:
        """Wait until these hosts, or all, agree on one of them who leads with a majority, and give it."""
        asked = among or self.up()

        def agreed() -> Host | None:
            seen = [raft(host) for host in asked]
            names = {view["leader_id"] for view in seen}
            if len(names) != 1 or not all(view["has_quorum"] for view in seen):
                return None
            return next((host for host in asked if terminal_of(host) in names), None)

        found: Host = until(agreed, "the tills agree who leads")
        return found

    def formed(self, voters: int) -> Host:
        """Wait until all are members, and give who leads."""
        until(lambda: all(len(raft(host)["voters"]) == voters for host in self.hosts), "every till has its seat")
        return self.leader()


def raft(host: Program) -> dict[str, Any]:
    body: dict[str, Any] = host.get("/raft").body
    return body


def terminal_of(host: Program) -> str:
    return str(host.get("/state").body["terminal"]["terminal_id"])


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def street(folder: Path, count: int, seed: int = 1, dress: Callable[[Host], None] | None = None) -> Iterator[Street]:
    """Build a store of so many tills on hosts of their own and run it; ``dress`` changes a host before it starts."""
    if os.geteuid() != 0 or shutil.which("ip") is None or not Path("/dev/net/tun").exists():
        pytest.skip("needs root, iproute2 and /dev/net/tun to make a network of its own")
    names = [f"tm{os.getpid()}w{number}" for number in range(1, count + 1)]
    with ExitStack() as undo:
        for name in names:
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as cause:
                pytest.skip(f"no network namespaces here: {cause.stderr.decode()}")
            undo.callback(ip, "netns", "delete", name)
        command = [sys.executable, str(SWITCH), str(seed), *names]
        switch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        undo.callback(_stop, switch)
        assert switch.stdout is not None
        assert switch.stdout.readline() == "ready\n"
        hosts = _hosts(folder, names)
        for host in hosts:
            if dress is not None:
                dress(host)
            undo.enter_context(host)
        yield Street(hosts, switch)


def _hosts(folder: Path, names: Sequence[str]) -> list[Host]:
    places = [folder / f"till-{number}" for number in range(1, len(names) + 1)]
    found_shop(places[0], pins=True)
    for number, place in enumerate(places[1:], 2):
        join_here(places[0], place, number=number, float_minor=FLOAT_MINOR, by=MANAGER)
    addresses = [f"10.78.0.{number}" for number in range(1, len(names) + 1)]
    return [
        Host(
            place,
            port=HTTP_PORT,
            arguments=(
                *("--bind", mine, "--link-port", str(LINK_PORT)),
                *(word for other in addresses if other != mine for word in ("--peer", f"{other}:{LINK_PORT}")),
            ),
            namespace=name,
            number=number,
        )
        for number, (place, name, mine) in enumerate(zip(places, names, addresses, strict=True), 1)
    ]


def _stop(switch: subprocess.Popen[str]) -> None:
    assert switch.stdin is not None
    switch.stdin.close()
    try:
        switch.wait(10)
    except subprocess.TimeoutExpired:
        switch.kill()
        switch.wait()
    assert switch.stdout is not None
    switch.stdout.close()
