"""Fuzz everything that reads bytes from somebody else, guided by coverage: ``scripts/fuzz.py [SECONDS] [NAME...]``.

Needs atheris, which is no requirement: ``.venv/bin/uv pip install atheris``. Each decoder runs in a process of its own
for so many seconds (10). What breaks one is kept in ``tests/data/fuzz/NAME/``, and the suite tries it from then
on. Exits with 1 if anything was found.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOUND = ROOT / "tests" / "data" / "fuzz"
BYTES_MAX = 4_096
SECONDS = 10
sys.path.insert(0, str(ROOT))


def main(words: list[str]) -> int:
    """Run what is named, all if nothing is."""
    from tests.laws.decoders import DECODERS

    seconds = int(words.pop(0)) if words and words[0].isdigit() else SECONDS
    unknown = [name for name in words if name not in DECODERS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(DECODERS)}", file=sys.stderr)
        return 2
    broken = [name for name in words or DECODERS if not _survives(name, seconds)]
    print(f"broken: {', '.join(broken)}; see {FOUND}" if broken else "nothing was found")
    return int(bool(broken))


def _survives(name: str, seconds: int) -> bool:
    from tests.laws.decoders import DECODERS

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(DECODERS[name].seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        place = FOUND / name
        words = [sys.executable, __file__, "--one", name, folder, f"-max_total_time={seconds}", f"-max_len={BYTES_MAX}",
                 f"-artifact_prefix={place}/", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"]  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        with suppress(OSError):
            place.rmdir()  # if nothing was found
    runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "?")
    print(f"{name:20} {'held' if done.returncode == 0 else 'BROKEN'} after {runs} inputs", flush=True)
    if done.returncode:
        print(done.stderr[-3_000:])
    return done.returncode == 0


def one(name: str, words: list[str]) -> None:
    """Fuzz one decoder in this process, as libFuzzer is told by ``words``."""
    import atheris  # type: ignore[import-not-found] # only where somebody fuzzes

    with atheris.instrument_imports(include=["tillmesh"]):
        from tests.laws.decoders import DECODERS
    from tillmesh.kernel.errors import TillmeshError

    read = DECODERS[name].read

    def try_it(data: bytes) -> None:
        with suppress(TillmeshError):
            read(data)

    atheris.Setup([sys.argv[0], *words], try_it)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3:])
    else:
        raise SystemExit(main(sys.argv[1:]))
