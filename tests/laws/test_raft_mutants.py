"""Rules of the Raft core are broken one at a time, and the tests notice. `scripts/mutate_raft.py` tries all of them."""

import os
from pathlib import Path

import pytest

from scripts.mutate_raft import MUTANTS, TESTS, Mutant, build, noticed

ALL = os.environ.get("TILLMESH_HYPOTHESIS") == "soak"
SAMPLE = {"votes_twice_in_a_term", "counts_entries_of_older_terms"}


def test_there_are_enough_mutants_and_each_has_a_name() -> None:
    assert len(MUTANTS) >= 20
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.name for mutant in MUTANTS} >= SAMPLE


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_breaks_exactly_one_place(mutant: Mutant, tmp_path: Path) -> None:
    build(mutant, tmp_path)
    broken = (tmp_path / "tillmesh" / "raft" / f"{mutant.module}.py").read_text(encoding="utf-8")
    compile(broken, mutant.module, "exec")


def test_a_mutant_that_no_longer_fits_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="adapt the mutant"):
        build(Mutant("gone", "log", "no such line", ""), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [m for m in MUTANTS if ALL or m.name in SAMPLE], ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert noticed(mutant, TESTS[: None if ALL else 1])


@pytest.mark.slow
def test_the_core_as_it_is_passes_the_same_tests() -> None:
    unbroken = Mutant("unbroken", "log", "class RaftLog:", "class RaftLog:")
    assert noticed(unbroken, TESTS[:1]) == ""
