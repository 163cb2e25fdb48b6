"""What can be said about the page's source without running it: its words, its icons, its size."""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "tillmesh"
SHARED = PACKAGE / "adapters" / "web" / "static"
PAGES = {
    "till": PACKAGE / "terminal" / "web" / "static",
    "office": PACKAGE / "hub" / "web" / "static",
}  # whose page it is -> its own files

_WORDS = re.compile(r"[A-Za-z]{2,}")
_SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt|label|note|hint)="([^"]*)"')
_CALL = re.compile(r"\b(?:t|tOr|toastOk)\(")
_KEY = re.compile(r'"([a-z][\w]*(?:\.[\w-]+)*)"')


def modules(own: Path) -> list[Path]:
    """List the modules of a page: its own and those that all share."""
    return sorted(path for folder in (own, SHARED) for path in folder.rglob("*.js") if "vendor" not in path.parts)


def templates(code: str) -> Iterator[str]:
    """Yield the text of each html template, with a hole where each expression stands; nested ones follow."""
    at = code.find("html`")
    while at >= 0:
        text, at = _template(code, at + 5)
        holes = re.findall(r"\x00([^\x01]*)\x01", text)
        yield re.sub(r"\x00[^\x01]*\x01", "{}", text)
        for hole in holes:
            yield from templates(hole.replace("\x02", "`"))
        at = code.find("html`", at)


def _template(code: str, at: int) -> tuple[str, int]:
    """Read up to the closing backtick; expressions are kept between markers, their own backticks masked."""
    out: list[str] = []
    while code[at] != "`":
        if code.startswith("${", at):
            hole, at = _hole(code, at + 2)
            out.append(f"\x00{hole}\x01")
        else:
            out.append(code[at])
            at += 1
    return "".join(out), at + 1


def _hole(code: str, at: int) -> tuple[str, int]:
    depth, start, inner = 1, at, []
    while depth:
        if code[at] == "`":
            inner.append(code[start:at])
            end = at + 1
            while code[end] != "`":
                end = _hole(code, end + 2)[1] if code.startswith("${", end) else end + 1
            inner.append("\x02" + code[at + 1 : end].replace("`", "\x02") + "\x02")
            at = start = end + 1
            continue
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        at += 1
    inner.append(code[start : at - 1])
    return "".join(inner), at


def literal_words(code: str) -> list[str]:
    """List the words that stand in templates themselves, where only looked-up words may."""
    found: list[str] = []
    for template in templates(code):
        found += [text.strip() for text in re.findall(r">([^<>]*)<", template) if _WORDS.search(text.replace("{}", ""))]
        found += [text for text in _SPOKEN.findall(template) if _WORDS.search(text.replace("{}", ""))]
    return found


def asked_keys(code: str) -> set[str]:
    """Name the keys that calls of t() ask for by their literal."""
    keys: set[str] = set()
    for call in _CALL.finditer(code):
        depth, at = 1, call.end()
        while depth and at < len(code):
            depth += {"(": 1, ")": -1}.get(code[at], 0)
            at += 1
        first = re.split(r",\s*\{", code[call.end() : at - 1])[0]
        keys |= {
            key for key in _KEY.findall(re.sub(r"===? \"[^\"]*\"", "", first)) if "." in key or first == f'"{key}"'
        }
    return keys
