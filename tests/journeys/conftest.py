"""A browser, a shop that is built once, and a till process for everybody who needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journeys.cashier import AnyTill, Cashier
from tests.journeys.till import TillProcess, build_shop, copy_shop

QUIET = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --no-sandbox"
).split()

PATIENCE_MS = 20_000  # of a loaded machine; how soon a page paints is measured elsewhere

OpenCashier = Callable[..., Cashier]


@pytest.fixture(scope="session")
def browser(chromium: str | None) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield found
        found.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the demo shop, never started: tests copy it."""
    return build_shop(tmp_path_factory.mktemp("journeys") / "shop")


@pytest.fixture
def till(shop: Path, tmp_path: Path) -> Iterator[TillProcess]:
    """A till of one's own, to be changed, frozen and killed."""
    process = TillProcess(copy_shop(shop, tmp_path / "till"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def shop_window(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    """A till that many tests look at and none changes for good."""
    process = TillProcess(copy_shop(shop, tmp_path_factory.mktemp("window") / "till"))
    yield process
    process.close()


@pytest.fixture
def at_till(browser: Browser) -> Iterator[OpenCashier]:
    """Sit down at a till in a fresh browser profile; what the page complains about fails the test."""
    opened: list[Any] = []
    complaints: list[str] = []

    def sit_down(till: AnyTill, *, width: int = 1280, height: int = 800, **context: Any) -> Cashier:
        profile = browser.new_context(viewport={"width": width, "height": height}, **context)
        opened.append(profile)
        page = profile.new_page()
        listen(page, complaints)
        return Cashier(page, till)

    yield sit_down
    for profile in opened:
        profile.close()
    assert not complaints


def listen(page: Page, complaints: list[str]) -> None:
    """Collect errors of scripts and refusals of the content security policy; a refused request is no such error."""
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not said.text.startswith("Failed to load resource")
            else None
        ),
    )
