"""Tills that hear of head office's orders for models, with links in memory, and a head office of a few dictionaries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.services.mesh.memory_links import Post, connect, open_post
from tillmesh.edge.bundle import Contract, Manifest, Sealed, pack, seal
from tillmesh.sync.model_orders import Kind, Order, Report, SignedOrder, read_reports, sign_order
from tillmesh.terminal.ai import Ai
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.models_by_air import ByAir

OFFICE_KEY = Ed25519PrivateKey.from_private_bytes(b"h" * 32)
PUBLISHER = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
TASKS = "tests.services.ai.moody_tasks"
DEADLINE_MS = 10_000
DAY_MS = 86_400_000


def moody(version: int, key: Ed25519PrivateKey = PUBLISHER, deadline_ms: int = DEADLINE_MS, **files: bytes) -> Sealed:
    """A version of a model that does what it is asked."""
    manifest = Manifest(
        name="moody", version=version, task="moody", engine="none", licence="Apache-2.0",
        contract=Contract(input="what to do", deadline_ms=deadline_ms), files={},
    )  # fmt: skip
    named = {name.replace("_bin", ".bin").replace("_json", ".json").replace("_txt", ".txt"): data
             for name, data in files.items()}  # fmt: skip
    return seal(manifest, {"about.txt": b"moody " * 20_000, **named}, key)


class Office:
    """What tills ask of head office, and what they got."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.is_there = True
        self.bundles: dict[tuple[str, int], bytes] = {}
        self.asked: list[tuple[int, int]] = []  # offset and size of each piece
        self.reports: list[Report] = []
        self.pieces_left = 1_000_000
        self.serial = 0

    def speaks(self) -> bool:
        return True

    def is_busy(self) -> bool:
        return False

    async def piece(self, order: Order, offset: int, size: int) -> bytes | None:
        if not self.is_there or self.pieces_left <= 0:
            return None
        self.pieces_left -= 1
        self.asked.append((offset, size))
        return self.bundles[order.name, order.version][offset : offset + size]

    async def report(self, body: bytes) -> bool | None:
        if not self.is_there:
            return None
        self.reports += read_reports(body).reports
        return True

    def order(
        self, given: Sealed, kind: Kind = Kind.RUN, key: Ed25519PrivateKey = OFFICE_KEY, called: int = 0
    ) -> SignedOrder:
        """Publish a bundle and order it, under another version if it is ``called`` so."""
        manifest, data = msgspec.json.decode(given.manifest, type=Manifest), pack(given)
        manifest = msgspec.structs.replace(manifest, version=called or manifest.version)
        self.bundles[manifest.name, manifest.version] = data
        self.serial += 1
        order = Order(
            store=self.store, name=manifest.name, version=manifest.version, share=100, serial=self.serial, kind=kind,
            sha256=sha256(data).hexdigest(), size=len(data), expires_ms=now_ms() + DAY_MS,
        )  # fmt: skip
        return sign_order(order, key)


class AirTill:
    """A till in the mesh that runs a moody model."""

    def __init__(self, post: Post, office: Office | None) -> None:
        self.post, self.office = post, office
        data_dir = post.opened.data_dir
        self.ai = Ai(data_dir, data_dir / "nothing ships", tasks=TASKS)
        self.ai.shelf.trusted[PUBLISHER.public_key().public_bytes_raw().hex()] = ("moody",)
        public = OFFICE_KEY.public_key().public_bytes_raw()
        self.air = ByAir(post.driver, self.ai, post.mesh, office, lambda: public)

    @property
    def version(self) -> int:
        return self.ai.shelf.standing("moody").version

    def order(self) -> dict[str, Any]:
        (shown,) = [model for model in self.ai.status()["models"] if model["name"] == "moody"]
        return dict(shown["order"] or {}) | {"refused": shown["refused_orders"]}

    async def says(self) -> int:
        """Ask the model which version it is."""
        return int((await self.ai.ask("moody", b"hello", DEADLINE_MS)).output["version"])

    async def stop(self) -> None:
        await self.air.stop()
        await self.ai.stop()


def first_version(ai: Ai) -> None:
    ai.shelf.put(moody(1), 0)
    ai.shelf.switch("moody")


@asynccontextmanager
async def tills(folder: Path, count: int) -> AsyncIterator[tuple[Office, list[AirTill]]]:
    """A store of so many tills that run version 1; the first one speaks to head office."""
    first = open_post(folder / "till-0")
    store = first.opened.origin.store
    posts = [first, *(open_post(folder / f"till-{n}", store) for n in range(1, count))]
    office = Office(store)
    made = []
    for n, post in enumerate(posts):
        mesh = await post.start()
        mesh.lead(first.opened.till.identity.terminal)
        made.append(AirTill(post, office if n == 0 else None))
        first_version(made[-1].ai)
        await made[-1].air.start()
    for n in range(1, count):
        connect(posts[0], posts[n])
    try:
        yield office, made
    finally:
        for till in made:
            await till.stop()
        for post in posts:
            await post.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to come true; the test's time limit ends a wait in vain."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens in many places
        await asyncio.sleep(0.01)
