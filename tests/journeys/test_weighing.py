"""A kilogram product: weighed by a simulated scale and sold; typed by hand while the scale is away."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import OpenCashier
from tests.journeys.test_accessibility import AUDITING
from tests.journeys.till import TillProcess
from tests.services.simulated_devices import TcpScale

pytestmark = pytest.mark.journey


def look_up(maya: Cashier, name: str) -> None:
    maya.key("F2")
    maya.type(name)
    maya.key("Enter")


def test_a_product_is_weighed_sold_and_typed_by_hand_when_the_scale_is_away(
    till: TillProcess, at_till: OpenCashier
) -> None:
    with TcpScale() as scale:
        settings = {"scale_kind": "mettler8217", "scale_target": scale.address, "scale_tares": "20"}
        till.without_offers()
        till.ask("/settings", "PATCH", {"terminal": settings})
        maya = at_till(till).sign_in()
        page = maya.page
        look_up(maya, "gala")
        dialog = page.get_by_role("dialog", name="Gala apples")
        expect(dialog.get_by_text("Put it on the scale")).to_be_visible()
        expect(dialog.locator(".weigh-box")).to_have_css("justify-items", "normal")  # not laid out as an empty page is
        assert page.evaluate(AUDITING.read_text("utf-8") + "\nauditing.fitting()") == [], (
            "nothing is cut off, no line is empty"
        )
        scale.put(520)
        expect(dialog.get_by_text("0.520")).to_be_visible()
        maya.key("t")
        expect(dialog.get_by_text("0.500")).to_be_visible()
        expect(dialog.get_by_text("£1.25")).to_be_visible()  # 0.500 kg at 2.49 is 1.245
        maya.key("Enter")
        expect(maya.line("Gala apples")).to_contain_text("0.5 kg")
        scale.close()
        look_up(maya, "conf")
        dialog = page.get_by_role("dialog", name="Conference pears")
        expect(dialog.get_by_text("The scale does not answer")).to_be_visible()
        maya.type("0.4")
        maya.key("Enter")
        expect(maya.line("Conference pears")).to_contain_text("typed by hand")
        maya.expect_total("£2.21")
