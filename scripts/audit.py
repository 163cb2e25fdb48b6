"""Ask for advisories about everything that is pinned: ``make audit``, and the end of ``make ci``.

    scripts/audit.py [--advisories URL] [LIST...]

Without a URL PyPI is asked; with one whatever answers there as OSV does, such as a firm's own mirror. All lists of
``requirements/`` are asked about unless some are named. Exits with 1 if there is an advisory, and without an answer.

pip-audit asks, and this adds what it lacks: a service that knows nothing says the same as one that knows of nothing
wrong, so it is asked about a version, too, that everybody who knows anything knows to be vulnerable.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
KNOWN: Final = "jinja2==2.10"  # CVE-2019-10906 and others; none of our lists has this package
KNOWN_HASH: Final = "74c935a1b8bb9a3947c50a54766a969d4846290e1e788ea44c1392163723c3bd"
# Strict: a package that PyPI says nothing of is no package that is known to be fine.
OPTIONS: Final = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json",
                  "--desc", "off", "--aliases", "on")  # fmt: skip

Packages = dict[str, list[dict[str, Any]]]  # a pin -> its advisories


def main(words: list[str]) -> int:
    """Ask about the lists, say what came back."""
    parser = argparse.ArgumentParser(description="Ask for advisories about everything that is pinned.")
    parser.add_argument("--advisories", metavar="URL", help="who answers as OSV does, instead of PyPI")
    parser.add_argument(
        "lists", nargs="*", type=Path, help="files of hashed pins; all of requirements/ if none is named"
    )
    asked = parser.parse_args(words)
    lists = asked.lists or sorted((ROOT / "requirements").glob("*.txt"))
    try:
        packages = _asked(lists, asked.advisories)
    except _NoAnswerError as why:
        print(f"advisories could not be asked for, so nothing is known: {why}", file=sys.stderr)
        return 1
    status, lines = verdict(packages)
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    return status


def verdict(packages: Packages) -> tuple[int, list[str]]:
    """Judge what is known about each pin: give the exit status and what to say."""
    if not packages.get(KNOWN):
        return 1, [f"who was asked knows of no advisory about {KNOWN}, so it would know none about ours"]
    ours = {pin: advisories for pin, advisories in packages.items() if pin != KNOWN}
    bad = [(pin, one) for pin, advisories in ours.items() for one in advisories]
    lines = [
        f"{pin}: {', '.join([one['id'], *one['aliases']])}; fixed in {', '.join(one['fix_versions']) or 'nothing yet'}"
        for pin, one in bad
    ]
    return int(bool(bad)), [*lines, f"packages asked about: {len(ours)}; advisories that concern them: {len(bad)}"]


class _NoAnswerError(Exception):
    """pip-audit came to no result."""


def _asked(lists: list[Path], service: str | None) -> Packages:
    """Give the advisories about each pin of the lists and about the version that has some."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as known:
        known.write(f"{KNOWN} --hash=sha256:{KNOWN_HASH}\n")
        known.flush()
        words = [arg for file in [*lists, known.name] for arg in ("--requirement", str(file))]
        if service:
            words += ["--vulnerability-service", "osv", "--osv-url", service]
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *OPTIONS, *words], capture_output=True, text=True, check=False
        )
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise _NoAnswerError(f"...{done.stderr.strip()[-600:]}") from None
    return {f"{one['name']}=={one['version']}": one["vulns"] for one in told}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
