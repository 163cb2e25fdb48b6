"""Commands that pages show are commands that the program takes: names, options and what may not be missing."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from typing import Final

import pytest

from tests import docs_rules as rules
from tests.tracked_files import ROOT, tracked_files
from tillmesh import cli
from tillmesh.bench import program as bench
from tillmesh.hub import commands as hub
from tillmesh.hub import publishing
from tillmesh.learn import program as models

# Who reads its own words: the command line only hands them on.
OWN: Final[dict[tuple[str, ...], argparse.ArgumentParser]] = {
    ("hub",): hub.parser(),
    ("bench",): bench._parser(),
    **{("models", name): publishing._parser() for name in ("publish", "rollback", "registry")},
    ("models",): models._parser(),
}


def commands(text: str) -> Iterator[str]:
    """Give the commands of ours in a page's blocks, without prompt, comment, and what is there if one likes."""
    for block in rules.blocks(text):
        if block.words[:1] in [("sh",), ("console",)]:
            for line in block.body.splitlines():
                if found := re.match(r"(?:[$#] )?(?:\.venv/bin/)?tillmesh (?!hub stack|bench replay)(.*)", line):
                    yield re.sub(r"\s+#.*|\s*&$|[\[\]]", "", re.sub(r"\s{4,}.*", "", found[1]))


def misread(command: str) -> str:
    """Say why a command would not be read; nothing if it would."""
    words = shlex.split(command)
    own = next((parser for name, parser in OWN.items() if tuple(words[: len(name)]) == name), None)
    try:
        (own or cli._parser()).parse_args(words[1:] if own else words)
    except SystemExit as refused:
        return f"tillmesh {command}: exit status {refused.code}" if refused.code else ""
    return ""


def test_commands_that_pages_show_are_read_by_the_program() -> None:
    shown = {
        (page, command)
        for page in tracked_files("*.md")
        for command in commands(page.read_text("utf-8"))
        if page.name != "CHANGELOG.md"
    }
    assert len(shown) > 20
    assert [f"{page.relative_to(ROOT)}: {why}" for page, command in sorted(shown) if (why := misread(command))] == []


@pytest.mark.parametrize(
    "command", ["verify", "import products list.csv --dry-run", "store invent --data-dir D", "hub sink --data-dir HUB"]
)
def test_a_command_that_a_reader_could_not_give_is_caught(command: str) -> None:
    assert misread(command)


def test_prompts_comments_and_choices_are_no_part_of_a_command() -> None:
    page = "```console\n# tillmesh store create --data-dir D          on the first till\n```\n"
    page += "```sh\n$ tillmesh hub --data-dir H &\ntillmesh verify D [--quick]  # all of it\n```\n"
    page += "```text\ntillmesh nothing\n```\n"
    assert list(commands(page)) == ["store create --data-dir D", "hub --data-dir H", "verify D --quick"]
