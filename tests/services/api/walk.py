"""A sale over HTTP from front to back, as other programs do it: real calls to a till, kept as a page.

python -m tests.services.api.walk     writes docs/reference/api-walk.md
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.services.api.shop import PINS, Loop, Shop
from tests.tracked_files import ROOT

PAGE = ROOT / "docs" / "reference" / "api-walk.md"
HEAD = """\
# A sale over HTTP, from front to back

Real calls to a till with their real answers, written by `python -m tests.services.api.walk`. A test makes them again:
every field that is shown here is answered, with the same value; more may come. Only ids, tokens and times are made up.
Every call is in [the HTTP interface](api.md); `$sale` is what the answer to the sale gave.
"""


class Step(NamedTuple):
    """A call, why it is made, and what is kept of its answer under which name."""

    why: str
    role: str | None
    method: str
    path: str
    body: Any = None
    keep: tuple[str, str] = ("", "")


MUG = {"sku": "MUG", "name": "Mug", "price_minor": 250, "tax_code": "standard", "barcodes": ["4006381333931"]}
TWO = [{"sku": "MUG", "quantity": "2"}]
STEPS = [
    Step(
        "A cashier signs in. The token goes along as `Authorization: Bearer TOKEN` from now on.",
        None, "POST", "/session", {"pin": PINS["cashier"]},
    ),
    Step("A manager's program adds a product; the same call changes it.", "manager", "POST", "/products", MUG),
    Step("By sku or bar code.", "cashier", "GET", "/products/4006381333931"),
    Step(
        "Two mugs, paid in cash with ten. The `cart_id` is yours: the same one again gives this very sale, with status "
        "200. So after a lost answer just ask again.",
        "cashier", "POST", "/sales",
        {"cart_id": "web-1001", "lines": TWO, "payments": [{"method": "cash", "amount_minor": 1_000}]},
        ("sale", "sale_id"),
    ),
    Step("The sale, as any till of the store shows it.", "cashier", "GET", "/sales/$sale"),
    Step(
        "One comes back. Without `payments` the money goes back the way it came; `refund_key` is yours.",
        "manager", "POST", "/sales/$sale/refunds",
        {"lines": [{"line": 0, "quantity": "1"}], "reason": "chipped", "refund_key": "web-1001-r1"},
    ),
    Step(
        "A delivery of twelve.",
        "manager", "POST", "/stock/receipts", {"sku": "MUG", "quantity": "12", "reason": "delivery"},
    ),
    Step("The stock, and who put in and took out how much.", "cashier", "GET", "/stock/MUG"),
    Step("A customer.", "cashier", "POST", "/customers", {"name": "Ana Ruiz", "email": "ana@example.com"}),
    Step("What the shift comes to so far.", "supervisor", "GET", "/reports/x"),
    Step(
        "A problem, as all of them look: too little money.",
        "cashier", "POST", "/sales",
        {"cart_id": "web-1002", "lines": TWO, "payments": [{"method": "card", "amount_minor": 100}]},
    ),
    Step(
        "Another: a cashier may not void alone. `action` and `needs` say what to ask approval for (`POST /approvals`).",
        "cashier", "POST", "/sales/$sale/void", {"reason": "mistake"},
    ),
]  # fmt: skip


class Answered(NamedTuple):
    """A step with what the till answered, ids and times made up."""

    step: Step
    status: int
    media: str
    answer: Any


def walk() -> list[Answered]:
    """Make the calls on a till of their own."""
    loop = Loop()
    try:
        with tempfile.TemporaryDirectory() as folder:
            shop = Shop(loop, Path(folder) / "till")
            try:
                return _made(shop)
            finally:
                shop.close()
    finally:
        loop.close()


def _made(shop: Shop) -> list[Answered]:
    kept: dict[str, str] = {}
    told: dict[str, str] = {}
    found = []
    for step in STEPS:
        path = re.sub(r"\$(\w+)", lambda name: kept[name[1]], step.path)
        answer = shop.call(step.method, path, step.body, role=step.role)
        if step.keep[0]:
            kept[step.keep[0]] = answer.json()[step.keep[1]]
        media = answer.headers["content-type"].partition(";")[0]
        shown = json.loads(_settled(json.dumps(answer.json()), shop, told))
        found.append(Answered(step, answer.status_code, media, shown))
    return found


def page(found: list[Answered]) -> str:
    """Write what came of them."""
    return HEAD + "".join(_part(number, one) for number, one in enumerate(found, 1))


def _part(number: int, one: Answered) -> str:
    lines = [f"\n## {number}. {one.step.method} {one.step.path}\n", one.step.why, ""]
    if one.step.body is not None:
        lines += [*_block(one.step.body), ""]
    return "\n".join([*lines, f"`{one.status}`, `{one.media}`:", "", *_block(one.answer), ""])


def _block(value: Any) -> list[str]:
    return ["```json", json.dumps(value, indent=1, ensure_ascii=False), "```"]


def shown_on(text: str) -> list[tuple[int, Any]]:
    """Read the answers back from the page: status and body."""
    found = re.findall(r"^`(\d{3})`, `[^`]+`:\n\n```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    return [(int(status), json.loads(body)) for status, body in found]


def _settled(text: str, shop: Shop, told: dict[str, str]) -> str:
    """Put the same made-up ids, tokens and times into every run's answers."""
    identity = shop.driver.identity
    mark = identity.actor.partition(".")[2]
    text = re.sub(r'("token": )"[^"]+"', r'\1"TOKEN"', text)
    text = re.sub(r'("customer_id": )"[^"]+"', r'\1"3bz3e5c9n54d2ccm4djc"', text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-11-26T09:14:03.120Z", text)
    text = text.replace(identity.actor, "k3m7qx2p.4f9a2c77").replace(identity.terminal, "k3m7qx2p")
    text = re.sub(rf"\b{mark[:4].upper()}-(\d{{6}})\b", r"4F9A-\1", text)

    def renamed(found: re.Match[str]) -> str:
        return told.setdefault(found[0], f"k3m7qx2p.4f9a2c77-{101 + len(told)}")

    return re.sub(r"k3m7qx2p\.4f9a2c77-\d+", renamed, text)


if __name__ == "__main__":
    PAGE.write_text(page(walk()), "utf-8")
