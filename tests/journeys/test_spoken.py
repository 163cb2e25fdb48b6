"""A cashier with full hands: hold the button, say it, see what was heard, take it back."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.pretended import hearing, window
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.slow]
SPOKEN = Path(__file__).parents[1] / "data" / "spoken"
LEAD_S, TAIL_S = 1.5, 0.5
HEARD_MS = 3_700  # all of it was heard
TRIES = 8  # a busy machine may open the microphone late, and miss a word


def slowly(name: str, path: Path) -> Path:
    """Write a recording with silence around it, so that it is not over before the microphone is open."""
    with wave.open(str(SPOKEN / f"{name}.wav"), "rb") as held:
        how, sound = held.getparams(), held.readframes(held.getnframes())
    with wave.open(str(path), "wb") as out:
        out.setparams(how)
        out.writeframes(b"\0\0" * int(LEAD_S * how.framerate) + sound + b"\0\0" * int(TAIL_S * how.framerate))
    return path


@pytest.fixture(scope="module")
def speaking(browser: Browser, chromium: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser into whose microphone somebody says "one more"."""
    path = slowly("one-more", tmp_path_factory.mktemp("said") / "said.wav")
    with hearing(browser, chromium, path) as found:
        yield found


@pytest.fixture
def page(speaking: Browser) -> Iterator[Page]:
    with window(speaking) as found:
        yield found


def answer(page: Page, body: str) -> None:
    """Let the till answer this to whatever is said."""
    page.route("**/api/v1/ai/voice", lambda route: route.fulfill(content_type="application/json", body=body))


def hold_and_speak(person: Cashier) -> None:
    """Hold the button until all was said."""
    button = person.page.get_by_role("button", name="Hold and say what to do")
    button.hover()
    person.page.mouse.down()
    person.wait_until(lambda: float(button.get_attribute("data-heard") or 0) >= HEARD_MS, within_ms=60_000)
    person.page.mouse.up()
    expect(button).not_to_have_class(re.compile("thinking|listening"), timeout=60_000)


def answers(person: Cashier) -> bool:
    """Say whether the page has said what it heard, or that it heard nothing, or asks."""
    return bool(person.page.locator(".toast").count() or person.dialog.count())


def answer_the_question(person: Cashier) -> None:
    """Say yes to "one more", and no to anything else that a piece of it was taken for."""
    if "one more" not in person.dialog.inner_text():
        person.key("Escape")
        return
    person.dialog.get_by_role("button", name="Do it").click()
    expect(person.toast("one more")).to_be_visible()


def test_one_more_is_asked_for_and_taken_back(till: TillProcess, page: Page) -> None:
    person = Cashier(page, till).sign_in()
    person.scan(code_of("Sourdough loaf"))
    expect(person.line("Sourdough loaf")).to_be_visible()
    assert till.ask("/ai/models/voice/load", "POST")["loaded"]
    for _ in range(TRIES):
        hold_and_speak(person)
        person.wait_until(lambda: answers(person), within_ms=60_000)
        if person.dialog.count():  # heard, but not so clearly that the sale is changed unasked
            answer_the_question(person)
        if person.toast("one more").count():
            break
    expect(person.toast("Sourdough loaf")).to_be_visible()
    page.screenshot(path="artifacts/voice.png", animations="disabled")
    person.expect_saved()
    assert [line["quantity"] for line in person.cart_of_the_till()["lines"]] == ["2"]
    person.tap("Undo", within=person.toast("one more"))
    expect(person.page.get_by_role("button", name="Sourdough loaf: quantity 1, change").first).to_be_visible()


def test_a_product_that_was_not_clear_is_chosen_by_its_number(till: TillProcess, page: Page) -> None:
    person = Cashier(page, till).sign_in()
    answer(
        page,
        '{"command":"add","slots":{"n":2,"product":"milk"},"words":["two","milk"],"confidence":0.5,"sure":false,"fallback":false}',
    )
    hold_and_speak(person)
    expect(person.dialog.get_by_role("button")).to_have_count(4)
    page.screenshot(path="artifacts/voice-choose.png", animations="disabled")
    chosen = person.dialog.locator(".choice span").nth(1).inner_text()
    person.key("2")
    expect(person.dialog).to_have_count(0)
    expect(person.line(chosen)).to_be_visible()


def test_without_a_recogniser_the_sale_goes_on_by_hand(till: TillProcess, page: Page) -> None:
    person = Cashier(page, till).sign_in()
    answer(page, '{"command":"","slots":{},"words":[],"confidence":0,"sure":false,"fallback":true}')
    hold_and_speak(person)
    expect(person.toast("Go on by hand.")).to_be_visible()
    person.scan(code_of("Sourdough loaf"))
    expect(person.line("Sourdough loaf")).to_be_visible()
