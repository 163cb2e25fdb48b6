"""What tidy means here, as functions from text to complaints. `test_tidy` applies them and shows that each can fail."""

import ast
import re
import sys
from collections.abc import Iterator
from typing import TypeAlias

CORES = ("till", "fleet", "edge", "shop", "sync", "crdt", "raft", "kernel")
PRINTERS = ("cli.py", "demo/", "bench/")

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
TEST_LINES_MAX = 800

# Standard modules without a clock, a disk, a network, a thread or a die. Add one only if that holds for it.
# zoneinfo reads a file, but one that is pinned with the other requirements: a constant.
STANDARD = frozenset({
    "__future__", "abc", "base64", "binascii", "bisect", "collections", "contextlib", "csv", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "itertools", "json", "math", "operator",
    "re", "string", "struct", "textwrap", "types", "typing", "unicodedata", "zlib", "zoneinfo",
})  # fmt: skip
# Third parties that turn bytes and values into bytes and values.
THIRD_PARTIES = frozenset({"biip", "cryptography", "msgspec", "numpy", "zstandard"})

BANNED_MODULES = frozenset({"pickle", "cPickle", "dill", "joblib", "unittest.mock", "mock"})
BANNED_CALLS = frozenset({"uuid1", "uuid4"})
VAGUE_NAMES = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc", "base"})

# Written in pieces, so that this file may stay in the text it checks.
BANNED_WORDS = {
    "a path of one machine": re.compile(r"(?<![\w.])/" + r"work/|/tmp/" + r"w/|/ro" + r"ot/|\.\./" + r"shared\b"),
    "a package registry's host": re.compile(r"py" + r"pi\.org|python" + r"hosted\.org|npm" + r"js\.(org|com)/"),
    "an open end without an issue number": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b(?!\(#\d+\))"),
}


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every module that is imported, wherever the statement stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def impure_imports(source: str) -> list[str]:
    """Name imports that a core may not have: standard modules off the list, third parties off the list."""
    found = []
    for line, name in imported(ast.parse(source)):
        top = name.partition(".")[0]
        if top == "tillmesh" or top in THIRD_PARTIES or top in STANDARD:
            continue
        kind = "standard module" if top in sys.stdlib_module_names else "third party"
        found.append(f"line {line}: {kind} {top} is not on the list for cores")
    return sorted(set(found))


def third_parties(source: str) -> set[str]:
    """Top-level names of imported modules that are neither standard nor ours."""
    names = {name.partition(".")[0] for _, name in imported(ast.parse(source))}
    return names - set(sys.stdlib_module_names) - {"tillmesh", "tests", "scripts"}


def listed(requirements: str) -> set[str]:
    """Names of the distributions that a requirements/*.in file asks for."""
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    return {re.split(r"[\[=<>!~]", line)[0] for line in lines if line and not line.startswith("-")}


def banned_imports(source: str) -> list[str]:
    """Name imports that nobody may have: pickles, mocks, random identities."""
    found = [
        f"line {line}: {name} is banned"
        for line, name in imported(ast.parse(source))
        if name in BANNED_MODULES or name.rpartition(".")[2] in BANNED_CALLS
    ]
    return sorted(set(found))


def long_functions(source: str, lines_max: int = FUNCTION_LINES_MAX) -> list[str]:
    """Name functions longer than a screen, docstring included."""
    return [
        f"line {node.lineno}: {node.name} has {length} lines, at most {lines_max}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > lines_max
    ]


def too_long(source: str, lines_max: int) -> list[str]:
    """Say when a module has grown beyond one idea."""
    length = source.count("\n") + 1
    return [f"{length} lines, at most {lines_max}"] if length > lines_max else []


def undocumented(source: str) -> list[str]:
    """Name what is public and has no docstring: the module, its functions and classes, their methods."""
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) or not tree.body else ["the module has no docstring"]
    for node in _public(tree.body):
        if not ast.get_docstring(node):
            found.append(f"line {node.lineno}: {node.name} has no docstring")
        if isinstance(node, ast.ClassDef):
            found += [
                f"line {method.lineno}: {node.name}.{method.name} has no docstring"
                for method in _public(node.body)
                if not ast.get_docstring(method) and not _inherits_its_words(method)
            ]
    return found


Named: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public(body: list[ast.stmt]) -> Iterator[Named]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def _inherits_its_words(node: Named) -> bool:
    """A setter speaks through its property, an overload through the function, an override through its base."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"setter", "overload", "override"})


def prints(source: str) -> list[str]:
    """Name calls of print: a program that is not a command line logs instead."""
    return [
        f"line {node.lineno}: print"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def banned_words(text: str) -> list[str]:
    """Name words that must not reach a reader of this repository."""
    return [
        f"line {number}: {what}: {found.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in BANNED_WORDS.items()
        if (found := pattern.search(line))
    ]


def vague_name(stem: str) -> list[str]:
    """Say when a module is named after nothing in particular."""
    return [f"a module named {stem} says nothing; name its idea"] if stem in VAGUE_NAMES else []
