"""F02: killed between commit and paper, and between paper and answer. Printed implies durable; no paper twice."""

import signal
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, found_shop, read_books
from tests.faults.running import Program, until
from tests.faults.strace import needs_strace, tampering

pytestmark = [pytest.mark.slow, pytest.mark.service]

CUT = b"\x1dV"  # ESC/POS: the end of one paper
PAPER = "paper.bin"

# Where the till is killed: the system call, and whether only calls on the printer count.
MOMENTS = {
    "committed, nobody told": ("sendto:signal=KILL:when=1", False),
    "before the printer is opened": ("openat:signal=KILL:when=1", True),
    "before the first byte": ("write:signal=KILL:when=1", True),
    "paper out, nothing noted": ("close:signal=KILL:when=1", True),
    "while the job is claimed": ("pwrite64:signal=KILL:when=19", False),
    "while the paper is noted": ("pwrite64:signal=KILL:when=24", False),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_paper_is_only_of_durable_sales_and_never_comes_twice_unmarked(tmp_path: Path, moment: str) -> None:
    needs_strace()
    shop, history = tmp_path / "till", History()
    found_shop(shop, printer=PAPER, pins=True)
    paper = shop / PAPER
    paper.touch()
    injection, on_printer = MOMENTS[moment]
    with Program(shop) as program:
        token = program.sign_in()
        filters = ("-P", str(paper)) if on_printer else ()
        with tampering(program.pid, injection, *filters):
            program.sell(token, history, "sold", 4)  # the answer may come before the kill
            assert program.died() == -signal.SIGKILL
    printed_before = papers(paper)
    with Program(shop) as program:
        token = program.sign_in()
        again = program.sell(token, history, "sold", 4)
        assert again is not None
        assert again.status in {200, 201}
        until(lambda: papers(paper) and program.get("/printer", token).body["waiting"] == 0, "the paper is out")
        assert program.stop() == 0
    assert_all_holds(shop, history)
    [sold] = read_books(shop)[0]
    out = papers(paper)
    assert all(sold.receipt_number.encode() in one for one in out)
    originals = [one for one in out if b"POSSIBLE DUPLICATE" not in one]
    assert len(originals) <= 1
    assert len(out) <= 2
    if printed_before:
        assert originals == printed_before


def papers(file: Path) -> list[bytes]:
    """Cut the printer's roll into papers."""
    return [one for one in file.read_bytes().split(CUT) if b"-0000" in one]
