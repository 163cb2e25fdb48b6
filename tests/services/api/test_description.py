"""The OpenAPI description of a running till, and what it answers to whoever takes it by its word, or does not."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.definitions import OPENAPI_31

from tests.services.api.process import Running, running
from tests.services.api.shop import Json
from tillmesh.adapters.web.openapi import Call, describe
from tillmesh.adapters.web.problems import NotAvailable
from tillmesh.hub.program import FOR_PEOPLE
from tillmesh.terminal.web.app import CALLS

EXAMPLES = 25
SEED = 20_261_122
WITHIN_S = 10
# Endless by design, or it would end the session that the others need. Others try them by hand.
BY_HAND = {"/api/v1/events", "/api/v1/session", "/api/v1/approvals"}
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
ADDRESSES = sorted({f"/api/v1{call.path}" for call in CALLS} - BY_HAND)
load_all_checks()


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A till for these requests alone: among them are some that close its shift."""
    with running(tmp_path_factory.mktemp("described")) as till:
        yield till


@pytest.fixture(scope="module")
def description(till: Running) -> Json:
    return till.get("/api/v1/openapi.json")


@pytest.fixture(scope="module")
def manager(till: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {till.sign_in('manager')}"}


@pytest.mark.slow
@pytest.mark.service
def test_the_description_is_valid_openapi_3_1(description: Json) -> None:
    assert description["openapi"].startswith("3.1.")
    jsonschema_rs.validator_for(OPENAPI_31).validate(description)
    assert "Problem" in description["components"]["schemas"]


@pytest.mark.parametrize("calls", [CALLS, FOR_PEOPLE])
def test_every_reference_of_a_description_leads_somewhere(calls: Sequence[Call]) -> None:
    """Two areas may each have a body of one name."""
    text = describe(calls, "a program").decode()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert len(named) > 5
    assert named <= set(json.loads(text)["components"]["schemas"])


@pytest.mark.slow
@pytest.mark.service
def test_every_call_is_described_under_a_name_of_its_own(description: Json) -> None:
    operations = [one for path in description["paths"].values() for one in path.values()]
    assert len(operations) == len(CALLS)
    assert len({one["operationId"] for one in operations}) == len(CALLS)
    for one in operations:
        assert one["responses"]["default"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    assert not description["paths"]["/api/v1/session"]["post"].get("security")
    assert description["paths"]["/api/v1/sales"]["post"]["security"] == [{"session": []}]


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_request_makes_the_till_fail(
    address: str, description: Json, till: Running, manager: dict[str, str]
) -> None:
    """Requests as described, and wrong ones: each gets an answer as described, and none an error of ours."""
    schema = schemathesis.openapi.from_dict(description)
    for method in schema[address]:
        operation = schema[address][method]
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=cases)
        def ask(case: Any) -> None:
            answer = case.call(base_url=till.url, headers=manager, timeout=WITHIN_S)
            if answer.status_code == NotAvailable.status:
                assert answer.json()["kind"] == NotAvailable.kind
                return
            case.validate_response(answer, checks=[not_a_server_error, *CHECKS], headers=manager)

        ask()
