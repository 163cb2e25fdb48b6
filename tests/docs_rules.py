"""Reading Markdown: its links, its headings and the code blocks marked `test`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\[(?:[^\]\[]|\[[^\]]*\])*\]\((?P<to>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
IMAGE = re.compile(r"<img[^>]+src=\"(?P<to>[^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$", re.MULTILINE)
MAKE = re.compile(r"(?:^|[`\s])make +(?P<target>[a-z][a-z-]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block: where it starts, what its info string says, what stands in it."""

    line: int
    words: tuple[str, ...]
    body: str


def blocks(text: str) -> Iterator[Block]:
    """Yield every fenced code block of a page."""
    for found in FENCE.finditer(text):
        yield Block(text.count("\n", 0, found.start()) + 1, tuple(found["info"].split()), found["body"])


def prose(text: str) -> str:
    """The page without its code: no link or heading in there counts."""
    return re.sub(r"(`+)[^`\n]+?\1", "", FENCE.sub("", text))


def anchor(title: str) -> str:
    """The fragment a heading gets on the usual forges."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title.replace("`", ""))
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Every fragment that can be linked to on a page."""
    return {anchor(found["title"]) for found in HEADING.finditer(FENCE.sub("", text))}


def broken_links(page: Path) -> list[str]:
    """Name links of a page to files or headings that are not there. Addresses on the net are not followed."""
    text = page.read_text(encoding="utf-8")
    found = []
    for pattern in (LINK, IMAGE):
        for link in pattern.finditer(prose(text)):
            to, _, fragment = link["to"].partition("#")
            if re.match(r"[a-z][a-z+.-]*:", to):
                continue
            target = page.parent / to if to else page
            if not target.exists():
                found.append(f"{page.name}: {link['to']} leads nowhere")
            elif fragment and target.suffix == ".md" and fragment not in anchors(target.read_text(encoding="utf-8")):
                found.append(f"{page.name}: {link['to']}: no such heading")
    return found


def make_targets(makefile: str) -> set[str]:
    """The targets a Makefile offers."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def named_targets(text: str) -> set[str]:
    """The make targets a page tells its reader to run, in code blocks and in inline code."""
    code = [block.body for block in blocks(text)] + re.findall(r"`[^`\n]+`", FENCE.sub("", text))
    return {found["target"] for part in code for found in MAKE.finditer(part)}


def transcript(body: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what each is to print."""
    steps: list[tuple[str, str]] = []
    for line in body.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append((line[2:].strip(), ""))
        elif steps:
            command, output = steps[-1]
            steps[-1] = (command, output + line)
    return steps
