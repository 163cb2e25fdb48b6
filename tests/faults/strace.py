"""strace as a saboteur: it attaches to a running program and lets chosen system calls fail, wait or kill."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest


@cache
def _command() -> tuple[tuple[str, ...], str]:
    """Find a way to attach, as ourselves or through sudo, and give it; or say why there is none."""
    if shutil.which("strace") is None:
        return (), "strace is not installed; scripts/setup.sh test installs it"
    said = ""
    for command in (("strace",), ("sudo", "-n", "strace")):
        if shutil.which(command[0]) and "attached" in (said := _try_to_attach(command)):
            return command, ""
    return (), f"strace may not attach to programs here: {said.strip()}"


def _try_to_attach(command: tuple[str, ...]) -> str:
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        tried = subprocess.Popen([*command, "-p", str(sleeper.pid)], stderr=subprocess.PIPE, text=True)
        assert tried.stderr is not None
        said = tried.stderr.readline()
        tried.terminate()
        tried.communicate()
        return said
    finally:
        sleeper.kill()
        sleeper.wait()


def needs_strace() -> None:
    """Skip the test, saying why, where strace can't do its work."""
    if missing := _command()[1]:
        pytest.skip(missing)


@contextmanager
def tampering(pid: int, injection: str, *filters: str) -> Iterator[None]:
    """Tamper with a running process (all threads) while the block runs; nothing without an injection.

    ``injection`` is strace's: ``pwrite64:signal=KILL:when=3``, ``fdatasync:error=EIO:when=1``, ... ``filters`` are more
    options, such as ``-P PATH``.
    """
    if not injection:
        yield
        return
    calls = injection.partition(":")[0]
    command = [*_command()[0], "-f", "-o", "/dev/null", *filters, "-e", f"trace={calls}", "-e", f"inject={injection}"]
    saboteur = subprocess.Popen([*command, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    assert saboteur.stderr is not None
    try:
        line = saboteur.stderr.readline()
        assert "attached" in line, line
        yield
    finally:
        saboteur.terminate()
        saboteur.communicate()
