"""Two tills in touch and one gift card: the till that keeps it lets one of them take it, and stops nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.services.mesh.memory_links import Post, connect, open_post
from tillmesh.kernel.errors import Conflict, TillmeshError
from tillmesh.shop.events import Change, Payment, PurseMove
from tillmesh.shop.purses import GIFT_CARD, card_account
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.purse_holds import PurseHolds
from tillmesh.till import commands as c
from tillmesh.till.desk import Company
from tillmesh.till.holds import keeper_of

MANAGER = c.Who(user_id="ruth", role="manager")
CODE = "GIFT-CARD-0001"
FOREVER_MS = 50_000
pytestmark = pytest.mark.service


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


async def in_touch(folder: Path) -> tuple[Post, Post]:
    """Two tills that hear each other, with open shifts, that sell a mug for 10.00."""
    first = open_post(folder / "till-0")
    posts = first, open_post(folder / "till-1", first.opened.origin.store)
    for post, other in (posts, posts[::-1]):
        await post.start()
        post.driver.company = hearing(other)
        await post.driver.do(MANAGER, c.OpenShift(float_minor=0))
    connect(*posts)
    mug: dict[str, Any] = {"name": "Mug", "price_minor": 1_000, "unit": "piece", "tax_code": "zero"}
    await first.driver.do(MANAGER, c.ChangeRecords(entity="product", changes=(Change(key="mug", fields=mug),)))
    return posts


async def shop_of(folder: Path) -> tuple[Post, Post, str]:
    """Two tills in touch that sell a mug for 10.00 each; a gift card holds 10.00."""
    posts = await in_touch(folder)
    first = posts[0]
    store: dict[str, Any] = {"pay_methods": ["cash", "gift_card"], "offline_redeem_max_minor": 200}
    await first.driver.do(MANAGER, c.ChangeRecords(entity="setting", changes=(Change(key="store", fields=store),)))
    load = c.CartOperation(op_id="g", op="gift_card", line_id="g", text=CODE, amount_minor=1_000)
    await first.driver.do(MANAGER, c.EditCart(cart_id="load", operations=(load,)))
    cash = (Payment(method="cash", amount_minor=1_000),)
    await first.driver.do(MANAGER, c.PayCart(cart_id="load", payments=cash))
    account = card_account(first.opened.origin.store, CODE)
    while await posts[1].driver.look(lambda books: books.purse(GIFT_CARD, account)) != 1_000:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return *posts, account


def hearing(other: Post) -> Callable[[], Company]:
    terminal = other.driver.identity.terminal
    return lambda: Company(others=(terminal,), heard=(terminal,))


def holds_of(post: Post, **how: Any) -> PurseHolds:
    return PurseHolds(post.driver, post.mesh, post.driver.company, **how)


def keeper_first(one: Post, two: Post, account: str) -> tuple[Post, Post]:
    """Give the till that keeps a gift card, and the other one, which has to ask it."""
    terminals = [post.driver.identity.terminal for post in (one, two)]
    return (one, two) if keeper_of(GIFT_CARD, account, terminals) == terminals[0] else (two, one)


async def close(*posts: Post) -> None:
    for post in posts:
        await post.stop()


async def pay(post: Post, holds: PurseHolds, account: str) -> int:
    """Pay a mug with the card as the page's call does; give what was taken."""
    cart_id = f"cart-of-{post.actor}"
    add = c.CartOperation(op_id="a", op="add", line_id="a", sku="mug")
    await post.driver.do(MANAGER, c.EditCart(cart_id=cart_id, operations=(add,)))
    sure = await holds.ask(cart_id, [PurseMove(purse=GIFT_CARD, account=account, amount=-1_000)])
    payment = Payment(method=GIFT_CARD, amount_minor=1_000, reference=CODE)
    await post.driver.do(MANAGER, c.PayCart(cart_id=cart_id, payments=(payment,), apart=not sure))
    return 1_000


def test_two_tills_in_touch_do_not_spend_one_gift_card_in_the_same_moment(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two, account = await shop_of(tmp_path)
        patient = {"clock_ms": lambda: 0, "patience_ms": FOREVER_MS}
        both = [(one, holds_of(one, **patient)), (two, holds_of(two, **patient))]
        found = await asyncio.gather(*(pay(post, holds, account) for post, holds in both), return_exceptions=True)
        assert sum(one for one in found if isinstance(one, int)) == 1_000
        (refused,) = (one for one in found if isinstance(one, BaseException))
        assert isinstance(refused, Conflict)
        await close(one, two)

    run(scene)


def test_a_till_that_does_not_answer_stops_no_payment_but_takes_the_safety_of_it(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two, account = await shop_of(tmp_path)
        _, asking = keeper_first(one, two, account)
        holds = holds_of(asking, patience_ms=50)  # nobody listens at the other till
        cart = [PurseMove(purse=GIFT_CARD, account=account, amount=-200)]
        assert await holds.ask("cart", cart) is False
        with pytest.raises(TillmeshError, match=r"at most 2\.00"):
            await pay(asking, holds, account)
        await close(one, two)

    run(scene)


def test_a_card_that_is_scanned_twice_for_one_sale_is_kept_for_both_amounts(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two, account = await shop_of(tmp_path)
        holds = {post: holds_of(post, clock_ms=lambda: 0, patience_ms=FOREVER_MS) for post in (one, two)}
        twice = [PurseMove(purse=GIFT_CARD, account=account, amount=amount) for amount in (-700, -300)]
        assert await holds[one].ask("cart-1", twice)
        with pytest.raises(Conflict, match="another till is taking"):
            await holds[two].ask("cart-2", [PurseMove(purse=GIFT_CARD, account=account, amount=-500)])
        await close(one, two)

    run(scene)


def test_a_card_that_its_keeper_knows_to_be_empty_pays_nowhere_though_the_other_till_has_not_heard(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        one, two, account = await shop_of(tmp_path)
        keeper, asking = keeper_first(one, two, account)
        holds_of(keeper)  # it answers
        holds = holds_of(asking, patience_ms=FOREVER_MS)
        spent = c.CloseSale(
            cart_id="first",
            lines=(c.WantedLine(sku="mug", quantity_milli=1_000),),
            payments=(Payment(method=GIFT_CARD, amount_minor=1_000, reference=CODE),),
        )
        keeper.opened.till.company = keeper.driver.company()
        await keeper.driver.on_opened(  # told to no link
            lambda opened: opened.writer.execute(opened.till, MANAGER, spent, now_ms())
        )
        with pytest.raises(Conflict, match="at this moment"):
            await pay(asking, holds, account)
        await close(one, two)

    run(scene)


def test_of_two_tills_in_touch_one_gives_a_sale_back_at_a_time_and_may_go_on(tmp_path: Path) -> None:
    async def scene() -> None:
        one, two, _ = await shop_of(tmp_path)
        holds = [holds_of(post, clock_ms=lambda: 0, patience_ms=FOREVER_MS) for post in (one, two)]
        await holds[0].keep_sale("sale-1")
        await holds[0].keep_sale("sale-1")
        with pytest.raises(Conflict, match="another till gives"):
            await holds[1].keep_sale("sale-1")
        await holds[1].keep_sale("sale-2")
        await holds[1].keep_sale("x" * 5_000)  # no sale, and no question that would break a link
        await close(one, two)

    run(scene)
