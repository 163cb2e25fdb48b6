"""ClickHouse's HTTP interface: a question, a statement, rows. A connection for each, so that any thread may ask."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from tillmesh.adapters.https import HTTPSConnection
from tillmesh.kernel.errors import Invalid, StorageFailed

TIMEOUT_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 256 << 20
_SETTINGS: Final = {
    "default_format": "JSONCompactEachRow",
    "output_format_json_quote_64bit_integers": "0",
    "wait_end_of_query": "1",  # else an error in the middle comes with status 200
    "max_query_size": str(16 << 20),  # a question may name 100,000 stores
    "max_partitions_per_insert_block": "0",  # a till with a wrong clock must not stop the others' rows
    "do_not_merge_across_partitions_select_final": "1",  # repeats lie in one partition: the time is part of the key
}


class Wire:
    """One database of a server."""

    def __init__(self, url: str, database: str, *, user: str = "", password: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Invalid(f"{url[:80]!r} is no address of ClickHouse", hint="Write it like http://127.0.0.1:8123.")
        self._secure, self._host = parts.scheme == "https", parts.hostname
        self._port = parts.port or (8443 if self._secure else 8123)
        self._path = "/?" + urlencode({"database": database, **_SETTINGS})
        self._headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password} if user else {}

    def ask(self, sql: str) -> list[list[Any]]:
        """Give the rows of a question."""
        lines = self._post(sql.encode()).splitlines()
        return [msgspec.json.decode(line) for line in lines]

    def tell(self, sql: str) -> None:
        """Run a statement."""
        self._post(sql.encode())

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add rows to a table, in one block."""
        if rows:
            head = f"INSERT INTO {table} ({', '.join(columns)}) FORMAT JSONCompactEachRow\n".encode()
            self._post(head + b"\n".join(msgspec.json.encode(row) for row in rows))

    def _post(self, body: bytes) -> bytes:
        kind = HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", self._path, body, self._headers)
            answer = connection.getresponse()
            said = answer.read(ANSWER_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as cause:
            raise StorageFailed(
                f"ClickHouse at {self._host}:{self._port} does not answer ({cause})", hint="Reports wait for it."
            ) from cause
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK or len(said) > ANSWER_BYTES_MAX:
            raise StorageFailed(
                f"ClickHouse answered {answer.status}: {said[:300].decode(errors='replace')}", hint="See its log."
            )
        return said
