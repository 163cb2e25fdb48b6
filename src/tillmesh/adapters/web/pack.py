"""One script for the page: the UI's plain modules joined and their comments left out, at the first request.

The source stays modules that run in a browser as they are; joining them saves fifty requests at a cold start. The code
is only cut at tokens and put together, never rewritten, so what it may contain is limited and checked:
exported names are unique, imports are not renamed (but for vendored files), and no two modules import each other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Final

from tillmesh.kernel.errors import Invalid

ENTRY: Final = "app.js"
Read = Callable[[str], str]  # path below static/ -> its text

_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<quasi>`)"""
    r"""|(?P<space>\s+)|(?P<word>[\w$#]+)|(?P<other>[\s\S])"""
)
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX: Final = re.compile(r"(?:^|[(,=:\[!&|?{};>]|\breturn|\btypeof)$")
_IMPORT: Final = re.compile(r'^import\s*(?:\{([^}]*)\}|([\w$]+))?\s*(?:from\s*)?"([^"]+)";?', re.MULTILINE)
_REEXPORT: Final = re.compile(r'^export\s*\{([^}]*)\}\s*from\s*"([^"]+)";?', re.MULTILINE)
_EXPORTS: Final = re.compile(r"^export\s*\{([^}]*)\};?", re.MULTILINE)
_EXPORTED: Final = re.compile(r"^export (?:async )?(?:const|let|function|class) ([\w$]+)", re.MULTILINE)
_LAZY: Final = re.compile(r'\(\s*await import\("([^"]+)"\)\s*\)\.')


def pack(read: Read, entry: str = ENTRY) -> str:
    """Join a module and all it imports, each in a scope of its own, in the order they need each other."""
    parts: list[str] = []
    names: dict[str, str] = {}
    _visit(entry, read, (), {}, names, parts)
    return "\n".join(parts) + "\n"


def _visit(
    path: str, read: Read, above: tuple[str, ...], done: dict[str, str], names: dict[str, str], parts: list[str]
) -> None:
    if path in above:
        raise Invalid(f"{path} and {above[-1]} import each other", hint="Move what both need into a third module.")
    if path in done:
        return
    vendored = path.startswith("vendor/")
    code = read(path) if vendored else strip(read(path))
    for target in _needs(code, vendored=vendored):
        below = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        _visit(below, read, (*above, path), done, names, parts)
    done[path] = code
    parts.append(_vendored(path, code) if vendored else _own(path, code, names, is_entry=not above))


def _needs(code: str, *, vendored: bool) -> list[str]:
    """List what a module imports, what it passes on, and what it loads when first needed."""
    if vendored:
        return re.findall(r'\bfrom\s*"([^"]+)"', code)
    return [m[3] for m in _IMPORT.finditer(code)] + [m[2] for m in _REEXPORT.finditer(code)] + _LAZY.findall(code)


def _scope(path: str) -> str:
    """Name the object that holds what a vendored file exports."""
    return "$" + re.sub(r"\W", "_", posixpath.basename(path))


def _pairs(listed: str) -> list[tuple[str, str]]:
    """Read ``a as b, c`` as [(a, b), (c, c)]."""
    pairs = [re.split(r"\s+as\s+", one.strip()) for one in listed.split(",") if one.strip()]
    return [(pair[0], pair[-1]) for pair in pairs]


def _vendored(path: str, code: str) -> str:
    """Wrap a minified file: it renames what it imports and exports."""
    exported: list[tuple[str, str]] = []

    def take(match: re.Match[str]) -> str:
        inner = ",".join(f"{a}:{b}" for a, b in _pairs(match[1]))
        return f"const {{{inner}}}={_scope(match[2])};"

    code = re.sub(r'import\s*\{([^}]*)\}\s*from\s*"([^"]+)";?', take, code)
    for match in re.finditer(r'export\s*\{([^}]*)\}(?:\s*from\s*"([^"]+)")?;?', code):
        source = f"{_scope(match[2])}." if match[2] else ""
        exported += [(source + name, as_) for name, as_ in _pairs(match[1])]
    code = re.sub(r'export\s*\{([^}]*)\}(?:\s*from\s*"[^"]+")?;?', "", code)
    if "export default" in code:
        code = code.replace("export default", "const $default=")
        exported.append(("$default", "default"))
    inner = ",".join(f"{as_}:{name}" for name, as_ in exported)
    return f"const {_scope(path)}=(()=>{{{code}\nreturn{{{inner}}}}})();"


def _own(path: str, code: str, names: dict[str, str], *, is_entry: bool) -> str:
    """Wrap one of our modules: what it exports becomes a name that all later ones see."""
    exported = _EXPORTED.findall(code)
    outer: list[str] = []  # constants that are taken straight from vendored files
    for match in _IMPORT.finditer(code):
        if "vendor/" in match[3]:
            listed, default = match[1], match[2]
            outer.append(
                f"const {{{listed}}}={_scope(match[3])};" if listed else f"const {default}={_scope(match[3])}.default;"
            )
        elif match[1] and any(a != b for a, b in _pairs(match[1])):
            raise Invalid(f"{path} renames what it imports from {match[3]}", hint="Import it under its own name.")
    outer += [f"const {{{match[1]}}}={_scope(match[2])};" for match in _REEXPORT.finditer(code)]
    for name in exported:
        if name in names:
            raise Invalid(f"{path} and {names[name]} both export {name}", hint="Call one of them differently.")
        names[name] = path
    for pattern in (_IMPORT, _REEXPORT, _EXPORTS):
        code = pattern.sub("", code)
    code = re.sub(r"^export ", "", _LAZY.sub(" ", code), flags=re.MULTILINE).strip("\n")
    code = "".join(_code(code, 0, nested=False, last=True)[0])
    if is_entry:
        return "".join(outer) + code
    assigned = f"const {{{','.join(exported)}}}=" if exported else ""
    returned = f"\nreturn{{{','.join(exported)}}}" if exported else ""
    return f"{''.join(outer)}{assigned}(()=>{{{code}{returned}}})();"


def strip(code: str) -> str:
    """Leave out comments and needless space; strings, templates and regular expressions stay as they are."""
    out, at = _code(code, 0, nested=False)
    assert at == len(code), "the scanner stops only at the end"
    text = re.sub(r"\n+", "\n", "".join(out)).strip("\n")
    return text + "\n"


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
