"""Settings come out of registers that any till of the store can write: no value of them stops a sale."""

from __future__ import annotations

import pytest

from tillmesh.kernel.times import zone
from tillmesh.shop.events import Value
from tillmesh.shop.instore import parse_layout
from tillmesh.shop.settings import StoreSettings, TerminalSettings

USELESS: tuple[Value, ...] = (
    True, 0, -1, 2**63, "", "nonsense", "\x1b@", [], [""], ["standard"], ["standard=much"], ["standard=-5"],
    ["standard=99999999999999999999"], ["x=1", "y"],
)  # fmt: skip


@pytest.mark.parametrize("name", StoreSettings.__struct_fields__)
def test_no_value_of_a_store_setting_stops_a_sale(name: str) -> None:
    for value in USELESS:
        settings = StoreSettings.of({name: value})
        policy = settings.policy()
        assert all(isinstance(rate, int) for rate in policy.tax_rates_ppm.values())
        assert policy.tax_rates_ppm
        assert policy.cash_step_minor >= 1
        assert settings.pay_methods
        assert zone(settings.time_zone) is not None
        for layout in settings.barcode_layouts:
            parse_layout(layout)
        assert isinstance(settings.department_styles(), dict)
        for field in StoreSettings.__struct_fields__:
            assert type(getattr(settings, field)) is type(getattr(StoreSettings(), field))


@pytest.mark.parametrize("name", TerminalSettings.__struct_fields__)
def test_no_value_of_a_till_setting_stops_its_printing(name: str) -> None:
    for value in USELESS:
        settings = TerminalSettings.of({name: value})
        for field in TerminalSettings.__struct_fields__:
            assert type(getattr(settings, field)) is type(getattr(TerminalSettings(), field))


def test_what_can_be_used_stands_beside_what_can_not() -> None:
    settings = StoreSettings.of({"currency": 7, "tax_rates": ["standard=190000"], "address": ["Main street 1"]})
    assert settings.currency == "EUR"
    assert settings.rates_ppm() == {"standard": 190_000}
    assert settings.address == ("Main street 1",)
