"""Showing a till a product: who may, what is kept, and what every till of the store makes of it."""

import pytest

from tests.unit.till.shop_till import SUPERVISOR, Shop
from tillmesh.adapters.sqlite.database import in_memory, write
from tillmesh.adapters.sqlite.examples import examples, named
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.kernel.errors import Invalid, NotAllowed, NotFound, TooLarge
from tillmesh.kernel.limits import EXAMPLE_BYTES_MAX, EXAMPLES_PER_CALL_MAX, EXAMPLES_PER_PRODUCT_MAX
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.audit_text import describe


def teach(shop: Shop, *views: bytes, sku: str = "mug", space: str = "lite0-1", replaces: bool = False) -> str:
    command = c.TeachProduct(sku=sku, space=space, examples=views, replaces=replaces)
    return str(shop.do(command, SUPERVISOR).reply)


def test_what_was_shown_is_kept_by_product_and_by_what_saw_it(shop: Shop) -> None:
    teach(shop, b"one", b"two")
    teach(shop, b"three")
    teach(shop, b"other eyes", space="lite9-1")
    assert examples(shop.writer.db, "lite0-1") == [("mug", b"three"), ("mug", b"two"), ("mug", b"one")]
    assert examples(shop.writer.db, "lite9-1") == [("mug", b"other eyes")]


def test_a_fresh_start_makes_what_was_shown_before_count_no_more(shop: Shop) -> None:
    teach(shop, b"wrong")
    teach(shop, b"right", replaces=True)
    teach(shop, b"more")
    assert examples(shop.writer.db, "lite0-1") == [("mug", b"more"), ("mug", b"right")]


def test_the_newest_examples_of_a_product_count_up_to_a_limit(shop: Shop) -> None:
    for number in range(EXAMPLES_PER_PRODUCT_MAX // EXAMPLES_PER_CALL_MAX + 1):
        teach(shop, *(b"%d-%d" % (number, place) for place in range(EXAMPLES_PER_CALL_MAX)))
    found = examples(shop.writer.db, "lite0-1")
    assert len(found) == EXAMPLES_PER_PRODUCT_MAX
    assert (b"0-0" in [view for _, view in found], found[0][1][:1] != b"0") == (False, True)


def test_a_cashier_may_not_teach_nor_anybody_an_unknown_product_or_a_view_too_large(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        shop.do(c.TeachProduct(sku="mug", space="lite0-1", examples=(b"x",)))
    with pytest.raises(NotFound):
        teach(shop, b"x", sku="nothing")
    with pytest.raises(TooLarge):
        teach(shop, *[b"x"] * (EXAMPLES_PER_CALL_MAX + 1))
    with pytest.raises(Invalid):
        teach(shop, b"x" * (EXAMPLE_BYTES_MAX + 1))


def test_who_taught_what_stands_in_the_audit_log(shop: Shop) -> None:
    event = shop.books.event(teach(shop, b"one", b"two", replaces=True))
    assert event is not None
    shown = describe(shop.books, event)
    assert (shown["action"], shown["subject"], shown["by"]) == ("product_learnt", "mug", SUPERVISOR.user_id)
    assert [word["word"] for word in shown["words"]] == ["photos", "from_scratch"]
    assert shown["words"][0]["n"] == 2
    assert shop.read(event.id, e.ProductLearnt).by == SUPERVISOR.user_id


def test_another_till_that_hears_of_it_knows_the_same(shop: Shop) -> None:
    teach(shop, b"one")
    teach(shop, b"two", replaces=True)
    other = in_memory()
    with write(other):
        Ledger(other, shop.till.identity.store).append_foreign(log(shop.writer.db))
    assert state_parts(other) == state_parts(shop.writer.db)
    assert examples(other, "lite0-1") == examples(shop.writer.db, "lite0-1") == [("mug", b"two")]
    other.close()


def test_a_product_that_is_called_as_a_name_in_the_model_is_found_by_it(shop: Shop) -> None:
    product = shop.books.product("mug")
    assert product is not None
    assert named(shop.writer.db, [product.name.upper(), "Banana"]) == [("mug", product.name.upper())]
    assert named(shop.writer.db, []) == []
