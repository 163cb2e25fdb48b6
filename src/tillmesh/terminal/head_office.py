"""What a till holds of head office: what it proves itself with there, and the key of head office's own events."""

from __future__ import annotations

import logging
from pathlib import Path

from tillmesh.adapters.wan.bundle import FILE, Bundle, read_bundle
from tillmesh.kernel.errors import TillmeshError

log = logging.getLogger(__name__)


def bundle_in(data_dir: Path) -> Bundle | None:
    """Load what this till proves itself with to head office, or None: a damaged file stops no till from selling."""
    file = data_dir / FILE
    if not file.exists():
        return None
    try:
        return read_bundle(file.read_bytes())
    except (OSError, TillmeshError) as cause:
        log.warning("%s can't be used: %s; take it from head office anew", file, cause)
        return None


def office_key(data_dir: Path) -> bytes | None:
    """Give the key of head office's events, whichever actor it writes under, if this till knows it."""
    bundle = bundle_in(data_dir)
    return None if bundle is None else bundle.office_public
