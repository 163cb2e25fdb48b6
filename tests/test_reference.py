"""The reference of events and of the HTTP interface is complete, and its examples are events (see also test_docs)."""

import re

import pytest

from scripts import api_page, events_page
from tillmesh.hub.program import FOR_PEOPLE, FOR_STORES
from tillmesh.kernel.codec import decode, encode
from tillmesh.shop.events import KINDS, SaleClosed
from tillmesh.terminal.web.app import CALLS


def test_every_event_type_has_a_heading_and_every_field_a_row() -> None:
    page = events_page.PAGE.read_text("utf-8")
    for name, kind in KINDS.items():
        part = page[page.index(f"\n## {name}\n") :].split("\n## ")[1]
        rows = re.findall(r"^\| (\d+) \| `(\w+)` \| ", part, re.MULTILINE)
        assert [(int(place), field) for place, field in rows] == list(enumerate(kind.__struct_fields__))


def test_every_call_of_every_door_has_a_row_that_says_who_may() -> None:
    page = api_page.PAGE.read_text("utf-8")
    for calls in (CALLS, FOR_PEOPLE, FOR_STORES):
        for call in calls:
            row = re.search(rf"^\| `{re.escape(f'{call.method} {call.path}')}` \| ([a-z ]+) \|", page, re.MULTILINE)
            assert row, f"{call.method} {call.path}"


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_an_event_that_can_be_stored(name: str) -> None:
    made = events_page.example(KINDS[name])
    assert decode(encode(made), KINDS[name]) == made
    assert set(events_page.plain(made)) == set(KINDS[name].__struct_fields__)


def test_the_sale_of_the_example_adds_up() -> None:
    sale = events_page.example(SaleClosed)
    assert isinstance(sale, SaleClosed)
    assert sum(line.total_minor for line in sale.lines) == sale.total_minor
    assert sum(tax.tax_minor for tax in sale.taxes) == sale.tax_minor
    assert sum(tax.net_minor + tax.tax_minor for tax in sale.taxes) == sale.total_minor
    assert sum(one.amount_minor for one in sale.payments) - sale.change_minor == sale.total_minor + sale.rounding_minor


def test_problems_that_callers_meet_are_listed_with_their_status() -> None:
    found = {kind: status for kind, status, _, _ in api_page.problems()}
    assert found["not-found"] == 404
    assert found["not-allowed"] == 403
    assert found["busy"] == 503
