"""The pure cores alone: pricing, sealing, counters; each beside the least that Python needs for the same values."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Final

import msgspec

from tillmesh.bench.measuring import Row, cpu_us, ratio, spread
from tillmesh.crdt import PNCounter
from tillmesh.kernel.envelope import Head, seal
from tillmesh.shop.cart import Cart, CartLine, Discount, Policy
from tillmesh.shop.offers import Offers, Promotion, shelf_of
from tillmesh.shop.pricing import price

BLOCKS: Final = 15
CARTS: Final = 2_000
PROMOTIONS: Final = 50
SEALS: Final = 20_000
BODY_BYTES: Final = 550  # a sale of six lines
DECREMENTS: Final = 100_000
SKUS: Final = 5_000
ACTORS: Final = 5


def prices(*, blocks: int = BLOCKS) -> list[Row]:
    """Price carts of 6 and 20 lines beside the bare multiplications and one division per line."""
    rows = []
    for lines in (6, 20):
        carts = [_cart(Random(n), lines) for n in range(50)]  # noqa: S311 - shoppers need no secrets
        policy = Policy(currency="GBP", tax_rates_ppm={"standard": 200_000, "reduced": 50_000, "zero": 0})
        ours: Callable[[], object] = lambda: [price(cart, policy) for _ in range(CARTS // 50) for cart in carts]  # noqa: B023, E731
        bare: Callable[[], object] = lambda: [_bare_price(cart) for _ in range(CARTS // 50) for cart in carts]  # noqa: B023, E731
        rows.append(_pair(f"price a cart of {lines} lines", ours, "bare integer sums", bare, CARTS, blocks))
        promoted = _pricing(carts, policy, _fifty_promotions())
        what = f"price a cart of {lines} lines with {PROMOTIONS} promotions"
        rows.append(_pair(what, promoted, "the same without promotions", ours, CARTS, blocks))
    return rows


def _pricing(carts: list[Cart], policy: Policy, offers: Offers) -> Callable[[], object]:
    def work() -> object:
        return [price(cart, policy, offers) for _ in range(CARTS // 50) for cart in carts]

    return work


def _fifty_promotions() -> Offers:
    """Make what a busy shop has: most for some products, some for a department, with hours, coupons and sets."""
    kinds = ("percent", "amount", "buy_get", "mix", "percent")
    some = []
    for n in range(PROMOTIONS - 2):
        kind = kinds[n % 5]
        some.append(
            Promotion(
                promotion_id=f"p{n}",
                name=f"Promotion {n}",
                kind=kind,
                rate_ppm=0 if kind == "mix" else 100_000,
                amount_minor=500,
                buy_count=2,
                get_count=1,
                skus=tuple(str(n * 7 % 20 + k) for k in range(3)) if n < 40 else (),
                departments=() if n < 40 else ("Tea",),
                codes=("SPRING",) if n % 10 == 9 else (),
                until_minute=1_439 if n % 4 == 0 else 0,
                priority=n % 3,
            )
        )
    some.append(Promotion(promotion_id="cart", name="Cart", kind="cart_percent", rate_ppm=50_000, minimum_minor=2_000))
    some.append(Promotion(promotion_id="all", name="All", kind="percent", rate_ppm=10_000))
    return Offers(shelf=shelf_of(some))


def _cart(rng: Random, lines: int) -> Cart:
    codes = ("standard", "reduced", "zero")
    return Cart(
        cart_id="bench",
        lines=tuple(
            CartLine(
                line_id=str(n), sku=str(n), name=f"Product {n}", unit="piece", quantity_milli=1_000 * rng.randint(1, 3),
                list_price_minor=rng.randint(25, 4_999), tax_code=rng.choice(codes),
            )
            for n in range(lines)
        ),
        discount=Discount(rate_ppm=50_000) if rng.random() < 0.1 else None,
    )  # fmt: skip


def _bare_price(cart: Cart) -> tuple[int, int]:
    total = tax = 0
    for line in cart.lines:
        gross = line.list_price_minor * line.quantity_milli // 1_000
        total += gross
        tax += gross * 200_000 // 1_200_000
    return total, tax


def seals(*, blocks: int = BLOCKS) -> list[Row]:
    """Seal events into a chain beside one SHA-256 over as many bytes."""
    body = bytes(BODY_BYTES)

    def ours() -> None:
        head = Head("k3m7qx2p.4f9a2c8d")
        for hlc in range(SEALS):
            event = seal("store", head, hlc=hlc, kind="sale_closed", version=1, body=body)
            head = Head(event.actor, event.seq, event.hash)

    def bare() -> None:
        pinned = bytes(32)
        for _ in range(SEALS):
            pinned = sha256(pinned + body).digest()

    return [_pair(f"seal an event of {BODY_BYTES} bytes", ours, "bare SHA-256", bare, SEALS, blocks)]


def counters(*, blocks: int = BLOCKS) -> list[Row]:
    """Count 100,000 decrements of 5,000 products on 5 tills, write them as bytes, read and merge them."""
    rng = Random(1)  # noqa: S311 - shoppers need no secrets
    moves = [(rng.randrange(ACTORS), rng.randrange(SKUS)) for _ in range(DECREMENTS)]
    names = [f"till{n:04d}.{n:08d}" for n in range(ACTORS)]
    tills = [_count(moves, names, who) for who in range(ACTORS)]
    packed = [[counter.to_bytes() for counter in till.values()] for till in tills]
    size = sum(len(data) for till in packed for data in till)

    def merge() -> int:
        total = 0
        for sku in range(SKUS):
            merged = PNCounter()
            for till in tills:
                if sku in till:
                    merged = merged.merge(till[sku])
            total += merged.value
        return total

    plain = [{sku: counter.value for sku, counter in till.items()} for till in tills]
    assert merge() == -DECREMENTS, "merged counters must hold every decrement"
    numbers = "bare msgpack of the numbers"
    write, read = msgspec.msgpack.encode, msgspec.msgpack.decode
    pairs: list[tuple[str, Callable[[], object], str, Callable[[], object]]] = [
        ("decrement", lambda: [_count(moves, names, who) for who in range(ACTORS)],
         "plain dict of integers", lambda: [_plain(moves, who) for who in range(ACTORS)]),
        ("encode", lambda: [[counter.to_bytes() for counter in till.values()] for till in tills],
         numbers, lambda: [[write(value) for value in till.values()] for till in plain]),
        ("decode", lambda: [[PNCounter.from_bytes(data) for data in till] for till in packed],
         numbers, lambda: [[read(data) for data in till] for till in packed]),
        ("merge", merge,
         "adding plain integers", lambda: sum(till.get(sku, 0) for sku in range(SKUS) for till in plain)),
    ]  # fmt: skip
    rows = [_pair(f"{what}, per decrement", ours, peer, bare, DECREMENTS, blocks) for what, ours, peer, bare in pairs]
    return [*rows[:-1], msgspec.structs.replace(rows[-1], note=f"{size / DECREMENTS:.1f} bytes per decrement, encoded")]


def _count(moves: list[tuple[int, int]], names: list[str], who: int) -> dict[int, PNCounter]:
    held: dict[int, PNCounter] = {}
    nothing = PNCounter()
    for actor, sku in moves:
        if actor == who:
            held[sku] = held.get(sku, nothing).decrement(names[who])
    return held


def _plain(moves: list[tuple[int, int]], who: int) -> dict[int, int]:
    held: dict[int, int] = {}
    for actor, sku in moves:
        if actor == who:
            held[sku] = held.get(sku, 0) - 1
    return held


def _pair(what: str, ours: Callable[[], object], peer: str, bare: Callable[[], object], count: int, blocks: int) -> Row:
    """Alternate blocks of ours and of the peer; CPU per operation."""
    ours(), bare()
    mine, theirs = [], []
    for _ in range(blocks):
        mine.append(cpu_us(ours, count))
        theirs.append(cpu_us(bare, count))
    return Row(what=what, unit="us", spread=spread(mine), ratio=ratio(peer, mine, theirs))
