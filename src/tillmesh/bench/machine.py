"""On what was measured: without it no number means anything."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import apsw

from tillmesh import __version__


def describe(place: Path) -> dict[str, Any]:
    """Name processor, cores, load, Python, SQLite and the file system of the measuring directory."""
    return {
        "tillmesh": __version__,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "file_system": _file_system(place),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _file_system(place: Path) -> str:
    """Give the type of the mount that holds a directory."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return "unknown"
    held = [mount for mount in mounts if place.resolve().is_relative_to(mount[1])]
    return max(held, key=lambda mount: len(mount[1]))[2] if held else "unknown"
