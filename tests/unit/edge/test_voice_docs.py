"""The reference of spoken commands says what may be said, and nothing else."""

from pathlib import Path

from tillmesh.edge.voice import COMMANDS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "voice.md"


def test_every_command_stands_in_the_reference_as_it_is() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")
    }
    assert set(rows) == {command.name for command in COMMANDS}
    for command in COMMANDS:
        assert ", ".join(command.phrases) in rows[command.name]
        assert command.does in rows[command.name]
        assert ("asks first" in rows[command.name]) == command.confirms
