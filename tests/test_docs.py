"""The documentation tells the truth: links lead somewhere, marked code runs, commands exist.

A block is run when its info string says so: ```` ```python test ```` (plain or doctest), ```` ```console test ````.
"""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts import api_page, events_page, sbom
from tests import docs_rules as rules
from tests.tracked_files import ROOT, tracked_files

PAGES = tracked_files("*.md")
MARKED = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}:{block.line}")
    for page in PAGES
    for block in rules.blocks(page.read_text(encoding="utf-8"))
    if "test" in block.words[1:]
]


def run_block(block: rules.Block, folder: Path) -> None:
    """Run one marked block in a folder of its own; an AssertionError says what differed."""
    match block.words[0]:
        case "python":
            run_python(block)
        case "console":
            for command, expected in rules.transcript(block.body):
                run_command(command, expected, folder)
        case other:
            raise AssertionError(f"nothing here runs {other} blocks; mark python or console ones")


def run_python(block: rules.Block) -> None:
    """Run a block as a doctest when it has prompts, else as a program."""
    if ">>>" not in block.body:
        exec(compile(block.body, f"block at line {block.line}", "exec"), {"__name__": "__docs__"})
        return
    test = doctest.DocTestParser().get_doctest(block.body, {}, "docs", None, block.line)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


def run_command(command: str, expected: str, folder: Path) -> None:
    """Run a command as a reader would, our programs on the path, and compare; `...` stands for anything."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    same = doctest.OutputChecker().check_output(expected, done.stdout, doctest.ELLIPSIS)
    assert same or not expected, f"{command} printed\n{done.stdout}instead of\n{expected}"


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    assert [complaint for page in PAGES for complaint in rules.broken_links(page)] == []


def test_every_make_target_a_page_names_exists() -> None:
    there = rules.make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    named = {page.name: rules.named_targets(page.read_text(encoding="utf-8")) - there for page in PAGES}
    assert {page: targets for page, targets in named.items() if targets} == {}


def test_the_readme_shows_the_two_commands() -> None:
    named = rules.named_targets((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"demo", "test"} <= named


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in records if f"({path.name})" not in index] == []


def test_the_index_lists_every_page_once() -> None:
    index = ROOT / "docs" / "README.md"
    rows = [
        line.split("](")[1].partition(")")[0]
        for line in index.read_text("utf-8").splitlines()
        if line.startswith("| [")
    ]
    assert sorted(rows) == sorted(set(rows))
    pages = {page.relative_to(index.parent).as_posix() for page in PAGES if page.is_relative_to(index.parent)}
    listed = {name for row in index.read_text("utf-8").splitlines() for name in re.findall(r"\]\(([^)#]+)", row)}
    assert {page for page in pages - listed if not page.startswith("adr/") and page != "README.md"} == set()


def test_the_architecture_page_names_every_package_that_exists_and_no_other() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`src/tillmesh/(\w+)/`", page))
    assert named == {path.parent.name for path in (ROOT / "src" / "tillmesh").glob("*/__init__.py")}


@pytest.mark.parametrize("writer", [events_page, api_page], ids=["events", "api"])
def test_the_reference_is_what_the_code_says(writer: ModuleType) -> None:
    assert writer.PAGE.read_text("utf-8") == writer.page(), "run: make reference"


def test_the_page_of_licences_is_what_the_bills_of_materials_say() -> None:
    assert sbom.PAGE.read_text("utf-8") == sbom.page(), "run: make sbom"


@pytest.mark.slow
@pytest.mark.parametrize("block", MARKED)
def test_marked_code_of_the_documentation_runs(block: rules.Block, tmp_path: Path) -> None:
    run_block(block, tmp_path)


# The readers themselves.


@pytest.mark.parametrize("link", ["[gone](gone.md)", "[gone](#gone)", "[self](page.md#gone)", '<img src="gone.png">'])
def test_a_broken_link_is_caught(link: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n\n{link}\n", encoding="utf-8")
    assert len(rules.broken_links(page)) == 1


def test_good_links_code_and_addresses_on_the_net_pass(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `two` (3)\n[a](page.md#one-two-3) [b](#one-two-3) [c](https://x.y/z)\n```\n[d](gone.md)\n```\n`[e](gone.md)`\n",
        encoding="utf-8",
    )
    assert rules.broken_links(page) == []


def test_make_targets_are_read_from_code_and_not_from_prose() -> None:
    text = 'We make tills.\n```sh\nmake demo ARGS="x"\n```\nThen `make test`.\n'
    assert rules.named_targets(text) == {"demo", "test"}


@pytest.mark.parametrize(
    "block",
    [
        rules.Block(1, ("python", "test"), ">>> 1 + 1\n3\n"),
        rules.Block(1, ("console", "test"), "$ echo one\ntwo\n"),
        rules.Block(1, ("console", "test"), "$ exit 3\n"),
        rules.Block(1, ("perl", "test"), "1"),
    ],
)
def test_a_block_that_lies_is_caught(block: rules.Block, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_block(block, tmp_path)


def test_a_block_that_tells_the_truth_passes(tmp_path: Path) -> None:
    run_block(rules.Block(1, ("python", "test"), ">>> 1 + 1\n2\n"), tmp_path)
    run_block(rules.Block(1, ("python", "test"), "assert 1 + 1 == 2\n"), tmp_path)
    run_block(
        rules.Block(1, ("console", "test"), "$ echo one two\none ...\n$ echo kept > file\n$ cat file\nkept\n"), tmp_path
    )
