"""Few scripts for a page: the UI's plain modules joined and their comments left out, at the first request.

The source stays modules that run in a browser as they are; joining them saves fifty requests at a cold start. The
first script holds the entry and all it imports. A module that the entry loads later, by an address with a turn in it,
begins a script of its own: with all it needs that the first has not; what the first has it takes from there.

The code is only cut at tokens and put together, never rewritten, so what it may contain is limited and checked:
exported names are unique over all scripts, imports are not renamed (but for vendored files), no two modules import each
other, and modules are loaded later in two ways only: ``(await import("./x.js")).Name`` is part of the same script, and
``import(`./x.js?turn=${turn}`)`` in the first script begins another. Browsers remember an import that failed, so each
try has another turn.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from tillmesh.adapters.web.stripping import strip, tighten
from tillmesh.kernel.errors import Invalid

ENTRY: Final = "app.js"
Read = Callable[[str], str]  # path below static/ -> its text

_IMPORT: Final = re.compile(r'^import\s*(?:\{([^}]*)\}|([\w$]+))?\s*(?:from\s*)?"([^"]+)";?', re.MULTILINE)
_REEXPORT: Final = re.compile(r'^export\s*\{([^}]*)\}\s*from\s*"([^"]+)";?', re.MULTILINE)
_EXPORTS: Final = re.compile(r"^export\s*\{([^}]*)\};?", re.MULTILINE)
_EXPORTED: Final = re.compile(r"^export (?:async )?(?:const|let|function|class) ([\w$]+)", re.MULTILINE)
_LAZY: Final = re.compile(r'\(\s*await import\("([^"]+)"\)\s*\)\.([\w$]+)')
_LATER: Final = re.compile(r"\bimport\(`([^`?]+)\?turn=\$\{([\w$]+)\}`\)")
_ANY_LOAD: Final = re.compile(r"(?<![\w$.])import\(")
_VERSION: Final = "$VERSION$"


class Joined(NamedTuple):
    """Scripts that belong together: an old page's first script does not fit a new one of the others."""

    version: str
    texts: dict[str, str]  # name -> text, the first one first


@dataclass(slots=True)
class _Script:
    """What one script is made of so far."""

    entry: str
    parts: list[str] = field(default_factory=list)
    borrowed: set[str] = field(default_factory=set)  # names it takes from the first script
    later: list[str] = field(default_factory=list)  # modules that begin a script of their own
    offered: list[str] = field(default_factory=list)  # what its entry exports


def pack(read: Read, entry: str = ENTRY) -> Joined:
    """Join a module and all it needs into a script, and what it loads later into others."""
    joining = _Joining(read, entry)
    first = joining.script(entry)
    others = [joining.script(path) for path in dict.fromkeys(first.later)]
    borrowed = sorted(set().union(*(other.borrowed for other in others)))
    texts = {entry: "\n".join(first.parts) + (f"\nexport{{{','.join(borrowed)}}};\n" if borrowed else "\n")}
    for other in others:
        taken = f'import{{{",".join(sorted(other.borrowed))}}}from"./{entry}";\n' if other.borrowed else ""
        texts[other.entry] = f"{taken}{chr(10).join(other.parts)}\nexport{{{','.join(other.offered)}}};\n"
    version = sha256("\0".join(texts.values()).encode()).hexdigest()[:16]
    return Joined(version, {name: text.replace(_VERSION, version) for name, text in texts.items()})


class _Joining:
    """Where each module and each exported name has gone."""

    def __init__(self, read: Read, entry: str) -> None:
        self._read = read
        self._entry = entry
        self._places: dict[str, _Script] = {}  # module -> the script it is part of
        self._names: dict[str, str] = {}  # exported name -> module

    def script(self, path: str) -> _Script:
        """Join what a module needs and no earlier script has."""
        if path in self._places:
            raise Invalid(f"{path} is loaded later, and imported at once", hint="Do one of both.")
        script = _Script(path)
        self._visit(path, script, ())
        if script.later and path != self._entry:
            what = f"{path} loads {script.later[0]} later"
            raise Invalid(what, hint=f"Load it from what {self._entry} imports.")
        return script

    def _visit(self, path: str, script: _Script, above: tuple[str, ...]) -> None:
        if path in above:
            raise Invalid(f"{path} and {above[-1]} import each other", hint="Move what both need into a third module.")
        if path in self._places:
            return
        vendored = path.startswith("vendor/")
        code = self._read(path) if vendored else strip(self._read(path))
        for target in _needs(code, vendored=vendored):
            self._visit(_below(path, target), script, (*above, path))
        self._places[path] = script
        script.parts.append(self._vendored(path, code, script) if vendored else self._own(path, code, script))

    def _scope(self, path: str, target: str, script: _Script) -> str:
        """Name the object that holds what a vendored file exports, wherever that file is."""
        if self._places[_below(path, target)] is not script:
            script.borrowed.add(_scope(target))
        return _scope(target)

    def _vendored(self, path: str, code: str, script: _Script) -> str:
        """Wrap a minified file: it renames what it imports and exports."""
        exported: list[tuple[str, str]] = []

        def take(match: re.Match[str]) -> str:
            inner = ",".join(f"{a}:{b}" for a, b in _pairs(match[1]))
            return f"const {{{inner}}}={self._scope(path, match[2], script)};"

        code = re.sub(r'import\s*\{([^}]*)\}\s*from\s*"([^"]+)";?', take, code)
        for match in re.finditer(r'export\s*\{([^}]*)\}(?:\s*from\s*"([^"]+)")?;?', code):
            source = f"{self._scope(path, match[2], script)}." if match[2] else ""
            exported += [(source + name, as_) for name, as_ in _pairs(match[1])]
        code = re.sub(r'export\s*\{([^}]*)\}(?:\s*from\s*"[^"]+")?;?', "", code)
        if "export default" in code:
            code = code.replace("export default", "const $default=")
            exported.append(("$default", "default"))
        inner = ",".join(f"{as_}:{name}" for name, as_ in exported)
        return f"const {_scope(path)}=(()=>{{{code}\nreturn{{{inner}}}}})();"

    def _own(self, path: str, code: str, script: _Script) -> str:
        """Wrap one of our modules: what it exports becomes a name that all later ones see."""
        exported = self._register(path, code)
        outer: list[str] = []  # constants that are taken straight from vendored files
        for listed, default, target in _IMPORT.findall(code):
            if "vendor/" in target:
                scope = self._scope(path, target, script)
                outer.append(f"const {{{listed}}}={scope};" if listed else f"const {default}={scope}.default;")
            else:
                self._borrow(path, target, listed, script)
        outer += [f"const {{{m[1]}}}={self._scope(path, m[2], script)};" for m in _REEXPORT.finditer(code)]
        for target, name in _LAZY.findall(code):
            self._borrow(path, target, name, script)
        for pattern in (_IMPORT, _REEXPORT, _EXPORTS):
            code = pattern.sub("", code)
        code = self._loading(path, _LAZY.sub(r" \2", code), script)
        code = tighten(re.sub(r"^export ", "", code, flags=re.MULTILINE).strip("\n"))
        if path == self._entry:
            return "".join(outer) + code
        if path == script.entry:
            script.offered += exported
        assigned = f"const {{{','.join(exported)}}}=" if exported else ""
        returned = f"\nreturn{{{','.join(exported)}}}" if exported else ""
        return f"{''.join(outer)}{assigned}(()=>{{{code}{returned}}})();"

    def _register(self, path: str, code: str) -> list[str]:
        exported: list[str] = _EXPORTED.findall(code)
        for name in exported:
            if name in self._names:
                raise Invalid(
                    f"{path} and {self._names[name]} both export {name}", hint="Call one of them differently."
                )
            self._names[name] = path
        return exported

    def _borrow(self, path: str, target: str, listed: str, script: _Script) -> None:
        """Note names that another script has."""
        if any(a != b for a, b in _pairs(listed)):
            raise Invalid(f"{path} renames what it imports from {target}", hint="Import it under its own name.")
        if self._places[_below(path, target)] is not script:
            script.borrowed.update(name for name, _ in _pairs(listed))

    def _loading(self, path: str, code: str, script: _Script) -> str:
        """Note what begins a script of its own, and give it an address that names the version."""

        def address(match: re.Match[str]) -> str:
            script.later.append(_below(path, match[1]))
            return f"$load(`./{script.later[-1]}?v={_VERSION}&turn=${{{match[2]}}}`)"

        code = _LATER.sub(address, code)
        if _ANY_LOAD.search(code):
            raise Invalid(f"{path} loads a module in a way that can't be joined", hint="pack.py names the two ways.")
        return code.replace("$load(", "import(")


def _needs(code: str, *, vendored: bool) -> Iterator[str]:
    """List what a module imports, what it passes on, and what it loads when first needed."""
    if vendored:
        yield from re.findall(r'\bfrom\s*"([^"]+)"', code)
        return
    yield from (m[3] for m in _IMPORT.finditer(code))
    yield from (m[2] for m in _REEXPORT.finditer(code))
    yield from (m[1] for m in _LAZY.finditer(code))


def _below(path: str, target: str) -> str:
    """Resolve what a module calls another one."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _scope(path: str) -> str:
    """Name the object that holds what a vendored file exports."""
    return "$" + re.sub(r"\W", "_", posixpath.basename(path))


def _pairs(listed: str) -> list[tuple[str, str]]:
    """Read ``a as b, c`` as [(a, b), (c, c)]."""
    pairs = [re.split(r"\s+as\s+", one.strip()) for one in listed.split(",") if one.strip()]
    return [(pair[0], pair[-1]) for pair in pairs]
