"""`tillmesh doctor` says in words what may keep a till from working."""

from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import shop_at, tamper, trade
from tests.unit.till.shop_till import MANAGER
from tillmesh.cli import main
from tillmesh.shop.events import Change, Value
from tillmesh.terminal.doctor import examine
from tillmesh.till.commands import ChangeRecords


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, list[str]]:
    with pytest.raises(SystemExit) as done:
        main(["doctor", *arguments])
    return done.value.code, capsys.readouterr().out.splitlines()


def test_a_sound_till_gets_a_clean_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade(tmp_path)
    code, lines = doctor(capsys, "--data-dir", str(tmp_path))
    assert code == 0
    assert all(line.startswith("ok ") for line in lines)
    assert "5 events, 2 sales verified" in lines[-1]


def test_the_machine_alone_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = doctor(capsys)
    assert code == 0
    assert any("with encryption" in line for line in lines)


def test_a_directory_without_a_till_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = doctor(capsys, "--data-dir", str(tmp_path))
    assert code == 1
    assert lines[-1].startswith("BAD ")
    assert "holds no till" in lines[-1]


def test_damage_is_a_finding_for_each_problem(tmp_path: Path) -> None:
    trade(tmp_path)
    tamper(tmp_path, "UPDATE stock_column SET n = 0", "DELETE FROM event WHERE seq = 3")
    bad = [finding.text for finding in examine(tmp_path) if not finding.ok]
    assert any("the table stock" in text for text in bad)
    assert any(text.endswith(": 3") for text in bad)


def test_a_key_that_others_can_read_is_a_finding(tmp_path: Path) -> None:
    trade(tmp_path)
    key = tmp_path / "keys" / "database.key"
    key.chmod(0o644)
    assert [finding.text for finding in examine(tmp_path) if not finding.ok] == [
        f"{key} can be read by others (mode 644); chmod 600 it"
    ]


def test_another_key_is_a_finding_and_no_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade(tmp_path)
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    code, lines = doctor(capsys, "--data-dir", str(tmp_path), "--key-file", str(other))
    assert code == 1
    assert any("wrong key" in line for line in lines)


def test_nothing_is_rebuilt_without_a_name_or_while_the_till_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["--rebuild"], ["--rebuild", "--data-dir", str(tmp_path)]):
        with shop_at(tmp_path), pytest.raises(SystemExit) as done:
            main(["doctor", *arguments])
        assert done.value.code == 1
        assert capsys.readouterr().err.startswith("tillmesh: ")


def test_a_scale_that_is_set_up_and_not_plugged_in_is_a_finding(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        fields: dict[str, Value] = {
            "scale_kind": "lines",
            "scale_target": "/dev/serial/by-id/no-such-scale",
            "pole_kind": "epson",
            "pole_target": "127.0.0.1:4001",
        }
        change = Change(key=shop.till.identity.terminal, fields=fields)
        shop.do(ChangeRecords(entity="setting", changes=(change,)), MANAGER)
        shop.sign()
    found = examine(tmp_path)
    assert [finding.text for finding in found if not finding.ok] == [
        "the scale: /dev/serial/by-id/no-such-scale is not there; plug it in, or name another in the settings"
    ]
    assert "the pole display is behind a serial server, 127.0.0.1:4001" in [finding.text for finding in found]


def test_a_file_that_can_not_be_used_is_named_by_every_command_and_no_traceback_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands are run by people as the wrong user, too; to root nothing is forbidden, so here a file is missing."""
    missing = tmp_path / "no.bundle"
    with pytest.raises(SystemExit) as done:
        main(["store", "office", "--data-dir", str(tmp_path), "--bundle", str(missing)])
    assert done.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"tillmesh: {missing} can't be used (No such file or directory). Look whether it is there")
    assert "Traceback" not in said
