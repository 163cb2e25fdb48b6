"""The commands, as a cashier says them. ``{n}`` is a number from 1 to 99, ``{product}`` one to four words of a name.

A command that touches money or lets something go asks first, however clearly it was spoken: models never move money.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Command(msgspec.Struct, frozen=True):
    """One thing that can be asked for, and the ways to say it."""

    name: str
    phrases: tuple[str, ...]
    does: str  # for the reference
    confirms: bool = False  # a person says yes before it is done
    changes: bool = False  # it changes the sale: done without a question only when it was heard very clearly

    @property
    def slots(self) -> tuple[str, ...]:
        """Name what the command carries."""
        said = " ".join(self.phrases)
        return tuple(slot for slot in ("n", "product") if f"{{{slot}}}" in said)


_UNITS: Final = "one two three four five six seven eight nine".split()
_TEENS: Final = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
# How a number word counts: what it adds, and whether a unit may follow.
NUMBERS: Final[dict[str, int]] = {
    **{word: value for value, word in enumerate(_UNITS, 1)},
    **{word: value for value, word in enumerate(_TEENS, 10)},
    **{word: value * 10 for value, word in enumerate(_TENS, 2)},
}
UNITS: Final = tuple(_UNITS)
TEENS: Final = tuple(_TEENS)
TENS: Final = tuple(_TENS)

COMMANDS: Final = (
    Command("add", ("{n} {product}", "{product}", "add {product}", "add {n} {product}"),
            "puts so many of a product into the sale; asks which one when several fit", changes=True),
    Command("quantity", ("{n}", "quantity {n}", "make it {n}", "times {n}"), "sets the quantity of the selected line",
            changes=True),
    Command("one_more", ("one more", "another one", "same again"), "one more of the selected line", changes=True),
    Command("one_less", ("one less", "take one off"), "one less of the selected line", changes=True),
    Command("double", ("double it", "double that"), "twice the quantity of the selected line", changes=True),
    Command("remove_last", ("remove last", "delete last", "remove last item"), "takes the newest line out",
            changes=True),
    Command("remove", ("remove", "delete", "remove this", "delete this", "remove item"),
            "takes the selected line out", changes=True),
    Command("undo", ("undo", "undo that", "take it back"), "takes the last spoken change back", changes=True),
    Command("clear", ("clear", "clear sale", "start over"), "empties the sale, after asking", confirms=True),
    Command("total", ("total", "subtotal", "what is the total"), "says what is to pay so far"),
    Command("charge", ("charge", "checkout", "pay", "pay now"), "opens the payment page", confirms=True),
    Command("pay_cash", ("pay cash", "cash", "cash payment"), "opens the payment page at cash", confirms=True),
    Command("pay_card", ("pay card", "card", "pay by card", "card payment"), "opens the payment page at card",
            confirms=True),
    Command("pay_gift_card", ("gift card", "pay by gift card"), "opens the payment page at gift card", confirms=True),
    Command("pay_account", ("on account", "pay on account"), "opens the payment page at account", confirms=True),
    Command("discount", ("discount {n} percent", "{n} percent discount", "{n} percent off"),
            "takes so many percent off the whole sale", confirms=True),
    Command("discount_open", ("discount", "give discount"), "opens the discount"),
    Command("price", ("price", "change price"), "opens the price of the selected line"),
    Command("note", ("note", "add note"), "opens the note of the selected line"),
    Command("park", ("park", "park sale", "hold sale"), "parks the sale", confirms=True),
    Command("resume", ("resume", "resume sale", "parked sales"), "lists the parked sales"),
    Command("customer", ("customer", "find customer", "choose customer"), "opens the customers to choose one"),
    Command("no_customer", ("remove customer", "no customer"), "takes the customer off the sale", changes=True),
    Command("search", ("search", "find product", "search product"), "goes to the search field"),
    Command("search_for", ("find {product}", "search {product}", "show {product}"), "searches for a product"),
    Command("scan", ("scan", "camera", "open camera"), "opens the camera to read bar codes"),
    Command("up", ("up", "previous", "previous line"), "selects the line above"),
    Command("down", ("down", "next", "next line"), "selects the line below"),
    Command("first", ("first line", "select first"), "selects the first line"),
    Command("last", ("last line", "select last"), "selects the newest line"),
    Command("line", ("line {n}", "select {n}"), "selects a line by its number"),
    Command("yes", ("yes", "okay", "confirm", "yes please"), "says yes to what was asked"),
    Command("no", ("no", "cancel", "no thanks", "stop", "never mind"), "says no to what was asked, or closes it"),
    Command("back", ("back", "go back"), "goes one page back"),
    Command("favourites", ("favourites", "show favourites", "show all"), "shows the favourites"),
    Command("return", ("return", "refund", "return item"), "opens the receipts, to give something back",
            confirms=True),
    Command("sales", ("show sales", "receipts", "show receipts"), "opens the sales of this till"),
    Command("reprint", ("print receipt", "print again", "reprint"), "opens the newest receipt, to print it again",
            confirms=True),
    Command("drawer", ("open drawer", "drawer"), "opens the page from which the drawer is opened", confirms=True),
    Command("shift", ("shift", "show shift"), "opens shift and cash"),
    Command("close_shift", ("close shift", "end shift"), "opens shift and cash, to close it", confirms=True),
    Command("reports", ("reports", "show reports"), "opens the reports"),
    Command("products", ("products", "show products"), "opens the products"),
    Command("stock", ("stock", "show stock"), "opens the stock"),
    Command("customers", ("customers", "show customers"), "opens the customers"),
    Command("health", ("health", "show health"), "says how the till is"),
    Command("settings", ("settings", "show settings"), "opens the settings"),
    Command("menu", ("menu", "open menu"), "opens the menu"),
    Command("new_sale", ("new sale", "next customer"), "begins a new sale; parks the open one first",
            confirms=True),
    Command("sign_out", ("sign out", "log out", "lock"), "signs out", confirms=True),
    Command("dark", ("dark colours",), "dark colours"),
    Command("light", ("light colours",), "light colours"),
    Command("help", ("help", "what can i say"), "lists the commands"),
)  # fmt: skip
BY_NAME: Final = {command.name: command for command in COMMANDS}
