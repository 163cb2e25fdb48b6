"""Loro and pycrdt on the same stock work, if they are installed (``requirements/bench.txt``); a till needs neither.

Each is used as its documentation suggests for counting: Loro has a counter type, one for each SKU. pycrdt (Yjs) has
none; its map holds a number for each SKU and actor, which only that actor writes, so that none is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from tillmesh.bench.crdt_work import Contestant, Shift

NAMES: Final = ("loro", "pycrdt")


def installed() -> list[Contestant]:
    """Give the peers that are there."""
    made: dict[str, type[Any]] = {"loro": Loro, "pycrdt": Pycrdt}
    return [made[name]() for name in NAMES if find_spec(name) is not None]


def missing() -> list[str]:
    """Name the peers that are not there."""
    return [name for name in NAMES if find_spec(name) is None]


class Loro:
    """One document, a root counter for each SKU, a commit for each sale."""

    name = "Loro"

    def __init__(self) -> None:
        self._loro: Any = import_module("loro")

    def count(self, actor: int, shift: Shift) -> Any:
        """Make the document of one actor."""
        doc = self._loro.LoroDoc()
        doc.peer_id = actor + 1
        counters: dict[int, Any] = {}
        for sale in shift:
            for sku in sale:
                if sku not in counters:
                    counters[sku] = doc.get_counter(f"sku-{sku}")
                counters[sku].decrement(1)
            doc.commit()
        return doc

    def encode(self, replica: Any) -> bytes:
        """Export all updates."""
        return bytes(replica.export(self._loro.ExportMode.Updates(self._loro.VersionVector())))

    def merge(self, updates: Sequence[bytes]) -> Any:
        """Import the updates in one batch, which is its fastest way."""
        doc = self._loro.LoroDoc()
        doc.import_batch(list(updates))
        return doc

    def total(self, merged: Any) -> int:
        """Sum up all counters."""
        return int(sum(merged.get_deep_value().values()))

    def streamed(self, actor: int, shift: Shift) -> int:
        """Export what is new after each commit."""
        doc = self._loro.LoroDoc()
        doc.peer_id = actor + 1
        size = 0
        for sale in shift:
            before = doc.oplog_vv
            for sku in sale:
                doc.get_counter(f"sku-{sku}").decrement(1)
            doc.commit()
            size += len(doc.export(self._loro.ExportMode.Updates(before)))
        return size


class Pycrdt:
    """One document with a map of numbers, a transaction for each sale."""

    name = "pycrdt"

    def __init__(self) -> None:
        self._pycrdt: Any = import_module("pycrdt")

    def _sell(self, doc: Any, actor: int, shift: Shift) -> Any:
        stock, held = doc.get("stock", type=self._pycrdt.Map), Counter[int]()
        for sale in shift:
            with doc.transaction():
                for sku in sale:
                    held[sku] -= 1
                    stock[f"{sku}:{actor}"] = held[sku]
        return doc

    def count(self, actor: int, shift: Shift) -> Any:
        """Make the document of one actor."""
        return self._sell(self._pycrdt.Doc(client_id=actor + 1), actor, shift)

    def encode(self, replica: Any) -> bytes:
        """Write the whole document as an update."""
        return bytes(replica.get_update())

    def merge(self, updates: Sequence[bytes]) -> Any:
        """Apply the updates in one transaction."""
        doc = self._pycrdt.Doc()
        with doc.transaction():
            for update in updates:
                doc.apply_update(update)
        return doc

    def total(self, merged: Any) -> int:
        """Sum up all numbers."""
        return int(sum(merged.get("stock", type=self._pycrdt.Map).to_py().values()))

    def streamed(self, actor: int, shift: Shift) -> int:
        """Listen to the document's own updates, one for each transaction."""
        doc, sizes = self._pycrdt.Doc(client_id=actor + 1), list[int]()
        held = doc.observe(lambda event: sizes.append(len(event.update)))
        self._sell(doc, actor, shift)
        doc.unobserve(held)
        return sum(sizes)
