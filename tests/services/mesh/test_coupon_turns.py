"""Two tills in touch and coupons for one use: the till that keeps one lets one sale have it, and stops nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.services.mesh.memory_links import Post
from tests.services.mesh.test_purse_holds import FOREVER_MS, MANAGER, close, holds_of, in_touch, run
from tillmesh.kernel.errors import Conflict
from tillmesh.shop.events import Change, Payment
from tillmesh.shop.purses import GIFT_CARD, card_account
from tillmesh.terminal.purse_holds import PurseHolds
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited
from tillmesh.till.turns import turns_of

CODES = [f"ONCE{number}" for number in range(20)]
PATIENT: dict[str, Any] = {"clock_ms": lambda: 0, "patience_ms": FOREVER_MS}
pytestmark = pytest.mark.service


async def shop_of(folder: Path) -> tuple[Post, Post]:
    """Two tills in touch that sell a mug for 10.00 each, and half of it off for each of twenty coupons, once."""
    posts = await in_touch(folder)
    first = posts[0]
    half: dict[str, Any] = {"name": "Half", "kind": "cart_amount", "amount_minor": 500, "codes": CODES}
    changes = (Change(key="half", fields={**half, "code_uses_max": 1}),)
    await first.driver.do(MANAGER, c.ChangeRecords(entity="promotion", changes=changes))
    while not await posts[1].driver.look(lambda books: books.promotions().with_code(CODES[0])):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return posts


async def ring_up(post: Post, cart_id: str, *operations: c.CartOperation) -> int:
    """Put something into a cart; give what it comes to."""
    edited = (await post.driver.do(MANAGER, c.EditCart(cart_id=cart_id, operations=operations))).reply
    assert isinstance(edited, Edited)
    assert edited.rejected == ()
    assert edited.sums is not None
    return edited.sums.total_minor


async def with_coupon(post: Post, cart_id: str, code: str) -> None:
    mug = c.CartOperation(op_id="a", op="add", line_id="a", sku="mug")
    assert await ring_up(post, cart_id, mug, c.CartOperation(op_id="b", op="coupon", text=code)) == 500


async def pay(post: Post, holds: PurseHolds, cart_id: str, total: int) -> None:
    """Pay a cart as the page's call does: what it has its turn for is asked for before."""

    def turns(books: Any) -> Any:
        found = books.cart(cart_id)
        return turns_of(books, found[0])

    assert await holds.ask(cart_id, [], await post.driver.look(turns))
    payments = (Payment(method="cash", amount_minor=total),)
    await post.driver.do(MANAGER, c.PayCart(cart_id=cart_id, payments=payments, total_minor=total))


def test_two_tills_in_touch_do_not_take_one_coupon_in_the_same_moment_twenty_times(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await shop_of(tmp_path)
        both = [(post, holds_of(post, **PATIENT)) for post in posts]
        for code in CODES:
            for post, _ in both:
                await with_coupon(post, f"{code}-{post.actor}", code)
            paying = (pay(post, holds, f"{code}-{post.actor}", 500) for post, holds in both)
            (refused,) = [one for one in await asyncio.gather(*paying, return_exceptions=True) if one is not None]
            assert isinstance(refused, Conflict), refused
        for post in posts:
            while await post.driver.look(lambda books: books.promotion_uses("half")) < len(CODES):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert await post.driver.look(lambda books: books.promotion_uses("half")) == len(CODES)
        await close(*posts)

    run(scene)


def test_a_till_that_does_not_answer_stops_no_coupon(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await shop_of(tmp_path)
        for number, post in enumerate(posts):  # nobody listens at the other till: one of the two has to ask it
            holds = holds_of(post, patience_ms=50)
            await with_coupon(post, f"cart-{number}", CODES[number])
            await pay(post, holds, f"cart-{number}", 500)
            await holds.stop()
        await close(*posts)

    run(scene)


def test_two_tills_in_touch_do_not_sell_one_new_gift_card_in_the_same_moment(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await shop_of(tmp_path)
        both = [(post, holds_of(post, **PATIENT)) for post in posts]
        for post, _ in both:
            load = c.CartOperation(op_id="g", op="gift_card", line_id="g", text="CARD-0001-NEW", amount_minor=1_000)
            assert await ring_up(post, f"cart-{post.actor}", load) == 1_000
        paying = (pay(post, holds, f"cart-{post.actor}", 1_000) for post, holds in both)
        (refused,) = [one for one in await asyncio.gather(*paying, return_exceptions=True) if one is not None]
        assert isinstance(refused, Conflict), refused
        account = card_account(posts[0].opened.origin.store, "CARD-0001-NEW")
        for post in posts:
            while not await post.driver.look(lambda books: books.purse(GIFT_CARD, account)):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert await post.driver.look(lambda books: books.purse(GIFT_CARD, account)) == 1_000
        await close(*posts)

    run(scene)
