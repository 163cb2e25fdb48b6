"""A network switch in user space, run as a program: one TAP device in each namespace, and a bad mood on request.

    python switch.py SEED NAMESPACE...

Host N has the address 10.78.0.N. Orders come as one JSON object a line on standard input, each is answered by a line:
{"weather": {"delay_s", "jitter_s", "loss", "double", "corrupt"}}, {"cut": [[a, b], ...]} (a hears b no more, hosts from
1), {"count": true}. It ends with its standard input. For kernels without ``tc netem``; the seed decides every draw.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import Counter
from typing import Any

TUNSETIFF = 0x400454CA  # linux/if_tun.h
TAP, NO_HEADER = 0x0002, 0x1000
NEW_NETWORK = 0x40000000  # CLONE_NEWNET, linux/sched.h
FRAME_BYTES_MAX = 2048
HEADERS_BYTES = 54  # Ethernet, IP and TCP: what is corrupted lies behind them
BURST = 64

libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: str) -> None:
    """Move this thread into a network namespace."""
    handle = os.open(namespace, os.O_RDONLY)
    try:
        if libc.setns(handle, NEW_NETWORK):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(handle)


def tap(namespace: str, address: str) -> int:
    """Give the handle of a new interface ``e0`` in a namespace."""
    home = "/proc/self/ns/net"
    before = os.open(home, os.O_RDONLY)
    enter(f"/run/netns/{namespace}")
    try:
        handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH", b"e0", TAP | NO_HEADER))
    finally:
        libc.setns(before, NEW_NETWORK)
        os.close(before)
    for words in (f"addr add {address}/24 dev e0", "link set e0 up", "link set lo up", "route add 224.0.0.0/4 dev e0"):
        subprocess.run(["ip", "-n", namespace, *words.split()], check=True)
    return handle


def say(line: str) -> None:
    """Answer whoever started us."""
    os.write(1, line.encode() + b"\n")


class Switch:
    """Learns who is where, and carries frames when their time has come."""

    def __init__(self, seed: int, namespaces: list[str]) -> None:
        self.random = random.Random(seed)
        self.handles = [tap(name, f"10.78.0.{number}") for number, name in enumerate(namespaces, 1)]
        self.places: dict[bytes, int] = {}
        self.weather = {"delay_s": 0.0, "jitter_s": 0.0, "loss": 0.0, "double": 0.0, "corrupt": 0.0}
        self.cut: set[tuple[int, int]] = set()
        self.count: Counter[str] = Counter()
        self.waiting: list[tuple[float, int, int, bytes]] = []

    def obey(self, order: dict[str, Any]) -> dict[str, int]:
        """Change the weather or the cables; give what happened to frames so far."""
        self.weather.update(order.get("weather", {}))
        if "cut" in order:
            self.cut = {(hears - 1, says - 1) for hears, says in order["cut"]}
        return dict(self.count)

    def carry(self, source: int, frame: bytes) -> None:
        """Take a frame in, for one host or for all others."""
        self.places[frame[6:12]] = source
        known = None if frame[0] & 1 else self.places.get(frame[:6])
        for target in range(len(self.handles)) if known is None else (known,):
            if target != source:
                self._send(source, target, frame)

    def _send(self, source: int, target: int, frame: bytes) -> None:
        draw, weather = self.random.random, self.weather
        if (target, source) in self.cut:
            self.count["cut"] += 1
            return
        if draw() < weather["loss"]:
            self.count["lost"] += 1
            return
        for _ in range(2 if draw() < weather["double"] else 1):
            sent = frame
            if draw() < weather["corrupt"] and len(frame) > HEADERS_BYTES:
                at = self.random.randrange(HEADERS_BYTES, len(frame))
                sent = frame[:at] + bytes([frame[at] ^ 1 << self.random.randrange(8)]) + frame[at + 1 :]
                self.count["corrupted"] += 1
            self.count["sent"] += 1
            jitter = self.random.uniform(-weather["jitter_s"], weather["jitter_s"])
            due = time.monotonic() + max(0.0, weather["delay_s"] + jitter)
            heapq.heappush(self.waiting, (due, self.count["sent"], target, sent))

    def run(self) -> None:
        """Carry frames until standard input ends."""
        source_of = {handle: number for number, handle in enumerate(self.handles)}
        orders = b""
        say("ready")
        while True:
            wait_s = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1.0
            for handle in select.select([*self.handles, 0], [], [], wait_s)[0]:
                if handle == 0:
                    read = os.read(0, 65_536)
                    if not read:
                        return
                    orders += read
                    *lines, orders = orders.split(b"\n")
                    for line in lines:
                        say(json.dumps(self.obey(json.loads(line))))
                else:
                    self._read(handle, source_of[handle])
            self._deliver()

    def _read(self, handle: int, source: int) -> None:
        for _ in range(BURST):
            try:
                self.carry(source, os.read(handle, FRAME_BYTES_MAX))
            except BlockingIOError:
                return
            except OSError:
                return  # the interface is down: its cable is pulled

    def _deliver(self) -> None:
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(self.waiting)
            try:
                os.write(self.handles[target], frame)
            except OSError:
                self.count["undelivered"] += 1


if __name__ == "__main__":
    Switch(int(sys.argv[1]), sys.argv[2:]).run()
