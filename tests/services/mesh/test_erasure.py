"""A customer is erased: on every till, in old copies that come back, and in nothing that head office is sent."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.services.mesh.memory_links import Post, connect, open_post
from tests.services.mesh.test_mesh import MANAGER, hashes, run, store_of, until
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite import subject_keys
from tillmesh.adapters.sqlite.database import connect as open_file
from tillmesh.adapters.sqlite.ledger import log
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.fleet.projecting import project
from tillmesh.kernel.limits import SUBJECT_KEY_BUCKETS, SUBJECT_KEY_MESSAGES_WAITING_MAX
from tillmesh.shop.events import Change
from tillmesh.shop.personal import is_erased
from tillmesh.sync.key_messages import Keys, Sums, Told, write_keys
from tillmesh.terminal.key_gossip import KeyGossip
from tillmesh.till.commands import ChangeRecords, EraseCustomer

pytestmark = [pytest.mark.service, pytest.mark.slow]
CANARY = "Zebedee Canary"
PHONE = "+44 7700 900123"


def gossiping(post: Post) -> None:
    assert post.mesh is not None
    KeyGossip(post.driver, post.mesh)


async def opened(place: Path) -> Post:
    post = open_post(place)
    await post.start()
    gossiping(post)
    return post


async def name_at(post: Post) -> str | None:
    fields = await post.driver.look(lambda books: books.fields("customer", "zeb"))
    return None if fields is None else str(fields.get("name") or "")


async def is_erased_at(post: Post) -> bool:
    return is_erased(await post.driver.look(lambda books: books.fields("customer", "zeb")))


def keys_of(post: Post) -> list[bytes]:
    held = post.opened.writer.keys
    assert held is not None
    return [one.key for one in held.keys(["zeb"])]


async def knows(post: Post, name: str) -> bool:
    return await name_at(post) == name


async def has_no_key(post: Post) -> bool:
    return await is_erased_at(post) and not keys_of(post)


async def log_is_empty(post: Post) -> bool:
    return (post.opened.data_dir / f"{subject_keys.FILE}-wal").stat().st_size == 0


def pages(place: Path) -> bytes:
    """Everything that stands in the databases of a till: all pages as they are read, the free ones too."""
    found = b""
    for name in (FILE, subject_keys.FILE):
        with closing(open_file(place / name, database_key(place), read_only=True)) as db:
            found += db.serialize("main")
    return found


def test_an_erased_customer_stays_erased_when_an_old_backup_and_a_stale_till_come_back(tmp_path: Path) -> None:
    secret: list[bytes] = []

    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        for post in posts:
            gossiping(post)
        connect(posts[0], posts[1])
        connect(posts[1], posts[2])  # the first and the last hear each other only through the one between them
        change = Change(key="zeb", fields={"name": CANARY, "phone": PHONE, "group": "staff"})
        await posts[0].driver.do(MANAGER, ChangeRecords(entity="customer", changes=(change,)))
        for post in posts:
            await until(lambda post=post: knows(post, CANARY))  # type: ignore[misc]
        secret.extend(keys_of(posts[0]))
        await posts[2].stop()  # away, with the key on its disk
        shutil.copytree(tmp_path / "till-2", tmp_path / "backup")

        await posts[0].driver.do(MANAGER, EraseCustomer(customer_id="zeb"))
        for post in posts[:2]:
            await until(lambda post=post: has_no_key(post))  # type: ignore[misc]
            await until(lambda post=post: log_is_empty(post))  # type: ignore[misc]

        stale = await opened(tmp_path / "till-2")
        assert keys_of(stale) == secret
        connect(stale, posts[1])
        await until(lambda: has_no_key(stale))
        await stale.stop()

        shutil.rmtree(tmp_path / "till-2")
        shutil.copytree(tmp_path / "backup", tmp_path / "till-2")
        restored = await opened(tmp_path / "till-2")
        assert await knows(restored, CANARY)
        connect(restored, posts[1])
        await until(lambda: has_no_key(restored))
        assert not keys_of(posts[0])
        assert not keys_of(posts[1])
        tills = [*posts[:2], restored]
        await until(lambda: _agree(tills))
        for post in tills:
            await post.stop()

    run(scene)
    assert len(secret) == 1
    for till in ("till-0", "till-1", "till-2"):
        everything = pages(tmp_path / till)
        assert b"zeb" in everything
        for hidden in (CANARY.encode(), PHONE.encode(), *secret):
            assert hidden not in everything
    assert secret[0] in pages(tmp_path / "backup")  # so the search would have found it


async def _agree(posts: list[Post]) -> bool:
    return len(await hashes(posts)) == 1


def test_what_head_office_is_sent_never_holds_a_name_nor_a_key(tmp_path: Path) -> None:
    async def scene() -> None:
        (post,) = await store_of(tmp_path, 1)
        change = Change(key="zeb", fields={"name": CANARY, "phone": PHONE})
        await post.driver.do(MANAGER, ChangeRecords(entity="customer", changes=(change,)))
        (secret,) = keys_of(post)
        await post.driver.do(MANAGER, EraseCustomer(customer_id="zeb"))
        events = await post.driver.read(lambda db, _: list(log(db)))
        sent = b"".join(event.body for event in events)
        assert b"zeb" in sent
        for hidden in (CANARY.encode(), PHONE.encode(), secret):
            assert hidden not in sent
        assert [dict(write.written.items()) for write in project(events).writes][-1] == {"erased": True}
        await post.stop()

    run(scene)


def test_a_till_that_lost_its_keys_has_them_again_from_another(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        for post in posts:
            gossiping(post)
        change = Change(key="zeb", fields={"name": CANARY})
        await posts[0].driver.do(MANAGER, ChangeRecords(entity="customer", changes=(change,)))
        connect(*posts)
        await until(lambda: knows(posts[1], CANARY))
        await posts[1].stop()
        (tmp_path / "till-1" / subject_keys.FILE).write_bytes(os_noise())
        again = await opened(tmp_path / "till-1")
        assert await knows(again, "")
        connect(again, posts[0])
        await until(lambda: knows(again, CANARY))
        for post in (posts[0], again):
            await post.stop()

    run(scene)


def test_a_till_that_tells_keys_without_end_piles_nothing_up(tmp_path: Path) -> None:
    """What is told beyond is told again; what waited would take memory, and its turn before the sales of this till."""

    async def scene() -> None:
        (post,) = await store_of(tmp_path, 1)
        assert post.mesh is not None
        gossip = KeyGossip(post.driver, post.mesh)
        told = write_keys(Keys([Told("zeb", bytes(32))]))
        for _ in range(10 * SUBJECT_KEY_MESSAGES_WAITING_MAX):
            gossip._heard("loud0000.aaaaaaaa", told)
            gossip._heard("loud0000.aaaaaaaa", write_keys(Sums([1] * SUBJECT_KEY_BUCKETS)))
        gossip._heard("calm0000.aaaaaaaa", write_keys(Keys([Told("ann", bytes(32))])))
        assert len(gossip._errands._tasks) == SUBJECT_KEY_MESSAGES_WAITING_MAX + 2
        held = post.opened.writer.keys
        assert held is not None

        async def is_kept() -> bool:
            return not gossip._taking["loud0000"] and len(held.keys(["zeb", "ann"])) == 2

        await until(is_kept)
        gossip._heard("loud0000.aaaaaaaa", told)
        assert gossip._taking["loud0000"] == 1, "it is heard again"
        await gossip.stop()
        await post.stop()

    run(scene)


def os_noise() -> bytes:
    """What a damaged file may hold: nothing that any key opens."""
    return bytes(range(256)) * 64
