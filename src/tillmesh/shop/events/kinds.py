"""The name and version that each event type is stored under, for ever."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.events.fiscal import (
    PeriodClosed,
    ReceiptSigned,
    SigningResumed,
    SigningStopped,
)
from tillmesh.shop.events.folding import FOLD_KINDS
from tillmesh.shop.events.orders import GoodsOrdered, OrderClosed
from tillmesh.shop.events.oversells import OversellResolved, OversellSettled
from tillmesh.shop.events.purses import PursesAdjusted
from tillmesh.shop.events.registers import (
    CustomerErased,
    CustomersChanged,
    CustomersSealed,
    GiftCardsChanged,
    PeopleChanged,
    PriceListsChanged,
    PricesChanged,
    ProductsChanged,
    PromotionsChanged,
    SettingsChanged,
    SuppliersChanged,
)
from tillmesh.shop.events.reviews import (
    ActFlagged,
    FlagReviewed,
    MoneyConflictSettled,
    ProductLearnt,
)
from tillmesh.shop.events.rights import RIGHTS_KINDS
from tillmesh.shop.events.sales import (
    CartParked,
    CartResumed,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
)
from tillmesh.shop.events.shifts import Audited, CashMoved, ShiftClosed, ShiftOpened
from tillmesh.shop.events.stock import StockAdjusted, StockCounted, StockReceived
from tillmesh.shop.events.transfers import TRANSFER_KINDS

KINDS: Final[dict[str, type[Record]]] = {
    "sale_closed": SaleClosed,
    "sale_voided": SaleVoided,
    "sale_refunded": SaleRefunded,
    "shift_opened": ShiftOpened,
    "cash_moved": CashMoved,
    "shift_closed": ShiftClosed,
    "stock_received": StockReceived,
    "stock_adjusted": StockAdjusted,
    "goods_ordered": GoodsOrdered,
    "order_closed": OrderClosed,
    "stock_counted": StockCounted,
    "products_changed": ProductsChanged,
    "customers_changed": CustomersChanged,
    "customers_sealed": CustomersSealed,
    "customer_erased": CustomerErased,
    "people_changed": PeopleChanged,
    "settings_changed": SettingsChanged,
    "promotions_changed": PromotionsChanged,
    "price_lists_changed": PriceListsChanged,
    "prices_changed": PricesChanged,
    "gift_cards_changed": GiftCardsChanged,
    "suppliers_changed": SuppliersChanged,
    "purses_adjusted": PursesAdjusted,
    "cart_parked": CartParked,
    "cart_resumed": CartResumed,
    "audited": Audited,
    "oversell_resolved": OversellResolved,
    "oversell_settled": OversellSettled,
    "money_conflict_settled": MoneyConflictSettled,
    "act_flagged": ActFlagged,
    "flag_reviewed": FlagReviewed,
    "product_learnt": ProductLearnt,
    **TRANSFER_KINDS,
    **RIGHTS_KINDS,
    **FOLD_KINDS,
    "period_closed": PeriodClosed,
    "receipt_signed": ReceiptSigned,
    "signing_stopped": SigningStopped,
    "signing_resumed": SigningResumed,
}
NAMES: Final[dict[type[Record], str]] = {kind: name for name, kind in KINDS.items()}
VERSION: Final = 1


def known(name: str, version: int) -> type[Record] | None:
    """Give what an event of this type and version is read as, or None if a newer program wrote it."""
    return KINDS.get(name) if version <= VERSION else None
