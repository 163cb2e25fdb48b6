"""The zbar library as a second opinion on bar codes, when the system has it (Debian: libzbar0).

Called directly: the packages on top of it are no longer maintained, and six functions suffice. Without the library
``load`` gives None, and the other decoders go on alone.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from typing import Any, Final

FORMATS: Final = {
    8: "EAN-8", 9: "UPC-E", 12: "UPC-A", 13: "EAN-13", 25: "ITF", 34: "DataBar", 35: "DataBar Exp", 64: "QR Code",
    128: "Code 128",
}  # fmt: skip
_Y800: Final = int.from_bytes(b"Y800", "little")
_POINTER: Final = ctypes.c_void_p


class Zbar:
    """One scanner; not for two threads at once."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._scanner = library.zbar_image_scanner_create()
        # Nothing but what shops use: each further symbology is one more way to misread. 0 means all, 0 means enable.
        library.zbar_image_scanner_set_config(self._scanner, 0, 0, 0)
        for symbology in FORMATS:
            library.zbar_image_scanner_set_config(self._scanner, symbology, 0, 1)

    def read(self, grey: bytes, width: int, height: int) -> list[tuple[str, str]]:
        """Give format and text of the codes in a picture of one byte a pixel."""
        assert len(grey) == width * height, "one byte a pixel"
        library = self._library
        image = library.zbar_image_create()
        try:
            library.zbar_image_set_format(image, _Y800)
            library.zbar_image_set_size(image, width, height)
            library.zbar_image_set_data(image, grey, len(grey), None)
            library.zbar_scan_image(self._scanner, image)
            return self._symbols(image)
        finally:
            library.zbar_image_destroy(image)

    def _symbols(self, image: int) -> list[tuple[str, str]]:
        library, found = self._library, []
        symbol = library.zbar_image_first_symbol(image)
        while symbol:
            name = FORMATS.get(library.zbar_symbol_get_type(symbol))
            length = library.zbar_symbol_get_data_length(symbol)
            data = ctypes.string_at(library.zbar_symbol_get_data(symbol), length)
            if name is not None:
                found.append((name, data.decode("utf-8", "replace")))
            symbol = library.zbar_symbol_next(symbol)
        return found


@functools.cache
def load() -> Zbar | None:
    """Give a scanner, or None where the library is not installed."""
    name = ctypes.util.find_library("zbar")
    if name is None:
        return None
    try:
        library: Any = ctypes.CDLL(name)
        _declare(library)
    except (OSError, AttributeError):
        return None
    return Zbar(library)


def _declare(library: Any) -> None:
    """Say what the functions take and give; raises AttributeError when one is missing."""
    number = ctypes.c_int
    for function, gives, takes in (
        ("zbar_image_scanner_create", _POINTER, []),
        ("zbar_image_scanner_set_config", number, [_POINTER, number, number, number]),
        ("zbar_image_create", _POINTER, []),
        ("zbar_image_destroy", None, [_POINTER]),
        ("zbar_image_set_format", None, [_POINTER, ctypes.c_ulong]),
        ("zbar_image_set_size", None, [_POINTER, ctypes.c_uint, ctypes.c_uint]),
        ("zbar_image_set_data", None, [_POINTER, ctypes.c_char_p, ctypes.c_ulong, _POINTER]),
        ("zbar_scan_image", number, [_POINTER, _POINTER]),
        ("zbar_image_first_symbol", _POINTER, [_POINTER]),
        ("zbar_symbol_next", _POINTER, [_POINTER]),
        ("zbar_symbol_get_type", number, [_POINTER]),
        ("zbar_symbol_get_data", _POINTER, [_POINTER]),
        ("zbar_symbol_get_data_length", ctypes.c_uint, [_POINTER]),
    ):
        entry = getattr(library, function)
        entry.restype, entry.argtypes = gives, takes
