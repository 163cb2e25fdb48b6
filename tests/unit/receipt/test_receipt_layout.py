"""What stands on a receipt: the amounts of the event, added up where a customer can follow."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import receipt_builders as shop
from tests.receipt_builders import ANCHOR, HEADER, WORDS, line, sale
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import allocate
from tillmesh.shop.events import Payment, SaleLine, TaxTotal
from tillmesh.shop.receipt import (
    ENGLISH,
    Anchor,
    Mark,
    Receipt,
    SaleTicket,
    Ticket,
    Words,
    header_of,
    layout,
    read_anchor,
    render_text,
    write_anchor,
)
from tillmesh.shop.receipt.parts import Barcode, Item, Qr, Row
from tillmesh.shop.settings import StoreSettings, TerminalSettings


def receipt(ticket: Ticket, **options: object) -> Receipt:
    return layout(ticket, HEADER, WORDS, **options)  # type: ignore[arg-type]


def text(ticket: Ticket, **options: object) -> str:
    return render_text(receipt(ticket, **options))


def row(paper: Receipt, label: str) -> str:
    (found,) = [part.right for part in paper.parts if isinstance(part, Row) and part.left == label]
    return found


def minor(amount: str) -> int:
    return int(re.sub(r"[^0-9-]", "", amount))


def test_customer_sees_who_sold_what_and_how_it_was_paid() -> None:
    printed = text(SaleTicket(shop.small_sale(), ANCHOR, "Ana"))
    for words in ("Corner Shop", "GB 123 4567 89", "K3M7-000412", "Ana", "2 x £2.99", "£9.67", "Change"):
        assert words in printed


def test_discount_says_how_much_and_why() -> None:
    printed = text(shop.full_ticket())
    assert "Discount 10% (damaged bag)      -£0.15" in printed
    assert "Discount 5% on all (neighbour)      -£0.89" in printed
    assert "Reduced from £12.50" in printed
    assert "You saved £1.04" in printed


def test_amount_discount_without_a_reason_is_just_a_discount() -> None:
    bag = line("Crisps", 149, discount_minor=15)
    assert "  Discount                          -£0.15" in text(SaleTicket(sale(bag), ANCHOR, "Ana"))


def test_raised_price_is_nobodys_reduction() -> None:
    gift = line("Wrapping", 300, list_price_minor=100)
    assert "Reduced" not in text(SaleTicket(sale(gift), ANCHOR, "Ana"))


def test_weighed_goods_show_weight_and_price_per_unit() -> None:
    assert "0.328 kg x £3.99/kg" in text(shop.full_ticket())


def test_cash_rounding_is_a_line_of_its_own_between_total_and_payment() -> None:
    paper = receipt(shop.full_ticket())
    assert (row(paper, "TOTAL"), row(paper, "Cash rounding"), row(paper, "TO PAY")) == ("£16.74", "£0.01", "£16.75")
    assert "Cash rounding" not in text(SaleTicket(shop.small_sale(), ANCHOR, "Ana"))


def test_card_shows_its_last_four_digits_and_its_approval() -> None:
    printed = text(shop.full_ticket())
    assert "Card **** 4242" in printed
    assert "Ref. A1B2C3" in printed


def test_method_that_has_no_words_is_shown_as_it_is_stored() -> None:
    paid = sale(line("Milk", 299), payments=(Payment(method="meal_voucher", amount_minor=299),))
    assert "Meal voucher" in text(SaleTicket(paid, ANCHOR, "Ana"))


def test_items_say_by_a_letter_which_rate_taxes_them() -> None:
    printed = text(shop.full_ticket())
    assert re.search(r"Umbrella +£9.00 A\n", printed)
    assert re.search(r"A 20% +£8.19 +£1.63 +£9.82\n", printed)


def test_one_rate_needs_no_letter() -> None:
    assert re.search(r"Café crème +£2.20\n", text(SaleTicket(shop.small_sale(), ANCHOR, "Ana")))


def test_added_tax_stands_between_subtotal_and_total() -> None:
    book = line("Book", 1_000, rate_ppm=88_750, tax_minor=89, total_minor=1_089)
    taxes = (TaxTotal(code="standard", rate_ppm=88_750, net_minor=1_000, tax_minor=89),)
    paper = receipt(SaleTicket(sale(book, prices_include_tax=False, taxes=taxes), ANCHOR, "Ana"))
    found = [part.right for part in paper.parts if isinstance(part, Row)]
    at = found.index("£0.89")
    assert found[at - 1 : at + 2] == ["£10.00", "£0.89", "£10.89"]


def test_weighed_goods_count_as_one_item() -> None:
    assert "5 items" in text(shop.full_ticket())
    assert "1 item\n" in text(SaleTicket(sale(line("Ham", 250, unit="kg", quantity_milli=1_250)), ANCHOR, "Ana"))


@pytest.mark.parametrize(
    ("mark", "words"), [(Mark.COPY, "COPY"), (Mark.POSSIBLE_DUPLICATE, "POSSIBLE DUPLICATE")], ids=["copy", "doubt"]
)
@pytest.mark.parametrize("ticket", [shop.full_ticket(), shop.refund_ticket(), shop.void_ticket(), shop.z_ticket()])
def test_every_further_print_is_marked_at_both_ends(ticket: Ticket, mark: Mark, words: str) -> None:
    assert text(ticket, mark=mark).count(f"*** {words} ***") == 2
    assert words not in text(ticket)


def test_training_is_marked_at_both_ends() -> None:
    assert text(shop.full_ticket(), training=True).count("TRAINING") == 2


def test_receipt_of_a_sale_that_was_voided_since_says_so() -> None:
    assert "*** VOIDED ***" in text(SaleTicket(shop.small_sale(), ANCHOR, "Ana", voided=True))


def test_refund_names_the_receipt_it_answers_and_who_said_yes() -> None:
    printed = text(shop.refund_ticket())
    for words in ("*** REFUND ***", "K3M7-000412", "does not open", "Approved by Maria", "GIVEN BACK"):
        assert words in printed


def test_refund_without_receipt_says_so() -> None:
    printed = text(shop.refund_ticket(sale_id=""))
    assert "Returned without receipt" in printed
    assert "For receipt" not in printed


def test_drawer_that_holds_too_little_is_short_and_too_much_is_over() -> None:
    assert re.search(r"SHORT +£1.13\n", text(shop.z_ticket(35_000)))
    assert re.search(r"OVER +£0.87\n", text(shop.z_ticket(35_200)))
    assert re.search(r"Balanced +£0.00\n", text(shop.z_ticket(35_113)))


def test_expected_cash_follows_from_the_lines_above_it() -> None:
    paper = receipt(shop.x_ticket())
    parts = [minor(row(paper, label)) for label in ("Float", "Cash taken", "Cash returned", "Cash in and out")]
    assert sum(parts) == minor(row(paper, "Expected in drawer"))


def test_net_sales_are_sales_less_refunds_and_voids() -> None:
    paper = receipt(shop.x_ticket())
    parts = [minor(row(paper, label)) for label in ("Sales (42)", "Refunds (1)", "Voids (1)")]
    assert sum(parts) == minor(row(paper, "NET SALES"))


def test_interim_reading_says_that_it_is_not_final() -> None:
    assert "Interim reading" in text(shop.x_ticket())


def test_slip_says_whether_cash_came_or_went() -> None:
    assert "CASH TAKEN OUT" in text(shop.cash_ticket(-5_000))
    assert "CASH PUT IN" in text(shop.cash_ticket(5_000))
    assert "-" not in row(receipt(shop.cash_ticket(-5_000)), "Cash")


def test_only_customers_are_thanked() -> None:
    assert "Thank you!" in text(shop.full_ticket())
    assert "Thank you!" not in text(shop.z_ticket())
    assert "Thank you!" not in text(shop.cash_ticket())


def test_receipt_can_be_scanned_back_by_number_and_by_event() -> None:
    paper = receipt(shop.full_ticket())
    (barcode,) = [part for part in paper.parts if isinstance(part, Barcode)]
    (code,) = [part for part in paper.parts if isinstance(part, Qr)]
    assert barcode.content == "K3M7-000412"
    assert read_anchor(code.content) == Anchor(ANCHOR.event_id, ANCHOR.hash[:16])


@given(st.binary(min_size=32, max_size=32), st.integers(1, 10**12))
def test_anchor_survives_being_written_and_read(pinned: bytes, seq: int) -> None:
    event_id = f"k3m7qx2p.4f9a2c-{seq}"
    assert read_anchor(f" {write_anchor(Anchor(event_id, pinned))}\n") == Anchor(event_id, pinned[:16])


@pytest.mark.parametrize("code", ["4006381333931", "", "tillmesh:2:a:b", "tillmesh:1:k3m7qx2p.4f9a2c-17:9f3a"])
def test_any_other_code_is_no_anchor(code: str) -> None:
    assert read_anchor(code) is None


def test_anchor_of_an_impossible_event_is_refused() -> None:
    with pytest.raises(Invalid):
        read_anchor(f"tillmesh:1:nobody:{'0' * 32}")


def test_other_languages_replace_words_and_fall_back_to_english() -> None:
    words = Words(WORDS.formats, {"total": "SUMME", "cash": "Bar"})
    printed = render_text(layout(SaleTicket(shop.small_sale(), ANCHOR, "Ana"), HEADER, words))
    assert "SUMME" in printed
    assert re.search(r"Bar +£10.00", printed)
    assert "Change" in printed


class _Asked(dict[str, str]):
    """Messages that remember which of them were said."""

    def __init__(self) -> None:
        super().__init__(ENGLISH)
        self.keys_said: set[str] = set()

    def get(self, key: str, default: object = None) -> str:
        self.keys_said.add(key)
        return self[key]


def test_every_message_is_said_somewhere() -> None:
    messages = _Asked()
    words = Words(WORDS.formats, messages)
    added = sale(line("Book", 1_000, discount_minor=1), prices_include_tax=False, total_minor=1_100)
    typed = line("Pears", 125, unit="kg", quantity_milli=500, unit_price_minor=249, weighed="hand", tare_milli=20)
    part = line("Figs", 100, unit="kg", quantity_milli=500, unit_price_minor=200, weighed="part")
    tickets: list[Ticket] = [
        shop.full_ticket(),
        SaleTicket(sale(typed), ANCHOR, "Ana"),
        SaleTicket(sale(part), ANCHOR, "Ana"),
        SaleTicket(added, ANCHOR, "Ana", voided=True),
        shop.refund_ticket(sale_id=""),
        shop.refund_ticket(),
        shop.void_ticket(),
        shop.x_ticket(),
        *(shop.z_ticket(counted) for counted in (35_000, 35_113, 36_000)),
        *(shop.cash_ticket(amount) for amount in (-1, 1)),
    ]
    for mark in Mark:
        for ticket in tickets:
            layout(ticket, HEADER, words, mark=mark, training=True)
    elsewhere = {
        "account_payment",
        "gift_card",
        "account",
        "points",
        "points_moved",
        "price_list",
        "unit_g",
        "unit_l",
        "unit_m",
        "unit_hour",
        "cart_discount",
    } | {key for key in ENGLISH if key.startswith(("books_", "report_", "statement", "signature_"))}  # on other papers
    assert set(ENGLISH) - messages.keys_said == elsewhere


def test_head_and_foot_come_from_the_settings() -> None:
    store = StoreSettings(name="Corner", address=("High Street",), tax_id="GB 1", receipt_footer="Thanks!\nBye.")
    header = header_of(store, TerminalSettings(name="Till 7"))
    assert (header.name, header.till, header.footer) == ("Corner", "Till 7", ("Thanks!", "Bye."))


def test_receipt_goes_to_the_screen_as_json_with_named_parts() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(receipt(shop.full_ticket())))
    assert sent["kind"] == "sale"
    assert {part["part"] for part in sent["parts"]} >= {"heading", "item", "row", "table", "qr", "barcode"}
    assert msgspec.json.decode(msgspec.json.encode(receipt(shop.full_ticket())), type=Receipt) == receipt(
        shop.full_ticket()
    )


@st.composite
def _lines(draw: st.DrawFn) -> tuple[SaleLine, ...]:
    gross = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
    off = [draw(st.integers(0, amount)) for amount in gross]
    left = [amount - cut for amount, cut in zip(gross, off, strict=True)]
    on_cart = allocate(draw(st.integers(0, sum(left))), left)
    return tuple(
        line(f"Thing {i}", amount, discount_minor=cut, cart_discount_minor=share)
        for i, (amount, cut, share) in enumerate(zip(gross, off, on_cart, strict=True))
    )


@given(_lines())
def test_amounts_above_the_total_add_up_to_it(lines: tuple[SaleLine, ...]) -> None:
    """A customer with a pencil: items and their discounts, then the discount on all, give the total."""
    paper = receipt(SaleTicket(sale(*lines), ANCHOR, "Ana"))
    items = [part for part in paper.parts if isinstance(part, Item)]
    amounts = [item.amount for item in items] + [each.amount for item in items for each in item.details if each.amount]
    amounts += [part.right for part in paper.parts if isinstance(part, Row) and part.left == "Discount on all"]
    assert sum(map(minor, amounts)) == minor(row(paper, "TOTAL"))


def test_a_weight_says_how_it_was_found_and_what_the_wrapping_weighs() -> None:
    pears = line("Pears", 125, unit="kg", quantity_milli=500, unit_price_minor=249, weighed="scale", tare_milli=20)
    printed = text(SaleTicket(sale(pears), ANCHOR, "Ana"))
    assert "  0.5 kg x £2.49/kg" in printed
    assert "  Without tare 0.02 kg" in printed
    typed = text(SaleTicket(sale(msgspec.structs.replace(pears, weighed="hand", tare_milli=0)), ANCHOR, "Ana"))
    assert "  Weight typed by hand" in typed
    assert "by hand" not in printed
    part = text(SaleTicket(sale(msgspec.structs.replace(pears, weighed="part", tare_milli=0)), ANCHOR, "Ana"))
    assert "  Part of a weighed amount" in part
    assert "tare" not in typed
