"""Leaving out what a browser does not need: comments, and space that carries no meaning."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<quasi>`)"""
    r"""|(?P<space>\s+)|(?P<word>[\w$#]+)|(?P<other>[\s\S])"""
)
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX: Final = re.compile(r"(?:^|[(,=:\[!&|?{};>]|\breturn|\btypeof)$")


def strip(code: str) -> str:
    """Leave out comments and needless space; strings, templates and regular expressions stay as they are."""
    out, at = _code(code, 0, nested=False)
    assert at == len(code), "the scanner stops only at the end"
    text = re.sub(r"\n+", "\n", "".join(out)).strip("\n")
    return text + "\n"


def tighten(code: str) -> str:
    """Drop, from code that was stripped, also the line breaks where none can end a statement."""
    return "".join(_code(code, 0, nested=False, last=True)[0])


def _code(code: str, at: int, *, nested: bool, last: bool = False) -> tuple[list[str], int]:
    """Scan code up to its end, or to the brace that closes a template's ``${``."""
    out: list[str] = []
    depth = 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        assert match is not None, "every character is some token"
        kind, text = match.lastgroup, match[0]
        at = match.end()
        if kind == "comment":
            out.append("\n" if "\n" in text and text.startswith("/*") and not "".join(out[-1:]).strip() else "")
        elif kind == "space":
            out.append("\n" if "\n" in text else " ")
        elif kind == "quasi":
            template, at = _template(code, at, last=last)
            out.append(template)
        elif text == "/" and _BEFORE_REGEX.search("".join(out[-8:]).rstrip()):
            regex = _REGEX.match(code, at - 1)
            assert regex is not None, "a slash after an operator begins a regular expression"
            out.append(regex[0])
            at = regex.end()
        else:
            depth += {"{": 1, "}": -1}.get(text, 0)
            if nested and depth < 0:
                return _tight(out, last=last), at
            out.append(text)
    return _tight(out, last=last), at


def _template(code: str, at: int, *, last: bool) -> tuple[str, int]:
    """Scan a template literal after its first backtick; breaks between tags carry no meaning in them."""
    out, start = ["`"], at
    while code[at] != "`":
        if code[at] == "\\":
            at += 2
        elif code.startswith("${", at):
            inner, after = _code(code, at + 2, nested=True, last=last)
            out += [_quiet(code[start:at]), "${", *inner, "}"]
            start = at = after
        else:
            at += 1
    return "".join([*out, _quiet(code[start:at]), "`"]), at + 1


def _quiet(quasi: str) -> str:
    """Leave one line break of a gap, and none between two tags, where htm drops it."""
    return re.sub(r"\s*\n\s*", "\n", quasi).replace(">\n<", "><")


def _tight(tokens: list[str], *, last: bool) -> list[str]:
    """Drop spaces beside punctuation, and the last time line breaks where none can end a statement."""
    out: list[str] = []
    for index, piece in enumerate(tokens):
        if piece in {" ", "\n"}:
            before = next((one for one in reversed(out) if one), "\n")
            after = next((one for one in tokens[index + 1 :] if one), "\n")
            if piece == " " and not _parts(before, after):
                continue
            if piece == "\n" and last and (before[-1] in ";,{([" or after[0] in "})]"):
                continue
        out.append(piece)
    return out


def _parts(before: str, after: str) -> bool:
    """Say whether a space keeps two tokens apart that would become another one."""
    if before[-1] in "\n " or after[0] == "\n":
        return False
    joins = before[-1] in "+-" and after[0] in "+-"
    return joins or bool(re.match(r"[\w$#]", before[-1]) and re.match(r"[\w$#]", after[0]))
