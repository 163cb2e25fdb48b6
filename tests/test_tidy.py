"""The rules of CONTRIBUTING.md that a machine can hold, applied to every file, and a bad snippet for each of them."""

import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests import tidy_rules as rules
from tests.language_rules import loose_marks, untranslated
from tests.tracked_files import ROOT, tracked_files
from tillmesh.terminal.web.languages import LOCALES

PACKAGE = ROOT / "src" / "tillmesh"


FILES = tracked_files()
SOURCES = [path for path in FILES if path.is_relative_to(PACKAGE) and path.suffix == ".py"]
# Drives a real browser: a tool for people with the test requirements, which says so where they are missing.
BROWSER_BENCH = ROOT / "src/tillmesh/bench/ui.py"
CORES = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in rules.CORES]
TESTS = [path for path in FILES if path.is_relative_to(ROOT / "tests") and path.suffix == ".py"]


def complaints(paths: list[Path], rule: Callable[[str], list[str]]) -> list[str]:
    """Apply one rule to many files and say where it was broken."""
    return [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in paths
        for complaint in rule(path.read_text(encoding="utf-8"))
    ]


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 5
    assert len(CORES) > 5
    assert TESTS


def test_cores_import_only_what_has_no_clock_disk_network_thread_or_die() -> None:
    assert complaints(CORES, rules.impure_imports) == []


def _unlisted(paths: list[Path], *lists: str) -> list[str]:
    """Imports of these files that no requirement of these lists provides."""
    asked = set[str]().union(*(rules.listed((ROOT / "requirements" / name).read_text("utf-8")) for name in lists))
    providers = packages_distributions()
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in sorted(rules.third_parties(path.read_text(encoding="utf-8")))
        if not asked & {provider.lower().replace("_", "-") for provider in providers.get(name, [name])}
    ]


def test_a_till_imports_only_what_its_requirements_ask_for() -> None:
    of_hubs = [
        path
        for path in SOURCES
        if path.relative_to(PACKAGE).parts[0] == "hub" or path.parent.name in {"duckdb", "kafka", "postgres"}
    ]
    of_stacks = [path for path in SOURCES if path.parent.name == "mlflow"]
    of_learning = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] == "learn"]
    of_tills = [path for path in SOURCES if path not in {BROWSER_BENCH, *of_hubs, *of_stacks, *of_learning}]
    assert _unlisted(of_tills, "terminal.in", "ai.in") == []
    assert _unlisted(of_learning, "terminal.in", "ai.in", "learn.in") == []
    assert _unlisted(of_hubs, "terminal.in", "hub.in") == []
    assert _unlisted(of_stacks, "terminal.in", "stack.in") == []
    assert _unlisted([BROWSER_BENCH], "terminal.in", "dev.in") == []


def test_the_tests_import_only_what_the_requirements_ask_for() -> None:
    assert _unlisted(TESTS, "terminal.in", "ai.in", "dev.in") == []


def test_the_package_asks_for_what_the_till_requires() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        dependencies = tomllib.load(file)["project"]["dependencies"]
    wanted = rules.listed((ROOT / "requirements" / "terminal.in").read_text(encoding="utf-8"))
    assert {dependency.partition(">=")[0] for dependency in dependencies} == wanted


@pytest.mark.parametrize("role", ["build", "terminal", "ai", "learn", "voice", "hub", "stack", "dev", "bench"])
def test_pinned_requirements_carry_hashes_and_no_addresses(role: str) -> None:
    text = (ROOT / "requirements" / f"{role}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    pins = [block for block in text.split("\n") if "==" in block]
    assert pins
    assert [pin for pin in pins if not pin.endswith("\\")] == []


def test_nobody_imports_pickles_mocks_or_random_identities() -> None:
    assert complaints(SOURCES + TESTS, rules.banned_imports) == []


def test_modules_hold_one_idea() -> None:
    assert complaints(SOURCES, lambda text: rules.too_long(text, rules.MODULE_LINES_MAX)) == []


def test_scripts_of_the_ui_hold_one_idea() -> None:
    own = [path for path in FILES if path.suffix == ".js" and "vendor" not in path.parts]
    assert complaints(own, lambda text: rules.too_long(text, rules.MODULE_LINES_MAX)) == []


def test_test_modules_can_be_read_in_one_sitting() -> None:
    assert complaints(TESTS, lambda text: rules.too_long(text, rules.TEST_LINES_MAX)) == []


def test_functions_fit_a_screen() -> None:
    assert complaints(SOURCES, rules.long_functions) == []


def test_everything_public_says_what_it_is() -> None:
    assert complaints(SOURCES, rules.undocumented) == []


def test_only_command_lines_print() -> None:
    quiet = [path for path in SOURCES if not str(path.relative_to(PACKAGE)).startswith(rules.PRINTERS)]
    assert complaints(quiet, rules.prints) == []


def test_text_names_no_machine_no_registry_and_leaves_no_loose_end() -> None:
    found = []
    for path in FILES:
        if "vendor" in path.parts:
            continue
        try:
            found += complaints([path], rules.banned_words)
        except UnicodeDecodeError:
            continue
    assert found == []


def test_modules_are_named_after_their_idea() -> None:
    found = [f"{path.relative_to(ROOT)}: {say}" for path in SOURCES for say in rules.vague_name(path.stem)]
    assert found == []


def test_every_core_package_stands_in_the_purity_contract() -> None:
    """A new package below the adapters is born under the contract, or this fails."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (pure,) = (contract for contract in contracts if contract["id"] == "pure-cores")
    there = {f"tillmesh.{path.relative_to(PACKAGE).parts[0]}" for path in CORES}
    assert there == set(pure["source_modules"])


def test_every_package_is_a_package() -> None:
    folders = {path.parent for path in SOURCES}
    assert sorted(folder for folder in folders if not (folder / "__init__.py").is_file()) == []


# The checkers themselves: a rule that cannot fail holds nothing.


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from os import path",
        "def f() -> None:\n    import socket",
        "from random import randrange",
        "import apsw",
        "import concurrent.futures",
        "if TYPE_CHECKING:\n    import threading",
    ],
)
def test_an_impure_import_is_caught(source: str) -> None:
    assert len(rules.impure_imports(source)) == 1


def test_pure_imports_pass() -> None:
    assert rules.impure_imports("import re\nimport msgspec\nfrom tillmesh.kernel import money\nfrom . import x") == []


def test_imports_and_requirements_are_read() -> None:
    assert rules.third_parties("import os, yaml\nfrom escpos.printer import File\nimport tillmesh") == {
        "yaml",
        "escpos",
    }
    assert rules.listed("-c terminal.txt\n# why\nbabel  # texts\n\nruff\n") == {"babel", "ruff"}


@pytest.mark.parametrize(
    "source", ["import pickle", "from unittest import mock", "from uuid import uuid4", "from unittest.mock import Mock"]
)
def test_a_banned_import_is_caught(source: str) -> None:
    assert rules.banned_imports(source) != []


def test_a_function_of_sixty_one_lines_is_caught_and_one_of_sixty_is_not() -> None:
    assert rules.long_functions("def f():\n" + "    x = 1\n" * 60) != []
    assert rules.long_functions("def f():\n" + "    x = 1\n" * 59) == []


def test_a_module_over_its_limit_is_caught() -> None:
    assert rules.too_long("x = 1\n" * 500, 500) != []
    assert rules.too_long("x = 1\n" * 499, 500) == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        '"""M."""\ndef f(): ...',
        '"""M."""\nclass A: ...',
        '"""M."""\nclass A:\n    """A."""\n    def f(self): ...',
        '"""M."""\nclass A:\n    """A."""\n    async def f(self): ...',
    ],
)
def test_a_missing_docstring_is_caught(source: str) -> None:
    assert len(rules.undocumented(source)) == 1


def test_private_and_inherited_names_need_no_docstring() -> None:
    source = (
        '"""M."""\ndef _f(): ...\nclass A:\n    """A."""\n    @override\n    def f(self): ...\n    def _g(self): ...'
    )
    assert rules.undocumented(source) == []


def test_a_print_is_caught() -> None:
    assert rules.prints("def f():\n    print(1)") == ["line 2: print"]


@pytest.mark.parametrize(
    "text",
    [
        "see /wor" + "k/main/x",
        "read ../sha" + "red/design",
        "from pyp" + "i.org",
        "# TO" + "DO later",
        "# FIX" + "ME(#) soon",
    ],
)
def test_a_banned_word_is_caught(text: str) -> None:
    assert len(rules.banned_words(text)) == 1


def test_an_open_end_with_an_issue_number_passes() -> None:
    assert rules.banned_words("# TO" + "DO(#12): price lists") == []


def test_a_vague_module_name_is_caught() -> None:
    assert rules.vague_name("utils") != []
    assert rules.vague_name("outbox") == []


@pytest.mark.parametrize("language", [path.stem for path in LOCALES.glob("*.json") if path.stem != "en"])
def test_every_text_of_a_screen_and_every_error_is_there_in_every_language(language: str) -> None:
    """What is listed is missing: add it to the file (docs/reference/languages.md says what stands where)."""
    assert untranslated(language) == {}


def test_no_french_mark_can_begin_a_line() -> None:
    """What is listed needs a space that does not break (U+00A0) before ``?``, ``!``, ``;``, ``:`` and within « »."""
    assert loose_marks() == []
