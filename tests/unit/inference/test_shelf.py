"""What lies on a till's shelf of models stays usable for as long as it may be needed."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.inference.shelf import Shelf
from tillmesh.edge.bundle import VOUCHED, Contract, Manifest, Sealed, Trusted, seal

THEN, NOW = (Ed25519PrivateKey.from_private_bytes(name * 32) for name in (b"t", b"n"))


def fruit(version: int, key: Ed25519PrivateKey) -> Sealed:
    manifest = Manifest(
        name="fruit", version=version, task="fruit", engine="none", licence="MIT", contract=Contract(input=""), files={}
    )
    return seal(manifest, {"about.txt": b"apples"}, key)


def knows(key: Ed25519PrivateKey) -> Trusted:
    return {key.public_key().public_bytes_raw().hex(): ("fruit",)}


def test_a_program_with_another_key_can_go_back_to_what_the_one_before_it_brought(tmp_path: Path) -> None:
    before = Shelf(tmp_path, knows(THEN))
    before.put(fruit(1, THEN), 0)
    before.switch("fruit")
    after = Shelf(tmp_path, knows(NOW))
    after.put(fruit(2, NOW), 0)
    after.switch("fruit")
    assert after.fall_back("fruit", "crash", 0).version == 1
    held = after.manifest("fruit")
    assert held is not None
    assert held.version == 1


def test_what_no_longer_lies_in_a_slot_is_no_longer_trusted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, knows(THEN))
    for version in range(1, 9):
        shelf.put(fruit(version, THEN), 0)
        shelf.switch("fruit")
    assert sum(key.startswith(VOUCHED) for key in shelf.trusted) <= 4
