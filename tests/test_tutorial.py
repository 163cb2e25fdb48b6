"""The tutorial and the handbooks tell what is on the screen: its words, its pages, and pictures that are small."""

from __future__ import annotations

import json
import re
from typing import Final

from tests.tracked_files import ROOT, tracked_files

FOLDER: Final = ROOT / "docs" / "tutorial"
PAGE: Final = FOLDER / "first-day.md"
WORDS: Final = ROOT / "src/tillmesh/terminal/web/static/locales/en.json"
OFFICE_WORDS: Final = ROOT / "src/tillmesh/hub/web/static/locales/en.json"
STEPS: Final = ROOT / "tests" / "journeys" / "first_day.py"
TYPED: Final = {"bold", "500"}  # bold, and no word of a page
PICTURES_MAX, PICTURE_BYTES_MAX = 12, 60_000


def test_every_word_in_bold_stands_on_a_page_of_the_till() -> None:
    on_pages = {text for text in json.loads(WORDS.read_text("utf-8")).values() if isinstance(text, str)}
    bold = set(re.findall(r"\*\*([^*]+)\*\*", PAGE.read_text("utf-8")))
    assert len(bold) > 30
    assert bold - on_pages - TYPED == set()


def test_the_pictures_are_those_that_the_journey_takes_and_load_at_once() -> None:
    shown = re.findall(r"!\[[^\]]+\]\((\w[\w-]*)\.webp\)", PAGE.read_text("utf-8"))
    assert sorted(shown) == sorted(re.findall(r'yield "([\w-]+)"', STEPS.read_text("utf-8")))
    assert {path.stem for path in FOLDER.glob("*.webp")} == set(shown)
    assert len(shown) <= PICTURES_MAX
    assert {
        path.name: size for path in FOLDER.glob("*.webp") if (size := path.stat().st_size) > PICTURE_BYTES_MAX
    } == {}


def test_pages_that_the_handbooks_name_are_in_the_menu_under_that_name() -> None:
    words = [json.loads(path.read_text("utf-8")) for path in (WORDS, OFFICE_WORDS)]
    menu = {text for one in words for key, text in one.items() if key.startswith("nav.")}
    named = [
        (page.name, name)
        for page in tracked_files("docs/**/*.md")
        for name in re.findall(r"\bpage \*([^*]+)\*", page.read_text("utf-8"))
    ]
    assert named
    assert [(page, name) for page, name in named if name not in menu] == []
