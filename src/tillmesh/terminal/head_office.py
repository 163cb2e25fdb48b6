"""What a till holds of head office: what it proves itself with there, and the key of head office's own events."""

from __future__ import annotations

from pathlib import Path

from tillmesh.adapters.wan.bundle import FILE, Bundle, read_bundle


def bundle_in(data_dir: Path) -> Bundle | None:
    """Load what this till proves itself with to head office, or give None."""
    file = data_dir / FILE
    return read_bundle(file.read_bytes()) if file.exists() else None


def office_keys(data_dir: Path) -> dict[str, bytes]:
    """Give the actor that head office writes under and its key, if this till knows them."""
    bundle = bundle_in(data_dir)
    return {} if bundle is None else {bundle.office: bundle.office_public}
