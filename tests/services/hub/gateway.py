"""The two doors that a store may find: head office's own, and Envoy before it."""

import json
import socket
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.laws.hub_world import sale, sealed
from tests.ports import free_ports
from tests.services.hub.office import RunningOffice, enrolled, running
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.certificates import STORE_DAYS, serial_of
from tillmesh.adapters.wan.client import HubClient
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.commands import main as hub
from tillmesh.hub.gateway import find_envoy
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Settings, read_settings
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Batch, write_batch

TILL = "tilla.aaaaaaaa"
WAIT_S = 90.0
# Enough for what a test uploads; whoever goes on and on is over it on a slow machine, too.
LIMITS = "[limits]\nuploads_burst = 20\nuploads_per_s = 1\npictures_burst = 20\npictures_per_s = 1\nrequest_s = 12\n"
T = TypeVar("T")


def until(ask: Callable[[], T], good: Callable[[T], bool], what: str) -> T:
    """Ask until the answer is good."""
    end = time.monotonic() + WAIT_S
    while not good(found := ask()):
        assert time.monotonic() < end, f"{what}; last: {found!r}"
        time.sleep(0.05)
    return found


class Gateway:
    """An Envoy that runs."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self.folder, self.process, self.port = folder, process, port


@contextmanager
def envoy_running(data_dir: Path, config: Path, port: int, log: Path) -> Iterator[Gateway]:
    """Write Envoy's files and run it until it takes connections."""
    assert hub(["gateway-config", "--data-dir", str(data_dir), "--config", str(config)]) == 0
    folder = data_dir / "gateway"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [find_envoy(), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart",
             "--log-level", "warning", "--file-flush-interval-msec", "100"],
            stdout=out, stderr=out,
        )  # fmt: skip
        try:

            def taken() -> bool:
                assert process.poll() is None, log.read_text()[-4_000:]
                with socket.socket() as knock:
                    knock.settimeout(5)
                    return knock.connect_ex(("127.0.0.1", port)) == 0

            until(taken, bool, "Envoy takes no connections")
            yield Gateway(folder, process, port)
        finally:
            process.kill()
            process.wait()


class Door:
    """What stores find: an address, and head office somewhere behind it."""

    def __init__(self, office: RunningOffice, port: int, logs: list[Path], expired: Bundle) -> None:
        self.office, self.port, self.logs, self.expired = office, port, logs, expired
        self.clients: list[HubClient] = []
        self.gateway: Gateway | None = None
        self.config = Path()
        self.names = iter(range(1_000))

    def client(self, bundle: Bundle) -> HubClient:
        """One more store's leader."""
        self.clients.append(HubClient(f"https://127.0.0.1:{self.port}", bundle))
        return self.clients[-1]

    def enrol(self, store: str = "") -> Bundle:
        """Enrol a store, or give one a further certificate; wait until the door knows of it."""
        name = store or f"store{next(self.names)}"
        status, said = self.office.call("POST", f"/stores/{name}/credentials", {})
        assert status == 200, said
        bundle = read_bundle(b64decode(said["bundle"]))
        client = self.client(bundle)
        until(lambda: client.state().status, lambda status: status == 200, f"{name} is not let in")
        return bundle

    def events(self, store: str) -> int:
        """How many events of a store head office has."""
        _, said = self.office.call("GET", "/stores")
        return sum(shown["events"] for shown in said["stores"] if shown["store"] == store)

    def logged(self) -> str:
        """What the door and head office have logged so far."""
        return "\n".join(log.read_text(errors="replace") for log in self.logs)


def expired(data_dir: Path, settings: Settings) -> Bundle:
    """What a store has whose certificate ran out yesterday; head office must not be running."""
    good = enrolled(data_dir, "late", settings)
    opened = open_hub(data_dir, settings)
    try:
        then_ms = now_ms() - (STORE_DAYS + 1) * 86_400_000
        certificate = opened.authority.issue(good.identity.key, "late", then_ms // 1000).certificate
        opened.office.put_certificate(serial_of(certificate), "late", then_ms)
        opened.office.put_key("the key of a late store", "late", serial_of(certificate), then_ms)
    finally:
        opened.close()
    return msgspec.structs.replace(good, certificate=certificate, api_key="the key of a late store")


@contextmanager
def door(
    kind: str, folder: Path, *, limits: str = LIMITS, second: bool = False, alone: bool = False, more: str = ""
) -> Iterator[Door]:
    """Head office with its own door, or with Envoy before it and a ``second`` service, or only that one."""
    port = free_ports(4)
    services = [f"127.0.0.1:{at}" for at, there in ((port + 1, not alone), (port + 3, second)) if there]
    config, logs = folder / "hub.toml", [folder / "hub.log", folder / "envoy.log"]
    for log in logs:
        log.touch()
    text = f"[doors]\npeople_port = {port}\n{limits}{more}"
    if kind == "envoy":
        at, them = f'bind = "127.0.0.1"\nport = {port + 2}', json.dumps(services)
        text += f'[gateway]\nkind = "envoy"\n{at}\nservices = {them}\n'
    config.write_text(text)
    late = expired(folder / "hub", read_settings(config))
    gateway: Gateway | None = None
    with ExitStack() as stack:
        written = stack.enter_context(logs[0].open("ab"))
        office = stack.enter_context(running(folder / "hub", config, port=port, log=written))
        if kind == "envoy":
            gateway = stack.enter_context(envoy_running(folder / "hub", config, port + 2, logs[1]))
        made = Door(office, port + (2 if kind == "envoy" else 1), logs, late)
        made.gateway, made.config = gateway, config
        yield made
        for client in made.clients:
            client.close()


def sales(store: str, count: int, actor: str = TILL, total: int = 100) -> list[Envelope]:
    """A till's log of so many sales."""
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(1, count + 1):
        events.append(sealed(head, sale(number, total), number, store))
        head = Head(actor, events[-1].seq, events[-1].hash)
    return events


def batch(store: str, events: list[Envelope], term: int = 1) -> bytes:
    """An upload of some events."""
    ends = {event.actor: event for event in events}
    heads = {actor: Mark(event.seq, event.hash) for actor, event in ends.items()}
    return write_batch(Batch(store, term, TILL, heads, runs_of(events)))
