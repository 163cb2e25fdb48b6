"""From a scan to a product: check digits, spellings of one number, scale labels, GS1 element strings."""

import pytest
from biip.checksums import gs1_price_weight_check_digit, gs1_standard_check_digit
from biip.gs1_messages import GS1Message
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.barcodes import readings, scan
from tillmesh.shop.gs1 import read_elements, split
from tillmesh.shop.gtin import canonical, check_digit, expand_upce, price_check_digit, same_numbers, valid_gtin
from tillmesh.shop.instore import implied_quantity_milli, parse_layout

digits = st.text("0123456789", min_size=1, max_size=17)


def ean(body: str) -> str:
    return body + check_digit(body)


@pytest.mark.parametrize("code", ["4006381333931", "96385074", "036000291452", "10614141000415", "5000112576009"])
def test_real_codes_have_the_right_check_digit_and_any_other_is_wrong(code: str) -> None:
    assert valid_gtin(code)
    assert sum(valid_gtin(code[:-1] + digit) for digit in "0123456789") == 1


@given(digits)
def test_check_digits_equal_those_of_an_independent_library(body: str) -> None:
    assert int(check_digit(body)) == gs1_standard_check_digit(body)


@given(st.text("0123456789", min_size=4, max_size=5))
def test_price_verifiers_equal_those_of_an_independent_library(value: str) -> None:
    assert int(price_check_digit(value)) == gs1_price_weight_check_digit(value)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("04252614", "042100005264"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("01234558", "012345000058"),
        ("425261", "042100005264"),
    ],
)
def test_a_short_upc_is_the_long_one_without_its_zeros(short: str, long: str) -> None:
    assert expand_upce(short) == long
    assert long in same_numbers(short)


@pytest.mark.parametrize(
    "code", ["24252614", "04252615", "1234567", "abcdefgh", "\u0660\u0661\u0662\u0663\u0664\u0665"]
)
def test_what_is_no_short_upc_is_not_expanded(code: str) -> None:
    assert expand_upce(code) is None


def test_a_upc_is_found_with_and_without_its_leading_zero() -> None:
    assert same_numbers("036000291452")[:2] == ("036000291452", "0036000291452")
    assert "036000291452" in same_numbers("0036000291452")
    assert "036000291452" in same_numbers("00036000291452")
    assert canonical("036000291452") == canonical("00036000291452") == "0036000291452"


def test_a_case_is_not_the_article_inside_it() -> None:
    assert same_numbers("10614141000415") == ("10614141000415",)
    assert canonical("10614141000415") == "10614141000415"


def test_a_code_of_the_shops_own_is_looked_up_as_it_is() -> None:
    assert same_numbers("SHELF-7") == ("SHELF-7",)
    assert same_numbers("4006381333930") == ("4006381333930",)
    assert canonical("96385074") == "96385074"


@given(st.text("0123456789", min_size=12, max_size=12))
def test_every_spelling_of_a_number_leads_to_the_same_canonical_one(body: str) -> None:
    code = body + check_digit(body)
    assert {canonical(each) for each in same_numbers(code) if len(each) != 8} == {canonical(code)}


def test_a_scale_label_with_a_weight_finds_the_product_and_its_grams() -> None:
    plain, weighed = readings(ean("211234501250"))
    assert plain.codes[0] == ean("211234501250")
    assert plain.quantity_milli is None
    assert weighed.codes == (ean("211234500000"), "2112345", "12345")
    assert (weighed.quantity_milli, weighed.line_total_minor) == (1_250, None)


def test_a_scale_label_with_a_price_says_what_to_charge() -> None:
    label = scan(ean("230004200199"))
    assert label.codes == (ean("230004200000"), "2300042", "00042", "42")
    assert (label.quantity_milli, label.line_total_minor) == (None, 199)


def test_decimals_of_a_layout_follow_the_currency() -> None:
    code = ean("230004200199")
    assert scan(code, ("23IIIIIPPPPPC/2",), "KWD").line_total_minor == 1_990
    assert scan(code, ("23IIIIIPPPPPC",), "KWD").line_total_minor == 199
    assert scan(code, ("23IIIIIPPPPPC/0",), "EUR").line_total_minor == 19_900
    assert scan(code, ("23IIIIIWWWWWC/2",)).quantity_milli == 1_990
    assert scan(code, ("23IIIIIQQQQQC",)).quantity_milli == 199_000


@pytest.mark.parametrize("layout", ["28IIIIVPPPPPC", "28IIIIPPPPPVC"])
def test_a_verifier_guards_the_price_before_or_behind_it(layout: str) -> None:
    value = "14685"
    right = f"281234{6}{value}" if layout[6] == "V" else f"281234{value}{6}"
    wrong = f"281234{5}{value}" if layout[6] == "V" else f"281234{value}{5}"
    assert scan(ean(right), (layout,)).line_total_minor == 14_685
    assert scan(ean(wrong), (layout,)).line_total_minor is None


def test_a_label_with_a_wrong_check_digit_charges_nothing() -> None:
    code = ean("230004200199")
    broken = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert [found.codes for found in readings(broken)] == [(broken,)]


def test_an_in_store_number_outside_the_layouts_is_a_plain_product() -> None:
    assert len(readings(ean("290004200199"))) == 1


@pytest.mark.parametrize(
    "layout",
    [
        "",
        "31IIIIIPPPPPC",
        "21IIIIIPPPPP",
        "21IIIIIIIIIIC",
        "21IIIIPPPPPWC",
        "21IIIIIPPPPPC/9",
        "21VIIIPPPPPPC",
        "21IIIVPPPPPPC",
    ],
)
def test_a_layout_that_can_not_be_read_is_refused(layout: str) -> None:
    with pytest.raises(Invalid, match="barcode layout"):
        parse_layout(layout)


def test_the_weight_is_worked_out_when_the_label_has_only_the_price() -> None:
    assert implied_quantity_milli(199, 1_299) == 153
    assert implied_quantity_milli(199, 0) == 1_000
    assert implied_quantity_milli(0, 100) == 1


def test_a_gs1_code_of_a_weighed_article_has_its_grams_lot_and_date() -> None:
    (found,) = readings(f"]C101{ean('9061414100041')}310300125017261231" + "10LOT7")
    assert found.codes[0] == ean("9061414100041")
    assert (found.quantity_milli, found.lot, found.expires) == (1_250, "LOT7", "261231")


def test_a_gs1_code_with_a_price_in_its_own_decimals() -> None:
    found = readings("]e00109501101530003" + "3922199" + "\x1d" + "21S9", currency="EUR")[0]
    assert (found.line_total_minor, found.serial) == (199, "S9")
    assert "9501101530003" in found.codes


def test_brackets_are_read_as_people_type_them() -> None:
    assert scan("(01)09501101530003(30)12").quantity_milli == 12_000


def test_a_plain_ean_that_could_be_read_as_identifiers_is_a_plain_ean() -> None:
    assert [found.codes[0] for found in readings("4006381333931")] == ["4006381333931"]
    assert readings("0109501101530003")[0].codes[0] == "09501101530003"


@pytest.mark.parametrize("text", ["]C1garbage", "]C101123", "]C10109501101530004", "]C13103x", "]C1" + "(01"])
def test_a_broken_element_string_is_looked_up_as_it_is(text: str) -> None:
    assert readings(text)[-1].codes[0] == text[3:]


@pytest.mark.parametrize("text", ["", "   ", "9" * 101])
def test_empty_and_endless_codes_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        readings(text)


@given(st.text(min_size=1, max_size=60))
def test_whatever_a_scanner_sends_can_be_looked_up_or_is_refused_in_words(text: str) -> None:
    code = text.strip(" \t\r\n")
    if not 1 <= len(code[3:] if code.startswith("]") and len(code) > 3 else code) <= 100:
        with pytest.raises(Invalid, match="characters"):
            readings(text)
    else:
        assert all(found.codes for found in readings(text))


@given(
    gtin=st.text("0123456789", min_size=13, max_size=13),
    grams=st.integers(0, 999_999),
    decimals=st.integers(0, 5),
    lot=st.text("ABCXYZ0123456789", min_size=1, max_size=20),
    days=st.integers(1, 28),
)
def test_element_strings_split_as_an_independent_library_splits_them(
    gtin: str, grams: int, decimals: int, lot: str, days: int
) -> None:
    code = gtin + check_digit(gtin)
    text = f"01{code}310{decimals}{grams:06d}1726{12:02d}{days:02d}10{lot}"
    theirs = {each.ai.ai: each.value for each in GS1Message.parse(text).element_strings}
    assert split(text) == theirs
    found = read_elements(text)
    assert found is not None
    assert abs((found.quantity_milli or 0) - grams * 1000 / 10**decimals) <= 0.5
