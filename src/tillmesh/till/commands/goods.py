"""What is asked about goods: stock, orders, transfers, oversells, and the rights to sell what is scarce."""

from __future__ import annotations

from tillmesh.kernel.codec import Record


class ReceiveStock(Record):
    """Goods came in."""

    sku: str
    quantity_milli: int
    reason: str = ""


class AdjustStock(Record):
    """Correct stock by a signed quantity."""

    sku: str
    quantity_milli: int
    reason: str


class CountStock(Record):
    """Say what is really on the shelf."""

    sku: str
    quantity_milli: int
    reason: str = ""


class WantedGoods(Record):
    """A line of an order; without a cost the product's own counts."""

    sku: str
    quantity_milli: int
    cost_minor: int = 0


class PlaceOrder(Record):
    """Order goods from a supplier."""

    supplier: str
    lines: tuple[WantedGoods, ...]
    note: str = ""
    supplier_id: str = ""  # then the name is the record's


class ReceiveOrder(Record):
    """Book in what has come of an order; ``key`` makes a delivery count once."""

    order_id: str
    key: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths


class CloseOrder(Record):
    """Expect nothing more of an order."""

    order_id: str
    reason: str = ""


class SendTransfer(Record):
    """Send goods to another store; the same ``key`` again is the same transfer."""

    key: str
    to_store: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths
    note: str = ""


class ReceiveTransfer(Record):
    """Book in what has come of a transfer; ``key`` makes a delivery count once."""

    transfer_id: str
    key: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths


class CloseTransfer(Record):
    """Expect nothing more of a transfer: what is missing is lost."""

    transfer_id: str
    reason: str


class TakeTransferBack(Record):
    """Book goods in again that head office found no store for."""

    transfer_id: str


class ResolveOversell(Record):
    """Answer an open oversell: back_order, void (of ``sale_id``, or of the sale suggested first) or adjust."""

    conflict_id: str
    sku: str
    action: str
    sale_id: str = ""
    reason: str = ""


class SettleOversells(Record):
    """Look after back-orders and doubled adjustments of this terminal, now that others were heard."""

    skus: tuple[str, ...]


class HandRights(Record):
    """Hand rights of a hard-limited product to another till. The tills ask each other for it, never people."""

    sku: str
    to: str  # an actor
    quantity_milli: int
    by: str = ""  # who waits for them over there; empty when that till asked by itself


class IssueRights(Record):
    """Give out the rights of a hard-limited product that nobody holds.

    In a store of several tills the store agrees first: on this ``grant``, of so many, behind this event of the till.
    """

    sku: str
    reason: str = ""
    by: str = ""  # who wanted it; empty: whoever does this
    grant: str = ""
    granted_milli: int = 0
    granted_after: int = 0


class ReleaseRights(Record):
    """Take over the rights of a till that is gone; ``accept_risk``: that some may have been sold unheard of."""

    sku: str
    holder: str  # an actor
    reason: str
    accept_risk: bool = False


class FoldActors(Record):
    """Let the columns of actors that are gone for good be one from now on; the store has agreed on it."""

    finals: tuple[tuple[str, int], ...]  # actor and the number of its last event
    epoch: int
