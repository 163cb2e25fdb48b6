"""What a till needs from outside, as Protocols; adapters fulfil them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.card_payment import CardPayment
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import PeriodClosed, ReceiptSigned, SigningStopped, Value
from tillmesh.shop.offers.prices import PriceList, Prices
from tillmesh.shop.offers.shelf import Shelf
from tillmesh.shop.oversell import Noted
from tillmesh.shop.settings import StoreSettings, TerminalSettings


class Shift(Record):
    """An open or closed shift of one terminal, as its index row has it."""

    shift_id: str
    opened_ms: int
    open: bool
    z_number: int = 0


class Parked(Record):
    """A cart that was put aside; ``removed`` once somebody took it up."""

    dot: str
    removed: bool
    event: Envelope | None


class Books(Protocol):
    """A consistent view of the shop inside one transaction. Reads only."""

    def product(self, sku: str) -> Product | None:
        """Find a product by its sku."""

    def product_by_barcode(self, barcode: str) -> Product | None:
        """Find a product by one of its barcodes; an active one first."""

    def stock_milli(self, sku: str) -> int:
        """Give the stock of a product: received minus sold, over all actors."""

    def stock_columns(self, sku: str) -> Mapping[str, tuple[int, int]]:
        """Give the PN-counter of a product: per actor what it added and what it took."""

    def folded(self) -> Mapping[str, int]:
        """Give the actors that are gone for good, and where the store agreed that their logs end."""
        ...

    def rights(self, sku: str) -> BoundedCounter:
        """Give who holds how many rights of a hard-limited product; empty if it never was one."""

    def is_carried_out(self, actor: str, after: int, grant: str) -> bool:
        """Say whether an actor did what the store agreed on, behind a place in its log."""
        ...

    def ever_limited(self) -> Collection[str]:
        """List the products whose rights are counted: those that are hard-limited or were, and had any."""

    def below_zero(self) -> list[tuple[str, int, bool]]:
        """List counted products with stock below zero: sku, stock, whether any was ever booked in."""

    def oversell_notes(self, sku: str) -> Iterable[Noted]:
        """Iterate what was decided about oversells of a product."""

    def newest_resolutions(self) -> Iterable[Noted]:
        """Iterate the newest resolutions of oversells, newest first."""

    def noted_skus(self) -> list[str]:
        """List the products about whose oversells anything was decided."""

    def newest_sales_of(self, sku: str) -> Iterable[Envelope]:
        """Iterate the newest sales in which a sku may stand, in any order."""

    def stock_events_of(self, sku: str, since_hlc: int) -> Iterable[Envelope]:
        """Iterate deliveries, counts and adjustments in which a sku may stand, in any order."""

    def order_notes(self, order_id: str = "") -> Iterable[tuple[str, Envelope]]:
        """Iterate what was noted about orders of goods (all, or one), each with its order, in any sequence."""

    def carts_paid_again(self) -> Iterable[Sequence[Envelope]]:
        """Iterate the sales of each cart that has more than one, oldest first."""

    def sales_answered_again(self) -> list[str]:
        """List the sales that more than one refund or void answers."""

    def money_settled(self) -> Iterable[Envelope]:
        """Iterate what managers said about money that was taken or given back twice."""

    def vector(self) -> tuple[tuple[str, int], ...]:
        """Give the version vector of everything applied here."""

    def fields(self, entity: str, key: str) -> Mapping[str, Value] | None:
        """Give the merged fields of a register, or None if it was never written."""

    def newest_write(self, entity: str, key: str) -> tuple[int, int]:
        """Give the highest authority that a register was written with, and its latest timestamp; zeros if never."""

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Value]]]:
        """Iterate all registers of an entity with their merged fields, ordered by key."""

    def promotions(self) -> Shelf:
        """Give all promotions of the store, in the order in which they are looked at."""

    def price_lists(self) -> Sequence[PriceList]:
        """List the price lists of the store, ordered by id."""

    def prices(self, sku: str) -> Prices:
        """Give what is known about the price of a product beside its own."""

    def promotion_uses(self, promotion_id: str, *, customer_id: str = "", code: str = "") -> int:
        """Count the sales that a promotion was used in and that were not voided: all, of a customer, or of a code."""

    def purse(self, purse: str, account: str) -> int:
        """Give what is in a purse: the sum of all moves in the log."""

    def purse_spent_unheard(self, purse: str, account: str, actor: str, others: Collection[str]) -> int:
        """Give what an actor took out of a purse in events that not all of these terminals are known to hold."""

    def tax_codes(self) -> set[str]:
        """List the tax codes that active products carry, and what lies in working and parked carts."""

    def has_sales(self) -> bool:
        """Say whether anything was ever sold."""

    def store(self) -> StoreSettings:
        """Give the settings of the store."""

    def terminal(self) -> TerminalSettings:
        """Give the settings of this terminal."""

    def event(self, event_id: str) -> Envelope | None:
        """Find an event by its id."""

    def requested(self, key: str) -> Envelope | None:
        """Find the sale or refund that answered this idempotency key."""

    def answers(self, sale_id: str) -> tuple[Envelope, ...]:
        """List the refunds and the void of a sale, oldest first."""

    def last_period(self, kind: str) -> PeriodClosed | None:
        """Give the newest close of a kind (day, month, year) of this terminal."""

    def periods_after(self, kind: str, number: int) -> list[PeriodClosed]:
        """List the closes of a kind of this terminal beyond a number, oldest first."""

    def receipts_after(self, seen: Mapping[str, int]) -> Iterable[Envelope]:
        """Iterate the sales, voids and refunds of this terminal beyond what was seen of its incarnations."""

    def newest_receipt_ms(self, seen: Mapping[str, int]) -> int | None:
        """Say when the newest of them was made."""

    def signature(self, event_id: str) -> ReceiptSigned | None:
        """Give the signature of a receipt."""

    def signing_outage(self) -> SigningStopped | None:
        """Give the outage of this terminal's signature device that has not ended."""

    def unsigned_receipts(self) -> Iterable[str]:
        """Iterate the receipts of this terminal that its device has yet to sign."""

    def card_payment(self, payment_id: str) -> CardPayment | None:
        """Find a payment at the card terminal of this till."""

    def card_payments_of(self, cart_id: str) -> list[CardPayment]:
        """List the payments that the card terminal was asked for a cart, oldest first."""

    def carts_charged(self) -> list[str]:
        """List the carts that a card is being charged for, or was and no sale has taken it yet."""

    def card_payments_open(self) -> list[CardPayment]:
        """List the payments and refunds whose end nobody knows yet, oldest first."""

    def current_shift(self) -> Shift | None:
        """Give the open shift of this terminal."""

    def shift_events(self, shift_id: str) -> Iterable[Envelope]:
        """Iterate the sales, refunds, voids and cash moves of a shift in log order."""

    def incarnations(self, terminal: str = "") -> tuple[tuple[str, int], ...]:
        """Give how far the log of each incarnation of a terminal (this one) is known, ordered by actor."""

    def net_minor_after(self, seen: Mapping[str, int]) -> int:
        """Sum up what this terminal sold, less what it gave back, beyond what was seen of its incarnations."""

    def late_events(self, shift_id: str, closer: str, seen: Mapping[str, int]) -> list[Envelope]:
        """List what belongs to a shift and was not seen when it was closed, by another incarnation than its closer."""

    def last_close(self) -> Envelope | None:
        """Give the newest ShiftClosed of this terminal."""

    def cart(self, cart_id: str) -> tuple[Cart, int] | None:
        """Give a working cart and its revision."""

    def open_carts(self) -> Iterable[tuple[Cart, int]]:
        """Iterate the working carts with their revisions, the one that was touched last first."""

    def operations_seen(self, cart_id: str, op_ids: Iterable[str]) -> set[str]:
        """Say which operations the cart has taken in already."""

    def parked(self, dot: str) -> Parked | None:
        """Find a parked cart by its dot."""

    def parked_versions(self, cart_id: str) -> list[Parked]:
        """List what lies parked of one cart, oldest first: more than once if two tills parked it apart."""
