"""What every test gets: hypothesis profiles by name, an artefact folder, a browser that is really there."""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.dead_clocks import forget_dead_clocks

if TYPE_CHECKING:
    from tests.servers import Servers

ROOT = Path(__file__).resolve().parent.parent

# Loaded by name: with CI in the environment hypothesis would otherwise pick a profile of its own, silently.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "gate",
    max_examples=100,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak",
    max_examples=20_000,
    deadline=timedelta(seconds=5),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
settings.load_profile(os.environ.get("TILLMESH_HYPOTHESIS", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say in the report what each test is called, and whether a busy machine may have a part in its failure."""
    for item in items:
        disturbable = any(item.get_closest_marker(name) for name in ("service", "journey"))
        item.user_properties += [("test", item.nodeid), ("disturbable", "yes" if disturbable else "no")]


def pytest_runtest_setup() -> None:
    """Let no test stumble over the clock of a program that another one killed."""
    forget_dead_clocks()


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def servers() -> Iterator["Servers"]:
    """PostgreSQL and Kafka, for tests that are marked with :data:`tests.servers.ON_SERVERS`."""
    from tests.servers import started

    with started() as running:
        yield running


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """A folder that CI keeps, one per test: screenshots, receipts, recordings."""
    folder = ROOT / "artifacts" / "tests" / re.sub(r"[^\w.-]+", "-", str(request.node.name))[:100]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Where the system's Chromium is; None lets Playwright use the one it fetched itself."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found and not _is_snap(Path(found)):
            return found
    return None


def _is_snap(program: Path) -> bool:
    """Ubuntu's chromium is a stub for a snap, which cannot be driven from a build environment."""
    return program.resolve().name == "snap" or b"/snap/" in program.read_bytes()[:4096]
