"""Looks at what needs a person some day: this till's clock, the certificates that it holds, its back-ups."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from tillmesh.adapters.host.backup_note import read_note
from tillmesh.adapters.lan.certificates import RELEASED_S
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.provisioning import certificate_in, store_authority
from tillmesh.terminal.skew import floored_ms
from tillmesh.till.upkeep import LINK, Backups, Upkeep


class UpkeepWatch:
    """What is to be looked at; the parts of a till in a store are put in by whoever starts them."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.ahead_ms: Callable[[], int] = floored_ms
        # When other tills look whether a certificate has ended, they go by what the store vouches for, not by a clock.
        self.vouched_s: Callable[[], int] | None = None
        self.is_alone: Callable[[], bool] = lambda: True  # no other till, and no head office, holds what this one holds

    def look(self, data_age_ms: int) -> Upkeep:
        """Look at all of it; reads small files, so not on the event loop."""
        return Upkeep(skew_s=self.ahead_ms() / 1000, left_s=self._left_s(), backups=self._backups(data_age_ms))

    def _left_s(self) -> dict[str, float]:
        wall_s = max(time.time(), RELEASED_S)
        found = {}
        if (certificate := certificate_in(self._data_dir)) is not None:
            found[LINK] = _ends_s(certificate) - (wall_s if self.vouched_s is None else self.vouched_s())
            found["store"] = _ends_s(store_authority(self._data_dir)) - wall_s
        if (bundle := bundle_in(self._data_dir)) is not None:
            found["office"] = _ends_s(bundle.certificate) - wall_s
            found["office_authority"] = _ends_s(bundle.authority) - wall_s
        return found

    def _backups(self, data_age_ms: int) -> Backups | None:
        note = read_note(self._data_dir)
        if not note.tried_ms and not self.is_alone():
            return None
        if not note.made_ms:
            return Backups(data_age_ms / 1000, why=note.why)
        # One of the future was made while the clock was ahead: that says as little as a very old one.
        return Backups(abs(time.time() - note.made_ms / 1000), made=True, why=note.why)


def _ends_s(certificate: bytes) -> float:
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
