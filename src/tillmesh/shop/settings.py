"""What a store and a till are set to: read from registers, every field with a default that sells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, Self, cast

from tillmesh.kernel.codec import Record
from tillmesh.shop.accounts import chart_of
from tillmesh.shop.cart import Policy
from tillmesh.shop.denominations import cash_step_minor
from tillmesh.shop.events import Value
from tillmesh.shop.setting_fields import usable_store, usable_terminal

VOUCHER = "voucher"  # the tax code of what only moves money: rate zero in every store
STORE = "store"  # the key of the store's own settings register


class StoreSettings(Record):
    """Settings every till of the store shares."""

    name: str = "My shop"
    address: tuple[str, ...] = ()
    tax_id: str = ""
    currency: str = "EUR"
    locale: str = "en"
    time_zone: str = "UTC"
    prices_include_tax: bool = True
    tax_rounding: str = "total"  # line | total
    rounding: str = "half_up"
    cash_step_minor: int = 1  # 0: as the store's country usually does
    cash_rounding: str = "half_up"
    tax_rates: tuple[str, ...] = ("standard=200000", "reduced=50000", "zero=0")  # code=rate in ppm
    receipt_footer: str = ""
    discount_limit_ppm: int = 100_000  # what a cashier may give alone; guess
    refund_limit_minor: int = 0  # a cashier's refunds up to this amount need no approval; guess
    barcode_layouts: tuple[str, ...] = ()  # in-store EAN-13 patterns; empty means the built-in ones
    scanner_prefix: str = ""
    pay_methods: tuple[str, ...] = ("cash", "card")
    loyalty_earn_minor: int = 0  # spent for one point; 0: no points are earned
    loyalty_point_minor: int = 0  # what a point pays; 0: points pay nothing
    offline_redeem_max_minor: int = 5_000  # the most that tills apart may lose on one card or customer; guess
    departments: tuple[str, ...] = ()  # name=icon=colour, in the order the UI shows them
    oversell_policy: str = "ask"  # ask a person | back_order | adjust (up to the size below)
    oversell_adjust_max_milli: int = 1_000
    fiscal_closes: bool = False  # days, months and years are closed, per till
    quick_keys: tuple[str, ...] = ()  # colour=sku, in the order of their numbers
    shelf: tuple[str, ...] = ()  # departments in the order of the page of the sale: +shown, -hidden
    accounts: tuple[str, ...] = ()  # role=number, of the books (shop.accounts)
    oversell_policy_name: str = ""  # under which the policy is written down; stands in the audit log

    def policy(self) -> Policy:
        """Give the rules by which this store computes money; made once per settings, as every sale needs them."""
        return _policy(self)

    def rates_ppm(self) -> dict[str, int]:
        """Give the tax rates by code, in parts per million."""
        pairs = (entry.partition("=") for entry in self.tax_rates)
        return {code: int(rate) for code, _, rate in pairs}

    def chart(self) -> dict[str, str]:
        """Give the numbers of the accounts that the accountant named, by role."""
        return chart_of(self.accounts)

    def department_styles(self) -> dict[str, tuple[str, str]]:
        """Give icon and colour of the departments that have them, in the order the UI shows them."""
        parts = (entry.split("=") for entry in self.departments)
        return {name: (icon, colour) for name, icon, colour in (part for part in parts if len(part) == 3)}

    @classmethod
    def of(cls, fields: Mapping[str, Value]) -> Self:
        """Build from register fields; unknown fields (of a newer program) and useless values are ignored."""
        return cls(**_frozen(usable_store(fields)))


class TerminalSettings(Record):
    """Settings of one till."""

    name: str = "Till"
    number: int = 1
    printer_kind: str = "none"  # none | network | usb | file
    printer_target: str = ""  # host:port, vendor:product or a path
    printer_columns: int = 42
    print_receipts: bool = True
    open_drawer: bool = True  # kick the drawer when cash is taken
    quick_keys: tuple[str, ...] = ()  # as the store's, and instead of them
    shelf: tuple[str, ...] = ()  # as the store's, and instead of it
    training: bool = False  # a till for practice: its paper says that it is no sale
    signature_device: str = "none"  # none | simulated: what signs receipts by law
    signature_late: bool = True  # whether what was made in an outage may be signed afterwards
    card_terminal: str = "none"  # none | simulated | adyen
    scale_kind: str = "none"  # none | how the scale speaks (till.scales)
    scale_target: str = ""  # device and speed, or host:port of a serial server
    scale_least_g: int = 20  # what weighs less is not sold by this scale; guess: of a verified one it is written on it
    scale_tares: str = ""  # grams of wrappings, such as "5, 12, 30"
    scale_auto: bool = False  # a weight that stands still is taken without a key
    pole_kind: str = "none"  # none | epson | cd5220: how the customer's pole display is told (till.pole)
    pole_target: str = ""  # as of the scale
    pole_page: str = "pc858"
    pole_greeting: str = ""  # empty: the store's name
    card_simulation: str = "ask"  # what the simulated one does: ask | accept | decline | lost | late | silent

    @classmethod
    def of(cls, fields: Mapping[str, Value]) -> Self:
        """Build from register fields; unknown fields (of a newer program) and useless values are ignored."""
        return cls(**_frozen(usable_terminal(fields)), training=fields.get("training") is True)


def quick_keys(store: StoreSettings, terminal: TerminalSettings) -> list[dict[str, str]]:
    """Give the quick keys of a till: its own, or else the store's."""
    pairs = (entry.partition("=") for entry in terminal.quick_keys or store.quick_keys)
    return [{"sku": sku, "colour": colour} for colour, _, sku in pairs if sku]


def shelf(store: StoreSettings, terminal: TerminalSettings) -> list[dict[str, str | bool]]:
    """Give how a till arranges departments on its page of the sale, or else all do; the others come after these."""
    given = terminal.shelf or store.shelf
    return [{"name": one[1:], "shown": one[0] == "+"} for one in given if one[:1] in {"+", "-"} and one[1:]]


def usual_cash_step_minor(settings: StoreSettings) -> int:
    """Give the cash step of the store's currency, in the country that its locale names."""
    region = next((part for part in re.split("[-_]", settings.locale)[1:] if re.fullmatch("[A-Za-z]{2}", part)), "")
    return cash_step_minor(settings.currency, region.upper())


def _frozen(fields: Mapping[str, Value]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


@lru_cache(maxsize=8)
def _policy(settings: StoreSettings) -> Policy:
    return Policy(
        currency=settings.currency,
        prices_include_tax=settings.prices_include_tax,
        tax_rounding=cast('Literal["line", "total"]', settings.tax_rounding),
        rounding=settings.rounding,
        cash_step_minor=settings.cash_step_minor or usual_cash_step_minor(settings),
        cash_rounding=settings.cash_rounding,
        tax_rates_ppm={VOUCHER: 0, **settings.rates_ppm()},
    )
