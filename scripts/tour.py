"""See every page as a picky shop owner does: ``make tour``, or ``make tour ARGS="--languages de --themes dark"``.

``make tour ARGS=--tutorial`` takes the pictures of the tutorial anew instead.

A demo store with head office is started, and every page and dialog is visited in every language, look and size: by a
manager, a cashier, a customer before the display, a device of the shop's network, whoever opens a new till, and head
office. Pictures and contact sheets are left in ``artifacts/tour``; what axe finds, and what is cut off, too small, off
the screen or on top of something else, is printed. Exits with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402 - after the path
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright  # noqa: E402

from tests.journeys import rooms, trouble  # noqa: E402
from tests.journeys.cashier import Cashier  # noqa: E402
from tests.journeys.conftest import QUIET, listen  # noqa: E402
from tests.journeys.corners import CORNERS, stock_up  # noqa: E402
from tests.journeys.first_day import first_day  # noqa: E402
from tests.journeys.places import EVERYWHERE, STILL, Place, close_dialogs, fill_cart  # noqa: E402
from tests.journeys.test_accessibility import AUDITING, violations  # noqa: E402
from tests.journeys.test_head_office import PAGES as OFFICE_PAGES  # noqa: E402
from tests.journeys.test_head_office import put_together  # noqa: E402
from tests.journeys.test_oversells import sku  # noqa: E402
from tests.journeys.test_store import DemoTill  # noqa: E402
from tests.journeys.till import TillProcess, build_shop  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.services.test_demo_program import call, ctl, demo, reachable, until  # noqa: E402
from tillmesh.demo.office import OFFICE_PASSWORD, OFFICE_USER  # noqa: E402
from tillmesh.demo.shop_data import MANAGER  # noqa: E402
from tillmesh.terminal import store_commands  # noqa: E402

SIZES: Final = {"landscape": (1280, 800), "portrait": (800, 1280), "phone": (390, 844)}
LANGUAGES: Final = ("en", "de", "fr")
THEMES: Final = ("light", "dark", "contrast")
TEXTS: Final = ("normal", "large", "larger")
LOCALES: Final = {"en": "en-GB", "de": "de-DE", "fr": "fr-FR"}
PARTS: Final = ("till", "cashier", "office", "display", "lan", "welcome")
THUMB_PX: Final = {"landscape": 470, "portrait": 300, "phone": 220}
PICTURE_PX: Final = (960, 600)  # of the tutorial
SHEET_PX: Final = 1960
WHOLE_CART: Final = 3  # lines
SOON_MS: Final = 60_000  # of a loaded machine
KEEP_LOOK: Final = "try { localStorage.setItem('tillmesh.look', JSON.stringify(%s)) } catch {}"
LOOKING: Final = "() => [...auditing.fitting(), ...auditing.overlapping(), ...auditing.placeholders()]"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of looking at everything."""

    language: str
    theme: str
    size: str

    @property
    def name(self) -> str:
        """Name it as in file names."""
        return f"{self.language}-{self.theme}-{self.size}"

    @property
    def viewport(self) -> Any:
        """Give the size as the browser wants it."""
        width, height = SIZES[self.size]
        return {"width": width, "height": height}


@dataclass(slots=True)
class Album:
    """Pictures as they come, and what is wrong with them."""

    folder: Path
    axe: str  # empty: it is not asked
    text: str = "normal"  # the size of letters, as on the page of settings
    shown: dict[str, list[str]] = field(default_factory=dict)  # variant -> pictures
    wrong: list[str] = field(default_factory=list)

    def take(self, page: Page, part: str, name: str, variant: Variant) -> None:
        """Keep a picture of what is on the screen, and look at it closely."""
        picture = f"{part}-{name}-{variant.name}.png"
        page.screenshot(path=self.folder / picture, animations="disabled")
        self.shown.setdefault(f"{part}-{variant.name}", []).append(picture)
        broken = violations(page, self.axe) if self.axe else []
        for one in dict.fromkeys((*broken, *page.evaluate(LOOKING))):
            self.note(f"{part}/{name} ({variant.name}): {one}")

    def note(self, what: str) -> None:
        """Say at once what was found: a tour is long."""
        print(what, flush=True)
        self.wrong.append(what)

    def lost(self, part: str, name: str, variant: Variant, cause: Exception) -> None:
        """Note a place that could not be reached."""
        first = str(cause).strip().splitlines()[0]
        self.note(f"{part}/{name} ({variant.name}): can't be shown: {first}")


def main(argv: list[str]) -> int:
    """Take the tour; give the exit status."""
    options = _options(argv)
    if options.tutorial:
        return _tutorial()
    options.out = options.out.resolve()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    axe = "" if options.quick else (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    album = Album(options.out, axe, options.text)
    expect.set_options(timeout=SOON_MS)
    variants = [
        Variant(language, theme, size)
        for language in options.languages
        for theme in options.themes
        for size in options.sizes
    ]
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        if {"till", "cashier", "office"} & set(options.parts):
            with demo(Path(data) / "demo", "--tills", "3", "--no-ai") as (_, state):
                _through_the_store(browser, Path(data) / "demo", state, variants, album, options)
        if {"display", "lan"} & set(options.parts):
            _through_the_back_door(browser, Path(data) / "alone", variants, album, options)
        if "welcome" in options.parts:
            _through_the_first_page(browser, Path(data) / "new", variants, album)
        _sheets(browser, album)
        browser.close()
    print(f"{sum(map(len, album.shown.values()))} pictures in {options.out}, {len(album.wrong)} things found")
    return int(bool(album.wrong))


def _through_the_store(
    browser: Browser, data: Path, state: dict[str, Any], variants: list[Variant], album: Album,
    options: argparse.Namespace,
) -> None:  # fmt: skip
    till, only = DemoTill(state["tills"][0]), options.only.split(",")
    if {"till", "cashier"} & set(options.parts):
        until(lambda: all(reachable(one["url"]) == len(state["tills"]) - 1 for one in state["tills"]))
        stock_up(till)
        _send_something_away(till)
        _sell_the_last_one_twice(data, state)
    for variant in variants:
        till.ask("/settings", "PATCH", {"store": {"locale": LOCALES[variant.language]}})
        if "cashier" in options.parts:
            with _window(browser, variant, album) as page:
                _at_the_till(page, till, variant)
                _stops("cashier", rooms.cashiers_day(Cashier(page, till)), page, variant, album)
        if "till" in options.parts:
            _through_the_till(browser, till, variant, album, only)
    if "office" in options.parts:
        put_together(hub := state["hub"]["url"], _office_token(hub))
        for variant in variants:
            _through_head_office(browser, hub, variant, album, only)


def _sell_the_last_one_twice(data: Path, state: dict[str, Any]) -> None:
    """Have something for the manager to decide."""
    loaf = sku("Sourdough loaf")
    tills = [DemoTill(one) for one in state["tills"][:2]]
    tills[0].ask("/stock/counts", "POST", {"sku": loaf, "quantity": "1"})
    until(lambda: all(till.ask(f"/stock/{loaf}")["value"] == "1" for till in tills))
    ctl(data, "cut", "2")
    until(lambda: reachable(state["tills"][1]["url"]) == 0)
    for at, till in enumerate(tills):
        paid = [{"method": "cash", "amount_minor": 500}]
        lines = [{"sku": loaf, "quantity": "1"}]
        till.ask("/sales", "POST", {"cart_id": f"twice-{at}", "lines": lines, "payments": paid})
    ctl(data, "heal")
    until(lambda: tills[0].ask("/conflicts")["open"] == 1)


def _through_the_back_door(
    browser: Browser, place: Path, variants: list[Variant], album: Album, options: argparse.Namespace
) -> None:
    """See a till that works alone: what lets other devices in, what they see, and the customer's display."""
    door = str(free_port())
    till = TillProcess(build_shop(place), "--no-ai", "--no-mdns", "--link-bind", "127.0.0.1", "--office-bind",
                       "127.0.0.1", "--office-port", door)  # fmt: skip
    try:
        for variant in variants:
            till.ask("/settings", "PATCH", {"store": {"locale": LOCALES[variant.language]}})
            if "display" in options.parts:
                with _window(browser, variant, album) as page:
                    ruth = _at_the_till(page, till, variant, MANAGER.pin)
                    window = page.context.new_page()
                    _stops("display", rooms.customers_side(ruth, window), window, variant, album)
            if "lan" in options.parts:
                with _window(browser, variant, album) as page:
                    ruth = _at_the_till(page, till, variant, MANAGER.pin)
                    _stops("lan", rooms.open_door(ruth), page, variant, album)
                with _window(browser, variant, album, ignore_https_errors=True) as page:

                    def code() -> str:
                        return str(till.ask("/office/codes", "POST", {})["code"])

                    url = f"https://127.0.0.1:{door}/"
                    _stops("lan", rooms.strange_device(page, url, code), page, variant, album)
    finally:
        till.close()


def _through_the_first_page(browser: Browser, place: Path, variants: list[Variant], album: Album) -> None:
    store_commands.create(place)
    till = TillProcess(place, "--no-ai", "--no-mdns", "--link-bind", "127.0.0.1")
    try:
        for variant in variants:
            with _window(browser, variant, album) as page:
                _stops("welcome", rooms.first_person(page, till), page, variant, album)
                _stops("welcome", trouble.out_of_order(page, f"{till.url}/", variant.language), page, variant, album)
    finally:
        till.close()


def _stops(part: str, way: Iterator[str], page: Page, variant: Variant, album: Album) -> None:
    """Take a picture wherever the way stops; where it ends too early, say so."""
    last = "the beginning"
    try:
        for last in way:
            page.evaluate(STILL)
            album.take(page, part, last, variant)
    except (Error, AssertionError) as cause:
        album.lost(part, f"after {last}", variant, cause)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make tour", description="Pictures and an audit of every page.")

    def some(name: str, all_of: Iterable[str]) -> None:
        allowed = tuple(all_of)

        def read(text: str) -> tuple[str, ...]:
            wanted = tuple(text.split(","))
            if not set(wanted) <= set(allowed):
                raise argparse.ArgumentTypeError(f"choose among {', '.join(allowed)}")
            return wanted

        parser.add_argument(f"--{name}", type=read, default=allowed, help=f"default: {','.join(allowed)}")

    some("languages", LANGUAGES)
    some("themes", THEMES)
    some("sizes", SIZES)
    some("parts", PARTS)
    parser.add_argument("--only", default="", metavar="WORDS", help="only places with one of these in their name")
    parser.add_argument("--text", choices=TEXTS, default="normal", help="how large letters are, default: normal")
    parser.add_argument("--quick", action="store_true", help="without axe, which takes most of the time")
    parser.add_argument("--tutorial", action="store_true", help="only take the pictures of docs/tutorial anew")
    parser.add_argument("--out", type=Path, default=ROOT / "artifacts" / "tour")
    return parser.parse_args(argv)


def _tutorial() -> int:
    """Live the first day on a new till, and keep its pictures small."""
    folder = ROOT / "docs" / "tutorial"
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        place = Path(data) / "till"
        store_commands.create(place)
        till = TillProcess(place, "--no-ai", "--no-mdns", "--link-bind", "127.0.0.1")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = browser.new_page(
            viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="Europe/London", bypass_csp=True
        )
        try:
            for step in first_day(page, till):
                page.add_style_tag(content=".toasts { opacity: 0 }")
                page.evaluate(STILL)
                shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
                shot.resize(PICTURE_PX, Image.Resampling.LANCZOS).save(folder / f"{step}.webp", quality=82, method=6)
                print(f"{step}: {(folder / f'{step}.webp').stat().st_size:,} bytes")
        finally:
            till.close()
            browser.close()
    return 0


def _send_something_away(till: DemoTill) -> None:
    """Have goods on their way to another store, for the page that shows them."""
    lines = [{"sku": "FM-00412", "quantity": "2"}, {"sku": "FM-00101", "quantity": "1.5"}]
    till.ask("/transfers", "POST", {"key": "tour", "to_store": "riverside0s2", "lines": lines, "note": "For Saturday"})


@contextmanager
def _window(browser: Browser, variant: Variant, album: Album, **more: Any) -> Iterator[Page]:
    """Open a fresh profile; what its scripts complain about is found, too."""
    spoken = {"locale": LOCALES[variant.language]} | more
    profile = browser.new_context(viewport=variant.viewport, bypass_csp=True, **spoken)
    profile.set_default_timeout(SOON_MS)
    profile.add_init_script(AUDITING.read_text("utf-8"))
    profile.add_init_script(KEEP_LOOK % json.dumps({"theme": variant.theme, "text": album.text}))
    complaints: list[str] = []
    profile.on("page", lambda page: listen(page, complaints))
    try:
        yield profile.new_page()
    except (Error, AssertionError) as cause:  # one window less, and the tour goes on
        album.lost("all", "after a window was opened", variant, cause)
    profile.close()
    for one in complaints:
        album.note(f"{variant.name}: {one}")


def _at_the_till(page: Page, till: TillProcess, variant: Variant, pin: str = "") -> Cashier:
    """Open the till's page in a look, and sign in if there is a PIN."""
    person = Cashier(page, till)
    person.language = variant.language
    page.goto(till.url)
    expect(page.get_by_role("heading", name=person.say("Enter your PIN"))).to_be_visible(timeout=SOON_MS)
    if pin:
        person.type_pin(pin)
        expect(page.locator(".grid .tile").first).to_be_visible(timeout=SOON_MS)
    return person


def _through_the_till(browser: Browser, till: DemoTill, variant: Variant, album: Album, only: list[str]) -> None:
    with _window(browser, variant, album) as page:
        ruth = _at_the_till(page, till, variant)
        if _wanted("sign-in", only):
            album.take(page, "till", "sign-in", variant)
        ruth.type_pin(MANAGER.pin)
        expect(page.locator(".grid .tile").first).to_be_visible()
        if ruth.lines.count() not in {0, WHOLE_CART}:  # somebody was interrupted
            _clear(ruth)
        fill_cart(ruth)
        elsewhere = {"store", "transfers"}  # of a till alone
        places = [place for place in EVERYWHERE if place.name not in elsewhere]
        places += [Place("store", "store", ".store-tills"), Place("transfers", "transfers", ".office-main .buy-head")]
        for place in (*places, *CORNERS):
            if _wanted(place.name, only):
                _visit(place, ruth, variant, album)
        if _wanted("trouble", only):
            _stops("till", trouble.at_the_scale(ruth), page, variant, album)
            _stops("till", trouble.warned(ruth), page, variant, album)
        ruth.go("sell")
        _clear(ruth)  # who comes next begins with an empty cart


def _clear(person: Cashier) -> None:
    person.tap(person.say("Clear"))
    person.dialog.locator(".dlg-foot button").last.click()
    expect(person.lines).to_have_count(0)


def _wanted(name: str, only: list[str]) -> bool:
    return any(word in name for word in only)


def _visit(place: Place, ruth: Cashier, variant: Variant, album: Album) -> None:
    try:
        place.visit(ruth)
        album.take(ruth.page, "till", place.name, variant)
    except (Error, AssertionError, StopIteration) as cause:
        album.lost("till", place.name, variant, cause)
    close_dialogs(ruth)


def _office_token(hub: str) -> str:
    return str(call(hub, "POST", "/session", {"user": OFFICE_USER, "password": OFFICE_PASSWORD})["token"])


def _through_head_office(browser: Browser, hub: str, variant: Variant, album: Album, only: list[str]) -> None:
    (store,) = call(hub, "GET", "/stores", token=_office_token(hub))["stores"]
    with _window(browser, variant, album, locale=variant.language) as page:
        page.goto(hub)
        name = page.locator("input").first
        expect(name).to_be_visible()
        if _wanted("sign-in", only):
            album.take(page, "office", "sign-in", variant)
            name.fill("nobody")
            page.locator("input[type=password]").fill("not the password")
            page.keyboard.press("Enter")
            expect(page.locator(".refusal")).to_be_visible(timeout=SOON_MS)
            album.take(page, "office", "sign-in-refused", variant)
        name.fill(OFFICE_USER)
        page.locator("input[type=password]").fill(OFFICE_PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator(".shop").first).to_be_visible(timeout=SOON_MS)
        for each, ready in (OFFICE_PAGES | {f"store/{store['store']}": ".store-tills"}).items():
            short = each.partition("/")[0]
            if not _wanted(short, only):
                continue
            try:
                page.evaluate("page => { location.hash = `#/${page}` }", each)
                expect(page.locator(ready).first).to_be_visible(timeout=SOON_MS)
                expect(page.locator(".waiting:visible")).to_have_count(0, timeout=SOON_MS)
                page.evaluate("() => document.fonts.ready")
                album.take(page, "office", short, variant)
            except (Error, AssertionError) as cause:
                album.lost("office", short, variant, cause)
        if _wanted("corners", only):
            way = rooms.head_offices_corners(page, hub, _office_token(hub))
            _stops("office", way, page, variant, album)
        if _wanted("trouble", only):
            _stops("office", trouble.office_warned(page, variant.language), page, variant, album)


def _sheets(browser: Browser, album: Album) -> None:
    """Lay the pictures of each variant out beside each other, as a page and as one picture."""
    index = []
    for name, pictures in album.shown.items():
        width = THUMB_PX[name.rpartition("-")[2]]
        figures = "".join(_figure(one, width, _caption(one, name)) for one in pictures)
        sheet = album.folder / f"sheet-{name}.html"
        sheet.write_text(_page(name, figures), "utf-8")
        page = browser.new_page(viewport={"width": SHEET_PX, "height": 1000})
        page.goto(sheet.as_uri())
        page.screenshot(path=sheet.with_suffix(".png"), full_page=True)
        page.close()
        index.append(f'<li><a href="{sheet.name}">{name}</a> ({len(pictures)})</li>')
    found = "".join(f"<li>{html.escape(one)}</li>" for one in album.wrong)
    (album.folder / "index.html").write_text(
        _page("Tour", f"<ul>{''.join(index)}</ul><h2>Found</h2><ul>{found}</ul>"), "utf-8"
    )


def _figure(picture: str, width: int, caption: str) -> str:
    image = f'<a href="{picture}"><img src="{picture}" width="{width}" alt=""></a>'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _caption(picture: str, name: str) -> str:
    part, _, variant = name.partition("-")
    return picture.removeprefix(f"{part}-").removesuffix(f"-{variant}.png")


def _page(title: str, body: str) -> str:
    style = "body{font:14px sans-serif;background:#ddd}figure{display:inline-block;margin:6px;vertical-align:top}"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{style}</style><h1>{title}</h1>{body}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
