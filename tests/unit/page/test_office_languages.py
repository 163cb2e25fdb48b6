"""The languages of head office's pages: complete, nothing left over, and those that a person can choose."""

import re

import pytest

from tests.language_rules import OFFICE, misfilled, read, unused_keys

LOCALES = OFFICE / "locales"
LANGUAGES = sorted(path.stem for path in LOCALES.glob("*.json"))
OTHERS = [language for language in LANGUAGES if language != "en"]


def test_head_office_speaks_english_german_and_french_and_each_of_them_can_be_chosen() -> None:
    (listed,) = re.findall(r"LANGUAGES = \[([^]]+)\]", (OFFICE / "state" / "language.js").read_text("utf-8"))
    assert sorted(re.findall(r'"(\w+)"', listed)) == LANGUAGES
    assert set(LANGUAGES) >= {"de", "en", "fr"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_head_office_is_there_and_none_is_left_over(language: str) -> None:
    """What is listed is missing in, or left over from, src/tillmesh/hub/web/static/locales/LANGUAGE.json."""
    english, own = read(LOCALES / "en.json"), read(LOCALES / f"{language}.json")
    assert (sorted(english.keys() - own.keys()), sorted(own.keys() - english.keys())) == ([], [])


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_of_head_office_is_filled_with_what_its_english_is_filled_with(language: str) -> None:
    assert misfilled(read(LOCALES / "en.json"), read(LOCALES / f"{language}.json")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_of_head_office_are_those_of_the_language(language: str) -> None:
    for key, message in read(LOCALES / f"{language}.json").items():
        if isinstance(message, dict):
            assert set(message) == {"one", "other"}, key
            assert "{n}" in message["other"], key
        else:
            assert message.strip(), key


def test_no_word_stands_in_the_catalogue_of_head_office_that_no_page_looks_up() -> None:
    assert unused_keys(OFFICE) == []
