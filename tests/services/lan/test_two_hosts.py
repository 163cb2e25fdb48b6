"""Two hosts on one cable, each in a network namespace of its own: mDNS over a real interface, and a rogue third."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ONE, TWO = "tzaaaaaa", "tzbbbbbb"

LISTENER = """
import asyncio, sys
from tillmesh.adapters.lan.discovery import Mdns
me, wanted, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
async def main():
    news = asyncio.Event()
    mdns = Mdns(store="c0rnersh0p00", terminal=me, port=port, known={wanted}.__contains__, on_hint=news.set)
    await mdns.start()
    while wanted not in {hint.terminal for hint in mdns.hints()}:
        await news.wait()
        news.clear()
    print(*(f"{hint.terminal} {hint.host}:{hint.port}" for hint in mdns.hints()), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(*(f"{hint.terminal} {hint.host}:{hint.port}" for hint in mdns.hints()), flush=True)
    await mdns.close()
asyncio.run(asyncio.wait_for(main(), 30))
"""

ROGUE = """
import asyncio
from zeroconf import InterfaceChoice, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf
from tillmesh.adapters.lan.discovery import SERVICE
from tillmesh.adapters.lan.hints import store_mark
def lie(name, port):
    told = {"s": store_mark("c0rnersh0p00"), "p": "1"}
    return ServiceInfo(SERVICE, f"{name}.{SERVICE}", port=port, properties=told, server=f"pos-{name}.local.",
        parsed_addresses=["192.0.2.66"])
async def main():
    rogue = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
    await rogue.zeroconf.async_wait_for_start()
    for number in range(2_000):
        rogue.zeroconf.async_send(rogue.zeroconf.generate_service_broadcast(lie(f"tx{number:06}", 1 + number), None))
        if number % 20 == 0:
            await asyncio.sleep(0)
    for name in ("tzaaaaaa", "tzbbbbbb"):
        await (await rogue.async_register_service(lie(name, 666), cooperating_responders=True))
        await (await rogue.async_unregister_service(lie(name, 666)))
    await rogue.async_close()
asyncio.run(main())
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two namespaces with a cable between them."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2 to make network namespaces")
    names = f"till-a-{os.getpid()}", f"till-b-{os.getpid()}"
    with contextlib.ExitStack() as undo:
        try:
            for name in names:
                ip("netns", "add", name)
                undo.callback(ip, "netns", "delete", name)
            ip("link", "add", "eth0", "netns", names[0], "type", "veth", "peer", "name", "eth0", "netns", names[1])
        except subprocess.CalledProcessError as cause:
            pytest.skip(f"no network namespaces here: {cause.stderr.decode()}")
        for number, name in enumerate(names, 1):
            for words in (
                ("addr", "add", f"10.77.0.{number}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                ip("-n", name, *words)
        yield names


def start(host: str, script: str, *arguments: str) -> subprocess.Popen[str]:
    words = ["ip", "netns", "exec", host, sys.executable, "-c", script, *arguments]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.service
def test_two_hosts_find_each_other_and_a_rogue_host_hides_neither(hosts: tuple[str, str]) -> None:
    with start(hosts[0], LISTENER, ONE, TWO, "7001") as one, start(hosts[1], LISTENER, TWO, ONE, "7002") as two:
        tills = (one, f"{TWO} 10.77.0.2:7002"), (two, f"{ONE} 10.77.0.1:7001")
        for till, wanted in tills:
            assert till.stdout is not None
            assert till.stdout.readline().strip() == wanted
        with start(hosts[1], ROGUE) as rogue:
            assert rogue.wait(30) == 0
        for till, wanted in tills:
            out, _ = till.communicate(timeout=30)
            assert wanted in out
            assert till.returncode == 0
            assert out.count("tx0") <= 16 * 2
