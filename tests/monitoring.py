"""Prometheus' own programs for tests: Debian's package, unpacked into a cache by scripts/setup.sh, or installed."""

import os
import shutil
from pathlib import Path

from tests.tracked_files import ROOT

SHIPPED = ROOT / "deploy" / "monitoring"


def program(name: str) -> str:
    """Find ``prometheus`` or ``promtool``."""
    cache = os.environ.get("TILLMESH_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    unpacked = Path(cache).expanduser() / "tillmesh" / "prometheus" / "usr" / "bin" / name
    found = str(unpacked) if unpacked.exists() else shutil.which(name)
    assert found, f"{name} is not here; run scripts/setup.sh test"
    return found
