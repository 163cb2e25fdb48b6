"""Bar codes in pictures: real photographs, printed ones, and what is none."""

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from tillmesh.adapters.inference import barcodes, zbar
from tillmesh.adapters.inference.barcodes import by_zbar, grey_picture, looks, read
from tillmesh.edge.scanning import Seen
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import IMAGE_PIXELS_MAX
from tillmesh.shop.gtin import same_numbers

PHOTOS = Path(__file__).parents[2] / "data" / "barcodes"
KINDS = {
    "EAN-13": ("EAN13", "4006381333931"),
    "EAN-8": ("EAN8", "96385074"),
    "UPC-A": ("UPCA", "036000291452"),
    "UPC-E": ("UPCE", "01234565"),
    "Code 128": ("Code128", "TILL-42"),
    "QR Code": ("QRCode", "https://example.com/p/42"),
    "ITF": ("ITF", "30712345000010"),
}


def printed(kind: str, text: str, *, scale: int = 3, quiet: int = 30) -> Image.Image:
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    bare = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=scale)).convert("L")
    page = Image.new("L", (bare.width + 2 * quiet, bare.height + 2 * quiet), 255)
    page.paste(bare, (quiet, quiet))
    return page


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    with io.BytesIO() as held:
        picture.save(held, kind)
        return held.getvalue()


def photos() -> list[tuple[Path, str]]:
    return [(path, path.with_suffix(".txt").read_text().strip()) for path in sorted(PHOTOS.glob("*/*.webp"))
            if path.with_suffix(".txt").exists()]  # fmt: skip


@pytest.mark.parametrize(("path", "text"), photos(), ids=lambda one: one.parent.name if isinstance(one, Path) else "")
def test_a_photograph_of_each_kind_is_read(path: Path, text: str) -> None:
    assert [seen.text for seen in read(path.read_bytes(), deep=True)] == [text]


def test_a_photograph_without_a_code_has_none() -> None:
    assert read((PHOTOS / "falsepositives-1" / "01.webp").read_bytes(), deep=True) == []


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_shops_use_is_read_and_named(name: str) -> None:
    kind, text = KINDS[name]
    (seen,) = read(encoded(printed(kind, text)), deep=False)
    assert seen.format == name
    assert set(same_numbers(text)) & set(same_numbers(seen.text))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_picture_may_come_in_any_usual_form(kind: str) -> None:
    assert read(encoded(printed("EAN13", "4006381333931"), kind), deep=False)[0].text == "4006381333931"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 37, -52])
def test_a_code_is_read_however_the_product_is_held(degrees: int) -> None:
    turned = printed("EAN13", "4006381333931").rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert "4006381333931" in {seen.text for seen in read(encoded(turned), deep=True)}


def test_two_codes_in_one_picture_are_both_read() -> None:
    one, other = printed("EAN13", "4006381333931"), printed("EAN13", "5000157024671")
    both = Image.new("L", (max(one.width, other.width), one.height + other.height), 255)
    both.paste(one, (0, 0))
    both.paste(other, (0, one.height))
    assert {seen.text for seen in read(encoded(both), deep=False)} == {"4006381333931", "5000157024671"}


def test_the_cascade_reads_what_is_too_small_and_soft_for_the_first_look() -> None:
    sharp = printed("EAN13", "4006381333931", scale=2)
    small = sharp.resize((int(sharp.width * 0.7), int(sharp.height * 0.7)), Image.Resampling.BILINEAR)
    soft = small.filter(ImageFilter.GaussianBlur(0.8))
    found = dict(looks(soft, deep=True))
    assert found["zxing"] == []
    assert found["sharpened"] == [Seen("EAN-13", "4006381333931")]


def test_without_zbar_the_others_go_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    zbar.load.cache_clear()
    try:
        assert by_zbar(printed("EAN13", "4006381333931")) == []
        assert read(encoded(printed("EAN13", "4006381333931")), deep=True)
    finally:
        zbar.load.cache_clear()


def test_zbar_reads_where_it_is_installed() -> None:
    if zbar.load() is None:
        pytest.skip("libzbar0 is not installed")
    assert by_zbar(printed("EAN13", "4006381333931")) == [Seen("EAN-13", "4006381333931")]


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, encoded(printed("EAN8", "96385074"))[:90]]
)
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(Invalid):
        grey_picture(data)


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_unpacked() -> None:
    side = int(IMAGE_PIXELS_MAX**0.5) + 100
    bomb = encoded(Image.new("1", (side, side)))
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        grey_picture(bomb)


def test_a_large_photograph_is_made_smaller_first() -> None:
    assert max(grey_picture(encoded(Image.new("L", (4_000, 3_000)), "JPEG")).size) <= barcodes.SIDE_MAX
