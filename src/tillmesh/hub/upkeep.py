"""Looks at what needs a person some day: head office's certificates, those of its stores, its back-ups."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography import x509

from tillmesh.adapters.host.backup_note import read_note
from tillmesh.adapters.wan.certificates import GATEWAY_DAYS, STORE_DAYS, HubAuthority
from tillmesh.fleet.office import InForce
from tillmesh.till.upkeep import DAY_S, Backups, Upkeep


def look(data_dir: Path, authority: HubAuthority, since: InForce) -> Upkeep:
    """Look at all of it; reads a small file."""
    now_s = time.time()
    left_s = {"authority": _ends_s(authority.certificate) - now_s}
    if since.gateway_ms is not None:
        left_s["gateway"] = since.gateway_ms / 1000 + GATEWAY_DAYS * DAY_S - now_s
    if since.stores_ms is not None:
        left_s["stores"] = since.stores_ms / 1000 + STORE_DAYS * DAY_S - now_s
    return Upkeep(left_s=left_s, backups=_backups(data_dir, since, now_s))


def _backups(data_dir: Path, since: InForce, now_s: float) -> Backups:
    """Say how the back-ups stand; before there is one, the first store that was let in is when there was something."""
    note = read_note(data_dir)
    begun_s = (note.made_ms or since.first_ms or now_s * 1000) / 1000
    # One of the future was made while the clock was ahead: that says as little as a very old one.
    return Backups(abs(now_s - begun_s), made=note.made_ms > 0, why=note.why)


def _ends_s(certificate: bytes) -> float:
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
