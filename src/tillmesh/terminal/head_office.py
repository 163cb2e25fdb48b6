"""What a till holds of head office: what it proves itself with there, and the key of head office's own events."""

from __future__ import annotations

from pathlib import Path

from tillmesh.adapters.wan.bundle import FILE, Bundle, read_bundle


def bundle_in(data_dir: Path) -> Bundle | None:
    """Load what this till proves itself with to head office, or give None."""
    file = data_dir / FILE
    return read_bundle(file.read_bytes()) if file.exists() else None


def office_key(data_dir: Path) -> bytes | None:
    """Give the key of head office's events, whichever actor it writes under, if this till knows it."""
    bundle = bundle_in(data_dir)
    return None if bundle is None else bundle.office_public
