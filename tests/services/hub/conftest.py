"""Doors that many tests knock at: started once for each process of the test run."""

from collections.abc import Iterator

import pytest

from tests.services.hub.gateway import Door, door


@pytest.fixture(scope="session")
def own_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Head office checks who knocks itself."""
    with door("embedded", tmp_path_factory.mktemp("embedded")) as made:
        yield made


@pytest.fixture(scope="session")
def envoy_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Envoy stands before head office."""
    with door("envoy", tmp_path_factory.mktemp("envoy")) as made:
        yield made


@pytest.fixture(params=["own_door", "envoy_door"])
def any_door(request: pytest.FixtureRequest) -> Door:
    """One after the other."""
    made: Door = request.getfixturevalue(request.param)
    return made
