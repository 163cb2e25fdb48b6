"""Scripts over HTTP: kept by the browser, asked about, and never mixed with those of another version."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tillmesh.adapters.web.pages import page_routes

FIRST = "import { a } from './a.js';\nexport const load = (turn) => import(`./back.js?turn=${turn}`);\nload(a);\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "app.js").write_text(FIRST.replace("'", '"'), encoding="utf-8")
    (tmp_path / "a.js").write_text("export const a = 0;\n", encoding="utf-8")
    (tmp_path / "back.js").write_text('import { a } from "./a.js";\nexport const PAGES = { a };\n', encoding="utf-8")
    return tmp_path


class Browser:
    """Fetches from the pages' routes."""

    def __init__(self, own: Path) -> None:
        self._transport = httpx.ASGITransport(Starlette(routes=page_routes(own)))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def fetch() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://till") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(fetch())


@pytest.fixture
def browser(own: Path) -> Browser:
    return Browser(own)


def address_of_the_second(first: str) -> str:
    return "/static/" + first.partition("import(`./")[2].partition("`")[0].replace("${turn}", "0")


def test_a_script_that_has_not_changed_is_not_sent_again(browser: Browser) -> None:
    for path in ("/static/app.js", address_of_the_second(browser.get("/static/app.js").text)):
        first = browser.get(path)
        assert first.status_code == 200
        assert first.headers["content-encoding"] == "gzip"
        assert first.headers["content-type"].startswith("text/javascript")
        again = browser.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = browser.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.text == first.text


def test_the_second_script_takes_from_the_first_what_both_use(browser: Browser) -> None:
    first = browser.get("/static/app.js").text
    assert "export{a};" in first
    assert browser.get(address_of_the_second(first)).text.startswith('import{a}from"./app.js";')


def test_a_page_of_before_an_upgrade_is_told_so_and_gets_no_script_that_would_not_fit(
    own: Path, browser: Browser
) -> None:
    old = address_of_the_second(browser.get("/static/app.js").text)
    (own / "back.js").write_text("export const PAGES = {};\n", encoding="utf-8")
    told = browser.get(old)
    assert told.text == 'throw new Error("upgraded");\n'
    assert told.headers["cache-control"] == "no-store"
    assert address_of_the_second(browser.get("/static/app.js").text) != old


def test_a_script_that_is_not_there_is_not_found(browser: Browser) -> None:
    assert browser.get("/static/nothing.js").status_code == 404
