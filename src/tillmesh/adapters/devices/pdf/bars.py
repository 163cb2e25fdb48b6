"""Bars of a code: EAN-13 and EAN-8 as shops scan them, Code 128 for everything else.

Source: GS1 General Specifications (EAN symbols).
"""

from __future__ import annotations

from typing import Final

from tillmesh.adapters.devices.code128 import runs as code_128
from tillmesh.shop.gtin import valid_gtin

EAN_QUIET: Final = 11  # modules of white beside an EAN-13; Code 128 needs ten
_A: Final = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011".split()
_FIRST: Final = "AAAAAA AABABB AABBAB AABBBA ABAABB ABBAAB ABBBAA ABABAB ABABBA ABBABA".split()
_EAN_13, _EAN_8 = 13, 8


def bars(code: str) -> tuple[list[int], int]:
    """Give the widths of bars and spaces in turn, beginning with a bar, and the quiet zone, in modules; maybe none."""
    if len(code) in {_EAN_13, _EAN_8} and valid_gtin(code):
        return _runs(_ean13(code) if len(code) == _EAN_13 else _ean8(code)), EAN_QUIET
    return code_128(code), EAN_QUIET


def _left(digit: str, parity: str) -> str:
    code = _A[int(digit)]
    return code if parity == "A" else _right(digit)[::-1]


def _right(digit: str) -> str:
    return "".join("1" if bit == "0" else "0" for bit in _A[int(digit)])


def _ean13(code: str) -> str:
    left = "".join(_left(digit, parity) for digit, parity in zip(code[1:7], _FIRST[int(code[0])], strict=True))
    return "101" + left + "01010" + "".join(_right(digit) for digit in code[7:]) + "101"


def _ean8(code: str) -> str:
    return "101" + "".join(_A[int(d)] for d in code[:4]) + "01010" + "".join(_right(d) for d in code[4:]) + "101"


def _runs(modules: str) -> list[int]:
    runs: list[int] = []
    last = ""
    for module in modules:
        if module == last:
            runs[-1] += 1
        else:
            runs.append(1)
        last = module
    return runs
