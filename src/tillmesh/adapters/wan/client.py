"""A store's client of head office: one connection that stays open, certificates on both sides, bounded answers.

Blocking on purpose: it runs on a thread of its own, so that a slow or silent head office holds up nobody.
"""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from tillmesh.adapters.https import HTTPSConnection
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.certificates import ssl_context
from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.kernel.limits import LOG_PAGE_BYTES_MAX, UPLOAD_ANSWER_BYTES_MAX

TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = max(UPLOAD_ANSWER_BYTES_MAX, LOG_PAGE_BYTES_MAX)


class Unreachable(TillmeshError):
    """Head office did not answer."""

    status = 503
    kind = "hub-unreachable"
    title = "Head office can't be reached"


@dataclass(frozen=True, slots=True)
class Reply:
    """What head office answered."""

    status: int
    body: bytes
    retry_after_s: int = 0

    def problem(self) -> dict[str, object]:
        """Give the members of a problem document; empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class HubClient:
    """One store's connection. One thread at a time."""

    def __init__(self, url: str, bundle: Bundle, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise Invalid(f"{url[:80]!r} is no address of head office", hint="Write it like https://hub.example:8180.")
        self._host, self._port = parts.hostname, parts.port or 443
        self._tls = ssl_context("client", bundle.identity)
        self._timeout_s = timeout_s
        self._store = f"/api/v1/stores/{bundle.store}"
        self._path = f"{self._store}/sync"
        self._headers = {"X-Api-Key": bundle.api_key, "Accept": "application/json"}
        self._connection: HTTPSConnection | None = None

    def state(self) -> Reply:
        """Ask what head office holds."""
        return self._call("GET", self._path + "/state", None, {})

    def upload(self, batch: bytes, media: str) -> Reply:
        """Send a batch."""
        return self._call("POST", self._path, batch, {"Content-Type": media})

    def news(self, have: int, orders: bytes = b"") -> Reply:
        """Wait until head office has written more than ``have`` events for this store, or for some time.

        It also says so when its orders for models are other ones than those that ``orders`` is the mark of.
        """
        mark = f"&orders={orders.hex()}" if orders else ""
        return self._call("GET", f"{self._path}/news?have={have}{mark}", None, {})

    def model(self, name: str, version: int, first: int, last: int) -> Reply:
        """Get these bytes of a model's bundle, both ends included."""
        return self._call("GET", f"{self._store}/models/{name}/{version}", None, {"Range": f"bytes={first}-{last}"})

    def report(self, reports: bytes) -> Reply:
        """Say how models did."""
        return self._call("POST", f"{self._store}/models/reports", reports, {"Content-Type": "application/json"})

    def which_pictures(self, question: bytes) -> Reply:
        """Ask which pictures of products head office has of this store."""
        return self._call("POST", f"{self._store}/pictures", question, {"Content-Type": "application/json"})

    def bring_picture(self, sha256: str, data: bytes, media: str) -> Reply:
        """Let head office keep a picture."""
        return self._call("PUT", f"{self._store}/pictures/{sha256}", data, {"Content-Type": media})

    def picture(self, sha256: str) -> Reply:
        """Get a picture back."""
        return self._call("GET", f"{self._store}/pictures/{sha256}", None, {})

    def estate(self) -> Reply:
        """Ask what there is of a store that is to be recovered."""
        return self._call("GET", f"{self._store}/recovery", None, {})

    def page(self, after: str) -> Reply:
        """Ask for the store's log behind a place."""
        return self._call("GET", f"{self._store}/events?after={quote(after)}", None, {})

    def claim(self, body: bytes) -> Reply:
        """Name the recovered store's new authority."""
        return self._call("POST", f"{self._store}/recovery", body, {"Content-Type": "application/json"})

    def close(self) -> None:
        """Close the connection."""
        held, self._connection = self._connection, None
        if held is not None:
            with suppress(OSError):
                held.close()

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        """Ask once; once more if a connection that was kept open turns out to be gone."""
        kept = self._connection is not None
        try:
            return self._ask(method, path, body, headers)
        except (http.client.HTTPException, OSError) as cause:
            self.close()
            if not kept or isinstance(cause, TimeoutError):
                raise Unreachable(f"{self._host}:{self._port} did not answer: {cause}") from cause
        try:
            return self._ask(method, path, body, headers)
        except (http.client.HTTPException, OSError) as cause:
            self.close()
            raise Unreachable(f"{self._host}:{self._port} did not answer: {cause}") from cause

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if self._connection is None:
            self._connection = HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        found = answer.read(ANSWER_BYTES_MAX + 1)
        if len(found) > ANSWER_BYTES_MAX:
            self.close()
            raise Unreachable(f"{self._host}:{self._port} answered more than {ANSWER_BYTES_MAX} bytes")
        if answer.length:  # reading up to a limit, it says nothing of an answer that breaks off
            raise http.client.IncompleteRead(found, answer.length)
        wait = answer.getheader("Retry-After", "")
        return Reply(answer.status, found, int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 8 else 0)
