"""Links on loopback against those who should get none: strangers, crowds, the silent, the slow, the revoked, the dead
clock.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import shutil
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from tests.services.lan.lan_store import NOON_S, STORE, LanStore, actor_named
from tillmesh.adapters.lan.certificates import LEAF_DAYS, Credentials, make_request, ssl_context
from tillmesh.adapters.lan.door import STRANGERS_PER_ADDRESS_MAX
from tillmesh.adapters.lan.links import BOOT, PATH, Links, TlsLink
from tillmesh.adapters.lan.transport import Link, LinkGone, LinkRefused
from tillmesh.kernel.limits import FRAME_BYTES_MAX

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[3]
DAY_S = 86_400


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))


class End:
    """A till with its links, listening on loopback."""

    def __init__(self, store: LanStore, credentials: Credentials, **patience: float) -> None:
        self.gate = store.gate()
        self.actor = credentials.actor
        self.taken: asyncio.Queue[Link] = asyncio.Queue()
        self.links = Links(credentials, self.gate, self.taken.put_nowait, **patience)
        self.port = 0

    async def __aenter__(self) -> End:
        self.port = await self.links.listen(HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.links.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to come true; the scene's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)


def refuse_all(_: Link) -> None:
    raise AssertionError("nobody should get a link here")


def raw(context: ssl.SSLContext, port: int, path: str = PATH, boot: str = "0" * 16) -> connect:
    """Dial without our own client: as somebody would who writes his own."""
    return connect(
        f"wss://tillmesh{path}",
        host=HOST,
        port=port,
        ssl=context,
        server_hostname="",
        proxy=None,
        max_size=None,
        additional_headers={BOOT: boot},
    )


def test_a_stranger_without_a_certificate_is_refused_and_counted() -> None:
    async def scene() -> None:
        store = LanStore()
        async with End(store, store.till("a")) as end:
            bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            bare.check_hostname = False
            bare.verify_mode = ssl.CERT_NONE
            with pytest.raises((OSError, WebSocketException)) as refused:
                await raw(bare, end.port)
            assert not isinstance(refused.value, InvalidStatus)  # it never came as far as an answer
            await until(lambda: end.links.refused["tls"] == 1)
            assert end.links.linked() == frozenset()

    run(scene)


def test_a_rogue_authority_of_the_same_name_opens_no_door_on_either_side() -> None:
    async def scene() -> None:
        store, rogue = LanStore(), LanStore(seed=b"\2" * 32)
        good, bad = store.till("a"), rogue.till("b")
        async with End(store, good) as end, End(rogue, bad) as evil:
            with pytest.raises(LinkRefused) as refused:
                await end.links.dial(HOST, evil.port)
            assert refused.value.reason == "tls"
            with pytest.raises(LinkRefused):
                await evil.links.dial(HOST, end.port)
            mixed = Links(replace(bad, authority=good.authority), store.gate(), refuse_all)
            with pytest.raises(LinkRefused):
                await mixed.dial(HOST, end.port)
            assert end.links.linked() == evil.links.linked() == frozenset()
            await until(lambda: end.links.refused["tls"] >= 3)

    run(scene)


def test_an_expired_certificate_gets_no_link_until_it_is_renewed() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b", as_of_s=NOON_S - 20 * DAY_S)
        now_s = NOON_S + (LEAF_DAYS - 10) * DAY_S
        async with End(store, one) as end, End(store, two) as late:
            signed = store.authority.sign(msgspec.structs.replace(store.membership().roster, version=9, as_of_s=now_s))
            end.gate.membership.merge(signed)
            with pytest.raises(LinkRefused):
                await late.links.dial(HOST, end.port)
            assert end.links.refused["expired"] == 1
            request = make_request(two.key, STORE, two.actor)
            late.links.use(replace(two, certificate=store.authority.issue(request, two.actor, now_s)))
            await late.links.dial(HOST, end.port)
            assert set(end.links.linked()) == {two.actor}

    run(scene)


def test_links_that_are_up_stay_up_while_a_certificate_is_renewed() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as end, End(store, two) as other:
            near, far = await other.links.dial(HOST, end.port), await end.taken.get()
            key = Ed25519PrivateKey.generate()
            fresh = store.authority.issue(make_request(key, STORE, two.actor), two.actor, NOON_S + DAY_S)
            other.links.use(replace(two, key=key, certificate=fresh))
            await near.send(b"as before")
            assert await far.receive() == b"as before"

    run(scene)


def test_who_says_nothing_is_shown_out() -> None:
    async def scene() -> None:
        store = LanStore()
        async with End(store, store.till("a"), handshake_s=0.05) as end:
            reader, writer = await asyncio.open_connection(HOST, end.port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            await until(lambda: end.links.refused["tls"] == 1)

    run(scene)


def test_a_host_that_says_nothing_is_given_up() -> None:
    async def scene() -> None:
        store = LanStore()
        with socket.create_server((HOST, 0)) as deaf:
            links = Links(store.till("a"), store.gate(), refuse_all, handshake_s=0.05)
            with pytest.raises(LinkRefused) as refused:
                await links.dial(HOST, deaf.getsockname()[1])
            assert refused.value.reason == "timeout"

    run(scene)


def test_a_crowd_from_one_address_is_turned_away_and_live_links_do_not_notice() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as end, End(store, two) as other:
            near, far = await other.links.dial(HOST, end.port), await end.taken.get()
            crowd = [await asyncio.open_connection(HOST, end.port) for _ in range(STRANGERS_PER_ADDRESS_MAX + 5)]
            await until(lambda: end.links.refused["crowd"] == 5)
            await near.send(b"busy?")
            assert await far.receive() == b"busy?"
            for _, writer in crowd:
                writer.close()
            await until(lambda: end.links.refused["tls"] == STRANGERS_PER_ADDRESS_MAX)
            again = await other.links.dial(HOST, end.port)
            assert again.peer == one.actor

    run(scene)


@pytest.mark.parametrize(("path", "boot"), [("/", "0" * 16), (PATH, ""), (PATH, "x" * 16), (PATH + "/..", "0" * 16)])
def test_only_the_one_path_with_a_boot_leads_to_a_link(path: str, boot: str) -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as end:
            with pytest.raises(InvalidStatus, match="404"):
                await raw(ssl_context("client", two), end.port, path, boot)
            assert end.links.refused["malformed"] == 1

    run(scene)


def test_a_frame_over_the_limit_closes_the_link_of_who_sent_it() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as end, raw(ssl_context("client", two), end.port) as hostile:
            link = await end.taken.get()
            waiting = asyncio.create_task(link.receive())
            with pytest.raises(ConnectionClosed):
                await send_too_much(hostile)
            with pytest.raises(LinkGone):
                await waiting
            await until(lambda: not end.links.linked())

    run(scene)


async def send_too_much(hostile: ClientConnection) -> None:
    await hostile.send(bytes(FRAME_BYTES_MAX + 1))
    await hostile.recv()


@pytest.mark.slow
def test_a_peer_that_takes_nothing_for_too_long_loses_its_link() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one, stall_s=0.2) as end, End(store, two) as other:
            await other.links.dial(HOST, end.port)
            link = await end.taken.get()
            with pytest.raises(LinkGone, match="taken nothing"):
                await flood(link)
            await until(lambda: not end.links.linked())

    run(scene)


async def flood(link: Link) -> None:
    while True:
        await link.send(bytes(FRAME_BYTES_MAX))


@pytest.mark.slow
def test_two_tills_that_dial_each_other_at_once_end_up_with_one_link() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        for _ in range(10):
            async with End(store, one) as small, End(store, two) as great:
                dials = await asyncio.gather(
                    small.links.dial(HOST, great.port), great.links.dial(HOST, small.port), return_exceptions=True
                )
                near = dials[0]
                assert not isinstance(near, BaseException)
                far = await great.taken.get()
                await near.send(b"which?")
                assert await far.receive() == b"which?"
                assert set(small.links.linked()) == {two.actor}
                assert set(great.links.linked()) == {one.actor}

    run(scene)


def test_a_till_that_was_started_anew_takes_the_place_of_what_it_was() -> None:
    """Though the smaller actor dialled the old link, whose other end is gone without a word."""

    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as small, End(store, two) as before, End(store, two) as after:
            old = await small.links.dial(HOST, before.port)
            new = await after.links.dial(HOST, small.port)
            with pytest.raises(LinkGone):
                await old.receive()
            await new.send(b"back")
            assert await (await small.taken.get()).receive() == b"back"

    run(scene)


def test_a_link_that_one_end_has_lost_is_given_up_by_the_other_when_it_dials_again() -> None:
    """The smaller actor dialled it, so it would stay: but nobody answers on it any more."""

    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one, handshake_s=0.3) as small, End(store, two) as great:
            near = await small.links.dial(HOST, great.port)
            lost = await great.taken.get()
            assert isinstance(lost, TlsLink)
            lost._socket.transport.pause_reading()  # as if the cable had gone
            great.links._forget(lost)
            with pytest.raises(LinkRefused) as refused:
                await great.links.dial(HOST, small.port)
            assert refused.value.reason == "duplicate"
            with pytest.raises(LinkGone):
                await near.receive()
            again = await great.links.dial(HOST, small.port)
            await again.send(b"back")
            assert await (await small.taken.get()).receive() == b"back"

    run(scene)


def test_a_link_that_still_answers_outlives_a_second_dial() -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one, handshake_s=0.3) as small, End(store, two) as great:
            near, far = await small.links.dial(HOST, great.port), await great.taken.get()
            with pytest.raises(LinkRefused):
                await great.links.dial(HOST, small.port)
            await near.answered()
            await far.send(b"still here")
            assert await near.receive() == b"still here"

    run(scene)


def test_a_copied_till_is_not_linked_to_its_original() -> None:
    async def scene() -> None:
        store = LanStore()
        one = store.till("a")
        async with End(store, one) as end, End(store, one) as copy:
            with pytest.raises(LinkRefused):
                await copy.links.dial(HOST, end.port)
            assert end.links.refused["self"] == 1

    run(scene)


def test_a_till_taken_in_elsewhere_a_moment_ago_is_linked_before_the_list_arrives() -> None:
    async def scene() -> None:
        store = LanStore()
        async with End(store, store.till("a")) as end, End(store, store.till("b")) as newcomer:
            assert actor_named("b") not in end.gate.membership.roster.members
            await newcomer.links.dial(HOST, end.port)
            assert set(end.links.linked()) == {actor_named("b")}

    run(scene)


def test_a_flood_of_refusals_is_not_a_flood_of_lines(caplog: pytest.LogCaptureFixture) -> None:
    store = LanStore()
    links = Links(store.till("a"), store.gate(), refuse_all)
    with caplog.at_level(logging.WARNING):
        for _ in range(1_000):
            links._count("tls", "192.0.2.1")
    assert links.refused["tls"] == 1_000
    assert len(caplog.records) == 10


def test_a_taker_that_fails_costs_its_link_only(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")

        def fails(_: Link) -> None:
            raise RuntimeError("no room")

        links = Links(one, store.gate(), fails)
        port = await links.listen(HOST, 0)
        async with End(store, two) as other:
            link = await other.links.dial(HOST, port)
            with pytest.raises(LinkGone):
                await link.receive()
            await until(lambda: not links.linked())
        await links.close()

    run(scene)
    assert "could not be taken on" in caplog.text


# Dead clocks --------------------------------------------------------------------------------------------------------

DIALLER = """
import asyncio, datetime, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tillmesh.adapters.lan.certificates import Credentials, Gate, read_authority
from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.roster import Membership
told = {k: bytes.fromhex(v) for k, v in json.loads(sys.argv[1]).items()}
store, actor, port = (told[k].decode() for k in ("store", "actor", "port"))
key = Ed25519PrivateKey.from_private_bytes(told["key"])
me = Credentials(store, actor, key, told["certificate"], told["authority"])
async def main():
    gate = Gate(me.authority, Membership(read_authority(me.authority), store, told["roster"]))
    links = Links(me, gate, print)
    link = await links.dial("127.0.0.1", int(port))
    await link.send(str(datetime.date.today().year).encode())
    print((await link.receive()).decode())
    await links.close()
asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime")
@pytest.mark.parametrize("days", [None, 400])
def test_a_till_in_another_year_exchanges_frames_with_one_in_ours(days: int | None) -> None:
    """1970, and 400 days ahead, where its certificate would have expired a year ago."""
    when = dt.datetime(1970, 1, 2, tzinfo=dt.UTC) if days is None else dt.datetime.now(dt.UTC) + dt.timedelta(days)

    async def scene() -> None:
        store = LanStore()
        one, two = store.till("a"), store.till("b")
        async with End(store, one) as end:
            told = {
                "store": STORE.encode(),
                "actor": two.actor.encode(),
                "port": str(end.port).encode(),
                "key": two.key.private_bytes_raw(),
                "certificate": two.certificate,
                "authority": two.authority,
                "roster": store.roster,
            }
            argument = json.dumps({name: value.hex() for name, value in told.items()})
            process = await asyncio.create_subprocess_exec(
                *("faketime", str(when)[:19], sys.executable, "-c", DIALLER, argument),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
            link = await end.taken.get()
            assert await link.receive() == str(when.year).encode()
            await link.send(b"welcome all the same")
            out, _ = await process.communicate()
            assert (out, process.returncode) == (b"welcome all the same\n", 0)

    run(scene)
