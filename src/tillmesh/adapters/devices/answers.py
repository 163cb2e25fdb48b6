"""What a printer answers when it is asked how it is. Source: Epson's ESC/POS command reference, DLE EOT and GS r."""

from __future__ import annotations

from typing import Final, NamedTuple

from tillmesh.till.printing import PrinterStatus

ASK_PRINTER: Final = b"\x10\x04\x01"
ASK_OFFLINE: Final = b"\x10\x04\x02"
ASK_PAPER: Final = b"\x10\x04\x04"
ASK_WORKED_OFF: Final = b"\x1dr\x01"

_FIXED_MASK, _FIXED = 0b1001_0011, 0b0001_0010  # these bits are the same in every answer
_OFFLINE = 0b0000_1000  # in the answer to ASK_PRINTER
_COVER_OPEN, _STOPPED_BY_PAPER, _ERROR = 0b0000_0100, 0b0010_0000, 0b0100_0000  # to ASK_OFFLINE
_PAPER_OUT, _PAPER_LOW = 0b0110_0000, 0b0000_1100  # to ASK_PAPER


class Answers(NamedTuple):
    """One byte for each question, in the order in which they are asked."""

    printer: int
    offline: int
    paper: int


def read_answers(answers: Answers) -> PrinterStatus:
    """Turn status bytes into words; paper first, since an empty printer is also offline."""
    if any(answer & _FIXED_MASK != _FIXED for answer in answers):
        return PrinterStatus("error", "The printer's answer makes no sense. Is it an ESC/POS printer?")
    if answers.offline & _COVER_OPEN:
        return PrinterStatus("error", "The printer's cover is open.")
    if answers.paper & _PAPER_OUT or answers.offline & _STOPPED_BY_PAPER:
        return PrinterStatus("paper_out", "The printer is out of paper.")
    if answers.offline & _ERROR:
        return PrinterStatus("error", "The printer reports an error. Is paper jammed?")
    if answers.printer & _OFFLINE:
        return PrinterStatus("error", "The printer is offline.")
    return PrinterStatus("ready", "Paper is running low." if answers.paper & _PAPER_LOW else "")
