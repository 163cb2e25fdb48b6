"""Say what is shipped: a CycloneDX bill of materials for each role, and the page of licences: ``make sbom``.

Everything comes from files of this checkout: the hashed pins, what is vendored, the models' manifests, the list of
jars, requirements/shipped.toml. So the same checkout gives the same files, with no network and nothing installed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
REQUIREMENTS: Final = ROOT / "requirements"
OUT: Final = ROOT / "artifacts" / "sbom"
PAGE: Final = ROOT / "docs" / "reference" / "licences.md"
VENDOR: Final = ROOT / "src/tillmesh/adapters/web/static/vendor"
MODELS: Final = ROOT / "src/tillmesh/models"
JARS: Final = ROOT / "src/tillmesh/hub/stack/jars.txt"
# A role -> the lists of pins that scripts/setup.sh installs for it. "terminal" is a till without models (--no-ai).
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "terminal": ("build", "terminal"),
    "ai": ("build", "terminal", "ai"),
    "hub": ("build", "terminal", "ai", "hub"),
    "stack": ("build", "terminal", "ai", "hub", "stack"),
}
SPEC: Final = "1.6"
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? \\$")

Component = dict[str, Any]


def bill(role: str) -> dict[str, Any]:
    """Give the bill of one role as CycloneDX JSON has it; the same for the same checkout."""
    shipped = tomllib.loads((REQUIREMENTS / "shipped.toml").read_text("utf-8"))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    merged: dict[str, Component] = {}
    needs: dict[str, set[str]] = {}
    for name in ROLES[role]:
        for component, wanted_by in _python(name, shipped["python"]):
            merged.setdefault(component["bom-ref"], component)
            for other in wanted_by:
                needs.setdefault(other, set()).add(component["bom-ref"])
    others = [*_vendored(), *_models(), *_data(shipped["data"]), *_debian(role, shipped["debian"])]
    if role == "stack":
        others += _jars(shipped["java"])
    components = sorted([*merged.values(), *others], key=lambda one: one["bom-ref"])
    product = {"type": "application", "bom-ref": "tillmesh", "name": "tillmesh", "version": version,
               "licenses": _licences("Apache-2.0"), "purl": f"pkg:generic/tillmesh@{version}"}  # fmt: skip
    needs["tillmesh"] = needs.get("", set()) | {one["bom-ref"] for one in others}
    body = {
        "metadata": {"component": product, "lifecycles": [{"phase": "pre-build"}],
                     "properties": [{"name": "tillmesh:role", "value": role}]},
        "components": components,
        "dependencies": _graph(needs, merged),
    }  # fmt: skip
    mark = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(body, sort_keys=True))
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{mark}",
        "version": 1,
        **body,
    }


def _graph(needs: dict[str, set[str]], pins: dict[str, Component]) -> list[dict[str, Any]]:
    """Say who asked for what; a name stands for each pinned version of it."""
    named: dict[str, list[str]] = {}
    for ref, component in pins.items():
        named.setdefault(component["name"], []).append(ref)
    rows: dict[str, set[str]] = {"tillmesh": needs["tillmesh"]}
    for name, wanted in needs.items():
        for ref in named.get(name, []):
            rows[ref] = wanted
    return [{"ref": ref, "dependsOn": sorted(wanted)} for ref, wanted in sorted(rows.items())]


def pins(text: str) -> Iterator[tuple[str, str, str, list[str], list[str]]]:
    """Read a list of pins: name, version, marker, SHA-256 sums, and the names that ask for it ("": we do)."""
    for block in re.split(r"\n(?=\S)", text.replace("\n    # via", "\n    #")):
        head, *rest = block.splitlines()
        if (found := _PIN.match(head)) is None:
            continue
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", block)
        via = [line.strip(" #") for line in rest if line.strip().startswith("#")]
        wanted_by = ["" if one.startswith("-r") else one for one in via if one and not one.startswith("-c")]
        yield found["name"].lower(), found["version"], found["marker"] or "", hashes, wanted_by


def _python(name: str, licences: dict[str, str]) -> Iterator[tuple[Component, list[str]]]:
    for package, version, marker, hashes, wanted_by in pins((REQUIREMENTS / f"{name}.txt").read_text("utf-8")):
        assert package in licences, f"say in requirements/shipped.toml under which licence {package} is"
        component = _component("library", package, version, licences[package], f"pkg:pypi/{package}@{version}", hashes)
        if marker:
            component |= {"scope": "optional", "properties": [{"name": "tillmesh:marker", "value": marker}]}
        yield component, wanted_by


def _vendored() -> Iterator[Component]:
    """Give the browser's files by package."""
    packages: dict[str, list[dict[str, str]]] = {}
    for file in json.loads((VENDOR / "VENDOR.json").read_text("utf-8"))["files"]:
        packages.setdefault(file["package"], []).append(file)
    for name, files in packages.items():
        purl = f"pkg:npm/{name.replace('@', '%40')}@{files[0]['version']}"
        sums = [file["sha256"] for file in files]
        yield _component("library", name, files[0]["version"], files[0]["licence"], purl, sums)


def _models() -> Iterator[Component]:
    for path in sorted(MODELS.glob("*/manifest.json")):
        model = json.loads(path.read_text("utf-8"))
        sums = [sha256(path.read_bytes()).hexdigest(), *(file["sha256"] for file in model["files"].values())]
        name, version = f"model-{model['name']}", str(model["version"])
        component = _component("machine-learning-model", name, version, model["licence"], "", sums)
        component["properties"] = [{"name": "tillmesh:source", "value": source} for source in model["sources"]]
        yield component


def _data(rows: Iterable[dict[str, Any]]) -> Iterator[Component]:
    for row in rows:
        sums = [sha256((ROOT / file).read_bytes()).hexdigest() for file in row["files"]]
        yield _component("data", row["name"], "", row["licence"], "", sums)


def _debian(role: str, rows: Iterable[dict[str, Any]]) -> Iterator[Component]:
    """Give the Debian packages of a role; Debian decides on their versions."""
    order = list(ROLES)
    for row in rows:
        if order.index(row["role"]) <= order.index(role):
            component = _component("application", row["name"], "", row["licence"], f"pkg:deb/debian/{row['name']}", [])
            yield component | ({"scope": "optional"} if row.get("optional") else {})


def _jars(licences: dict[str, str]) -> Iterator[Component]:
    for line in JARS.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            digest, path = line.split()
            *group, name, version, _ = path.split("/")
            dotted = ".".join(group)
            purl = f"pkg:maven/{dotted}/{name}@{version}"
            yield _component("library", name, version, licences[dotted], purl, [digest]) | {"group": dotted}


def _component(kind: str, name: str, version: str, licence: str, purl: str, sums: Iterable[str]) -> Component:
    found: Component = {"type": kind, "bom-ref": purl or f"tillmesh:{name}", "name": name}
    found |= {"version": version} if version else {}
    found["licenses"] = _licences(licence)
    if hashes := [{"alg": "SHA-256", "content": one} for one in sorted(set(sums))]:
        found["hashes"] = hashes
    return found | ({"purl": purl} if purl else {})


def _licences(expression: str) -> list[dict[str, Any]]:
    """Give one licence by its id, and several as an expression."""
    return [{"expression": expression}] if " " in expression else [{"license": {"id": expression}}]


def licence_of(component: Component) -> str:
    """Read back what a component is licensed under."""
    (row,) = component["licenses"]
    return str(row.get("expression") or row["license"]["id"])


def page() -> str:
    """Write the page of licences: what is shipped, in which roles, under what."""
    roles: dict[str, list[str]] = {}
    found: dict[str, Component] = {}
    for role in ROLES:
        for component in bill(role)["components"]:
            found[component["bom-ref"]] = component
            roles.setdefault(component["bom-ref"], []).append(role)
    lines = [HEAD]
    for title, belongs in PARTS.items():
        parts = [(ref, one) for ref, one in sorted(found.items()) if belongs(one)]
        lines += [f"\n## {title}\n", "| what | version | from role | licence |", "|---|---|---|---|"]
        for ref, one in parts:
            name = f"{one['group']}:{one['name']}" if "group" in one else one["name"]
            lines.append(f"| {name} | {one.get('version', '')} | {roles[ref][0]} | {licence_of(one)} |")
    return "\n".join(lines) + "\n"


def _purl(start: str) -> Any:
    return lambda one: str(one.get("purl", "")).startswith(start)


PARTS: Final = {
    "In the package": lambda one: "purl" not in one or one["purl"].startswith("pkg:npm/"),
    "Python packages": _purl("pkg:pypi/"),
    "Debian packages": _purl("pkg:deb/"),
    "Java archives": _purl("pkg:maven/"),
}
HEAD: Final = """\
# Licences of everything that is shipped or installed

Written by `make sbom` from what is pinned, vendored and listed in `requirements/shipped.toml`; `tests/test_docs.py` holds
it to that. tillmesh itself is under the Apache License 2.0; what must be said of others' works is in [NOTICE](../../NOTICE).

`make sbom` also writes `artifacts/sbom/ROLE.cdx.json`, a bill of materials (CycloneDX 1.6) for each role. A role has what
the roles before it have: `terminal` (a till), `ai` (a till with models), `hub` (head office on one machine), `stack` (its
servers). Sums are those of every file that may be installed under a pin. Libraries under the LGPL (psycopg, zeroconf, zbar)
are installed beside our code, unchanged, and anybody may put another version there."""  # noqa: E501


def main() -> int:
    """Write the bills and the page."""
    OUT.mkdir(parents=True, exist_ok=True)
    for role in ROLES:
        written = bill(role)
        (OUT / f"{role}.cdx.json").write_text(json.dumps(written, indent=2) + "\n", "utf-8")
        print(f"{OUT.relative_to(ROOT)}/{role}.cdx.json: {len(written['components'])} components")
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
