"""Head office as ``hub.toml`` makes it, as processes to measure: its servers, and services of our own before them.

The configuration says where events and tables are. The services are started here, on ports that are free, so that their
CPU is known; that of the servers is read where ``tillmesh hub stack`` has started them.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from tillmesh.adapters.envoy.configuration import CONFIGURATION
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.bench.head_office import Office, enrolled, running
from tillmesh.bench.ports import free_ports
from tillmesh.bench.serving import TICKS_PER_S, cpu_s
from tillmesh.hub.gateway import Gateway, find_envoy
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Doors, Envoy, Limits, Settings, read_settings
from tillmesh.hub.stack.kafka import Kafka
from tillmesh.hub.stack.postgres import Postgres
from tillmesh.kernel.errors import Conflict

LISTENS_S: Final = 60.0
OPEN: Final = Limits(uploads_burst=100_000, uploads_per_s=10_000, waiting_max=10_000)


@dataclass(slots=True)
class Stand:
    """A head office that runs, where its stores knock, and what else works for it."""

    office: Office
    stores_url: str
    bundles: Mapping[str, Bundle]
    parts: dict[str, Callable[[], float]] = field(default_factory=dict)  # name -> CPU seconds so far


@contextmanager
def embedded(place: Path, stores: Sequence[str]) -> Iterator[Stand]:
    """One process with everything in files."""
    bundles = enrolled(place / "hub", stores)
    with running(place / "hub") as office:
        yield Stand(office, office.stores_url, bundles)


@contextmanager
def production(place: Path, stores: Sequence[str], config: Path) -> Iterator[Stand]:
    """Head office and one more sync service on the servers of ``hub.toml``, behind Envoy if it names one."""
    given = read_settings(config)
    port = free_ports(2)
    first = free_ports(2)
    services = (f"127.0.0.1:{first + 1}", f"127.0.0.1:{port}")
    through = isinstance(given.gateway, Envoy)
    gateway = Envoy(bind="127.0.0.1", port=port + 1, services=services) if through else given.gateway
    settings = msgspec.structs.replace(given, doors=Doors(), limits=OPEN, gateway=gateway)
    (place / "bench.toml").write_text(toml(settings), "utf-8")
    bundles = enrolled(place / "hub", stores, settings)
    with ExitStack() as stack:
        office = stack.enter_context(running(place / "hub", (place / "bench.toml").read_text("utf-8"), port=first))
        pids: dict[str, list[int]] = {}
        if through:
            second = [sys.executable, "-m", "tillmesh", "hub", "sync", "--data-dir", str(place / "second")]
            second += ["--config", str(place / "bench.toml"), "--stores-port", str(port)]
            pids["second sync service"] = [stack.enter_context(_process(place / "second.log", second, port))]
            folder = Gateway(place / "hub", settings).write_all(now_ms())
            envoy = [find_envoy(), "-c", str(folder / CONFIGURATION), "--disable-hot-restart", "--log-level", "warning"]
            pids["Envoy"] = [stack.enter_context(_process(place / "envoy.log", envoy, port + 1))]
        pids |= _servers(config.resolve().parent)
        parts: dict[str, Callable[[], float]] = {name: partial(_cpu_of, those) for name, those in pids.items()}
        url = f"https://127.0.0.1:{port + 1}" if through else office.stores_url
        yield Stand(office, url, bundles, parts)


def cpu_of_tree(pid: int) -> float:
    """Give the CPU of a process and all that came from it, with what has ended. Source: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / TICKS_PER_S
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return cpu_s(pid) + ended + sum(cpu_of_tree(int(child)) for child in children if _there(child))


def _cpu_of(pids: Sequence[int]) -> float:
    return sum(map(cpu_of_tree, pids))


def _there(pid: str) -> bool:
    return Path(f"/proc/{pid}/stat").exists()


def _servers(folder: Path) -> dict[str, list[int]]:
    """Find the servers that `tillmesh hub stack` runs in the folder of ``hub.toml``; those elsewhere are not seen."""
    found = {}
    for server in (Postgres(folder / "postgres", 0), Kafka(folder / "kafka", 0, 0)):
        if server.pid is not None:
            found[server.name] = [server.pid]
    return found


@contextmanager
def _process(log: Path, command: Sequence[str], port: int) -> Iterator[int]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)  # noqa: S603 - our own program, or Envoy
    try:
        end = time.monotonic() + LISTENS_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise Conflict(f"{command[0]} did not start: {log.read_text()[-500:]}", hint="Try again.")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", port)) == 0


def toml(settings: Settings) -> str:
    """Write the tables of settings as ``hub.toml``; lists of tables are of no use to a fleet."""
    lines: list[str] = []
    tables = {name: values for name, values in msgspec.to_builtins(settings).items() if isinstance(values, dict)}
    for table, values in tables.items():
        lines.append(f"\n[{table}]")
        inner = {name: value for name, value in values.items() if isinstance(value, dict)}
        lines += [f"{name} = {_value(value)}" for name, value in values.items() if name not in inner]
        for name, pairs in inner.items():
            lines.append(f"\n[{table}.{name}]")
            lines += [f"{_value(key)} = {_value(value)}" for key, value in pairs.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Write a text, a number, or a list of them: TOML's are JSON's here."""
    return msgspec.json.encode(value).decode()
