"""The audit of what is pinned: an advisory fails it, and so does everybody who can't or won't tell of advisories."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scripts import audit
from tests.ports import free_port
from tests.tracked_files import ROOT

Advisories = dict[tuple[str, str], dict[str, Any]]


def advisory(package: str, name: str, fixed: str) -> dict[str, Any]:
    """An advisory as OSV words it."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"name": package, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": name, "aliases": ["CVE-2026-0001"], "published": "2026-01-02T03:04:05Z", "affected": [affected]}


KNOWN = tuple(audit.KNOWN.split("=="))
MIRROR: Advisories = {
    (KNOWN[0], KNOWN[1]): advisory("jinja2", "PYSEC-2019-217", "2.10.1"),
    ("shelf", "1.0"): advisory("shelf", "PYSEC-2026-1", "1.1"),
}


@contextmanager
def mirror(known: Advisories) -> Iterator[str]:
    """Answer on loopback as OSV does, from these advisories; give the address."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = known.get((asked["package"]["name"], asked["version"]))
            body = json.dumps({"vulns": [found]} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Answers) as server:
        server.daemon_threads = False  # so that leaving waits for every answer
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def asked(folder: Path, pin: str, service: str) -> tuple[int, str]:
    """Run the audit over one pin; give its exit status and what it said."""
    pins = folder / "pins.txt"
    pins.write_text(f"{pin} --hash=sha256:{'0' * 64}\n")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "audit.py", "--advisories", service, pins],
        env={"HOME": str(folder), "NO_PROXY": "127.0.0.1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.service
def test_an_advisory_about_a_pin_fails_the_audit_which_says_what_to_take_instead(tmp_path: Path) -> None:
    with mirror(MIRROR) as service:
        status, said = asked(tmp_path, "shelf==1.0", service)
    assert status == 1
    assert "shelf==1.0: PYSEC-2026-1, CVE-2026-0001; fixed in 1.1" in said
    assert "jinja2" not in said


@pytest.mark.slow
@pytest.mark.service
def test_the_version_in_which_it_was_fixed_passes(tmp_path: Path) -> None:
    with mirror(MIRROR) as service:
        status, said = asked(tmp_path, "shelf==1.1", service)
    assert (status, said) == (0, "packages asked about: 1; advisories that concern them: 0\n")


@pytest.mark.slow
@pytest.mark.service
def test_a_service_that_nobody_can_reach_clears_nobody(tmp_path: Path) -> None:
    status, said = asked(tmp_path, "shelf==1.1", f"http://127.0.0.1:{free_port()}/v1/query")
    assert status == 1
    assert "could not be asked for" in said


def test_a_service_that_knows_of_no_advisory_at_all_clears_nobody() -> None:
    status, said = audit.verdict({"shelf==1.1": [], audit.KNOWN: []})
    assert status == 1
    assert audit.KNOWN in said[0]


def test_an_advisory_that_nothing_mends_yet_says_so() -> None:
    open_one = {"id": "PYSEC-2026-2", "aliases": [], "fix_versions": []}
    status, said = audit.verdict({"shelf==1.1": [open_one], audit.KNOWN: [open_one]})
    assert (status, said[0]) == (1, "shelf==1.1: PYSEC-2026-2; fixed in nothing yet")


def test_none_of_our_lists_has_the_package_that_the_service_is_tried_with() -> None:
    lists = [file.read_text("utf-8") for file in (ROOT / "requirements").glob("*.txt")]
    assert len(lists) >= 9
    assert [text for text in lists if re.search(rf"(?m)^{KNOWN[0]}==", text)] == []


def test_the_gate_asks_whom_it_is_told_to_ask() -> None:
    plans = [
        subprocess.run(
            ["make", "--dry-run", target, "ADVISORIES=http://mirror.example/v1/query"],
            cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
        ).stdout
        for target in ("ci", "audit")
    ]  # fmt: skip
    assert ["scripts/audit.py --advisories http://mirror.example/v1/query" in plan for plan in plans] == [True, True]
