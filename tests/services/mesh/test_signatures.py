"""An event counts only if its own actor signed it, whoever passes it on; and what is held can always be passed on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.services.mesh.memory_links import MemoryLink, Post, connect, open_post
from tests.services.mesh.test_mesh import MANAGER, found, hashes, run, sell, store_of, until
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.listings import audited_since
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync import Hello, Mark, Push, runs_of, write_frame
from tillmesh.sync.channels import Channel, wrap
from tillmesh.terminal.signing import Signatures
from tillmesh.till.commands import Note, OpenShift

pytestmark = pytest.mark.service


async def seq_of(post: Post, actor: str) -> int:
    return await post.driver.look(lambda books: dict(books.vector()).get(actor, 0))


def reaches(post: Post, actor: str, seq: int) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def holds() -> bool:
        return await seq_of(post, actor) >= seq

    return holds


async def stop(posts: list[Post]) -> None:
    for post in posts:
        await post.stop()


class Liar:
    """Somebody with the certificate of a till, and a pen."""

    def __init__(self, victim: Post, actor: str) -> None:
        there: asyncio.Queue[bytes | None] = asyncio.Queue()
        back: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.actor, self.victim = actor, victim
        self.link = MemoryLink(victim.actor, back, there)
        assert victim.mesh is not None
        victim.mesh.join(MemoryLink(actor, there, back))

    async def say(self, message: Hello | Push) -> None:
        await self.link.send(wrap(Channel.SYNC, write_frame(message)))

    async def push(self, events: list[Envelope], signature: bytes = b"") -> None:
        head = events[-1]
        store = self.victim.opened.origin.store
        await self.say(Hello(1, store, 0, self.actor, {head.actor: Mark(head.seq, head.hash)}))
        key = (head.actor, head.seq)
        await self.say(Push(1, runs_of(events, {key: signature})))

    async def is_shown_the_door(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self.link.receive()


async def forged(victim: Post, by: Post) -> list[Envelope]:
    """Make up the next sale of a till: everything fits, only its signature is missing."""
    head = (await victim.driver.read(lambda db, _: replica.heads(db)))[victim.actor]
    return [seal(by.opened.origin.store, head, hlc=1, kind="audited", version=1, body=b"made up")]


def test_a_till_that_makes_up_another_ones_sale_is_refused_and_the_manager_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        t1, t2, t3 = posts
        await found(t1)
        connect(t1, t3)
        held = t1.opened.till.head.seq
        await until(reaches(t3, t1.actor, held))
        made_up = await forged(t1, t2)
        signatures = Signatures(t2.opened.data_dir, t2.opened.origin.store)
        own_word = signatures.sign(Head(t2.actor, held + 1, made_up[-1].hash))
        for signature in (b"", bytes(64), own_word):
            liar = Liar(t3, t2.actor)
            await liar.push(made_up, signature)
            await liar.is_shown_the_door()
        assert await seq_of(t3, t1.actor) == held

        async def told() -> bool:
            found = await t3.driver.look(lambda books: audited_since(books, "forged_events", 0))
            return len(list(found)) == 1  # the second and the third time nobody even listened

        await until(told)
        await stop(posts)

    run(scene)


def test_a_till_that_was_caught_lying_gets_no_link_for_a_while(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        await found(posts[0])
        liar = Liar(posts[1], posts[0].actor)
        await liar.push([seal("elsewhere", Head(posts[0].actor), hlc=1, kind="audited", version=1, body=b"")])
        await liar.is_shown_the_door()
        connect(*posts)
        mesh = posts[1].mesh
        assert mesh is not None
        assert terminal_of(posts[0].actor) not in mesh.linked()
        await stop(posts)

    run(scene)


def test_a_lie_about_a_till_does_not_silence_it(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        t1, t2, t3 = posts
        await found(t1)
        connect(t1, t3)
        await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        liar = Liar(t3, t2.actor)
        head = t1.opened.till.head
        await liar.say(Hello(1, t3.opened.origin.store, 0, t2.actor, {t1.actor: Mark(head.seq, bytes(32))}))
        await t1.driver.do(MANAGER, OpenShift(float_minor=0))
        await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        await stop(posts)

    run(scene)


def test_a_till_that_repeats_a_lie_over_new_links_fills_nobodys_log_with_it(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        t1, t2, t3 = posts
        await found(t1)
        connect(t1, t3)
        await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        for _ in range(5):
            head, liar = t1.opened.till.head, Liar(t3, t2.actor)
            await liar.say(Hello(1, t3.opened.origin.store, 0, t2.actor, {t1.actor: Mark(head.seq, bytes(32))}))
            await t1.driver.do(MANAGER, Note(action="test", subject="", detail=""))
            await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        fenced = await t3.driver.look(lambda books: list(audited_since(books, "actor_fenced", 0)))
        assert len(fenced) == 1
        await stop(posts)

    run(scene)


def test_sales_travel_on_through_a_till_in_between_also_after_it_was_started_anew(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        t1, t2, t3 = posts
        await found(t1)
        await t1.driver.do(MANAGER, OpenShift(float_minor=0))
        connect(t1, t2)
        for place in range(5):
            await sell(t1, f"cart-{place}")
            await until(reaches(t2, t1.actor, t1.opened.till.head.seq))
        await t1.stop()
        await t2.stop()
        again = open_post(tmp_path / "till-1")
        await again.start()
        connect(again, t3)
        await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        assert len(await hashes([again, t3])) == 1
        await stop([again, t3])

    run(scene)


def test_signatures_that_are_not_needed_to_pass_sales_on_are_forgotten(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        t1, t2, t3 = posts
        await found(t1)
        await t1.driver.do(MANAGER, OpenShift(float_minor=0))
        connect(t1, t2)
        count = 2 * replica.HEADS_BEFORE_THINNING
        for place in range(count):
            await sell(t1, f"cart-{place}")
            await until(reaches(t2, t1.actor, t1.opened.till.head.seq))
        await until(lambda: _few_signatures(t2))
        await t1.stop()
        connect(t2, t3)
        await until(reaches(t3, t1.actor, t1.opened.till.head.seq))
        await stop([t2, t3])

    run(scene)


async def _few_signatures(post: Post) -> bool:
    kept = await post.driver.read(lambda db, _: one(db, "SELECT count(*) FROM signed_head"))
    return int(kept) < replica.HEADS_BEFORE_THINNING


def test_every_foreign_head_that_is_held_is_signed_by_its_actor(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        connect(*posts)
        await found(posts[0])
        await until(reaches(posts[1], posts[0].actor, posts[0].opened.till.head.seq))
        sql = "SELECT a.name, s.seq, s.hash, s.signature FROM signed_head s JOIN actor a ON a.id = s.actor"
        held = await posts[1].driver.read(lambda db, _: rows(db, sql))
        assert held[-1][1] == posts[0].opened.till.head.seq
        store = posts[0].opened.origin.store
        key = Signatures(posts[0].opened.data_dir, store)
        assert all(key.sign(Head(name, seq, pinned)) == bytes(signature) for name, seq, pinned, signature in held)
        await stop(posts)

    run(scene)
