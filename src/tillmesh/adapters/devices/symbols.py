"""The codes of a receipt as inline SVG for the screen; black on white in every theme, or scanners won't read them."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno

from tillmesh.adapters.devices.code128 import QUIET_MODULES, runs
from tillmesh.shop.receipt import Barcode, Qr

_BAR_HEIGHT: Final = 40  # modules; any will do


def draw(part: Qr | Barcode) -> str:
    """Draw a code as SVG that scales with its box, or nothing if it can't be drawn."""
    return _qr(part.content) if isinstance(part, Qr) else _bars(part.content)


def _qr(content: str) -> str:
    svg = BytesIO()
    segno.make_qr(content, error="m").save(
        svg, kind="svg", border=4, xmldecl=False, svgns=False, omitsize=True, nl=False, dark="#000", light="#fff"
    )
    return svg.getvalue().decode()


def _bars(content: str) -> str:
    """Draw all bars as one path."""
    x, path = QUIET_MODULES, []
    for index, width in enumerate(runs(content)):
        if index % 2 == 0:
            path.append(f"M{x} 0h{width}v{_BAR_HEIGHT}h-{width}z")
        x += width
    if not path:
        return ""
    size = f"{x + QUIET_MODULES} {_BAR_HEIGHT}"
    return (
        f'<svg viewBox="0 0 {size}" preserveAspectRatio="none" shape-rendering="crispEdges" class="paper-bars">'
        f'<path fill="#fff" d="M0 0h{size.replace(" ", "v")}H0z"/><path fill="#000" d="{"".join(path)}"/></svg>'
    )
