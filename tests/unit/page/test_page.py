"""The pages' files: every word is looked up, every icon is there, vendored files are what they say."""

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.unit.page.page_rules import PAGES, SHARED, asked_keys, literal_words, modules
from tillmesh.adapters.web.pack import pack
from tillmesh.adapters.web.pages import find

SALE_GZIP_BYTES_MAX = 60_000  # the first script: all a sale needs and the vendored library; demand of the design
OTHERS_GZIP_BYTES_MAX = 120_000  # each script that is loaded later; decision 32
VENDOR = SHARED / "vendor"

of_every_page = pytest.mark.parametrize("own", PAGES.values(), ids=PAGES)


def english(own: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((own / "locales" / "en.json").read_text(encoding="utf-8"))
    return found


def source(own: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in modules(own))


def test_the_checker_sees_words_in_a_template_but_not_in_its_expressions() -> None:
    assert literal_words('html`<b class="x">Hello ${t("a")}</b>`') == ["Hello {}"]
    assert literal_words('html`<b aria-label="Close it">${html`<i>${"word"}</i>`}</b>`') == ["Close it"]
    assert literal_words('html`<b>${on ? html`<i>Oops</i>` : t("x.y")}</b>`') == ["Oops"]
    assert literal_words('html`<p class="two words">${a} · ${b} %</p>`') == []


@of_every_page
def test_no_words_stand_in_the_templates_themselves(own: Path) -> None:
    found = {path.name: words for path in modules(own) if (words := literal_words(path.read_text(encoding="utf-8")))}
    assert found == {}


@of_every_page
def test_every_word_that_a_page_looks_up_is_in_its_english_catalogue(own: Path) -> None:
    held = english(own)
    missing = {key for path in modules(own) for key in asked_keys(path.read_text(encoding="utf-8")) if key not in held}
    assert missing == set()


@of_every_page
def test_the_catalogue_has_plain_texts_and_plural_forms_with_their_number(own: Path) -> None:
    for key, message in english(own).items():
        if isinstance(message, str):
            assert message.strip(), key
        else:
            assert set(message) == {"one", "other"}, key
            assert "{n}" in message["other"], key


@of_every_page
def test_every_icon_that_a_page_names_is_in_the_sprite(own: Path) -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (VENDOR / "icons.svg").read_text(encoding="utf-8")))
    named = set(re.findall(r'(?:name|icon)[=:]\s*"([a-z][\w-]*)"', source(own))) - {"sku"}
    assert {name for name in named if name not in sprite} == set()


def test_vendored_files_are_the_ones_that_were_pinned() -> None:
    listed = json.loads((VENDOR / "VENDOR.json").read_text(encoding="utf-8"))["files"]
    for entry in listed:
        assert sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert (VENDOR / entry["licence_file"]).is_file()
    kept = {path.name for path in VENDOR.iterdir() if path.suffix in {".js", ".svg", ".woff2"}}
    assert kept == {entry["file"] for entry in listed}


@of_every_page
def test_no_script_weighs_more_than_it_may(own: Path) -> None:
    texts = pack(lambda path: find(own, path).read_text(encoding="utf-8")).texts
    sizes = {name: len(gzip.compress(text.encode(), 9)) for name, text in texts.items()}
    assert sizes.pop("app.js") <= SALE_GZIP_BYTES_MAX
    assert {name: size for name, size in sizes.items() if size > OTHERS_GZIP_BYTES_MAX} == {}


def test_a_window_of_its_own_weighs_little() -> None:
    text = pack(lambda path: find(PAGES["till"], path).read_text(encoding="utf-8"), "display.js").texts["display.js"]
    assert len(gzip.compress(text.encode(), 9)) <= 30_000


def test_the_till_sells_with_its_first_script_alone() -> None:
    texts = pack(lambda path: find(PAGES["till"], path).read_text(encoding="utf-8")).texts
    assert sorted(texts) == ["app.js", "backoffice.js", "senses.js"]
    for page in ("SellPage", "PayPage", "SalesPage", "ReceiptDialog", "RefundDialog", "ParkedDialog"):
        assert f"function {page}" in texts["app.js"] or f"const {page}=" in texts["app.js"], page
    code = re.sub(r"import\(`\./(backoffice|senses)\.js", "", texts["app.js"])
    assert not re.search(r"import\s*[{\"'*]", code)


@of_every_page
def test_no_module_of_a_page_is_longer_than_a_module_may_be(own: Path) -> None:
    assert [path.name for path in modules(own) if path.read_text(encoding="utf-8").count("\n") > 500] == []


def test_no_look_takes_the_mark_of_what_is_chosen_with_its_shadow() -> None:
    # "none" in a list of shadows makes all of it invalid: in two looks nobody saw which of several was chosen.
    tokens = (SHARED / "css" / "tokens.css").read_text("utf-8")
    assert tokens.count("--sh:") == 3  # light, dark, contrast
    assert not re.findall(r"--sh: *none", tokens)
