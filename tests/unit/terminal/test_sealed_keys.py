"""The secrets of a till go where the key of its database goes: sealed under a credential, open beside the key."""

from pathlib import Path

import pytest

from tillmesh.adapters.host.keys import CREDENTIAL, database_key, secret, signing_key, write_file
from tillmesh.kernel.errors import Damaged


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A till that has run without a credential."""
    folder = tmp_path / "till"
    database_key(folder)
    secret(folder, "authority.key")
    signing_key(folder, "k3m7qx2p.4f9a2c")
    (folder / "till.db").touch()
    return folder


def seal(till: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Move the key of the database to where systemd hands it over."""
    key = till / "keys/database.key"
    given = till.parent / "credentials"
    write_file(given / CREDENTIAL, key.read_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    moved = key.read_bytes()
    key.unlink()
    return moved


def test_a_stolen_disk_shows_no_key_once_the_key_of_the_database_is_elsewhere(
    till: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (till / "keys" / name).read_bytes() for name in ("authority.key", "k3m7qx2p.4f9a2c.sign")}
    key = seal(till, monkeypatch)
    for _ in range(2):
        assert secret(till, "authority.key", create=False) == before["authority.key"]
        assert signing_key(till, "k3m7qx2p.4f9a2c").private_bytes_raw() == before["k3m7qx2p.4f9a2c.sign"]
    made = secret(till, "pepper.key")
    lying_there = b"".join(path.read_bytes() for path in (till / "keys").iterdir())
    assert not any(value in lying_there for value in (key, made, *before.values()))


def test_secrets_lie_open_again_when_the_key_of_the_database_does(till: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = secret(till, "authority.key")
    key = seal(till, monkeypatch)
    secret(till, "authority.key")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    write_file(till / "keys/database.key", key)
    assert secret(till, "authority.key") == before
    assert (till / "keys/authority.key").read_bytes() == before  # as programs before this one read it


def test_a_sealed_secret_without_its_key_is_told_and_left_as_it_is(till: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal(till, monkeypatch)
    secret(till, "authority.key")
    sealed = (till / "keys/authority.key").read_bytes()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(Damaged, match="is sealed"):
        secret(till, "authority.key")
    write_file(till / "keys/database.key", bytes(32))
    with pytest.raises(Damaged, match="does not open"):
        secret(till, "authority.key")
    assert (till / "keys/authority.key").read_bytes() == sealed


def test_a_sealed_secret_opens_under_its_own_name_only(till: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal(till, monkeypatch)
    secret(till, "authority.key")
    secret(till, "pepper.key")
    (till / "keys/authority.key").write_bytes((till / "keys/pepper.key").read_bytes())
    with pytest.raises(Damaged, match="does not open"):
        secret(till, "authority.key")
