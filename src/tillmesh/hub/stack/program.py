"""``tillmesh hub stack``: start and stop PostgreSQL, Kafka, a head office with a second sync service, and Envoy."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from tillmesh.adapters.envoy.configuration import CONFIGURATION
from tillmesh.adapters.host.keys import write_file
from tillmesh.hub.gateway import Gateway, find_envoy
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import read_settings
from tillmesh.hub.stack.kafka import Kafka
from tillmesh.hub.stack.postgres import Postgres
from tillmesh.hub.stack.processes import Server
from tillmesh.kernel.errors import Conflict, NotFound

PORT: Final = 8080
AFTER: Final = {
    "postgres": 432,
    "kafka": 92,
    "controller": 93,
    "sync": 101,
    "gateway": 363,
}  # ports, from that for people
STORES_AFTER: Final = 100
CONFIG: Final = "hub.toml"
SEALED_WITH: Final = "seal.txt"
SEAL_BYTES: Final = 32
LISTENS_S: Final = 5.0
_NOTE: Final = "stack.json"
_TOML: Final = """# Written by tillmesh hub stack; see docs/reference/hub-toml.md.

[gateway]
kind = "envoy"
bind = "127.0.0.1"
port = {gateway}
services = ["127.0.0.1:{stores}", "127.0.0.1:{sync}"]

[event_log]
kind = "kafka"
servers = "{servers}"
replicas = 1

[master]
kind = "postgres"
dsn = "{dsn}"
secret_file = "{secret}"

[models]
kind = "sqlite"
folder = "{models}"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, all on loopback."""

    people: int
    stores: int
    postgres: int
    kafka: int
    controller: int
    sync: int
    gateway: int


class Stack:
    """The servers in one folder. Another program that reads the same folder finds them again."""

    def __init__(self, place: Path, ports: Ports) -> None:
        self.place, self.ports = place, ports
        self.postgres = Postgres(place / "postgres", ports.postgres)
        self.kafka = Kafka(place / "kafka", ports.kafka, ports.controller)
        self.hub = Server("head office", place / "hub")
        self.sync = Server("sync service", place / "sync")
        self.envoy = Server("Envoy", place / "envoy")

    @property
    def servers(self) -> list[Server]:
        """Give all of them, in the order in which they start."""
        return [self.postgres, self.kafka, self.hub, self.sync, self.envoy]

    def up(self) -> None:
        """Start what does not run yet, and write down how head office finds it."""
        _require_free(self)
        if self.postgres.pid is None:
            self.postgres.up()
        if self.kafka.pid is None:
            self.kafka.up()
        self.configure()
        if self.hub.pid is None:
            self._start_hub()
        if self.sync.pid is None:
            command = [*self._tillmesh(self.sync, "sync"), "--stores-port", str(self.ports.sync)]
            self._start(self.sync, command, self.ports.sync)
        if self.envoy.pid is None:
            self._start_envoy()

    def configure(self) -> Path:
        """Write ``hub.toml``."""
        file, secret = self.place / CONFIG, self.place / SEALED_WITH
        if not secret.exists():
            write_file(secret, token_urlsafe(SEAL_BYTES).encode())
        ports = {"stores": self.ports.stores, "sync": self.ports.sync, "gateway": self.ports.gateway}
        text = _TOML.format(
            servers=self.kafka.servers, dsn=self.postgres.dsn, secret=secret, models=self.place / "models", **ports
        )
        write_file(file, text.encode())
        return file

    def down(self) -> None:
        """Stop all of them, whoever asks before whoever answers."""
        for server in reversed(self.servers):
            server.stop()

    def _start_hub(self) -> None:
        self.hub.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = ["--port", str(self.ports.people), "--stores-port", str(self.ports.stores)]
        command = [*self._tillmesh(self.hub), *ports]
        self.hub.start(command, lambda: _healthy(self.ports.people))

    def _start_envoy(self) -> None:
        folder = Gateway(self.hub.place, read_settings(self.place / CONFIG)).write_all(now_ms())
        command = [find_envoy(), "-c", str(folder / CONFIGURATION), "--disable-hot-restart", "--log-level", "warning"]
        self._start(self.envoy, command, self.ports.gateway)

    def _start(self, server: Server, command: Sequence[str], port: int) -> None:
        server.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        server.start(command, lambda: _listens(port))

    def _tillmesh(self, server: Server, *what: str) -> list[str]:
        """Give how the program is started in a folder of its own; they share ``hub.toml`` and nothing else."""
        given = ["--data-dir", str(server.place), "--config", str(self.place / CONFIG)]
        return [sys.executable, "-m", "tillmesh", "hub", *what, *given]


def main(argv: Sequence[str]) -> int:
    """Run a command; give the exit status."""
    parser = argparse.ArgumentParser(prog="tillmesh hub stack", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("--data-dir", type=Path, required=True, help="everything is below it; everybody may enter it")
    parser.add_argument("--port", type=int, default=PORT, help="of the door for people; the others are counted from it")
    given = parser.parse_args(argv)
    place = given.data_dir.resolve()
    match given.command:
        case "start":
            _start(place, given.port)
        case "stop":
            _opened(place).down()
        case _:
            stack = _opened(place)
            sys.stdout.write(json.dumps({s.name: s.pid for s in stack.servers}, indent=2) + "\n")
    return 0


def ports_from(first: int) -> Ports:
    """Count all ports from that of the door for people."""
    return Ports(first, first + STORES_AFTER, *(first + after for after in AFTER.values()))


def _start(place: Path, port: int) -> None:
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    ports = ports_from(port)
    stack = Stack(place, ports)
    (place / _NOTE).write_text(json.dumps({name: getattr(ports, name) for name in Ports.__slots__}), "ascii")
    try:
        stack.up()
    except BaseException:
        stack.down()
        raise
    sys.stdout.write(
        f"head office  http://127.0.0.1:{ports.people}\n"
        f"Envoy        127.0.0.1:{ports.gateway}, for stores, over TLS; behind it {ports.stores} and {ports.sync}\n"
        f"PostgreSQL   127.0.0.1:{ports.postgres}\nKafka        127.0.0.1:{ports.kafka}\n"
        f"settings     {place / CONFIG}\n"
        f"stop it with: tillmesh hub stack stop --data-dir {place}\n"
    )


def _opened(place: Path) -> Stack:
    try:
        noted = json.loads((place / _NOTE).read_text("ascii"))
    except OSError as cause:
        raise NotFound(f"no stack was started in {place}", hint="Start it first.") from cause
    return Stack(place, Ports(**noted))


def _require_free(stack: Stack) -> None:
    wanted = {
        stack.postgres: [stack.ports.postgres],
        stack.kafka: [stack.ports.kafka, stack.ports.controller],
        stack.hub: [stack.ports.people, stack.ports.stores],
        stack.sync: [stack.ports.sync],
        stack.envoy: [stack.ports.gateway],
    }
    for server, ports in wanted.items():
        for port in ports if server.pid is None else []:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as cause:
                    raise Conflict(
                        f"port {port} for {server.name} is taken ({os.strerror(cause.errno or 0)})",
                        hint="Choose another --port.",
                    ) from cause


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        knock.settimeout(LISTENS_S)
        return knock.connect_ex(("127.0.0.1", port)) == 0


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
