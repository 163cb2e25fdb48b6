"""What can be said about the languages without speaking them: every text there, none left over, the same holes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from tests.tracked_files import ROOT
from tests.unit.page.page_rules import PAGES, SHARED
from tillmesh.adapters.web.speaking import FOLDER as ERRORS
from tillmesh.terminal.speaking import holes
from tillmesh.terminal.web.languages import LOCALES

PACKAGE = ROOT / "src" / "tillmesh"
# Whose errors people at a till read. The rest speaks to programs, or to whoever runs the command line.
SPEAKING = (
    "shop", "till", "terminal/web", "adapters/devices", "adapters/web/problems.py", "kernel/errors.py",
    "kernel/money.py", "kernel/quantity.py", "kernel/times.py", "terminal/rights_desk.py",
    # What a till's data, models and the way to head office say of themselves: when it is out of order, under Health.
    "adapters/host/blobs.py", "adapters/host/keys.py", "adapters/host/quarantine.py", "adapters/inference",
    "adapters/sqlite/archive.py", "adapters/sqlite/database.py", "adapters/sqlite/fiscal.py",
    "adapters/sqlite/identity.py", "adapters/sqlite/ledger.py", "adapters/sqlite/mails.py",
    "adapters/sqlite/walking.py", "adapters/wan/client.py", "adapters/wan/mail.py", "adapters/web/bodies.py",
    "adapters/web/guard.py", "adapters/web/multipart.py", "edge", "fleet/ingest.py", "hub/web/store_calls.py",
    "kernel/codec.py", "kernel/envelope.py", "kernel/ids.py", "sync/model_orders.py", "terminal/ai.py",
    "terminal/bootstrap.py", "terminal/council_driver.py", "terminal/driver.py", "terminal/fiscal_desk.py",
    "terminal/importing.py", "terminal/printing.py", "terminal/recovering.py", "terminal/restoring.py",
    "terminal/storekeeper.py",
    # What people at head office read; the rest there speaks to stores' programs and technicians.
    "fleet/ports.py", "hub/running.py", "hub/web/access_calls.py", "hub/web/admin_calls.py", "hub/web/api.py",
    "hub/web/catalogue_calls.py", "hub/web/group_calls.py", "hub/web/offer_calls.py", "hub/web/office_calls.py",
    "hub/web/overview_calls.py", "hub/web/people.py", "hub/web/report_calls.py", "hub/web/sales_calls.py",
)  # fmt: skip
# What programs of a till tell in passing, on the Health page or in the audit log: raised nowhere, read by managers.
TELLING = (
    "adapters/devices/answers.py", "adapters/devices/files.py", "adapters/devices/network.py",
    "adapters/devices/none.py", "adapters/devices/usb.py",
    "adapters/sqlite/identity.py", "sync/session.py", "sync/taking.py", "sync/uplink.py", "terminal/ai.py",
    "terminal/clocks.py",
    "terminal/council_driver.py", "terminal/council_recovery.py", "terminal/lacking.py", "terminal/mailing.py",
    "terminal/mesh.py", "terminal/model_failing.py", "terminal/model_following.py", "terminal/pairing_desk.py",
    "terminal/patrol.py", "terminal/rebuilding.py", "terminal/recovering.py", "terminal/restoring.py",
    "terminal/store_recovery.py", "terminal/storekeeper.py", "terminal/training.py", "terminal/web/session_calls.py",
    "terminal/web/store_calls.py", "terminal/web/health_calls.py", "till/card_payments.py", "till/carts.py",
    "till/room.py", "till/watching.py",
)  # fmt: skip
# Said to programs or to the log, or a name; each stands in one of the modules above.
UNTOLD = frozenset({
    "Alex Example", "only a till with models follows", "uplink news", "only who leads loads",
    "the unit price", "the discount", "what is listed as parked has its event", "the approval code", "the card amount",
})  # fmt: skip
# For programs: why a model gave no answer, or nobody a certificate.
CODES = frozenset({"busy", "crowded", "malformed", "none", "off", "output"})
_UNHEARD = frozenset({"Call", "Errands", "execute", "getLogger", "one", "rows"})
SILENT = ("till/agreement.py", "till/council.py", "till/council_steps.py", "till/exchange.py")
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|PRAGMA)\b")
_OURS = re.compile(r"\b(?:ValueError|TypeError|KeyError|RuntimeError|AssertionError|StopIteration)\b")


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def errors_of(code: str) -> set[str]:
    """Name what a module raises: details, hints and titles, with numbered holes for what is filled in."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if (
            isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and not _OURS.search(ast.unparse(node.exc.func))
        ):
            found.update(*(sentences(one) for one in node.exc.args[:1]))
        if isinstance(node, ast.Call):
            hints = [word.value for word in node.keywords if word.arg == "hint"]
            found.update(*(sentences(one) for one in hints))
        if isinstance(node, ast.ClassDef):
            found.update(*(sentences(one) for one in _titles(node)))
    return {one for one in found if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", one)) and one not in CODES}


def _titles(node: ast.ClassDef) -> Iterator[ast.expr]:
    for line in node.body:
        target = (
            line.targets[0]
            if isinstance(line, ast.Assign)
            else line.target
            if isinstance(line, ast.AnnAssign)
            else None
        )
        if isinstance(target, ast.Name) and target.id == "title" and isinstance(line, ast.Assign):
            yield line.value


def sentences(node: ast.expr) -> set[str]:
    """Give the sentences that an expression can be, as far as they stand in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return sentences(node.body) | sentences(node.orelse)
    if not isinstance(node, ast.JoinedStr):
        return set()
    parts = [str(one.value) if isinstance(one, ast.Constant) else None for one in node.values]
    at = iter(range(len(parts)))
    return {"".join(f"{{{next(at)}}}" if part is None else part for part in parts)}


def told_of(code: str) -> set[str]:
    """Name what a module tells other than by raising it: its texts, but for docstrings, logs, SQL and calls' names."""
    found: set[str] = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.Raise | ast.Assert) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            return
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")
            if name[0] == "log" or name[-1] in _UNHEARD:
                return
        if isinstance(node, ast.JoinedStr | ast.Constant):
            found.update(text for text in sentences(node) if _is_prose(text))
            return
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(code))
    return found - UNTOLD


def _is_prose(text: str) -> bool:
    return bool(
        re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text)) and " " in text.strip() and not _SQL.match(text)
    )


def pieces(text: str, known: Iterable[str]) -> list[str]:
    """Give a text as a catalogue may hold it: whole if it is known so, else in the pieces that are said one by one."""
    return [text] if text in known else [_counted_anew(part) for part in text.split("; ") if _is_prose(part)]


def _counted_anew(text: str) -> str:
    at = count()
    return re.sub(r"\{\d+\}", lambda _: f"{{{next(at)}}}", text)


def all_told() -> set[str]:
    """Name all that managers are told in passing."""
    return set().union(*(told_of((PACKAGE / place).read_text(encoding="utf-8")) for place in TELLING))


def all_errors() -> set[str]:
    """Name every error that a person at a till can read."""
    found: set[str] = set()
    for place in SPEAKING:
        paths = [PACKAGE / place] if place.endswith(".py") else (PACKAGE / place).rglob("*.py")
        for path in paths:
            if str(path.relative_to(PACKAGE)) not in SILENT:
                found |= errors_of(path.read_text(encoding="utf-8"))
    return found


def untranslated(language: str) -> dict[str, list[str]]:
    """Name what a language lacks, by catalogue."""
    pages, errors = read(LOCALES / f"{language}.json"), read(ERRORS / f"{language}.json")
    office = OFFICE / "locales"
    spoken = office / f"{language}.json"
    words = read(spoken).keys() if spoken.exists() else set()
    lacking = {
        f"{spoken.relative_to(ROOT)}": sorted(read(office / "en.json").keys() - words),
        f"{LOCALES.relative_to(ROOT)}/{language}.json": sorted(read(LOCALES / "en.json").keys() - pages.keys()),
        f"{ERRORS.relative_to(ROOT)}/{language}.json": sorted(
            (all_errors() | {piece for text in all_told() for piece in pieces(text, errors)}) - errors.keys()
        ),
    }
    return {path: keys for path, keys in lacking.items() if keys}


def unused_keys(own: Path) -> list[str]:
    """Name the words of a page that nothing looks up, neither by name nor by a pattern."""
    code = "\n".join(path.read_text(encoding="utf-8") for folder in (own, SHARED) for path in folder.rglob("*.js"))
    literal = set(re.findall(r'"([^"\n]*)"', code))
    templates = {
        one for one in re.findall(r"`([^`\n]*\$\{[^`\n]*)`", code) if "." in one and "<" not in one and "/" not in one
    }
    patterns = [re.compile(".+".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", one))) for one in templates]
    words = read(own / "locales" / "en.json")
    return [key for key in words if key not in literal and not any(pattern.fullmatch(key) for pattern in patterns)]


def misfilled(original: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """Name texts that are filled with other things than their English ones, or differ in having plural forms."""
    return [
        key
        for key, text in own.items()
        if key in original
        and (
            holes(text) | {"n"} != holes(original[key]) | {"n"}
            or isinstance(text, dict) != isinstance(original[key], dict)
        )
    ]


TILL, OFFICE = PAGES["till"], PAGES["office"]


def loose_marks() -> list[str]:
    """Name French texts whose marks may begin a line, as a space that breaks stands before them (or after a «)."""
    found: list[str] = []
    for path in (LOCALES / "fr.json", OFFICE / "locales" / "fr.json", ERRORS / "fr.json"):
        for text in read(path).values():
            forms = text.values() if isinstance(text, dict) else [text]
            found += [one for one in forms if re.search(r"\S [?!;:»]|« ", one)]
    return found
