"""What a till believes of a model: nothing, until the signature, the names and every byte agree."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.edge.bundle import (
    CONTEXT,
    Contract,
    Manifest,
    Refused,
    Sealed,
    Trusted,
    open_bundle,
    pack,
    seal,
    unpack,
)
from tillmesh.edge.rollout import is_chosen
from tillmesh.edge.slots import (
    ROLLBACK_CONTEXT,
    Rollback,
    Standing,
    check_install,
    read_rollback,
    rolled_back,
    switched,
    with_spare,
)

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


TRUSTED: Trusted = {public(KEY): ("fruit",)}
FILES = {"net.tflite": b"weights", "names.json": b"[]"}


def manifest(name: str = "fruit", version: int = 3, **more: Any) -> Manifest:
    return msgspec.structs.replace(
        Manifest(
            name=name, version=version, task="recognition", engine="litert", licence="Apache-2.0",
            contract=Contract(input="JPEG"), files={},
        ),
        **more,
    )  # fmt: skip


def sealed(key: Ed25519PrivateKey = KEY, **more: Any) -> Sealed:
    return seal(manifest(**more), FILES, key)


def reason(given: Sealed, trusted: Trusted = TRUSTED) -> str:
    with pytest.raises(Refused) as caught:
        open_bundle(given, trusted)
    return caught.value.reason


def test_a_signed_model_opens_as_it_was_made() -> None:
    bundle = open_bundle(unpack(pack(sealed())), TRUSTED)
    assert (bundle.manifest.name, bundle.manifest.version) == ("fruit", 3)
    assert bundle.files == FILES


def test_every_flipped_byte_is_refused() -> None:
    given = sealed()
    for place in range(0, len(given.manifest), 7):
        flipped = bytearray(given.manifest)
        flipped[place] ^= 1
        assert reason(Sealed(bytes(flipped), given.signature, given.files)) == "signature"
    for name, data in FILES.items():
        for place in range(len(data)):
            changed = bytearray(data)
            changed[place] ^= 0x80
            assert reason(Sealed(given.manifest, given.signature, {**FILES, name: bytes(changed)})) == "hash"


def test_a_model_without_a_signature_or_with_a_stranger_s_is_refused() -> None:
    given = sealed()
    assert reason(Sealed(given.manifest, b"", FILES)) == "signature"
    assert reason(sealed(OTHER)) == "signature"
    assert reason(given, {}) == "signature"


def test_who_signs_fruit_may_not_sign_fraud() -> None:
    assert reason(sealed(name="fraud")) == "signature"
    assert open_bundle(sealed(name="fraud"), {public(KEY): ("*",)}).manifest.name == "fraud"


def test_a_missing_file_is_named() -> None:
    given = sealed()
    assert reason(Sealed(given.manifest, given.signature, {"names.json": b"[]"})) == "missing"


@pytest.mark.parametrize(
    "more",
    [{"version": 0}, {"version": 1 << 40}, {"task": "../evil"}, {"contract": Contract(input="x", deadline_ms=0)}],
)
def test_a_manifest_that_promises_the_impossible_is_refused(more: dict[str, Any]) -> None:
    assert reason(sealed(**more)) == "manifest"


def test_files_can_t_be_named_out_of_their_folder() -> None:
    assert reason(seal(manifest(), {"../../keys": b"x"}, KEY)) == "manifest"


def test_bytes_that_are_no_bundle_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        unpack(b"\xc1 nonsense")
    assert caught.value.reason == "manifest"
    assert reason(Sealed(b"{", KEY.sign(CONTEXT + b"{"), {})) == "manifest"


def test_versions_never_go_back() -> None:
    standing = switched(with_spare(Standing(), 3))
    assert (standing.active, standing.version, standing.floor) == ("a", 3, 3)
    for version, why in ((2, "older"), (3, "same")):
        with pytest.raises(Refused) as caught:
            check_install(standing, manifest(version=version), 0)
        assert caught.value.reason == why
    check_install(standing, manifest(version=4), 0)
    newer = switched(with_spare(standing, 4))
    assert (newer.active, newer.version, newer.versions) == ("b", 4, {"a": 3, "b": 4})


def test_a_model_whose_time_is_over_is_not_installed() -> None:
    late = manifest(expires_ms=1_000)
    check_install(Standing(), late, 999)
    with pytest.raises(Refused) as caught:
        check_install(Standing(), late, 1_001)
    assert caught.value.reason == "expired"


def rollback(key: Ed25519PrivateKey = KEY, **fields: object) -> tuple[bytes, bytes]:
    raw = msgspec.json.encode({"name": "fruit", "version": 3, "serial": 1, **fields})
    return raw, key.sign(CONTEXT + ROLLBACK_CONTEXT + raw)


def test_a_signed_rollback_goes_back_once() -> None:
    standing = switched(with_spare(switched(with_spare(Standing(), 3)), 4))
    back = rolled_back(standing, read_rollback(*rollback(), TRUSTED))
    assert (back.active, back.version, back.floor, back.serial) == ("a", 3, 3, 1)
    again = switched(with_spare(back, 5))
    with pytest.raises(Refused) as caught:
        rolled_back(again, Rollback(name="fruit", version=3, serial=1))
    assert caught.value.reason == "older"


def test_a_rollback_to_what_lies_in_no_slot_waits_for_it() -> None:
    standing = switched(with_spare(switched(with_spare(Standing(), 3)), 4))
    back = rolled_back(standing, Rollback(name="fruit", version=2, serial=1))
    assert (back.active, back.floor) == ("", 2)
    with pytest.raises(Refused) as caught:
        check_install(back, manifest(version=1), 0)
    assert caught.value.reason == "older", "nothing runs, and what is older is no better for that"
    check_install(back, manifest(version=2), 0)


@pytest.mark.parametrize(
    ("key", "fields"), [(OTHER, {}), (KEY, {"name": "fraud"}), (KEY, {"version": 0}), (KEY, {"serial": "x"})]
)
def test_a_rollback_that_nobody_may_ask_for_is_refused(key: Ed25519PrivateKey, fields: dict[str, object]) -> None:
    with pytest.raises(Refused):
        read_rollback(*rollback(key, **fields), TRUSTED)


def test_a_share_of_tills_only_grows_with_the_share() -> None:
    tills = [f"till-{n}" for n in range(400)]
    tenth = {till for till in tills if is_chosen("fruit", 4, till, 10)}
    half = {till for till in tills if is_chosen("fruit", 4, till, 50)}
    assert tenth < half
    assert 20 <= len(tenth) <= 60
    assert not any(is_chosen("fruit", 4, till, 0) for till in tills)
    assert all(is_chosen("fruit", 4, till, 100) for till in tills)
