"""The languages of the till: complete, nothing left over, and said where somebody reads it."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from tests.language_rules import (
    TILL,
    all_errors,
    all_told,
    errors_of,
    misfilled,
    pieces,
    read,
    told_of,
    unused_keys,
)
from tillmesh.adapters.locales import RECEIPTS, receipt_words
from tillmesh.adapters.web.problems import problem
from tillmesh.adapters.web.speaking import FOLDER as ERRORS
from tillmesh.adapters.web.speaking import Catalogue, known, say, spoken
from tillmesh.kernel.errors import Invalid, NotFound, StorageFailed
from tillmesh.shop.receipt import ENGLISH
from tillmesh.terminal import speaking
from tillmesh.terminal.out_of_order import OutOfOrder
from tillmesh.terminal.web.languages import LOCALES, languages

OTHERS = [language for language in languages() if language != "en"]


def test_the_till_speaks_english_german_and_french() -> None:
    assert set(languages()) >= {"de", "en", "fr"}


@pytest.mark.parametrize("language", OTHERS)
def test_no_word_of_a_receipt_is_missing(language: str) -> None:
    assert set(receipt_words(language)) == set(ENGLISH)
    assert misfilled(dict(ENGLISH), dict(receipt_words(language))) == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_language_has_words_that_english_has_not(language: str) -> None:
    assert set(read(LOCALES / f"{language}.json")) - set(read(LOCALES / "en.json")) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_filled_with_what_its_english_is_filled_with(language: str) -> None:
    assert misfilled(read(LOCALES / "en.json"), read(LOCALES / f"{language}.json")) == []
    errors = read(ERRORS / f"{language}.json")
    assert [key for key, text in errors.items() if not speaking.holes(text) <= speaking.holes(key)] == []


@pytest.mark.parametrize("language", languages())
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    for key, message in read(LOCALES / f"{language}.json").items():
        if isinstance(message, dict):
            assert {"one", "other"} <= set(message), key
            assert "{n}" in message["other"], key
        else:
            assert message.strip(), key


def test_no_word_stands_in_the_catalogue_that_no_page_looks_up() -> None:
    assert unused_keys(TILL) == []


def test_the_checker_finds_what_a_module_raises() -> None:
    code = (
        'class A(E):\n    title = "Not there"\n'
        'def f(n):\n    if n:\n        raise A(f"no {n!r} of {n}", hint="Look." if n else f"Ask {n}.")\n'
        '    raise ValueError("ours")\n'
    )
    assert errors_of(code) == {"Not there", "no {0} of {1}", "Look.", "Ask {0}."}
    assert len(all_errors()) > 200


def test_an_error_is_said_in_the_language_with_what_it_is_filled_with() -> None:
    catalogue = Catalogue({"no {0} in {1}": "in {1} kein {0}", "{0} {1}": "!", "shelf": "Regal", "Gone": "Fort"})
    assert catalogue.say("no 'tea' in shelf") == "in Regal kein 'tea'"
    assert catalogue.say("Gone") == "Fort"
    assert catalogue.say("nobody knows this.") == "!"
    assert Catalogue({}).say("as it is") == "as it is"
    assert Catalogue({"{0} and {0}": "2x {0}"}).say("a and b") == "a and b"
    assert Catalogue({"{0} and {0}": "2x {0}"}).say("a and a") == "2x a"


def test_what_is_told_of_several_things_and_their_causes_is_said_piece_by_piece() -> None:
    words = {
        "events {0} of {1}": "Ereignisse {0} von {1}",
        "events {0} of {1} are gone": "Ereignisse {0} von {1} sind weg",
        "it is {0}; the rest {1}": "so: {0}; übrig {1}",
        "it is {0}": "es ist {0}",
        "no paper": "kein Papier",
        "{0} came back": "{0} kam zurück",
    }
    catalogue = Catalogue(words)
    assert catalogue.say("events 1 of a are gone; events 2 of b") == "Ereignisse 1 von a sind weg; Ereignisse 2 von b"
    assert catalogue.say("it is no paper") == "es ist kein Papier"
    assert catalogue.say("it is no paper; the rest no paper") == "so: kein Papier; übrig kein Papier"
    assert catalogue.say("events 1 of a came back; nobody knows") == "Ereignisse 1 von a kam zurück; nobody knows"


def test_the_checker_finds_what_is_told_in_passing() -> None:
    code = (
        '"""A module."""\ndef f(n):\n    """Say it."""\n    log.error("not that one")\n    raise A("nor that")\n'
        '    rows("SELECT a FROM b")\n    return f"the till {n} is gone; {n} lines" if n else "so it is"\n'
    )
    assert told_of(code) == {"the till {0} is gone; {1} lines", "so it is"}
    assert pieces("the till {0} is gone; {1} lines", ()) == ["the till {0} is gone", "{0} lines"]
    assert pieces("a b; c", {"a b; c"}) == ["a b; c"]
    assert "Paper is running low." in all_told()


def test_a_till_that_is_out_of_order_says_so_in_the_language_it_spoke_last_or_else_the_browsers() -> None:
    page = OutOfOrder(StorageFailed("the disk is full", hint="Free some space, or use another till."))

    def ask(path: str, language: str, **cookies: str) -> str:
        kept = "; ".join(f"tillmesh.language{port[1:]}={spoken}" for port, spoken in cookies.items())
        headers = {"Accept-Language": language} | ({"Cookie": kept} if kept else {})

        async def fetch() -> str:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url="http://till:81") as client:
                return (await client.get(path, headers=headers)).text

        return asyncio.run(fetch())

    for path in ("/", "/api/v1/health"):
        assert "die Platte ist voll" in ask(path, "de-AT,de;q=0.9,en;q=0.8")
        assert "die Platte ist voll" in ask(path, "en", p81="de")
        assert "the disk is full" in ask(path, "en", p82="de"), "another till of this host"
        assert "the disk is full" in ask(path, "en", p81="../x")
        assert "le disque est plein" in ask(path, "fr;q=0.9")
        assert "the disk is full" in ask(path, "")
    assert "<h1>Nehmen Sie eine andere Kasse</h1>" in ask("/", "de")


def test_a_problem_document_speaks_the_language_of_the_request() -> None:
    token = spoken.set("de")
    try:
        said = problem(NotFound("no product 'x'", hint="Search by name."))
    finally:
        spoken.reset(token)
    assert (said["title"], said["detail"], said["hint"]) == (
        "Nicht gefunden", "kein Artikel 'x'", "Nach dem Namen suchen.",
    )  # fmt: skip
    assert problem(NotFound("no product 'x'"))["title"] == "Not found"


@pytest.mark.parametrize(("asked", "given"), [("de-AT", "de"), ("FR", "fr"), ("../x", "en"), ("", "en"), ("xx", "en")])
def test_a_language_that_has_no_catalogue_is_english(asked: str, given: str) -> None:
    assert known(asked) == given
    assert say("Not found", "xx") == "Not found"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = {name: tmp_path / name for name in ("pages", "receipts", "errors")}
    monkeypatch.setattr(speaking, "_FOLDERS", made)
    return tmp_path


def test_one_command_begins_a_language_and_takes_in_what_was_translated(folders: Path) -> None:
    todo = folders / "it.todo.json"
    begun = speaking.work_on("it", todo)
    everything = sum(len(words) for words in speaking.english().values())
    assert (begun["taken"], begun["missing"]) == (0, everything)

    work = json.loads(todo.read_text("utf-8"))
    work["pages"]["close"] = "Chiudi"
    work["receipts"]["change"] = "Resto"
    work["errors"]["no product {0}"] = "nessun articolo {0}"
    todo.write_text(json.dumps(work), encoding="utf-8")
    went_on = speaking.work_on("it", todo)
    assert (went_on["taken"], went_on["missing"]) == (3, everything - 3)
    assert json.loads((folders / "pages" / "it.json").read_text("utf-8")) == {"close": "Chiudi"}
    assert "close" not in json.loads(todo.read_text("utf-8"))["pages"]


def test_a_translation_that_lost_what_is_filled_in_is_refused(folders: Path) -> None:
    todo = folders / "it.todo.json"
    todo.write_text(json.dumps({"errors": {"no product {0}": "nessun articolo"}}), encoding="utf-8")
    with pytest.raises(Invalid, match="other things to fill in"):
        speaking.work_on("it", todo)


@pytest.mark.parametrize("language", ["en", "x", "../de", "qq"])
def test_what_is_no_language_to_add_is_refused(folders: Path, language: str) -> None:
    with pytest.raises(Invalid):
        speaking.work_on(language, folders / "x.json")


def test_receipts_of_every_language_are_there() -> None:
    assert {path.stem for path in RECEIPTS.glob("*.json")} == set(OTHERS)


@pytest.mark.parametrize("language", languages())
def test_what_code_pages_are_called_fits_half_a_card(language: str) -> None:
    names = [text for key, text in read(LOCALES / f"{language}.json").items() if re.match(r"settings\.pole\.w?pc", key)]
    assert len(names) == 6
    assert [name for name in names if len(str(name)) > 18] == []
