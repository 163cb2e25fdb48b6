"""The Grocery Store Dataset: photos of fruit, vegetables and cartons in real shops, as the paper splits them.

Source: Klasson, Zhang, Kjellstrom, A Hierarchical Grocery Store Image Dataset with Visual and Semantic Labels (WACV
2019), MIT licence. ``train.txt`` and ``val.txt`` name path, fine class, coarse class; ``classes.csv`` names classes.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from tillmesh.kernel.errors import NotFound


@dataclass(frozen=True)
class Labelled:
    """A photo and which of the classes it shows."""

    path: Path
    label: int

    def read(self) -> bytes:
        """Give the file as a camera would send it."""
        return self.path.read_bytes()


def split(data: Path, name: str) -> list[Labelled]:
    """List the photos of ``train`` or ``val``."""
    index = data / f"{name}.txt"
    if not index.is_file():
        raise NotFound(f"{index} is missing", hint="Name the folder of the Grocery Store Dataset with --data.")
    rows = (line.split(",") for line in index.read_text("utf-8").splitlines() if line.strip())
    return [Labelled(data / path.strip(), int(fine)) for path, fine, _ in rows]


def classes(data: Path) -> list[str]:
    """Name the fine classes in the order of their numbers, as a shop would write them."""
    with (data / "classes.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["Class ID (int)"]))
    return [row["Class Name (str)"].replace("-", " ") for row in rows]
