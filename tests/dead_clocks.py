"""What libfaketime leaves of a process that was killed: two files, named after its number.

Whoever gets that number later and is started with ``faketime`` ends at once: "sem_open: File exists".
"""

import re
from contextlib import suppress
from pathlib import Path

SHARED = Path("/dev/shm")
PROCESSES = Path("/proc")
NAME = re.compile(r"(?:sem\.faketime_sem|faketime_shm)_(\d+)")


def forget_dead_clocks(shared: Path = SHARED) -> list[str]:
    """Clear away what was left by processes that are gone; give the names."""
    gone = [
        path
        for path in (shared.iterdir() if shared.is_dir() else ())
        if (found := NAME.fullmatch(path.name)) and not (PROCESSES / found[1]).exists()
    ]
    for path in gone:
        with suppress(OSError):  # another user's, or another worker of the suite was quicker
            path.unlink()
    return sorted(path.name for path in gone)
