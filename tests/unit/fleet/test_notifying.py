"""What other programs are told: sales in order, nothing about people, signed."""

import hmac
import json
from hashlib import sha256

from tests.unit.till.shop_till import MANAGER, Shop, line
from tillmesh.fleet.notifying import messages, signature, wait_s
from tillmesh.fleet.ports import Entry
from tillmesh.kernel.limits import WEBHOOK_EVENTS_MAX
from tillmesh.shop.events import Change
from tillmesh.till import commands as c


def entry(shop: Shop) -> Entry:
    return Entry("fernhill", 1, shop.till.head.actor, 0, tuple(shop.log()))


def test_a_sale_is_told_with_its_lines_and_nothing_is_told_of_people() -> None:
    shop = Shop().furnish().open()
    customer = Change(key="c1", fields={"name": "Perpetua Quillfeather"})
    shop.do(c.ChangeRecords(entity="customer", changes=(customer,)), MANAGER)
    sale = shop.sell(line("mug", 2))
    events = ("sale_closed", "customers_changed", "people_changed")
    found = [json.loads(body) for body in messages(entry(shop), events=events, stores=())]
    assert [event["event_id"] for event in found[0]["events"]] == [sale]
    told = found[0]["events"][0]
    assert told["body"]["lines"][0]["sku"] == "mug"
    assert told["body"]["total_minor"] == 2_500
    assert told["at"].endswith("Z")
    assert "Quillfeather" not in json.dumps(found)


def test_many_sales_are_several_messages_in_order() -> None:
    shop = Shop().furnish().open()
    sales = [shop.sell(cart_id=f"cart-{number}") for number in range(WEBHOOK_EVENTS_MAX + 3)]
    found = [json.loads(body) for body in messages(entry(shop), events=("sale_closed",), stores=("fernhill",))]
    assert [len(one["events"]) for one in found] == [WEBHOOK_EVENTS_MAX, 3]
    assert [event["event_id"] for one in found for event in one["events"]] == sales


def test_another_store_s_receiver_hears_nothing() -> None:
    shop = Shop().furnish().open()
    shop.sell()
    assert list(messages(entry(shop), events=("sale_closed",), stores=("elsewhere",))) == []


def test_a_receiver_checks_the_signature_with_nothing_but_the_secret() -> None:
    said = signature(b"a shared secret!", b"{}", 1_795_356_000)
    assert said == "t=1795356000,v1=" + hmac.new(b"a shared secret!", b"1795356000.{}", sha256).hexdigest()


def test_tries_come_ever_more_seldom_and_at_least_every_hour() -> None:
    assert [round(wait_s(failures, 0.999_999), 3) for failures in (1, 2, 3)] == [1, 2, 4]
    assert 1_800 <= wait_s(50, 0.0) <= 3_600
