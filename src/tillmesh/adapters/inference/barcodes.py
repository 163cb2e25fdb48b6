"""Bar codes in a picture: zxing-cpp first; when it finds nothing and there is time, a cascade of slower looks.

The cascade (ADR 0017): zbar on the whole picture, then both on it sharpened at twice its size, then zxing-cpp on it
turned. It stops at the first look that finds something.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Final

import zxingcpp
from PIL import Image, ImageFilter

from tillmesh.adapters.inference import zbar
from tillmesh.edge.scanning import Seen
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import IMAGE_PIXELS_MAX, SCAN_CODES_MAX

SIDE_MAX: Final = (
    1_280  # larger photographs are halved until they fit: no code needs more, and time grows with the area
)
SHARPEN_SIDE_MAX: Final = 1_400  # a picture that is larger after doubling has detail enough
TURNS: Final = (30, -30, 60, -60)  # degrees; zxing itself tries 0 and 90 and a little around them
FORMATS: Final = zxingcpp.BarcodeFormats((
    zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.EAN8, zxingcpp.BarcodeFormat.UPCA, zxingcpp.BarcodeFormat.UPCE,
    zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.DataBar, zxingcpp.BarcodeFormat.DataBarExp,
    zxingcpp.BarcodeFormat.ITF, zxingcpp.BarcodeFormat.QRCode,
))  # fmt: skip
KINDS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF")


def read(image: bytes, *, deep: bool) -> list[Seen]:
    """Give the codes in an encoded picture; ``deep`` lets the slow looks try when the first finds nothing."""
    grey = grey_picture(image)
    for _, seen in looks(grey, deep=deep):
        if seen:
            return seen
    return []


def looks(grey: Image.Image, *, deep: bool) -> Iterator[tuple[str, list[Seen]]]:
    """Look at a grey picture in one way after the other, the quickest first; the caller stops when content."""
    yield "zxing", by_zxing(grey)
    if not deep:
        return
    yield "zbar", by_zbar(grey)
    if max(grey.size) * 2 <= SHARPEN_SIDE_MAX:
        double = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.BICUBIC)
        sharp = double.filter(ImageFilter.UnsharpMask(radius=4, percent=200, threshold=0))
        yield "sharpened", by_zxing(sharp)
        yield "sharpened zbar", by_zbar(sharp)
    for degrees in TURNS:
        turned = grey.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=255)
        yield f"turned by {degrees}", by_zxing(turned)


def by_zxing(grey: Image.Image) -> list[Seen]:
    """Let zxing-cpp read; codes that look the same twice in a picture are one."""
    found = zxingcpp.read_barcodes(grey, formats=FORMATS, text_mode=zxingcpp.TextMode.Plain)
    return _once(
        Seen(
            _name(str(code.format), code.text),
            code.text,
            code.symbology_identifier if code.content_type == zxingcpp.ContentType.GS1 else "",
        )
        for code in found if code.valid
    )  # fmt: skip


def by_zbar(grey: Image.Image) -> list[Seen]:
    """Let zbar read, where it is installed."""
    scanner = zbar.load()
    if scanner is None:
        return []
    return _once(Seen(*one) for one in scanner.read(grey.tobytes(), *grey.size))


def _name(of_format: str, text: str) -> str:
    """Call a UPC-A what it is: zxing gives its number with the zero that makes it an EAN-13."""
    return "UPC-A" if of_format == "EAN-13" and text.startswith("0") else of_format


def _once(found: Iterable[Seen]) -> list[Seen]:
    return list({seen.text: seen for seen in found}.values())[:SCAN_CODES_MAX]


def grey_picture(image: bytes) -> Image.Image:
    """Decode a picture within limits; its declared size is checked before any pixel is read."""
    try:
        opened = Image.open(io.BytesIO(image), formats=KINDS)
        if opened.width * opened.height > IMAGE_PIXELS_MAX:
            raise TooLarge(
                f"a picture of {opened.width} by {opened.height} pixels; the limit is {IMAGE_PIXELS_MAX} in all",
                hint="Send a smaller picture.",
            )
        opened.draft("L", (SIDE_MAX, SIDE_MAX))
        grey = _flat(opened).convert("L")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as cause:
        raise Invalid("the picture can't be read", hint=f"Send one of {', '.join(KINDS)}.") from cause
    while max(grey.size) > SIDE_MAX:
        grey = grey.reduce(2)
    return grey


def _flat(picture: Image.Image) -> Image.Image:
    """Put what is transparent on white paper."""
    if picture.mode not in {"RGBA", "LA", "PA", "P"}:
        return picture
    over = picture.convert("RGBA")
    paper = Image.new("RGBA", over.size, "white")
    paper.alpha_composite(over)
    return paper
