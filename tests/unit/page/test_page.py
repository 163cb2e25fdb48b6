"""The page's files: every word is looked up, every icon is there, vendored files are what they say."""

import gzip
import json
import re
from hashlib import sha256

from tests.unit.page.page_rules import MODULES, STATIC, asked_keys, literal_words
from tillmesh.terminal.web.pack import pack

JS_GZIP_BYTES_MAX = 60_000  # all screens and the vendored library; demand of the design

EN = json.loads((STATIC / "locales" / "en.json").read_text(encoding="utf-8"))


def source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in MODULES)


def test_the_checker_sees_words_in_a_template_but_not_in_its_expressions() -> None:
    assert literal_words('html`<b class="x">Hello ${t("a")}</b>`') == ["Hello {}"]
    assert literal_words('html`<b aria-label="Close it">${html`<i>${"word"}</i>`}</b>`') == ["Close it"]
    assert literal_words('html`<b>${on ? html`<i>Oops</i>` : t("x.y")}</b>`') == ["Oops"]
    assert literal_words('html`<p class="two words">${a} · ${b} %</p>`') == []


def test_no_words_stand_in_the_templates_themselves() -> None:
    found = {path.name: words for path in MODULES if (words := literal_words(path.read_text(encoding="utf-8")))}
    assert found == {}


def test_every_word_that_a_page_looks_up_is_in_the_english_catalogue() -> None:
    missing = {key for path in MODULES for key in asked_keys(path.read_text(encoding="utf-8")) if key not in EN}
    assert missing == set()


def test_the_catalogue_has_plain_texts_and_plural_forms_with_their_number() -> None:
    for key, message in EN.items():
        if isinstance(message, str):
            assert message.strip(), key
        else:
            assert set(message) == {"one", "other"}, key
            assert "{n}" in message["other"], key


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "vendor" / "icons.svg").read_text(encoding="utf-8")))
    named = set(re.findall(r'(?:name|icon)[=:]\s*"([a-z][\w-]*)"', source())) - {"sku"}
    assert {name for name in named if name not in sprite} == set()


def test_vendored_files_are_the_ones_that_were_pinned() -> None:
    listed = json.loads((STATIC / "vendor" / "VENDOR.json").read_text(encoding="utf-8"))["files"]
    for entry in listed:
        assert sha256((STATIC / "vendor" / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert (STATIC / "vendor" / entry["licence_file"]).is_file()
    kept = {path.name for path in (STATIC / "vendor").iterdir() if path.suffix in {".js", ".svg", ".woff2"}}
    assert kept == {entry["file"] for entry in listed}


def test_all_screens_together_weigh_less_than_the_demand() -> None:
    script = pack(lambda path: (STATIC / path).read_text(encoding="utf-8"))
    assert len(gzip.compress(script.encode(), 9)) <= JS_GZIP_BYTES_MAX


def test_no_module_of_the_page_is_longer_than_a_module_may_be() -> None:
    assert [path.name for path in MODULES if path.read_text(encoding="utf-8").count("\n") > 500] == []
