"""A receipt as an HTML fragment for the screen: semantic, escaped, without any style of its own.

Classes: paper, paper-{heading,banner,text,row,items,details,table,rule,spacer,qr,barcode}; modifiers is-{centre,right,
strong,large}; amounts are ``.paper-amount``. No style attributes: it fits a policy of ``default-src 'self'``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import assert_never

from tillmesh.shop.receipt.parts import (
    Banner,
    Barcode,
    Detail,
    Heading,
    Item,
    Part,
    Qr,
    Receipt,
    Row,
    Rule,
    Spacer,
    Table,
    Text,
)

Draw = Callable[[Qr | Barcode], str]  # a code as inline SVG, or nothing


def no_drawing(_: Qr | Barcode) -> str:
    """Draw nothing: the text of a code stands alone."""
    return ""


def render_html(receipt: Receipt, draw: Draw = no_drawing) -> str:
    """Write a receipt as one ``<article>``; ``draw`` turns codes into trusted SVG."""
    inner = "\n".join(_elements(receipt, draw))
    kind, language = escape(receipt.kind), escape(receipt.language)
    return f'<article class="paper" data-kind="{kind}" lang="{language}">\n{inner}\n</article>\n'


def escape(text: str) -> str:
    """Make text safe between tags and inside quoted attributes."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, entity)
    return text


def _elements(receipt: Receipt, draw: Draw) -> Iterator[str]:
    """Items that follow each other become one list."""
    for is_item, parts in groupby(receipt.parts, lambda part: isinstance(part, Item)):
        if is_item:
            yield '<ul class="paper-items">'
            yield from (_item(part) for part in parts if isinstance(part, Item))
            yield "</ul>"
        else:
            yield from (_element(part, draw) for part in parts)


def _element(part: Part, draw: Draw) -> str:
    match part:
        case Heading() | Banner() | Text():
            return _words(part)
        case Row(left, right, strong, large):
            classes = _classes("paper-row", "left", strong=strong, large=large)
            return f'<p class="{classes}"><span>{escape(left)}</span> {_amount(right)}</p>'
        case Item():
            return _item(part)
        case Table():
            return _table(part)
        case Rule() | Spacer():
            return '<hr class="paper-rule">' if isinstance(part, Rule) else '<div class="paper-spacer"></div>'
        case Qr() | Barcode():
            return _figure(part, draw)
    assert_never(part)


def _words(part: Heading | Banner | Text) -> str:
    text = escape(part.text.strip())
    match part:
        case Heading():
            return f'<h2 class="paper-heading">{text}</h2>'
        case Banner():
            return f'<p class="paper-banner"><strong>{text}</strong></p>'
        case Text():
            return f'<p class="{_classes("paper-text", part.align, strong=part.strong)}">{text}</p>'
    assert_never(part)


def _classes(name: str, align: str, *, strong: bool = False, large: bool = False) -> str:
    flags = ((align != "left", f"is-{align}"), (strong, "is-strong"), (large, "is-large"))
    return " ".join([name, *(flag for on, flag in flags if on)])


def _amount(text: str) -> str:
    return f'<span class="paper-amount">{escape(text)}</span>'


def _item(item: Item) -> str:
    details = "".join(_detail(detail) for detail in item.details)
    below = f'<ul class="paper-details">{details}</ul>' if details else ""
    return f'<li><p class="paper-row"><span>{escape(item.name)}</span> {_amount(item.amount)}</p>{below}</li>'


def _detail(detail: Detail) -> str:
    amount = f" {_amount(detail.amount)}" if detail.amount else ""
    return f'<li class="paper-row"><span>{escape(detail.text)}</span>{amount}</li>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(cells[0])}</th>'
        + "".join(f'<td class="paper-amount">{escape(cell)}</td>' for cell in cells[1:])
        + "</tr>"
        for cells in table.rows
    )
    return f'<table class="paper-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _figure(part: Qr | Barcode, draw: Draw) -> str:
    name, words = ("qr", part.caption or part.content) if isinstance(part, Qr) else ("barcode", part.content)
    return f'<figure class="paper-{name}">{draw(part)}<figcaption>{escape(words)}</figcaption></figure>'
