"""Pictures of products: small files and nothing besides, whatever somebody sends."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.pictures import jpeg, webp
from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.kernel.limits import PICTURE_BYTES_MAX, PICTURE_SIDE_MAX
from tillmesh.shop.catalogue import check_fields, from_fields
from tillmesh.shop.pictures import Picture, cleaned, picture_of, read_reference

NAMED = "ab" * 32 + ".webp.1200"
GOOD = {
    "a photo": jpeg(),
    "a photo that sharpens as it loads": jpeg(progressive=True),
    "a grey photo": jpeg(colour=90),
    "a WebP": webp(),
    "one without loss": webp(lossless=True),
    "one that shows through": webp(mode="RGBA"),
    "one that shows through without loss": webp(mode="RGBA", lossless=True),
}


def pixels(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.convert("RGBA").tobytes()


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_picture_looks_the_same_after_cleaning(data: bytes) -> None:
    clean = cleaned(data)
    assert pixels(clean) == pixels(data)
    assert cleaned(clean) == clean
    assert picture_of(clean).size == len(clean)


def exif() -> bytes:
    found = Image.Exif()
    found[0x010F] = "Camera of somebody"
    return found.tobytes()


@pytest.mark.parametrize(
    "data",
    [jpeg(exif=exif(), comment=b"Camera of somebody"), webp(exif=exif(), xmp=b"Camera of somebody"),
     webp(mode="RGBA", exif=exif())],
    ids=["jpeg", "webp", "webp that shows through"],
)  # fmt: skip
def test_what_a_camera_wrote_about_people_and_places_stays_behind(data: bytes) -> None:
    assert b"Camera of somebody" in data
    clean = cleaned(data)
    assert b"Camera of somebody" not in clean
    assert pixels(clean) == pixels(data)


def test_bytes_with_more_than_the_picture_are_not_the_picture_that_is_named() -> None:
    with pytest.raises(Invalid, match="more than a picture"):
        picture_of(jpeg(comment=b"hello"))


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _wide(data: bytes, side: int) -> bytes:
    """Let a JPEG claim another height and width: its frame's header holds them."""
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", side, side) + data[at + 9 :]


BAD = {
    "nothing": b"",
    "a web page": b"<!doctype html><script>alert(1)</script>",
    "a drawing with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "a GIF": b"GIF89a" + bytes(40),
    "a photo with a page behind it": jpeg() + b"<script>alert(1)</script>",
    "a photo with an archive behind it": jpeg() + b"PK\x03\x04" + bytes(40),
    "a WebP with a page behind it": webp() + b"<script>alert(1)</script>",
    "a WebP with an unknown part": _riff(webp()[12:] + b"HTML" + struct.pack("<I", 8) + b"<script>"),
    "a WebP of no picture": _riff(b""),
    "half a photo": jpeg()[:-20],
    "half a WebP": webp()[:-20],
    "a bomb": _wide(jpeg(), 65_500),
    "a photo without a side": _wide(jpeg(), 0),
    "one pixel too wide": jpeg(PICTURE_SIDE_MAX + 1, 8),
    "one pixel too high": webp(8, PICTURE_SIDE_MAX + 1),
    "without loss, too wide": webp(PICTURE_SIDE_MAX + 1, 8, lossless=True),
    "a photo in the colours of printers": (
        jpeg()[:2] + b"\xff\xc0\x00\x14\x08\x00\x10\x00\x10\x04" + bytes(12) + jpeg()[2:]
    ),
    "two frames in one": jpeg()[:-2] + jpeg()[2:],
    "a kind that only JPEG's book knows": jpeg().replace(b"\xff\xc0", b"\xff\xc3", 1),
    "a thousand empty parts": b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000 + jpeg()[2:],
    "a moving picture": _riff(b"ANIM" + struct.pack("<I", 6) + bytes(6) + webp()[12:]),
}  # fmt: skip


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_no_small_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        cleaned(data)


def test_a_picture_over_the_limit_is_refused_by_its_size() -> None:
    noise = Image.effect_noise((PICTURE_SIDE_MAX, PICTURE_SIDE_MAX), 120)
    held = io.BytesIO()
    noise.save(held, "JPEG", quality=95)
    with pytest.raises(Invalid, match=f"at most {PICTURE_BYTES_MAX}"):
        cleaned(held.getvalue())


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_never_gives_more_than_a_picture(which: str, at: int, byte: int) -> None:
    held = bytearray(GOOD[which])
    held[at % len(held)] = byte
    try:
        clean = cleaned(bytes(held))
    except TillmeshError:
        return
    assert cleaned(clean) == clean
    assert len(clean) <= len(held) + 30


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8\xff", b"RIFF\x00\x00\x00\x00WEBP"]))
def test_no_bytes_break_what_reads_pictures(tail: bytes, head: bytes) -> None:
    with suppress(TillmeshError):
        assert cleaned(cleaned(head + tail)) == cleaned(head + tail)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["jpeg", "webp"]), st.integers(1, PICTURE_BYTES_MAX))
def test_how_a_product_names_its_picture_reads_back(digest: bytes, media: str, size: int) -> None:
    picture = Picture(digest.hex(), media, size)
    assert read_reference(picture.reference) == picture


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tea.png",
        NAMED[:-1] + "x",
        NAMED.replace("webp", "svg"),
        NAMED.upper(),
        NAMED.replace("1200", "99999"),
        NAMED.replace("1200", "01"),
        "../" + NAMED,
        NAMED + "\n",
    ],
)
def test_what_names_no_picture_is_none(text: str) -> None:
    assert read_reference(text) is None


def test_a_product_takes_the_name_of_a_picture_and_gives_it_up() -> None:
    assert check_fields({"image": NAMED}, ()) == {"image": NAMED}
    assert check_fields({"image": ""}, ()) == {"image": ""}
    for wrong in ("tea.png", 7, None, [NAMED]):
        with pytest.raises(Invalid, match="must name a picture"):
            check_fields({"image": wrong}, ())


def test_a_picture_that_another_till_made_up_is_as_if_there_were_none() -> None:
    for wrong in ("//evil.example/x.svg", 7, True, [NAMED]):
        assert from_fields("tea", {"image": wrong}).image == ""
    assert from_fields("tea", {"image": NAMED}).image == NAMED
