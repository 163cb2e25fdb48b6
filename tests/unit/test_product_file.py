"""What a shop's product list may look like, and what we say when it is wrong."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import (
    AMOUNT_MINOR_MAX,
    IMPORT_BODY_BYTES_MAX,
    IMPORT_FINDINGS_KEPT_MAX,
    IMPORT_LINE_CHARS_MAX,
    NAME_CHARS_MAX,
    PRODUCTS_PER_EVENT_MAX,
)
from tillmesh.shop.events import Change, Value
from tillmesh.shop.product_columns import Reading, parse_mapping, read_text, write_text
from tillmesh.shop.product_file import Plan, batches, export, plan_import
from tillmesh.shop.product_matching import Finding, Shelf
from tillmesh.shop.product_rows import text_lines

Products = Mapping[str, Mapping[str, Value]]

RATES = {"standard": 200_000, "reduced": 50_000, "zero": 0, "exempt": 0}
DEFAULTS: dict[str, Value] = {"unit": "piece", "tax_code": "standard", "active": True}
TEA: dict[str, Value] = {
    "name": "Tea", "price_minor": 250, "unit": "piece", "tax_code": "zero", "barcodes": ["5000128914536"],
    "department": "Pantry", "active": True,
}  # fmt: skip


def plan(
    text: str | bytes,
    shop: Products | None = None,
    *,
    skip_bad: bool = False,
    dry_run: bool = False,
    mapping: Mapping[str, str] | None = None,
    decimals: int = 2,
) -> Plan:
    shop = shop or {}
    owners = {code: sku for sku, fields in shop.items() for code in fields["barcodes"]}  # type: ignore[union-attr]
    reading = Reading(tax_rates_ppm=RATES, defaults=DEFAULTS, mapping=mapping or {}, decimals=decimals)
    data = text.encode() if isinstance(text, str) else text
    return plan_import(text_lines([data]), reading, Shelf(shop.get, owners.get), skip_bad=skip_bad, dry_run=dry_run)


def only_error(text: str | bytes, shop: Products | None = None) -> Finding:
    result = plan(text, shop)
    assert result.report.error_count == len(result.report.errors) == 1
    assert result.changes == []
    return result.report.errors[0]


def row(cell: str, column: str) -> str:
    """A file with one product of which one cell is given."""
    cells = {"sku": "S1", "name": "Tea", "price": "2.50"} | {column: cell}
    return f"{','.join(cells)}\n{','.join(cells.values())}\n"


# The files we understand.


def test_the_open_catalogue_is_understood_as_it_stands() -> None:
    result = plan(
        "barcode,name,department,price_minor_illustrative,vat_rate_percent_illustrative\n"
        "5000358917369,French Crème Brûlée,Grocery,429,0\n"
        '5055534320198,"Impact Whey, Natürlich",Grocery,1079,20\n'
    )
    assert result.report.created == 2
    assert result.changes == [
        Change(
            key="5000358917369",
            fields=DEFAULTS | {"barcodes": ["5000358917369"], "name": "French Crème Brûlée", "department": "Grocery",
                               "price_minor": 429, "tax_code": "zero"},
        ),
        Change(
            key="5055534320198",
            fields=DEFAULTS | {"barcodes": ["5055534320198"], "name": "Impact Whey, Natürlich",
                               "department": "Grocery", "price_minor": 1079, "tax_code": "standard"},
        ),
    ]  # fmt: skip


texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
products = st.dictionaries(
    st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True),
    st.fixed_dictionaries(
        {
            "name": texts,
            "price_minor": st.integers(0, AMOUNT_MINOR_MAX),
            "unit": st.sampled_from(["piece", "kg", "g", "l", "m", "hour"]),
            "tax_code": st.sampled_from(sorted(RATES)),
            "active": st.booleans(),
        },
        optional={
            "department": texts,
            "track_stock": st.booleans(),
            "favourite": st.booleans(),
            "low_stock_milli": st.integers(0, 10**9),
            "cost_minor": st.integers(0, AMOUNT_MINOR_MAX),
        },
    ),
)


@given(products, st.sampled_from([0, 2, 3]))
def test_importing_an_export_changes_nothing(shop: dict[str, dict[str, Value]], decimals: int) -> None:
    for sku, fields in shop.items():
        fields["barcodes"] = [f"{sku}-a", f"{sku}-b"]
    text = "".join(export(shop.items(), decimals=decimals))
    same = plan(text, shop, decimals=decimals)
    assert same.report.error_count == 0
    assert (same.changes, same.report.unchanged) == ([], len(shop))


@given(products)
def test_an_export_rebuilds_the_catalogue_in_an_empty_shop(shop: dict[str, dict[str, Value]]) -> None:
    for sku, fields in shop.items():
        fields["barcodes"] = [f"{sku}-a"]
    rebuilt = {change.key: change.fields for change in plan("".join(export(shop.items()))).changes}
    assert rebuilt == shop


def test_another_shop_s_columns_are_mapped_by_option() -> None:
    mapping = parse_mapping(["name=Artikel", "price=VK brutto", "barcode=EAN-Code"])
    result = plan("Nr;Artikel;VK brutto;EAN-Code\n1;Brot;3,95;4006381333931\n", mapping=mapping)
    assert result.report.error_count == 0
    assert result.changes[0].fields["price_minor"] == 395
    assert result.changes[0].fields["barcodes"] == ["4006381333931"]
    assert result.report.ignored_columns == ("Nr",)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_first_line(separator: str) -> None:
    text = "sku,name,price\nS1,Tea,2.50\n".replace(",", separator)
    assert plan(text).changes[0].fields["name"] == "Tea"


def test_a_spreadsheet_s_separator_line_and_byte_order_mark_are_understood() -> None:
    assert plan(b"\xef\xbb\xbfsku,name,price\nS1,Tea,2.50\n").report.created == 1
    result = plan("sep=;\nsku;name;price\nS1;Tea;2,50\nS2;;1\n")
    assert result.report.errors[0].line == 4


def test_a_name_may_hold_separators_quotes_and_line_ends() -> None:
    result = plan('sku,name,price\r\nS1,"Tea, ""Earl\r\n Grey""",2.50\r\nS2,Jam,x\r\n', skip_bad=True)
    assert result.changes[0].fields["name"] == 'Tea, "Earl Grey"'
    assert result.report.errors[0].line == 4


def test_blank_lines_and_cells_behind_the_last_column_are_nothing() -> None:
    result = plan("sku,name,price\n\nS1,Tea,2.50,,\n,,\n")
    assert (result.report.rows, result.report.created) == (1, 1)


@pytest.mark.parametrize(
    ("cell", "minor"), [("12.50", 1250), ("12", 1200), ("12,5", 1250), ("0", 0), ("0.05", 5), ("12.500", 1250)]
)
def test_prices_are_decimals_of_the_currency(cell: str, minor: int) -> None:
    assert plan(row(f'"{cell}"', "price")).changes[0].fields["price_minor"] == minor


def test_yen_have_no_decimals_and_dinars_three() -> None:
    assert plan(row("250", "price"), decimals=0).changes[0].fields["price_minor"] == 250
    assert plan(row("2.505", "price"), decimals=3).changes[0].fields["price_minor"] == 2505


# Against what the shop holds.


def test_only_the_changed_field_of_a_changed_product_is_written() -> None:
    result = plan("sku,name,price,department\nT,Tea,2.75,Pantry\n", {"T": TEA})
    assert result.changes == [Change(key="T", fields={"price_minor": 275})]
    assert (result.report.created, result.report.updated) == (0, 1)


def test_a_price_list_needs_no_names_for_products_the_shop_knows() -> None:
    result = plan("barcode,price\n5000128914536,3.00\n", {"T": TEA})
    assert result.changes == [Change(key="T", fields={"price_minor": 300})]


def test_a_new_product_is_an_active_piece_under_the_store_s_first_tax_code() -> None:
    reading = Reading(tax_rates_ppm={"full": 190_000, "half": 70_000})
    made = plan_import(["sku,name,price\n", "S1,Tea,2.50\n"], reading, Shelf(lambda _: None, lambda _: None))
    assert made.changes[0].fields == {
        "unit": "piece", "tax_code": "full", "active": True, "name": "Tea", "price_minor": 250,
    }  # fmt: skip


def test_an_empty_cell_leaves_the_value_alone() -> None:
    assert plan("sku,name,price,department\nT,,,\n", {"T": TEA}).report.unchanged == 1


def test_one_barcode_column_adds_and_a_barcodes_column_replaces() -> None:
    added = plan("sku,barcode\nT,4006381333931\n", {"T": TEA}).changes[0]
    assert added.fields == {"barcodes": ["5000128914536", "4006381333931"]}
    replaced = plan("sku,barcodes\nT,4006381333931\n", {"T": TEA}).changes[0]
    assert replaced.fields == {"barcodes": ["4006381333931"]}


def test_a_rate_does_not_rename_a_tax_code_of_the_same_rate() -> None:
    exempt = TEA | {"tax_code": "exempt"}
    assert plan("sku,vat_percent\nT,0\n", {"T": exempt}).changes == []
    assert plan("sku,vat_percent\nT,5%\n", {"T": exempt}).changes[0].fields == {"tax_code": "reduced"}


def test_a_barcode_of_another_product_is_refused() -> None:
    error = only_error("sku,barcode,name,price\nX,5000128914536,Other,1\n", {"T": TEA})
    assert (error.line, error.column, error.value) == (2, "barcode", "5000128914536")
    assert "product T" in error.message


# What is wrong, and where.


def test_one_bad_line_stops_the_whole_file_unless_it_is_skipped() -> None:
    text = "sku,name,price\nS1,Tea,2.50\nS2,Jam,two\nS3,Oats,1.20\n"
    refused = plan(text)
    assert (refused.changes, refused.report.created, refused.report.skipped) == ([], 2, 1)
    assert [change.key for change in plan(text, skip_bad=True).changes] == ["S1", "S3"]


def test_a_dry_run_changes_nothing_and_says_what_would_happen() -> None:
    result = plan("sku,name,price\nS1,Tea,2.50\n", dry_run=True)
    assert (result.changes, result.report.created, result.report.dry_run) == ([], 1, True)


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("price", "two", "not a plain decimal number"),
        ("price", "1e9", "not a plain decimal number"),
        ("price", "NaN", "not a plain decimal number"),
        ("price", "-1", "allowed are 0 to"),
        ("price", "99999999999999", "allowed are 0 to"),
        ("price", "2.505", "more than 2 decimals"),
        ("name", "x" * (NAME_CHARS_MAX + 1), "at most 200"),
        ("unit", "bushel", "allowed are piece, kg"),
        ("tax_code", "luxury", "allowed are standard, reduced, zero"),
        ("vat_percent", "19", "it has 0, 5, 20"),
        ("active", "maybe", "neither yes nor no"),
        ("low_stock", "-3", "outside"),
        ("sku", "two words", "no spaces"),
        ("sku", "x" * 101, "at most 100"),
        ("barcode", "x" * 101, "at most 100"),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_column(column: str, cell: str, says: str) -> None:
    error = only_error(row(cell, column))
    assert (error.line, error.column, error.value) == (2, column, cell[:60])
    assert says in error.message


@pytest.mark.parametrize(("column", "says"), [("name", "needs a name"), ("price", "needs a price")])
def test_a_new_product_needs_a_name_and_a_price(column: str, says: str) -> None:
    error = only_error(row("", column))
    assert (error.line, error.column) == (2, column)
    assert says in error.message


def test_a_row_without_sku_and_barcode_is_refused() -> None:
    assert "sku and barcode missing" in only_error("barcode,name,price\n,Tea,2.50\n").message


def test_the_second_of_two_rows_with_one_sku_names_the_first() -> None:
    assert "line 2" in only_error("sku,name,price\nS1,Tea,2.50\nS1,Tea,2.60\n").message


def test_the_second_of_two_products_with_one_barcode_names_the_first() -> None:
    error = only_error("sku,barcode,name,price\nA,4006381333931,Tea,2.50\nB,4006381333931,Jam,2.60\n")
    assert (error.line, error.value) == (3, "4006381333931")
    assert "line 2" in error.message


def test_a_wrong_check_digit_is_a_warning_because_shops_print_their_own_codes() -> None:
    result = plan("barcode,name,price\n4006381333932,Tea,2.50\n12345,Jam,1\n")
    assert (result.report.created, result.report.error_count) == (2, 0)
    assert [(warning.line, warning.value) for warning in result.report.warnings] == [(2, "4006381333932")]


def test_several_wrong_cells_of_one_line_are_all_named() -> None:
    result = plan("sku,name,price,unit\nS1,Tea,x,y\n")
    assert [error.column for error in result.report.errors] == ["price", "unit"]
    assert result.report.skipped == 1


def test_bytes_that_are_not_utf8_spoil_their_line_only() -> None:
    result = plan(b"sku,name,price\nS1,Caf\xe9,2.50\nS2,Jam,1\n", skip_bad=True)
    assert [change.key for change in result.changes] == ["S2"]
    (error,) = result.report.errors
    assert (error.line, error.value) == (2, "S1Caf\\xe92.50")
    assert "UTF-8" in error.message


def test_a_line_with_a_cell_too_few_or_too_many_is_refused() -> None:
    result = plan("sku,name,price\nS1,Tea\nS2,Jam,1,more\n")
    assert [(error.line, error.message[:7]) for error in result.report.errors] == [(2, "2 cells"), (3, "4 cells")]


def test_a_quote_that_is_never_closed_says_where_it_was_opened() -> None:
    result = plan('sku,name,price\nS1,Tea,1\nS2,"Jam,2\nS3,Oats,3\n', skip_bad=True)
    assert [change.key for change in result.changes] == ["S1"]
    assert result.report.errors[0].line == 3
    assert "lines 3 to 4" in result.report.errors[0].message


def test_a_stray_quote_spoils_its_line_only() -> None:
    result = plan('sku,name,price\nS1,"Tea"s,1\nS2,Jam,2\n', skip_bad=True)
    assert [change.key for change in result.changes] == ["S2"]
    assert result.report.errors[0].line == 2


def test_a_huge_line_is_refused_and_the_next_one_read() -> None:
    result = plan(f"sku,name,price\nS1,{'x' * IMPORT_LINE_CHARS_MAX},1\nS2,Jam,2\n", skip_bad=True)
    assert [change.key for change in result.changes] == ["S2"]
    assert [error.line for error in result.report.errors] == [2]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n"])
def test_an_empty_file_is_no_import(text: str) -> None:
    with pytest.raises(Invalid, match="empty"):
        plan(text)


def test_a_file_without_a_header_is_told_apart_from_one_without_products() -> None:
    with pytest.raises(Invalid, match="sku or barcode"):
        plan("5000358917369,Tea,2.50\n5000358917370,Jam,1.00\n")
    assert plan("sku,name,price\n").report.rows == 0


def test_two_columns_for_one_thing_are_refused() -> None:
    with pytest.raises(Invalid, match="both say the same"):
        plan("sku,name,price,price_minor\nS1,Tea,2.50,250\n")


def test_utf16_is_named() -> None:
    with pytest.raises(Invalid, match="UTF-16"):
        plan("sku,name,price\n".encode("utf-16"))


def test_a_file_beyond_the_limit_is_refused_while_it_is_read() -> None:
    with pytest.raises(TooLarge):
        list(text_lines([bytes(1 << 20)] * (IMPORT_BODY_BYTES_MAX // (1 << 20) + 1)))


@pytest.mark.parametrize("option", ["name", "nonsense=Title", "name="])
def test_a_mapping_that_maps_nothing_is_refused(option: str) -> None:
    with pytest.raises(Invalid, match="maps no column"):
        parse_mapping([option])


def test_a_mapping_to_a_column_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(Invalid, match="no column 'Preis'") as refused:
        plan("sku,name,price\n", mapping={"price": "Preis"})
    assert "sku, name, price" in refused.value.hint


def test_all_errors_are_counted_but_only_the_first_are_kept() -> None:
    result = plan("sku,name,price\n" + "".join(f"S{n},Tea,x\n" for n in range(IMPORT_FINDINGS_KEPT_MAX + 50)))
    assert result.report.error_count == IMPORT_FINDINGS_KEPT_MAX + 50
    assert len(result.report.errors) == IMPORT_FINDINGS_KEPT_MAX


def test_changes_are_cut_into_what_an_event_may_hold() -> None:
    changes = [Change(key=str(n), fields={}) for n in range(PRODUCTS_PER_EVENT_MAX * 2 + 1)]
    assert [len(batch) for batch in batches(changes)] == [PRODUCTS_PER_EVENT_MAX, PRODUCTS_PER_EVENT_MAX, 1]


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "'=x", "''@x", "'plain", "Ben's"])
def test_a_name_never_becomes_a_formula_in_a_spreadsheet(name: str) -> None:
    written = write_text(name)
    assert written[0] not in "=+-@"
    assert read_text(written, "name") == name


@given(st.binary(max_size=300))
def test_no_bytes_at_all_crash_the_import(data: bytes) -> None:
    try:
        result = plan(b"sku,name,price\n" + data)
    except Invalid:
        return
    assert result.report.rows == result.report.created + result.report.skipped
