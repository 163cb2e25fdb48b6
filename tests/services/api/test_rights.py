"""Security requirement S9: every role tries every action of the table through the API, alone and with an approval."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.services.api.shop import PINS, Json, Loop, Shop
from tillmesh.shop.people import APPROVABLE, LEAST, RANK, Action, Role, approver
from tillmesh.terminal.web.app import CALLS

REFUND = {"lines": [{"line": 0, "quantity": "1"}], "reason": "broken"}
ADJUST = {"action": "adjust"}
# What is left out of a report that everybody may see, what needs a model (tests/services/ai) or a card terminal (unit).
TRIED_ELSEWHERE = {Action.SEE_EXPECTED_CASH, Action.TEACH_PRODUCT, Action.SETTLE_CARD}


@pytest.fixture(scope="module")
def counter() -> Callable[[], str]:
    """Ids that were never used."""
    numbers = iter(range(10**6))
    return lambda: f"rights-{next(numbers)}"


class Scene:
    """What an action needs to be tried once more: a fresh sale, a parked cart, a product."""

    def __init__(self, shop: Shop, fresh_id: Callable[[], str]) -> None:
        self.shop = shop
        self.id = fresh_id

    def post(self, path: str, body: Json, role: str, approval: str) -> httpx.Response:
        return self.shop.call("POST", path, body | ({"approval": approval} if approval else {}), role=role)

    def sale(self) -> str:
        return str(self.shop.sale(self.id())["sale_id"])

    def cart(self) -> str:
        cart = self.id()
        ops = [{"op_id": "add", "op": "add", "line_id": "a", "sku": "tea", "quantity": "4"}]
        self.shop.ok("POST", f"/carts/{cart}/ops", {"ops": ops})
        return cart

    def operation(self, op: Json, role: str, approval: str) -> httpx.Response:
        """Change a cart; a refused operation is answered as the refusal itself."""
        change = {"op_id": self.id(), "line_id": "a", "reason": "x", "approval": approval, **op}
        answer = self.shop.call("POST", f"/carts/{self.cart()}/ops", {"ops": [change]}, role=role)
        rejected = answer.json()["rejected"]
        return httpx.Response(rejected[0]["problem"]["status"], json=rejected[0]["problem"]) if rejected else answer

    def oversold(self) -> str:
        sku = self.id()
        self.shop.product(sku)
        self.shop.sale(self.id(), sku=sku)
        found = self.shop.ok("GET", "/conflicts")["conflicts"]
        return str(next(one["id"] for one in found if one["sku"] == sku))

    def customer(self) -> str:
        return str(self.shop.ok("POST", "/customers", {"name": "Ann"})["customer_id"])

    def parked(self) -> str:
        return str(self.shop.ok("POST", f"/carts/{self.cart()}/park", {})["park_id"])


def attempts(scene: Scene) -> dict[Action, Callable[[str, str], httpx.Response]]:
    """Say how each action is tried; every call makes a new attempt."""
    shop, post = scene.shop, scene.post
    cash = [{"method": "cash", "amount_minor": 20_000}]

    def goods(line: Json) -> Json:
        return {"cart_id": scene.id(), "lines": [{"sku": "tea", "quantity": "4", **line}], "payments": cash}

    def discarded(role: str, approval: str) -> httpx.Response:
        return shop.call("DELETE", f"/parked/{scene.parked()}", params={"approval": approval}, role=role)

    return {
        Action.SELL: lambda role, a: post("/sales", goods({}), role, a),
        Action.PARK: lambda role, a: post(f"/carts/{scene.cart()}/park", {}, role, a),
        Action.OPEN_SHIFT: lambda role, _: post("/shifts/open", {"float_minor": 0}, role, ""),
        Action.CHANGE_CUSTOMER: lambda role, _: post("/customers", {"name": "Ann"}, role, ""),
        Action.RECEIVE_STOCK: lambda role, a: post("/stock/receipts", {"sku": "tea", "quantity": "5"}, role, a),
        Action.DISCOUNT: lambda role, a: scene.operation({"op": "discount_line", "percent": "50"}, role, a),
        Action.PRICE_OVERRIDE: lambda role, a: post("/sales", goods({"unit_price_minor": 1}), role, a),
        Action.VOID: lambda role, a: post(f"/sales/{scene.sale()}/void", {"reason": "x"}, role, a),
        Action.REFUND: lambda role, a: post(f"/sales/{scene.sale()}/refunds", REFUND, role, a),
        Action.REFUND_WITHOUT_RECEIPT: lambda role, a: post(
            "/refunds",
            {"lines": [{"sku": "tea", "quantity": 1}], "reason": "x",
             "payments": [{"method": "cash", "amount_minor": 250}]}, role, a,
        ),
        Action.OPEN_DRAWER: lambda role, a: post("/drawer/open", {"reason": "change"}, role, a),
        Action.CASH_MOVE: lambda role, a: post("/shifts/cash", {"amount_minor": 100, "reason": "change"}, role, a),
        Action.DISCARD_PARKED: discarded,
        Action.COUNT_STOCK: lambda role, a: post("/stock/counts", {"sku": "tea", "quantity": "5"}, role, a),
        Action.ADJUST_STOCK: lambda role, a: post(
            "/stock/adjustments", {"sku": "tea", "quantity": "-1", "reason": "broken"}, role, a
        ),
        Action.REPRINT: lambda role, a: post(f"/sales/{scene.sale()}/print", {}, role, a),
        Action.CLOSE_SHIFT: lambda role, a: post("/shifts/close", {"counted_minor": 0}, role, a),
        Action.RESOLVE_OVERSELL: lambda role, a: post(f"/conflicts/{scene.oversold()}/resolve", ADJUST, role, a),
        Action.SEE_REPORTS: lambda role, _: shop.call("GET", "/reports/x", role=role),
        Action.SEE_PEOPLE: lambda role, _: shop.call("GET", "/people", role=role),
        Action.SEE_AUDIT: lambda role, _: shop.call("GET", "/audit", role=role),
        Action.CHANGE_PRODUCT: lambda role, _: post("/products", {"sku": scene.id(), "name": "New",
        "price_minor": 1}, role, ""),
        Action.CHANGE_PERSON: lambda role, _: shop.call("PATCH", "/people/cashier", {"name": "Cara"}, role=role),
        Action.CHANGE_SETTING: lambda role, _: shop.call("PATCH", "/settings", {"store": {"name": "Shop"}}, role=role),
        Action.CHANGE_OFFER: lambda role, _: post("/price-lists", {"name": "New"}, role, ""),
        Action.ERASE_CUSTOMER: lambda role, _: post(f"/customers/{scene.customer()}/erase", {}, role, ""),
    }  # fmt: skip


@pytest.fixture(scope="module")
def shop(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A till of these tests alone: they open and close its shift and set up a printer."""
    shop = Shop(loop, tmp_path_factory.mktemp("rights") / "till")
    shop.product()
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def scene(shop: Shop, counter: Callable[[], str]) -> Scene:
    return Scene(shop, counter)


def ready(shop: Shop, action: Action) -> None:
    """Bring the till where the action could go through."""
    is_open = shop.call("GET", "/shifts/current").status_code == 200
    if action == Action.OPEN_SHIFT and is_open:
        shop.ok("POST", "/shifts/close", {"counted_minor": 0})
    elif action != Action.OPEN_SHIFT and not is_open:
        shop.ok("POST", "/shifts/open", {"float_minor": 0})
    if action == Action.REPRINT:
        shop.ok("PATCH", "/settings", {"terminal": {"printer_kind": "file", "printer_target": "receipts/"}})


@pytest.mark.slow
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", [one for one in Action if one not in TRIED_ELSEWHERE])
def test_an_action_is_for_its_least_role_and_above(scene: Scene, action: Action, role: Role) -> None:
    shop, attempt = scene.shop, attempts(scene)[action]
    ready(shop, action)
    if RANK[role] >= RANK[LEAST[action]]:
        assert attempt(role, "").status_code in {200, 201, 202, 204}, attempt(role, "").text
        ready(shop, Action.SELL)
        return
    problem = attempt(role, "").json()
    assert (problem["status"], problem["kind"], problem["needs"]) == (403, "not-allowed", LEAST[action])
    if action not in APPROVABLE:
        return
    assert problem["action"] == action
    # Somebody who may says yes to something else, then to this; somebody who may not is refused.
    other = next(one for one in APPROVABLE if one != action)
    assert attempt(role, shop.approval(other, asker=role)).status_code == 403
    assert attempt(role, shop.approval(action, asker=role)).status_code in {200, 201, 202, 204}
    below = [one for one in Role if RANK[one] < RANK[approver(action)]]
    for one in below:
        answer = shop.call("POST", "/approvals", {"pin": PINS[one], "action": action}, role=role)
        assert (answer.status_code, answer.json()["needs"]) == (403, approver(action))


def test_what_should_be_in_the_drawer_is_not_shown_to_who_counts_it(shop: Shop) -> None:
    ready(shop, Action.SELL)
    assert "expected_cash_minor" not in shop.ok("GET", "/shifts/current", role="cashier")
    assert "totals" not in shop.ok("GET", "/shifts/current", role="cashier")
    assert "expected_cash_minor" in shop.ok("GET", "/shifts/current", role="supervisor")


def test_an_approval_serves_once(scene: Scene) -> None:
    ready(scene.shop, Action.VOID)
    void, approval = attempts(scene)[Action.VOID], scene.shop.approval("void")
    assert void("cashier", approval).status_code == 201
    assert void("cashier", approval).status_code == 403


def test_an_approval_is_over_after_two_minutes(scene: Scene) -> None:
    shop = scene.shop
    ready(shop, Action.VOID)
    void, approval = attempts(scene)[Action.VOID], shop.approval("void")
    shop.clock.ahead_ms += 120_001
    assert void("cashier", approval).status_code == 403
    assert void("cashier", shop.approval("void")).status_code == 201


@pytest.mark.parametrize("approval", ["", "nope", "x" * 5_000, "\x00", "\u00e9"])
def test_an_approval_that_nobody_gave_is_none(scene: Scene, approval: str) -> None:
    ready(scene.shop, Action.VOID)
    answer = attempts(scene)[Action.VOID]("cashier", approval)
    assert (answer.status_code, answer.json()["needs"]) == (403, "supervisor")


def test_an_approval_of_one_operation_counts_for_no_other(scene: Scene) -> None:
    shop, cart = scene.shop, scene.cart()
    ops: list[Json] = [
        {"op_id": "1", "op": "discount_line", "line_id": "a", "percent": "50", "reason": "x",
         "approval": shop.approval("discount")},
        {"op_id": "2", "op": "discount_cart", "percent": "50", "reason": "x"},
    ]  # fmt: skip
    view = shop.ok("POST", f"/carts/{cart}/ops", {"ops": ops}, role="cashier")
    assert [one["op_id"] for one in view["rejected"]] == ["2"]
    assert view["total_minor"] == 500


def test_a_cashier_gives_up_to_the_limit_alone(scene: Scene) -> None:
    assert scene.operation({"op": "discount_line", "percent": "10"}, "cashier", "").status_code == 200
    assert scene.operation({"op": "discount_line", "percent": "11"}, "cashier", "").status_code == 403


@pytest.mark.parametrize("first", ["line", "cart"])
def test_two_discounts_together_stay_within_the_limit(scene: Scene, first: str) -> None:
    shop = scene.shop
    ready(shop, Action.SELL)
    both: dict[str, Json] = {
        "line": {"op": "discount_line", "line_id": "a", "percent": "6"}, "cart": {"op": "discount_cart", "percent": "5"}
    }  # fmt: skip
    second = both[{"line": "cart", "cart": "line"}[first]]
    cart = scene.cart()

    def give(op: Json, approval: str = "") -> list[Json]:
        ops = [{**op, "op_id": scene.id(), "reason": "x", "approval": approval}]
        rejected: list[Json] = shop.ok("POST", f"/carts/{cart}/ops", {"ops": ops}, role="cashier")["rejected"]
        return rejected

    assert give(both[first]) == []
    (refusal,) = give(second)
    assert (refusal["problem"]["needs"], refusal["problem"]["action"]) == ("supervisor", "discount")
    assert give(second | {"percent": "3"}) == []
    assert give(second, shop.approval("discount")) == []
    total = shop.ok("GET", f"/carts/{cart}")["total_minor"]
    paid = shop.call(
        "POST", f"/carts/{cart}/pay", {"payments": [{"method": "card", "amount_minor": total}]}, role="cashier"
    )
    assert paid.status_code == 201, paid.text


def test_an_approved_discount_says_on_the_sale_who_approved(scene: Scene) -> None:
    shop = scene.shop
    ready(shop, Action.SELL)
    cart = scene.cart()
    op = {
        "op_id": "d",
        "op": "discount_cart",
        "percent": "50",
        "reason": "regular",
        "approval": shop.approval("discount"),
    }
    shop.ok("POST", f"/carts/{cart}/ops", {"ops": [op]}, role="cashier")
    paid = shop.ok(
        "POST", f"/carts/{cart}/pay", {"payments": [{"method": "card", "amount_minor": 500}]}, role="cashier"
    )
    body: Any = shop.body(paid["event_id"])
    assert [(one.action, one.approved_by) for one in body.approvals] == [("discount", "manager")]


def test_nobody_is_let_in_without_signing_in(shop: Shop) -> None:
    for call in CALLS:
        path = call.path.replace("{", "").replace("}", "")
        answer = shop.call(call.method, path, role=None)
        if call.role is None:
            assert answer.status_code not in {401, 403}, path
        else:
            assert (answer.status_code, answer.json()["kind"]) == (401, "not-signed-in"), path
            assert answer.headers["www-authenticate"] == "Bearer"


def test_whoever_is_not_signed_in_learns_little(shop: Shop) -> None:
    state = shop.call("GET", "/state", role=None).json()
    assert state["session"] is None
    assert not {"people", "parked"} & state.keys()
    assert "tea" not in str(state)


@pytest.mark.slow
def test_a_person_who_leaves_or_gets_another_pin_is_signed_out(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.ok("PATCH", "/people/supervisor", {"pin": "4444"})
    assert shop.call("GET", "/session", role="supervisor").status_code == 401
    approval = shop.approval("void")
    shop.ok("PATCH", "/people/cashier", {"active": False})
    assert shop.call("GET", "/session", role="cashier").status_code == 401
    assert shop.call("POST", "/session", {"pin": PINS["cashier"]}, role=None).status_code == 401
    assert approval


def test_the_last_manager_stays(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    assert shop.call("PATCH", "/people/manager", {"active": False}).status_code == 409
    assert shop.call("PATCH", "/people/manager", {"role": "cashier"}).status_code == 409


def test_two_people_never_share_a_pin(shop: Shop) -> None:
    answer = shop.call("POST", "/people", {"name": "Double", "role": "cashier", "pin": PINS["manager"]})
    assert answer.status_code == 409
    assert "pin" not in str(shop.ok("GET", "/people")).lower()


def test_a_session_ends_with_the_day(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.clock.ahead_ms = 16 * 3_600_000 + 1_000
    assert shop.call("GET", "/session", role="manager").status_code == 401


def test_signing_out_ends_this_session_only(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    token = shop.ok("POST", "/session", {"pin": PINS["cashier"]})["token"]
    assert shop.call("DELETE", "/session", role=None, headers={"Authorization": f"Bearer {token}"}).status_code == 204
    assert shop.call("GET", "/session", role=None, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert shop.call("GET", "/session", role="cashier").status_code == 200
