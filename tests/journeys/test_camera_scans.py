"""A cashier without a scanner: the tablet's camera reads the code, and the product is in the cart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.pretended import seeing, window
from tests.journeys.till import TillProcess
from tests.unit.inference.test_barcodes import printed

pytestmark = [pytest.mark.journey, pytest.mark.slow]
LOAF = "Sourdough loaf"
WIDTH, HEIGHT, FRAMES = 640, 480, 12


def film(path: Path, picture: Image.Image) -> Path:
    """Write a film of one still picture, as Chromium's pretended camera shows it again and again."""
    frame = Image.new("L", (WIDTH, HEIGHT), 120)
    frame.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    grey = b"\x80" * (WIDTH * HEIGHT // 2)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420\n".encode())
        for _ in range(FRAMES):
            out.write(b"FRAME\n" + frame.tobytes() + grey)
    return path


@pytest.fixture(scope="module")
def filmed(browser: Browser, chromium: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser before whose camera somebody holds a loaf."""
    path = film(tmp_path_factory.mktemp("film") / "loaf.y4m", printed("EAN13", code_of(LOAF)))
    with seeing(browser, chromium, path) as found:
        yield found


@pytest.fixture
def page(filmed: Browser) -> Iterator[Page]:
    with window(filmed) as found:
        yield found


def test_a_product_held_before_the_camera_is_rung_up_once(till: TillProcess, page: Page) -> None:
    person = Cashier(page, till).sign_in()
    person.tap("Scan with the camera")
    expect(person.dialog.locator("video")).to_be_visible()
    expect(person.dialog.get_by_text("Taken:")).to_be_visible(timeout=60_000)
    page.screenshot(path="artifacts/camera.png")
    person.key("Escape")
    expect(person.dialog).to_have_count(0)
    expect(person.lines).to_have_count(1)
    expect(person.line(LOAF)).to_be_visible()
    person.expect_saved()
    (line,) = person.cart_of_the_till()["lines"]
    assert line["quantity"] == "1"


def test_without_models_the_dialog_says_what_to_do_instead(till: TillProcess, page: Page) -> None:
    person = Cashier(page, till).sign_in()
    page.route(
        "**/api/v1/ai/barcode*",
        lambda route: route.fulfill(
            status=503,
            content_type="application/problem+json",
            body='{"title":"Not available on this till","status":503}',
        ),
    )
    person.tap("Scan with the camera")
    expect(person.dialog.get_by_text("No camera here")).to_be_visible(timeout=30_000)
    expect(person.dialog.get_by_text("Use the scanner, or search by name.")).to_be_visible()
