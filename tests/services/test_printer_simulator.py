"""Receipts read back by emupos, a simulator of an Epson TM-T20III that is none of our code.

It needs Python 3.13 and an environment of its own: `python3.13 -m venv E && E/bin/pip install emupos`, then
`TILLMESH_EMUPOS=E/bin/emupos`. Without it these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.ports import free_port
from tests.receipt_builders import HEADER, WORDS, full_ticket, z_ticket
from tillmesh.adapters.devices import EscPosEncoder, NetworkPrinter
from tillmesh.shop.receipt import Ticket, layout, render_text
from tillmesh.till.printing import PrintFailed

EMUPOS = os.environ.get("TILLMESH_EMUPOS") or shutil.which("emupos")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.service,
    pytest.mark.skipif(EMUPOS is None, reason="the emupos simulator is not installed"),
]

CONFIG = """
schema: 1
api: {{ host: 127.0.0.1, port: {api} }}
devices:
  - id: front
    type: printer
    profile: epson-tm-t20iii
    connections:
      - tcp: {{ port: {port} }}
    receipts_dir: ./receipts
"""


@dataclass
class Simulator:
    folder: Path
    port: int
    api: int
    said: IO[str] | None = None

    def wait_for(self, words: str) -> None:
        """Read what the simulator says until these words."""
        assert self.said is not None
        assert any(words in line for line in self.said), f"the simulator ended without {words!r}"

    def tell(self, *words: str) -> None:
        """Act on the simulated device by its own command line."""
        assert EMUPOS is not None
        subprocess.run([EMUPOS, "--api", f"http://127.0.0.1:{self.api}", *words], check=True, capture_output=True)

    def paper(self) -> str:
        self.wait_for("printer.job.completed")
        (found,) = (self.folder / "receipts").glob("*.txt")
        return found.read_text(encoding="utf-8")


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    assert EMUPOS is not None
    made = Simulator(tmp_path, free_port(), free_port())
    (tmp_path / "emupos.yaml").write_text(CONFIG.format(api=made.api, port=made.port))
    command = [EMUPOS, "run", "--config", "emupos.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        made.said = process.stdout
        made.wait_for("Ctrl+C")
        yield made
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.parametrize("ticket", [full_ticket(), z_ticket()], ids=["sale", "z-report"])
def test_simulator_reads_what_we_wrote(simulator: Simulator, ticket: Ticket) -> None:
    receipt = layout(ticket, HEADER, WORDS)
    printer = NetworkPrinter("127.0.0.1", simulator.port)
    printer.print(EscPosEncoder(48).encode(receipt, "test"))
    read = simulator.paper()
    words = [line.split() for line in render_text(receipt, 48).splitlines() if "[" not in line]
    assert [line for line in words if line] == [line.split() for line in read.splitlines() if line and "[" not in line]
    assert "[qr tillmesh:1:k3m7qx2p.4f9a2c-17:" in read
    assert ("[barcode CODE128 K3M7-000412]" in read) is (receipt.kind == "sale")


@pytest.mark.parametrize(("fault", "state"), [("paper-out", "paper_out"), ("cover-open", "error")])
def test_simulator_in_trouble_is_understood(simulator: Simulator, fault: str, state: str) -> None:
    printer = NetworkPrinter("127.0.0.1", simulator.port)
    assert printer.status().state == "ready"
    simulator.tell("fault", "set", "front", fault)
    assert printer.status().state == state
    with pytest.raises(PrintFailed) as failed:
        printer.print(EscPosEncoder().kick("drawer"))
    assert not failed.value.maybe_printed
    simulator.tell("fault", "clear", "front", fault)
    assert printer.status().state == "ready"
