"""A till out of the box asks who it belongs to: once, at the till itself, and never while others may know."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.running import Program
from tests.services.mesh.real_store import found_store

pytestmark = [pytest.mark.slow, pytest.mark.service]
ANNA = {"name": "Anna Bell", "pin": "4821"}


@contextmanager
def started(data: Path) -> Iterator[Program]:
    with Program(data, arguments=("--no-ai", "--no-mdns", "--link-bind", "127.0.0.1")) as till:
        yield till


def test_a_new_till_takes_its_first_person_as_the_manager_and_nobody_after(tmp_path: Path) -> None:
    with started(tmp_path / "till") as till:
        assert till.get("/state").body["new"] is True
        assert till.call("POST", "/owner", ANNA | {"pin": "12"}).status == 422
        made = till.call("POST", "/owner", ANNA)
        assert made.status == 201, made
        assert (made.status, made.body["name"], made.body["role"]) == (201, "Anna Bell", "manager")
        assert till.get("/people", made.body["token"]).body["people"][0]["name"] == "Anna Bell"
        assert till.get("/state").body["new"] is False
        refused = till.call("POST", "/owner", {"name": "Mallory", "pin": "6666"})
        assert (refused.status, refused.body["kind"]) == (409, "conflict")
        assert till.call("POST", "/session", {"pin": "6666"}).status == 401
        till.kill()
        till.start()
        assert till.call("POST", "/session", {"pin": "4821"}).status == 201


def test_a_till_that_joined_a_store_and_has_heard_nothing_yet_belongs_to_nobody_who_stands_before_it(
    tmp_path: Path,
) -> None:
    _, joined = found_store(tmp_path, 2)
    with started(joined) as till:
        assert till.get("/state").body["new"] is False
        assert till.call("POST", "/owner", ANNA).status == 409


def test_a_page_of_another_site_makes_nobody_the_owner(tmp_path: Path) -> None:
    with started(tmp_path / "till") as till:
        connection = http.client.HTTPConnection("127.0.0.1", till.port, timeout=30)
        headers = {"Content-Type": "application/json", "Origin": "https://shop.example"}
        connection.request("POST", "/api/v1/owner", json.dumps(ANNA), headers)
        answer: Any = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 403
        assert till.get("/state").body["new"] is True
