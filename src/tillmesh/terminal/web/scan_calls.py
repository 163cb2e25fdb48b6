"""Bar codes from a camera: one picture, or the frames of a scan, where two must agree before anything counts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.edge.scanning import DEEP, FAST, Seen, View, look
from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.kernel.limits import IMAGE_BYTES_MAX, SCANS_MAX
from tillmesh.terminal.ai import NoAnswer
from tillmesh.terminal.web.ai_calls import ai_of
from tillmesh.terminal.web.api import ANY, Call, Context
from tillmesh.till.scanning import find_scanned

MODEL: Final = "barcode"
SCAN_ID_CHARS_MAX: Final = 64


_NOTHING: Final = {
    "codes": (), "accepted": (), "unknown": (), "inference_ms": 0.0, "fallback": False, "reason": "",
}  # fmt: skip


class Scans:
    """What each camera that scans saw lately; the one that looked longest ago makes room."""

    def __init__(self) -> None:
        self._views: OrderedDict[tuple[str, str], View] = OrderedDict()

    def view(self, key: tuple[str, str]) -> View:
        """Give what a camera saw."""
        return self._views.get(key, View())

    def keep(self, key: tuple[str, str], view: View) -> None:
        """Remember it for the next frame."""
        self._views[key] = view
        self._views.move_to_end(key)
        while len(self._views) > SCANS_MAX:
            self._views.popitem(last=False)


async def barcode(context: Context, picture: bytes) -> Any:
    """Read the codes of a picture.

    With ``scan``, any word that names this scan, the picture is one frame of several: ``accepted`` then lists the codes
    that two frames agree on and that the shop sells, each once while it is in view; ``unknown`` those beyond doubt that
    no product has. Without it every way to read is tried on the one picture, and nothing is accepted.
    """
    scan = context.query("scan")
    if len(scan) > SCAN_ID_CHARS_MAX:
        raise Invalid(f"a scan's name has at most {SCAN_ID_CHARS_MAX} characters", hint="Choose a shorter one.")
    key = context.signed_in().user_id, scan
    scans: Scans = context.services.extra.setdefault("scans", Scans())
    before = scans.view(key)
    deep = not scan or before.wants_deep
    try:
        reply = await ai_of(context).ask(MODEL, (DEEP if deep else FAST) + picture)
    except NoAnswer as none:
        if none.reason == "input":
            raise Invalid(none.detail, hint="Send a JPEG, PNG or WebP picture.") from none
        return {**_NOTHING, "fallback": True, "reason": none.reason}
    found = msgspec.convert(reply.output, list[Seen])
    answer = {**_NOTHING, "codes": found, "inference_ms": round(reply.ms, 2)}
    if scan:
        sold = await context.driver.look(lambda books: sold_of(books, found)) if found else frozenset()
        looked = look(before, found, context.now_ms(), sold.__contains__)
        scans.keep(key, looked.view)
        answer |= {"accepted": looked.accepted, "unknown": looked.unknown}
    return answer


def sold_of(books: Books, found: Iterable[Seen]) -> frozenset[str]:
    """Say which of the codes the till would ring up."""
    return frozenset(seen.typed for seen in found if _is_sold(books, seen.typed))


def _is_sold(books: Books, text: str) -> bool:
    try:
        find_scanned(books, barcode=text)
    except TillmeshError:
        return False
    return True


CALLS = [
    Call(
        "POST", "/ai/barcode", barcode, "Read bar codes in a picture", bytes, media=ANY, query=("scan",),
        bytes_max=IMAGE_BYTES_MAX,
    ),
]  # fmt: skip
