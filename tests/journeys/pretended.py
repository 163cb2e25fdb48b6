"""Browsers that are shown a film or played a recording instead of a camera and a microphone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import QUIET, listen

APPLES = Path(__file__).parents[1] / "data" / "grocery" / "granny-smith-new.jpg"
_ALLOWED = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@contextmanager
def seeing(browser: Browser, chromium: str | None, film: Path) -> Iterator[Browser]:
    """Start a browser whose camera sees a film (Y4M), again and again."""
    with _with(browser, chromium, f"--use-file-for-fake-video-capture={film}") as found:
        yield found


@contextmanager
def seeing_apples(browser: Browser, chromium: str | None, folder: Path) -> Iterator[Browser]:
    """Start a browser whose camera sees green apples; the film lies in a folder."""
    film = folder / "apples.y4m"
    film.write_bytes(_filmed(APPLES))
    with seeing(browser, chromium, film) as found:
        yield found


@contextmanager
def hearing(browser: Browser, chromium: str | None, recording: Path) -> Iterator[Browser]:
    """Start a browser whose microphone hears a recording (WAV), once each time it is opened."""
    with _with(browser, chromium, f"--use-file-for-fake-audio-capture={recording}%noloop") as found:
        yield found


@contextmanager
def window(browser: Browser) -> Iterator[Page]:
    """Open a page of its own, on which no script may go wrong."""
    complaints: list[str] = []
    profile = browser.new_context(viewport={"width": 1280, "height": 800})
    page = profile.new_page()
    listen(page, complaints)
    yield page
    profile.close()
    assert not complaints


@contextmanager
def _with(browser: Browser, chromium: str | None, device: str) -> Iterator[Browser]:
    found = browser.browser_type.launch(executable_path=chromium, args=[*QUIET, *_ALLOWED, device])
    yield found
    found.close()


def _filmed(photo: Path) -> bytes:
    """Give a film of a still picture, in colours that the browser does not shift."""
    picture = Image.new("RGB", (640, 480), (60, 60, 60))
    picture.paste(Image.open(photo).convert("RGB").resize((480, 480)), (80, 0))
    light, blue, red = picture.convert("YCbCr").split()
    half = [one.resize((320, 240), Image.Resampling.BOX).tobytes() for one in (blue, red)]
    frame = b"FRAME\n" + light.tobytes() + half[0] + half[1]
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + 2 * frame
