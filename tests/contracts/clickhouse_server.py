"""ClickHouse's own engine behind its HTTP interface, as far as we use it: chdb, which is ClickHouse as a library.

Run as a program: it says its port, and serves one question at a time until its standard input ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

OF_HTTP = {"database", "default_format", "wait_end_of_query"}  # what is no setting of the engine


@contextmanager
def clickhouse() -> Iterator[str]:
    """Run the server and give its address."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.clickhouse_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        port = program.stdout.readline().strip()
        assert port.isdigit(), "ClickHouse did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        program.communicate(timeout=60)  # ends its input


class Handler(BaseHTTPRequestHandler):
    """One request: the statement is the body, settings come in the address."""

    session: Any = None

    def do_POST(self) -> None:
        asked = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            for name, value in asked.items():
                if name not in OF_HTTP:
                    self.session.query(f"SET {name} = {value}")
            if asked["database"] != "default":
                self.session.query(f"CREATE DATABASE IF NOT EXISTS {asked['database']}")
            self.session.query(f"USE {asked['database']}")
            status, body = 200, self.session.query(sql, asked["default_format"]).bytes()
        except RuntimeError as cause:
            status, body = 500, str(cause).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until our input ends."""
    from chdb.session import Session

    Handler.session = Session()  # type: ignore[no-untyped-call] # it has no types
    server = HTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)  # the engine's own threads would be waited for


if __name__ == "__main__":
    main()
