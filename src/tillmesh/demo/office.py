"""Head office as a part of the demo: its process, what the tills need to reach it, and the internet's off switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tillmesh.adapters.wan.bundle import FILE as BUNDLE
from tillmesh.demo.processes import Child

OFFICE_USER: Final = "office"
OFFICE_PASSWORD: Final = "headoffice-9999"  # noqa: S105 - of a demonstration, printed at its start
STORES_FROM: Final = 100  # head office takes stores at PORT + 100
WAN_OFF: Final = "wan-off"  # beside a till's data: while it is there, the till has no internet


def hub_child(data: Path, port: int) -> Child:
    """Give head office's process."""
    return Child(n=0, data_dir=data / "hub", port=port, log=data / "logs" / "hub.log", program="hub",
                 extra=("--stores-port", str(port + STORES_FROM)))  # fmt: skip


def hub_view(child: Child) -> dict[str, object]:
    """Show it as in demo.json."""
    return {"pid": child.process.pid if child.process is not None and child.alive else None, "url": child.url}


def to_hub(till: Path, port: int) -> tuple[str, ...]:
    """Give a till's options."""
    return "--hub-url", f"https://127.0.0.1:{port + STORES_FROM}", "--wan-file", str(till / WAN_OFF)


def connect_all(hub: Child, tills: Sequence[Child], connect: Callable[[Path, Sequence[Path]], object]) -> None:
    """Enrol the store at head office unless every till holds what it needs already."""
    if not hub.data_dir.exists() or not all((till.data_dir / BUNDLE).exists() for till in tills):
        connect(hub.data_dir, [till.data_dir for till in tills])
    cut_wan([till.data_dir for till in tills], off=False)


def cut_wan(tills: Sequence[Path], *, off: bool) -> None:
    """Take the internet from all tills, or give it back."""
    for till in tills:
        if off:
            (till / WAN_OFF).touch()
        else:
            (till / WAN_OFF).unlink(missing_ok=True)
