"""What a simulated store uploads: sales of six lines, sealed into its chain and packed, ready to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from tillmesh.bench.goods import START_MS
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import pack
from tillmesh.shop.events import NAMES, VERSION, Payment, SaleClosed, SaleLine, TaxTotal
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Batch, write_batch

LINES: Final = 6
BASKETS: Final = 200  # different ones, drawn again and again
TAX_PPM: Final = 200_000
EVERY_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Work:
    """One batch of a store, and the heartbeat that would follow it."""

    store: str
    actor: str
    sealed: tuple[Envelope, ...]
    packed: bytes
    empty: bytes
    taken_minor: int

    @property
    def events(self) -> int:
        """How many events it holds."""
        return len(self.sealed)

    @property
    def last(self) -> int:
        """The number of the last one."""
        return self.sealed[-1].seq

    def rows(self) -> Iterator[tuple[str, str, int, int, bytes, bytes]]:
        """Give the events as rows of a bare table."""
        return ((self.store, e.actor, e.seq, e.hlc, e.body, e.hash) for e in self.sealed)


def work_of(store: str, batches: int, events: int) -> list[Work]:
    """Make the batches of one store, whose only till sells once a minute."""
    actor = f"till{store[-4:]}.aaaaaaaa"
    draw, head, found = Random(store), Head(actor), []  # noqa: S311 - shoppers need no secrets
    baskets = _baskets()
    for _ in range(batches):
        sealed, taken = [], 0
        for _ in range(events):
            body, total = baskets[draw.randrange(BASKETS)]
            hlc = pack(START_MS + head.seq * EVERY_MS)
            event = seal(store, head, hlc=hlc, kind=NAMES[SaleClosed], version=VERSION, body=body)
            head, taken = Head(actor, event.seq, event.hash), taken + total
            sealed.append(event)
        heads = {actor: Mark(head.seq, head.hash)}
        packed = write_batch(Batch(store, 1, actor, heads, runs_of(sealed)))
        empty = write_batch(Batch(store, 1, actor, heads, []))
        found.append(Work(store, actor, tuple(sealed), packed, empty, taken))
    return found


@cache
def _baskets() -> list[tuple[bytes, int]]:
    """Encode some sales, with what each came to."""
    draw = Random(1)  # noqa: S311 - shoppers need no secrets
    found = []
    for number in range(BASKETS):
        lines = tuple(_line(draw) for _ in range(LINES))
        total, tax = sum(line.total_minor for line in lines), sum(line.tax_minor for line in lines)
        sale = SaleClosed(
            cart_id=f"{draw.getrandbits(96):024x}", receipt_number=f"AAAA-{number:06}", shift_id="till.aaaaaaaa-1",
            cashier="maya", currency="EUR", prices_include_tax=True, lines=lines,
            taxes=(TaxTotal(code="standard", rate_ppm=TAX_PPM, net_minor=total - tax, tax_minor=tax),),
            payments=(Payment(method="cash", amount_minor=total),), discount_minor=0, tax_minor=tax, total_minor=total,
        )  # fmt: skip
        found.append((encode(sale), total))
    return found


def _line(draw: Random) -> SaleLine:
    quantity, price = draw.randint(1, 3), draw.randint(25, 4_999)
    total = quantity * price
    code = str(500_000_000_000 + draw.randrange(5_000))
    return SaleLine(
        sku=code, name=f"Alder organic apple {code[-4:]}", unit="piece", quantity_milli=quantity * 1_000,
        list_price_minor=price, unit_price_minor=price, gross_minor=total, discount_minor=0, cart_discount_minor=0,
        tax_code="standard", rate_ppm=TAX_PPM, tax_minor=total * TAX_PPM // (1_000_000 + TAX_PPM), total_minor=total,
        barcode=code,
    )  # fmt: skip
