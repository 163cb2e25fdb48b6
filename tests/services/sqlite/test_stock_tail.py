"""Stock of the newest sales waits in a tail: nobody who asks for stock can tell."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.services.sqlite.disk_shop import shop_at
from tests.unit.till.shop_till import MANAGER, Shop, line
from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import in_memory, one, rows, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_hash, state_parts
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import STOCK_TAIL_SALES_MAX
from tillmesh.shop import events as e
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c

SKUS = ("milk", "mug", "apples")


def sell_much(shop: Shop, sales: int, seed: int = 1) -> Counter[str]:
    """Sell one to three products at a time, and give what the stock must be then."""
    rng, stock = Random(seed), Counter[str]()
    for number in range(sales):
        lines = [line(sku, rng.randint(1, 3)) for sku in rng.sample(SKUS, rng.randint(1, 3))]
        shop.sell(*lines, cart_id=f"busy-{seed}-{number}")
        stock.subtract({one_line.sku: one_line.quantity_milli for one_line in lines})
    return stock


def waiting(shop: Shop) -> int:
    return int(one(shop.writer.db, "SELECT count(*) FROM stock_tail"))


def test_stock_is_exact_after_every_sale_while_it_waits_and_when_it_is_folded() -> None:
    shop = Shop().furnish().open()
    expected, most = Counter[str](), 0
    for number in range(STOCK_TAIL_SALES_MAX + 3):
        expected.update(sell_much(shop, 1, seed=number))
        most = max(most, waiting(shop))
        assert {sku: shop.books.stock_milli(sku) for sku in SKUS} == {sku: expected[sku] for sku in SKUS}
        assert shop.books.stocks_milli(SKUS) == {sku: expected[sku] for sku in SKUS}
    assert most > 1


def test_the_tail_never_grows_beyond_its_limit() -> None:
    shop = Shop().furnish().open()
    lengths = []
    for number in range(2 * STOCK_TAIL_SALES_MAX):
        shop.sell(line("milk"), line("mug"), cart_id=f"pair-{number}")
        lengths.append(waiting(shop))
    assert max(lengths) == STOCK_TAIL_SALES_MAX - 1
    assert lengths.count(0) == 2


def test_counting_and_receiving_look_at_what_waits_as_well() -> None:
    shop = Shop().furnish().open()
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=10_000), MANAGER)
    shop.sell(line("mug", 3), line("milk"))
    assert waiting(shop) == 1
    counted = shop.read(shop.do(c.CountStock(sku="mug", quantity_milli=5_000), MANAGER).reply, e.StockCounted)
    assert counted.correction_milli == -2_000
    assert shop.books.stock_milli("mug") == 5_000
    assert shop.books.stock_columns("mug") == {shop.till.identity.actor: (10_000, 5_000)}


def test_lists_of_stock_show_what_the_single_product_shows() -> None:
    shop = Shop().furnish().open()
    expected = sell_much(shop, 7)
    assert waiting(shop)
    listed = {row["sku"]: row["value"] for row in listings.stock(shop.writer.db, text="", low=True, limit=10)}
    assert listed == {sku: f"{milli // 1000}" for sku, milli in expected.items() if milli < 0}
    assert listings.stock_levels(shop.writer.db).items() >= listed.items()


@pytest.mark.parametrize("sales", [3, STOCK_TAIL_SALES_MAX + 5])
def test_tills_that_fold_at_other_times_have_one_state(sales: int) -> None:
    shop = Shop().furnish().open()
    sell_much(shop, sales)
    with closing(in_memory()) as replica, closing(in_memory()) as slow:
        with write(replica):
            Ledger(replica, "corner0shop0").append_foreign(log(shop.writer.db))
        for event in list(log(shop.writer.db)):
            with write(slow):
                Ledger(slow, "corner0shop0").append_own([event])
        hashes = {state_hash(db, Books(db, "k3m7qx2p"))["hash"] for db in (shop.writer.db, replica, slow)}
    assert len(hashes) == 1


def test_a_rebuild_folds_everything_and_changes_nothing() -> None:
    shop = Shop().furnish().open()
    expected = sell_much(shop, 9)
    before = state_parts(shop.writer.db)
    with shop.writer.transaction():
        shop.writer.ledger.rebuild()
    assert waiting(shop) == 0
    assert state_parts(shop.writer.db) == before
    expected.update(sell_much(shop, STOCK_TAIL_SALES_MAX + 1, seed=2))
    assert shop.books.stocks_milli(SKUS) == {sku: expected[sku] for sku in SKUS}


def test_a_sale_that_is_rolled_back_leaves_nothing_in_the_tail() -> None:
    shop = Shop().furnish().open()
    sell_much(shop, STOCK_TAIL_SALES_MAX - 2)
    before = state_parts(shop.writer.db), waiting(shop)
    pair = (line("milk"), line("mug"))
    payments = (e.Payment(method="cash", amount_minor=1_449),)
    sales = [c.CloseSale(cart_id=f"lost-{n}", lines=pair, payments=payments) for n in range(4)]
    commands: list[c.Command] = [*sales, c.CloseShift(counted_minor=-1)]
    with pytest.raises(TillmeshError):
        shop.writer.execute_all(shop.till, [(MANAGER, command) for command in commands], 1)
    assert (state_parts(shop.writer.db), waiting(shop)) == before
    shop.sell(*pair, cart_id="kept")
    assert waiting(shop) < STOCK_TAIL_SALES_MAX


def test_what_waits_survives_a_restart_and_passes_verify(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        shop.furnish().open()
        expected = sell_much(shop, 5)
        held = waiting(shop)
        shop.sign()
    assert held
    with shop_at(tmp_path) as shop:
        assert waiting(shop) == held
        assert shop.books.stocks_milli(SKUS) == {sku: expected[sku] for sku in SKUS}
        reader = shop.opened.reader()
        with closing(reader):
            assert reader.read(lambda _, books: books.stocks_milli(SKUS)) == shop.books.stocks_milli(SKUS)
    assert verify(tmp_path)["ok"]


def test_codes_with_any_characters_are_counted_under_their_own_name() -> None:
    shop = Shop().furnish().open()
    odd = ['a"b', "c\\d", "\u00fcber \U0001f9c0", "{}", "0"]
    fields: dict[str, e.Value] = {"name": "Odd", "price_minor": 100, "tax_code": "zero"}
    changes = tuple(e.Change(key=sku, fields={"sku": sku, **fields}) for sku in odd)
    shop.do(c.ChangeRecords(entity="product", changes=changes), MANAGER)
    wanted = tuple(line(sku, number) for number, sku in enumerate(odd, 1))
    payment = e.Payment(method="cash", amount_minor=1_500)
    shop.do(c.CloseSale(cart_id="odd", lines=wanted, payments=(payment,)))
    assert waiting(shop) == 1
    expected = {sku: -1_000 * number for number, sku in enumerate(odd, 1)}
    assert {sku: shop.books.stock_milli(sku) for sku in odd} == shop.books.stocks_milli(odd) == expected
    assert dict(rows(shop.writer.db, "SELECT sku, -n FROM stock")) == expected
