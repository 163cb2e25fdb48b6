"""The files of this repository: what git tracks or would track."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What .gitignore leaves out, for an unpacked archive without git.
OURS = ("src", "tests", "docs", "scripts", "requirements", "bench")


def tracked_files(*patterns: str) -> list[Path]:
    """List them in order, all or those matching git patterns such as ``*.md``."""
    # A checkout of another user (a container, a mounted folder) is fine: we only read names.
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]
    if (ROOT / ".git").exists():
        done = subprocess.run([*command, *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
        names = (ROOT / name for name in done.stdout.split("\0") if name)
    else:
        names = (path for path in _unpacked() if not patterns or any(path.match(pattern) for pattern in patterns))
    return sorted(path for path in names if path.is_file())


def _unpacked() -> list[Path]:
    top = [path for path in ROOT.iterdir() if path.is_file()]
    return top + [path for name in OURS for path in (ROOT / name).rglob("*") if "__pycache__" not in path.parts]
