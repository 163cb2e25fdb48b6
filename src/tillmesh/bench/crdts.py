"""Counting stock on five tills, beside Loro and pycrdt on the same work in the same run."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from tillmesh.bench import crdt_peers
from tillmesh.bench.crdt_ours import Counters, Tables
from tillmesh.bench.crdt_work import ACTORS, DECREMENTS, STREAMED, Contestant, Shift, shifts
from tillmesh.bench.measuring import Row, cpu_us, ratio, spread

ROUNDS: Final = 5
KIB: Final = 1024
STATM: Final = Path("/proc/self/statm")
UPDATES: Final = "updates"


def run(place: Path, *, rounds: int = ROUNDS, decrements: int = DECREMENTS) -> list[Row]:
    """Let every contestant count, encode and merge, in turns; CPU per decrement, bytes, memory."""
    work = shifts(decrements)
    peers = crdt_peers.installed()
    everybody = [*_ours(place), *peers]
    replicas = {one.name: [one.count(actor, shift) for actor, shift in enumerate(work)] for one in everybody}
    updates = {one.name: [one.encode(held) for held in replicas[one.name]] for one in everybody}
    for one in everybody:
        assert one.total(one.merge(updates[one.name])) == -decrements, f"{one.name} lost a decrement"
    rows = [
        *_measured("count", everybody, peers, rounds, decrements, lambda one: lambda: _count(one, work)),
        *_measured(
            "encode", everybody, peers, rounds, decrements,
            lambda one: lambda: [one.encode(held) for held in replicas[one.name]],
        ),
        *_measured("merge", everybody, peers, rounds, decrements, lambda one: _merging(one, updates[one.name])),
    ]  # fmt: skip
    rows += [_size(one, updates[one.name], work, decrements) for one in everybody]
    rows += [row for one in everybody if (row := _memory(place / "weighed", one, updates[one.name])) is not None]
    return [*rows, *(_absent(name) for name in crdt_peers.missing())]


def _ours(place: Path) -> list[Contestant]:
    return [Counters(), Tables(place, whole=False), Tables(place, whole=True)]


def _count(one: Contestant, work: Sequence[Shift]) -> None:
    for actor, shift in enumerate(work):
        one.count(actor, shift)


def _merging(one: Contestant, updates: Sequence[bytes]) -> Callable[[], object]:
    return lambda: one.total(one.merge(updates))


def _measured(
    what: str,
    everybody: Sequence[Contestant],
    peers: Sequence[Contestant],
    rounds: int,
    decrements: int,
    work: Callable[[Contestant], Callable[[], object]],
) -> list[Row]:
    """Let everybody do the same in turns, so that neighbouring blocks compare."""
    took: dict[str, list[float]] = {one.name: [] for one in everybody}
    for _ in range(rounds):
        for one in everybody:
            gc.collect()
            took[one.name].append(cpu_us(work(one), decrements))
    rows = []
    for one in everybody:
        found = spread(took[one.name])
        against = "; ".join(
            f"{ratio(peer.name, took[one.name], took[peer.name]).median:.2f} times {peer.name}"
            for peer in peers
            if one not in peers
        )
        note = f"{1 / found.median:.2f} million a second of CPU"
        rows.append(
            Row(what=f"{what}: {one.name}", unit="us", spread=found, note=f"{note}; {against}" if against else note)
        )
    return rows


def _size(one: Contestant, updates: Sequence[bytes], work: Sequence[Shift], decrements: int) -> Row:
    some = work[0][:STREAMED]
    per_sale = one.streamed(0, some) / len(some)
    packed = sum(len(zstandard.compress(update)) for update in updates) / decrements
    return Row(
        what=f"bytes, all at once: {one.name}",
        unit="bytes per decrement",
        spread=spread([sum(map(len, updates)) / decrements]),
        note=f"{packed:.1f} compressed with zstd; {per_sale:.0f} bytes for a sale of {len(some[0])} lines by itself",
    )


def _memory(place: Path, one: Contestant, updates: Sequence[bytes]) -> Row | None:
    """Weigh a merged replica in a process of its own: how much its resident memory grows."""
    if not STATM.exists():
        return None
    place.mkdir(parents=True, exist_ok=True)
    (place / UPDATES).write_bytes(msgspec.msgpack.encode(list(updates)))
    command = [sys.executable, "-m", __name__, one.name, str(place)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - ourselves
    return Row(
        what=f"memory of the merged replica: {one.name}",
        unit="MiB",
        spread=spread([grown / KIB / KIB]),
        note=f"{ACTORS} actors merged, in a process of its own",
    )


def weigh(name: str, place: Path) -> int:
    """Merge what lies in a directory, and say by how many bytes that made this process larger."""
    one = next(one for one in [*_ours(place), *crdt_peers.installed()] if one.name == name)
    one.total(one.merge([one.encode(one.count(0, []))]))  # what loads late is loaded
    updates = msgspec.msgpack.decode((place / UPDATES).read_bytes(), type=list[bytes])
    gc.collect()
    before = _resident()
    merged = one.merge(updates)
    gc.collect()
    grown = _resident() - before
    one.total(merged)
    return grown


def _resident() -> int:
    return int(STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def _absent(name: str) -> Row:
    return Row(
        what=f"{name}: not installed",
        unit="",
        spread=spread([0]),
        note="uv pip install --require-hashes -r requirements/bench.txt brings it",
    )


if __name__ == "__main__":
    print(weigh(sys.argv[1], Path(sys.argv[2])))
