"""What Envoy costs: the same uploads straight to head office and through the gateway before another one.

Batches are known already after the first time, so head office does as little as it can for each and the gateway's part
is seen best. CPU is that of the processes, all threads; blocks of both ways alternate.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply, Unreachable
from tillmesh.bench.head_office import OPEN_HANDED, Office, enrolled, running
from tillmesh.bench.measuring import Row, ratio, spread
from tillmesh.bench.ports import free_ports
from tillmesh.bench.serving import cpu_s
from tillmesh.bench.upload_work import work_of
from tillmesh.hub.gateway import Gateway, find_envoy
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Envoy, Limits, Settings
from tillmesh.kernel.errors import Conflict
from tillmesh.sync.upload import MEDIA

BLOCKS: Final = 8
CALLS: Final = 200  # in a block
EVENTS: Final = 900  # in a batch: about 40 KB when packed
STORE: Final = "store00001"
READY_S: Final = 60.0
BEHIND: Final = '[gateway]\nkind = "envoy"\n'


@dataclass(slots=True)
class Way:
    """One way to a head office, and what its blocks took."""

    line: HubClient
    office: Office
    envoy: Callable[[], float]  # CPU seconds
    times_ms: list[float]
    office_ms: list[float]
    envoy_ms: list[float]

    def block(self, ask: Callable[[HubClient], Reply], calls: int) -> None:
        """Ask so often, and note time and CPU for each call."""
        office, envoy = self.office.cpu_s(), self.envoy()
        for _ in range(calls):
            begun = time.perf_counter()
            reply = ask(self.line)
            self.times_ms.append((time.perf_counter() - begun) * 1e3)
            if reply.status != 200:
                raise Conflict(f"a call was answered {reply.status}: {reply.body[:200]!r}", hint="See the log.")
        self.office_ms.append((self.office.cpu_s() - office) / calls * 1e3)
        self.envoy_ms.append((self.envoy() - envoy) / calls * 1e3)


def run(place: Path, blocks: int = BLOCKS, calls: int = CALLS) -> list[Row]:
    """Measure uploads of 40 KB and questions of a few bytes, both ways; milliseconds."""
    here, there = enrolled(place / "own", [STORE])[STORE], enrolled(place / "behind", [STORE])[STORE]
    with running(place / "own") as own, running(place / "behind", OPEN_HANDED + BEHIND) as behind:
        port = free_ports(1)
        with _envoy(place, behind, port, there) as pid:
            lines = HubClient(own.stores_url, here), HubClient(f"https://127.0.0.1:{port}", there)
            try:
                packed = work_of(STORE, 1, EVENTS)[0].packed
                size = f"{len(packed) / 1e3:.0f} KB"
                rows = _measured(f"a batch of {size} that is known", lambda line: line.upload(packed, MEDIA),
                                 _ways(lines, own, behind, pid), blocks, calls)  # fmt: skip
                rows += _measured("what is held of the store", HubClient.state, _ways(lines, own, behind, pid), blocks,
                                  calls)  # fmt: skip
            finally:
                for line in lines:
                    line.close()
    return rows


def _ways(lines: tuple[HubClient, HubClient], own: Office, behind: Office, pid: int) -> tuple[Way, Way]:
    return Way(lines[0], own, lambda: 0.0, [], [], []), Way(lines[1], behind, lambda: cpu_s(pid), [], [], [])


def _measured(
    what: str, ask: Callable[[HubClient], Reply], ways: tuple[Way, Way], blocks: int, calls: int
) -> list[Row]:
    for way in ways:
        way.block(ask, 3)  # the first one stores the batch
        for noted in (way.times_ms, way.office_ms, way.envoy_ms):
            noted.clear()
    for _ in range(blocks):
        for way in ways:
            way.block(ask, calls)
    straight, through = ways
    ours = [office + envoy for office, envoy in zip(through.office_ms, through.envoy_ms, strict=True)]
    envoy = spread(through.envoy_ms)
    note = f"{1e3 / envoy.median:.0f} calls per CPU second of Envoy" if envoy.median else ""
    return [
        Row(what=f"{what}: straight", unit="ms", spread=spread(straight.times_ms)),
        Row(what=f"{what}: through Envoy", unit="ms", spread=spread(through.times_ms)),
        Row(what=f"{what}: CPU of head office, straight", unit="ms", spread=spread(straight.office_ms)),
        Row(what=f"{what}: CPU of head office behind Envoy", unit="ms", spread=spread(through.office_ms)),
        Row(what=f"{what}: CPU of Envoy", unit="ms", spread=envoy, note=note),
        Row(
            what=f"{what}: CPU of both",
            unit="ms",
            spread=spread(ours),
            ratio=ratio("straight", ours, straight.office_ms) if all(straight.office_ms) else None,
        ),
    ]


@contextmanager
def _envoy(place: Path, behind: Office, port: int, bundle: Bundle) -> Iterator[int]:
    """Run Envoy before a head office until it lets the store in; gives its process number."""
    service = behind.stores_url.removeprefix("https://")
    settings = Settings(
        gateway=Envoy(bind="127.0.0.1", port=port, services=(service,)),
        limits=Limits(uploads_burst=100_000, uploads_per_s=10_000),
    )
    folder = Gateway(place / "behind", settings).write_all(now_ms())
    command = [find_envoy(), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart"]
    with (place / "envoy.log").open("wb") as log:
        process = subprocess.Popen([*command, "--log-level", "warning"], stdout=log, stderr=log)  # noqa: S603 - found above
    line = HubClient(f"https://127.0.0.1:{port}", bundle)
    try:
        end = time.monotonic() + READY_S
        while not _lets_in(line):
            if process.poll() is not None or time.monotonic() > end:
                said = (place / "envoy.log").read_text("utf-8", "replace")[-500:]
                raise Conflict(f"Envoy did not start: {said}", hint="Try again.")
            time.sleep(0.1)
        yield process.pid
    finally:
        line.close()
        process.terminate()
        process.wait(30)


def _lets_in(line: HubClient) -> bool:
    try:
        return line.state().status == 200
    except Unreachable:
        return False
