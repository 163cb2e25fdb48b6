"""Tells other programs what stores sold, as ``[[webhook]]`` in hub.toml says: in order, again until it is taken.

One thread for each receiver reads the event log behind everybody. How far it came stands in a file of its own, so
a receiver that is away for a week costs nothing but its own queue, which is the log.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from tillmesh.adapters.https import HTTPSConnection
from tillmesh.fleet.notifying import SIGNATURE, messages, signature, wait_s
from tillmesh.fleet.ports import EventLog, Position
from tillmesh.hub.settings import Webhook
from tillmesh.kernel.errors import Invalid, TillmeshError

FOLDER: Final = "webhooks"  # in the data directory
ANSWER_S: Final = 10.0
LOOK_S: Final = 1.0
STOP_S: Final = 2 * ANSWER_S
ANSWER_BYTES_MAX: Final = 4_096
SECRET_BYTES_MIN: Final = 16
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
log = logging.getLogger(__name__)


class NotTaken(Exception):
    """A receiver did not take a message; the text says why, without the address's secrets."""


class Notifier:
    """Brings one receiver up to date, and keeps it there."""

    def __init__(self, hook: Webhook, data_dir: Path, open_log: Callable[[], EventLog], now: Position) -> None:
        """Check the hook; raises :class:`Invalid`. ``now`` is where a receiver that is new begins."""
        self.hook, self.failures, self.sent = hook, 0, 0
        self._secret = _secret(hook)
        self._place = data_dir / FOLDER / f"{hook.name}.json"
        self._open_log = open_log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"webhook {hook.name}", daemon=True)
        self._kept = True  # whether the file says how far it came
        if self._place.exists():
            self._reached = self._read()
        else:
            self._reach({} if hook.from_start else now)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the message that is on its way; a receiver that answers without end keeps nobody."""
        self._stop.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        event_log: EventLog | None = None
        try:
            while not self._stop.is_set():
                try:
                    event_log = event_log or self._open_log()
                    self._catch_up(event_log)
                except TillmeshError as cause:
                    log.warning("webhook %s: the event log can't be read: %s", self.hook.name, cause.detail)
                self._stop.wait(LOOK_S)
        finally:
            if event_log is not None:
                event_log.close()

    def _catch_up(self, event_log: EventLog) -> None:
        for position, entry in event_log.replay(self._reached):
            for body in messages(entry, events=self.hook.events, stores=self.hook.stores):
                self._until_taken(body)
            if self._stop.is_set():
                return
            self._reach(position)

    def _until_taken(self, body: bytes) -> None:
        """Send a message until it is taken, or until head office stops: then it is sent again at the next start."""
        while not self._stop.is_set():
            try:
                self._post(body)
            except NotTaken as cause:
                self.failures += 1
                if self.failures in (1, 10, 100):
                    log.warning("webhook %s did not take a message: %s", self.hook.name, cause)
                self._stop.wait(wait_s(self.failures, random.random()))  # noqa: S311 - spreads tries out
            else:
                if self.failures:
                    log.warning("webhook %s takes messages again", self.hook.name)
                self.failures, self.sent = 0, self.sent + 1
                return

    def _post(self, body: bytes) -> None:
        """Send a message once; raises :class:`NotTaken` for anything but 2xx. A redirection is not followed."""
        address = urlsplit(self.hook.url)
        connection = self._connection(address)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        headers = {"Content-Type": "application/json", "User-Agent": "tillmesh",
                   SIGNATURE: signature(self._secret, body, int(time.time()))}  # fmt: skip
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES_MAX)
        except (OSError, ValueError, http.client.HTTPException) as cause:  # ValueError: no name that a host can have
            raise NotTaken(str(cause) or type(cause).__name__) from cause
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise NotTaken(f"it answered {answer.status}")

    @staticmethod
    def _connection(address: SplitResult) -> http.client.HTTPConnection:
        host = address.hostname or ""
        if address.scheme == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(host, address.port, timeout=ANSWER_S, context=context)
        return http.client.HTTPConnection(host, address.port, timeout=ANSWER_S)

    def _read(self) -> Position:
        try:
            return msgspec.json.decode(self._place.read_bytes(), type=dict[str, int])
        except (OSError, ValueError):  # lost or half written: from the beginning; receivers know what they have
            return {}

    def _reach(self, position: Position) -> None:
        """Note how far it came. While the disk refuses it goes on all the same, and says some of it again later."""
        self._reached = dict(position)
        try:
            self._write(position)
        except OSError as cause:
            if self._kept:
                log.warning("webhook %s: its place can't be kept: %s", self.hook.name, cause)
            self._kept = False
        else:
            self._kept = True

    def _write(self, position: Position) -> None:
        self._place.parent.mkdir(mode=0o700, exist_ok=True)
        new = self._place.with_suffix(".new")
        with new.open("w") as file:
            json.dump(dict(position), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._place)


def _secret(hook: Webhook) -> bytes:
    try:
        address = urlsplit(hook.url)
        address.port  # noqa: B018 - raises for what is none
    except ValueError as cause:
        raise Invalid(f"webhook {hook.name} has the address {hook.url[:80]!r}: {cause}", hint="Mend it.") from cause
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise Invalid(f"webhook {hook.name} has the address {hook.url[:80]!r}", hint="Use https, or http on loopback.")
    try:
        secret = Path(hook.secret_file).read_bytes().strip()
    except OSError as cause:
        detail = f"the secret of webhook {hook.name} can't be read ({cause.strerror})"
        raise Invalid(
            detail, hint=f"Put {SECRET_BYTES_MIN} random characters or more into {hook.secret_file}."
        ) from cause
    if len(secret) < SECRET_BYTES_MIN:
        raise Invalid(f"the secret of webhook {hook.name} has {len(secret)} characters", hint="Use 16 or more.")
    return secret
