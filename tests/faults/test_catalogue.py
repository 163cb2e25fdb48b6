"""The catalogue of faults names tests that are there, and forgets no fault of the public list."""

import ast

from tests.faults.catalogue import FAULTS
from tests.tracked_files import ROOT

ELSEWHERE = {"F26": "F25", "F30": "F29"}  # tested with another one
PUBLIC = "F01 F02 F04 F05 F06 F07 F08 F09 F10 F11 F14 F16 F18 F20 F23 F24 F25 F26 F27 F28 F29 F30 F31 F35 F36 F39 F40"


def test_every_fault_has_tests_that_are_there() -> None:
    for name, fault in FAULTS.items():
        assert fault.tests, name
        for test in fault.tests:
            path, _, function = test.partition("::")
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test


def test_no_fault_of_the_public_list_is_forgotten() -> None:
    assert set(PUBLIC.split()) == FAULTS.keys() | ELSEWHERE.keys()
    assert all(f"({name}" in FAULTS[held].what for name, held in ELSEWHERE.items())
