"""What is wrong with the way to head office never keeps a till from selling."""

from pathlib import Path

import pytest

from tillmesh.adapters.wan.bundle import FILE, read_bundle
from tillmesh.adapters.wan.client import HubClient
from tillmesh.hub.bootstrap import enrol_store, open_hub
from tillmesh.kernel.errors import Invalid
from tillmesh.terminal.head_office import bundle_in, office_key


def test_a_till_without_a_bundle_or_with_a_damaged_one_has_no_head_office(tmp_path: Path) -> None:
    assert (bundle_in(tmp_path), office_key(tmp_path)) == (None, None)
    (tmp_path / FILE).write_bytes(b"\x93damaged")
    assert (bundle_in(tmp_path), office_key(tmp_path)) == (None, None)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "8080", "https://", "https://here:port"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str, tmp_path: Path) -> None:
    opened = open_hub(tmp_path)
    bundle = read_bundle(enrol_store(opened, "corner", 1_800_000_000_000))
    opened.close()
    with pytest.raises((Invalid, ValueError)):
        HubClient(url, bundle)
