"""What a hub.toml may say."""

from pathlib import Path

import pytest

from tillmesh.hub.settings import Settings, SqliteLog, read_settings
from tillmesh.kernel.errors import Invalid


def test_without_a_file_head_office_is_the_embedded_one() -> None:
    settings = read_settings(None)
    assert settings == Settings()
    assert (settings.doors.people_port, settings.event_log) == (8080, SqliteLog())


def test_a_file_says_only_what_is_different(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("[doors]\npeople_port = 9000\n[limits]\nuploads_per_s = 20\n")
    settings = read_settings(file)
    assert (settings.doors.people_port, settings.doors.bind, settings.limits.uploads_per_s) == (9000, "127.0.0.1", 20)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[doors]\nport = 1", "port"),
        ("[doors]\npeople_port = 70000", "65535"),
        ("[limits]\nuploads_per_s = 'many'", "int"),
        ("[master]\nkind = 'paper'", "paper"),
        ("[models]\nkind = 'mlflow'\nuri = 'file:///etc'", "uri"),
        ("[[[", "hub.toml"),
        ("x" * 70_000, "65536"),
    ],
)
def test_what_is_wrong_in_it_is_named(text: str, named: str, tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    with pytest.raises(Invalid) as refused:
        read_settings(file)
    assert named in refused.value.detail


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nowhere\.toml"):
        read_settings(tmp_path / "nowhere.toml")
