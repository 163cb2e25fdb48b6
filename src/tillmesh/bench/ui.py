"""The page in a real browser: from a scanner's last key to the painted line, search, payment, start and memory.

Needs Chromium, and the Python package playwright that only the test requirements bring.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import resources
from os import kill
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from tillmesh.adapters.web.pages import Scripts
from tillmesh.bench.measuring import Row, spread
from tillmesh.bench.serving import PIN, Client, running, site_of, until_ready
from tillmesh.kernel.errors import NotFound
from tillmesh.terminal.web.app import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCANS: Final = 100
STARTS: Final = 5
OPENINGS: Final = 20
WORDS: Final = ("bio", "choc", "lait", "jus or", "past", "tea", "salt", "cream", "egg", "bread")
STALL_S: Final = 0.15  # Python stands still for 150 of every 300 ms
CPU_SLOWER: Final = 4
KEY_GAP_MS: Final = 3  # between two keys of a scanner
UNCHANGED_MS: Final = 400  # a typed key that changes nothing on the screen by then is not counted
FLAGS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
REST_S: Final = 20
MB: Final = 1_000_000
EAN_13: Final = 13

_TOTAL: Final = "() => document.querySelector('#total')?.textContent"
_FOUND: Final = "() => document.querySelector('.found')?.textContent + document.querySelector('.grid')?.textContent"
_DUE: Final = "() => Boolean(document.querySelector('#due'))"
_READY: Final = """() => new Promise((done) => {
  const look = () => document.querySelector('.grid .tile') ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : setTimeout(look, 5);
  look();
})"""  # noqa: E501 - one expression for the browser


class Shopper:
    """A page that is signed in, with its stopwatch."""

    def __init__(self, browser: Browser, port: int) -> None:
        self._context = browser.new_context(viewport={"width": 1280, "height": 800})
        self._context.add_init_script(resources.files("tillmesh.bench").joinpath("browser.js").read_text("utf-8"))
        url = f"http://127.0.0.1:{port}"
        headers = {"Content-Type": "application/json", "Origin": url}
        self._context.request.post(f"{url}/api/v1/session", data=json.dumps({"pin": PIN}), headers=headers)
        self.page: Page = self._context.new_page()
        self.page.goto(url)
        self.ready_ms = float(self.page.evaluate(_READY))
        self.control = self._context.new_cdp_session(self.page)
        self.control.send("Performance.enable")

    def close(self) -> None:
        """Close the browser's profile."""
        self._context.close()

    def timed(self, key: str, watch: str, *, lead: str = "", patience_ms: float = 10_000) -> bool:
        """Press a key, after others, and wait until what it caused is painted; False when nothing changed."""
        self.page.evaluate(f"key => stopwatch.arm(key, {watch})", key)
        before = self.page.evaluate("() => stopwatch.count()")
        if lead:
            self.page.keyboard.type(lead, delay=KEY_GAP_MS)
        self.page.keyboard.press(key)
        seen = "before => stopwatch.count() > before"
        try:
            self.page.wait_for_function(seen, arg=before, timeout=patience_ms, polling=10)
        except Exception as problem:
            if type(problem).__name__ != "TimeoutError":
                raise
            self.page.evaluate("() => stopwatch.disarm()")
            return False
        return True

    def taken_ms(self) -> list[float]:
        """Give what the stopwatch measured, and forget it."""
        return [float(one) for one in self.page.evaluate("() => stopwatch.take()")]

    def clear(self) -> None:
        """Empty the cart."""
        self.page.wait_for_selector("button.pay:enabled")
        self.page.locator(".acts .btn").last.click()
        self.page.locator("dialog[open] .btn.danger").click()
        self.page.wait_for_selector(".cart .empty")

    def metric(self, name: str) -> float:
        """Give one of the browser's own measurements of the page."""
        metrics = self.control.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == name))


def run(
    place: Path, products: Path | None, *, scans: int = SCANS, promotions: int = 0, customers: int = 0
) -> list[Row]:
    """Measure the page of a running till, beside the demands of the design."""
    sync_playwright = _playwright()
    site, skus = site_of(place, products, promotions=promotions, customers=customers)
    with running(site) as (port, pid), sync_playwright() as playwright:
        until_ready(port)
        codes = _codes(port, scans * 4)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        rows = [_started(browser, port, len(skus))]
        shopper = Shopper(browser, port)
        rows += _scanned(shopper, pid, codes, scans)
        rows.append(_searched(shopper))
        rows.append(_opened(shopper, codes[0]))
        rows += _weighed(browser, shopper)
        shopper.close()
        browser.close()
    return [*rows, *_scripts()]


def _playwright() -> Callable[[], Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as missing:
        raise NotFound("playwright is not installed", hint="scripts/setup.sh test installs it.") from missing
    return sync_playwright


def _codes(port: int, count: int) -> list[str]:
    """Choose barcodes of pieces, each a line of its own."""
    client = Client(port)
    client.sign_in()
    columns = json.loads(client.call("GET", "/catalogue"))["columns"]
    client.close()
    pairs = zip(columns["barcodes"], columns["unit"], strict=True)
    whole = [code for codes, unit in pairs if unit == "piece" for code in codes.split()[:1] if len(code) == EAN_13]
    return Random(7).sample(whole, min(count, len(whole)))  # noqa: S311 - which products is no secret


def _started(browser: Browser, port: int, count: int) -> Row:
    taken = []
    for _ in range(STARTS):
        shopper = Shopper(browser, port)
        taken.append(shopper.ready_ms)
        shopper.close()
    return _row(f"cold start to sell-ready, {count:,} products", taken, 1000, by="median")


def _scanned(shopper: Shopper, pid: int, codes: list[str], scans: int) -> list[Row]:
    """Scan in three conditions: nothing else going on, a slow processor, and a program that keeps standing still."""
    shopper.page.evaluate("() => performance.setResourceTimingBufferSize(5000)")

    def throttle(rate: int) -> None:
        shopper.control.send("Emulation.setCPUThrottlingRate", {"rate": rate})

    conditions: list[tuple[str, float, Callable[[], Any], int]] = [
        ("scan to painted line", 50, nullcontext, 1),
        (f"scan to painted line, processor / {CPU_SLOWER}", 150, nullcontext, CPU_SLOWER),
        ("scan to painted line, Python stands still half of the time", 50, lambda: _stalling(pid), 1),
    ]
    rows = []
    for at, (what, limit_ms, state, slower) in enumerate(conditions):
        throttle(slower)
        with state():
            for code in codes[at * scans : (at + 1) * scans]:
                shopper.timed("Enter", _TOTAL, lead=code)
        throttle(1)
        rows.append(_row(what, shopper.taken_ms(), limit_ms))
        if at == 0:
            rows.append(_row("cart change committed, as the page sees it", _calls(shopper), 10))
        shopper.clear()
    return rows


def _calls(shopper: Shopper) -> list[float]:
    """Give how long the calls that changed the cart took, in milliseconds."""
    entries = "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('/ops')).map(e => e.duration)"
    return [float(one) for one in shopper.page.evaluate(entries)]


@contextmanager
def _stalling(pid: int) -> Iterator[None]:
    """Stop and continue a process, half of the time each, until the block ends."""
    over = Event()

    def stall() -> None:
        while not over.wait(STALL_S):
            kill(pid, signal.SIGSTOP)
            time.sleep(STALL_S)
            kill(pid, signal.SIGCONT)

    thread = Thread(target=stall, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _searched(shopper: Shopper) -> Row:
    for word in WORDS:
        shopper.page.keyboard.press("F2")
        for letter in word:
            shopper.timed(letter, _FOUND, patience_ms=UNCHANGED_MS)
        shopper.page.keyboard.press("Escape")
        shopper.page.wait_for_selector(".cats")
    shopper.page.keyboard.press("Escape")
    return _row("search, typed key to painted products", shopper.taken_ms(), 50)


def _opened(shopper: Shopper, code: str) -> Row:
    shopper.timed("Enter", _TOTAL, lead=code)
    shopper.taken_ms()
    for _ in range(OPENINGS):
        shopper.page.wait_for_selector("button.pay:enabled")
        shopper.timed("F9", _DUE)
        shopper.page.keyboard.press("Escape")
        shopper.page.wait_for_selector(".grid .tile")
    return _row("payment screen open", shopper.taken_ms(), 100)


def _weighed(browser: Browser, shopper: Shopper) -> list[Row]:
    """Weigh the page right after all that and at rest, when the browser has thrown away what scans left; count nodes.

    Weighed is the fair share (Pss): resident memory counts the browser's own program file again in every process.
    """
    _, busy = _renderer_mb(browser)
    time.sleep(REST_S)
    resident, share = _renderer_mb(browser)
    heap = shopper.metric("JSHeapUsedSize") / MB
    note = f"{busy:.0f} MB right after the last scan; {resident:.0f} MB resident, {heap:.0f} MB in use by our code"
    nodes = spread([shopper.page.evaluate("() => document.querySelectorAll('*').length")])
    return [
        Row(what=f"memory of the renderer (Pss), {REST_S} s at rest", unit="MB", spread=spread([share]),
            aim="at most 220 MB", met=share <= 220, note=note),
        Row(what="elements in the page", unit="", spread=nodes, aim="near 2,300 at any catalogue size",
            met=nodes.median <= 2300),
    ]  # fmt: skip


def _renderer_mb(browser: Browser) -> tuple[float, float]:
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(_memory_mb(one["id"]) for one in processes if one["type"] == "renderer")


def _memory_mb(pid: int) -> tuple[float, float]:
    """Give resident memory, and the proportional share of it, in megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()[1:]
    kib = {line.split()[0]: int(line.split()[1]) for line in lines}
    return kib["Rss:"] * 1024 / MB, kib["Pss:"] * 1024 / MB


def _scripts() -> list[Row]:
    """Weigh the script that every till loads before it sells, and those that come later."""
    rows = []
    for at, (name, script) in enumerate(Scripts(STATIC).all().items()):
        what, limit = ("all a sale needs", 60) if at == 0 else ("the other pages", 120)
        kilobytes = len(script.body) / 1000
        rows.append(
            Row(what=f"JavaScript of {what} ({name}), gzip", unit="kB", spread=spread([kilobytes]),
                aim=f"at most {limit} kB", met=kilobytes <= limit)
        )  # fmt: skip
    return rows


def _row(what: str, taken_ms: list[float], limit_ms: float, *, by: str = "p95") -> Row:
    found = spread(taken_ms)
    return Row(what=what, unit="ms", spread=found, aim=f"{by} at most {limit_ms:g} ms",
               met=getattr(found, by) <= limit_ms)  # fmt: skip
