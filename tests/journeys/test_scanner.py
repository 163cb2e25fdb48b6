"""The scanner that types: nothing it reads is lost, and nothing a person types is taken for it."""

import random
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

SCANS = 120

FIND = """async ([text, pauses, known]) => {
  const { findCode } = await import("/static/lib/wedge.js");
  let at = 0;
  const keys = [...text].map((key, i) => ({ key, at: (at += pauses[i] ?? 3), field: null, value: "", start: null }));
  const found = findCode(keys, { isKnown: (code) => known.includes(code), prefix: () => "~" }, at + 5);
  return found && [found.code, found.from];
}"""


# Presses without any time between them, later than now: how busy the machine is must not count.
BURST = """async (text) => {
  const wedge = await import("/static/lib/wedge.js");
  const stop = wedge.listenToScanner({ onScan: () => {}, isKnown: () => false, prefix: () => "" });
  const at = performance.now() + 1_000_000;
  for (const key of text) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true });
    Object.defineProperty(event, "timeStamp", { value: at });
    document.body.dispatchEvent(event);
  }
  const answer = wedge.bursting();
  stop();
  return answer;
}"""


def found(maya: Cashier, text: str, *, pauses: dict[int, int] | None = None, known: tuple[str, ...] = ()) -> Any:
    """Ask the page's own module what it takes for a code; pauses are ms before the key at that place."""
    steps = [(pauses or {}).get(place, 3) for place in range(len(text))]
    return maya.page.evaluate(FIND, [text, steps, list(known)])


def press(keys: CDPSession, key: str, text: str) -> None:
    keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "text": text})
    keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key})


def test_tells_codes_from_typing(shop_window: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(shop_window).sign_in()
    ean, short = "4006381333931", "80050971"
    assert found(maya, ean) == [ean, 0]
    assert found(maya, f"mil{ean}", pauses={3: 400}) == [ean, 3]
    assert found(maya, ean, pauses={5: 700}) == [ean, 0], "the browser may stand still in mid-code"
    assert found(maya, f"00000{short}", pauses={5: 200}, known=(f"00000{short}", short)) == [f"00000{short}", 0]
    assert found(maya, f"3{ean}", pauses={1: 300}) == [ean, 1], "a digit typed before is no part of it"
    assert found(maya, "~AB-12") == ["AB-12", 0], "what the configured prefix begins is a code"
    assert found(maya, f"]C101{'0' + ean}15991231") == ["0" + ean, 0], "GS1-128 carries the GTIN in (01)"
    assert found(maya, ean, pauses=dict.fromkeys(range(13), 250)) == [ean, 0], "typed by hand, a right GTIN is one"
    assert found(maya, "4006381333930", pauses=dict.fromkeys(range(13), 250)) is None
    assert found(maya, "sourdough") is None, "a word typed fast is a word"
    assert found(maya, "1111") is None, "a PIN is no code"
    assert found(maya, "2000") is None, "an amount is no code"


def test_a_search_waits_for_a_scanner_and_never_for_a_word(shop_window: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(shop_window).sign_in()
    assert maya.page.evaluate(BURST, "4006381")
    assert not maya.page.evaluate(BURST, "bread")
    assert not maya.page.evaluate(BURST, "4 beers")
    assert not maya.page.evaluate(BURST, "40")


def test_puts_a_field_back_as_it_was_before_the_scan(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.key("F2")
    maya.type("milk")
    maya.scan(code_of("Sourdough loaf"))
    expect(maya.page.get_by_role("searchbox")).to_have_value("milk")
    expect(maya.page.get_by_role("searchbox")).to_be_focused()
    maya.expect_total("£3.80")


def test_loses_no_scan_while_the_page_searches_and_paints(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    columns = till.ask("/catalogue")["columns"]
    pieces = [
        barcodes.split()[0]
        for barcodes, unit in zip(columns["barcodes"], columns["unit"], strict=True)
        if unit == "piece" and barcodes
    ]
    wanted = random.Random(7).sample(pieces, SCANS)
    keys = maya.page.context.new_cdp_session(maya.page)
    maya.key("F2")
    maya.type("ch")
    for code in wanted:
        for digit in code:
            press(keys, digit, digit)
        press(keys, "Enter", "\r")
    maya.expect_saved(timeout_ms=30_000)
    expect(maya.page.get_by_role("searchbox")).to_have_value("ch")
    assert len(maya.cart_of_the_till()["lines"]) == SCANS
    assert maya.page.evaluate("document.querySelectorAll('*').length") < 2_300
