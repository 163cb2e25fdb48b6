"""Who and what the demo shop is: invented people, an invented address, goods of its own beside the real catalogue."""

from __future__ import annotations

from typing import Final, NamedTuple

from tillmesh.shop.events import Change, Value
from tillmesh.shop.gtin import check_digit
from tillmesh.shop.product_columns import Reading
from tillmesh.shop.settings import STORE, StoreSettings

TIME_ZONE: Final = "Europe/London"
CURRENCY: Final = "GBP"


class Department(NamedTuple):
    """A department with its picture (a Lucide icon) and its colour (a name of the UI's palette)."""

    name: str
    icon: str
    colour: str


DEPARTMENTS: Final = (
    Department("Fruit & veg", "apple", "green"),
    Department("Bakery", "croissant", "amber"),
    Department("Dairy & eggs", "milk", "sky"),
    Department("Meat & fish", "fish", "red"),
    Department("Drinks", "cup-soda", "cyan"),
    Department("Tea & coffee", "coffee", "brown"),
    Department("Food cupboard", "soup", "orange"),
    Department("Breakfast", "wheat", "amber"),
    Department("Snacks & sweets", "cookie", "pink"),
    Department("Frozen", "snowflake", "indigo"),
    Department("Beer & wine", "wine", "red"),
    Department("Household", "spray-can", "violet"),
)

SETTINGS: Final[dict[str, Value]] = {
    "name": "Fernhill Market",
    "address": ["14 Station Parade", "Fernhill", "FH3 7QT"],
    "tax_id": "GB 123 4567 82",
    "currency": CURRENCY,
    "locale": "en-GB",
    "time_zone": TIME_ZONE,
    "prices_include_tax": True,
    "tax_rounding": "total",
    "tax_rates": ["standard=200000", "reduced=50000", "zero=0"],
    "receipt_footer": "Thank you for shopping local.",
    "discount_limit_ppm": 100_000,
    "pay_methods": ["cash", "card", "gift_card", "points", "account"],
    "loyalty_earn_minor": 100,
    "loyalty_point_minor": 1,
    "offline_redeem_max_minor": 2_000,
    "departments": ["=".join(department) for department in DEPARTMENTS],
}


class Person(NamedTuple):
    """Somebody who signs in. The PINs are printed when a demo starts: they protect nothing."""

    user_id: str
    name: str
    role: str
    pin: str


MANAGER: Final = Person("ruth", "Ruth Okafor", "manager", "9999")
SUPERVISOR: Final = Person("daniel", "Daniel Price", "supervisor", "5555")
CASHIER: Final = Person("maya", "Maya Lindqvist", "cashier", "1111")
PEOPLE: Final = (
    CASHIER,
    SUPERVISOR,
    MANAGER,
    Person("tom", "Tom Ellery", "cashier", "2222"),
    Person("aisha", "Aisha Rahman", "cashier", "3333"),
)


class Customer(NamedTuple):
    """Somebody who shops here. Addresses use example.com and Ofcom's numbers for fiction."""

    customer_id: str
    name: str
    email: str
    phone: str
    note: str = ""


CUSTOMERS: Final = (
    Customer("c-whitcombe", "Eleanor Whitcombe", "eleanor@example.com", "020 7946 0101"),
    Customer("c-patel", "Nisha Patel", "nisha.patel@example.com", "020 7946 0102", "Collects on Fridays"),
    Customer("c-okonjo", "Samuel Okonjo", "sam.okonjo@example.com", "020 7946 0103"),
    Customer("c-hughes", "Gareth Hughes", "gareth@example.com", "020 7946 0104"),
    Customer("c-kowalska", "Marta Kowalska", "marta.k@example.com", "020 7946 0105", "Allergic to nuts"),
    Customer("c-brennan", "Aoife Brennan", "aoife@example.com", "020 7946 0106"),
    Customer("c-lindley", "George Lindley", "", "020 7946 0107", "Delivers the parish newsletter"),
    Customer("c-cafe", "The Corner Cafe", "orders@example.com", "020 7946 0108", "Buys milk and bread daily"),
    Customer("c-school", "Fernhill Primary School", "office@example.com", "020 7946 0109"),
    Customer("c-farouk", "Leila Farouk", "leila@example.com", "020 7946 0110"),
    Customer("c-mcleod", "Iain McLeod", "", "020 7946 0111"),
    Customer("c-santos", "Beatriz Santos", "bea.santos@example.com", "020 7946 0112"),
)


class Own(NamedTuple):
    """Something the shop sells under a code of its own; ``item`` is the five digits its scale and labels print."""

    item: str
    name: str
    department: str
    price_minor: int
    unit: str = "piece"
    tax_code: str = "zero"
    favourite: bool = False


OWN_GOODS: Final = (
    Own("00101", "Bananas", "Fruit & veg", 119, "kg", favourite=True),
    Own("00102", "Gala apples", "Fruit & veg", 249, "kg", favourite=True),
    Own("00103", "Braeburn apples", "Fruit & veg", 259, "kg"),
    Own("00104", "Conference pears", "Fruit & veg", 239, "kg"),
    Own("00105", "Vine tomatoes", "Fruit & veg", 349, "kg", favourite=True),
    Own("00106", "Loose carrots", "Fruit & veg", 89, "kg"),
    Own("00107", "Maris Piper potatoes", "Fruit & veg", 115, "kg", favourite=True),
    Own("00108", "Brown onions", "Fruit & veg", 109, "kg"),
    Own("00109", "Courgettes", "Fruit & veg", 269, "kg"),
    Own("00110", "Closed cup mushrooms", "Fruit & veg", 449, "kg"),
    Own("00111", "Red grapes", "Fruit & veg", 499, "kg"),
    Own("00112", "Clementines", "Fruit & veg", 289, "kg"),
    Own("00113", "Sweet potatoes", "Fruit & veg", 149, "kg"),
    Own("00114", "Root ginger", "Fruit & veg", 420, "kg"),
    Own("00115", "Broccoli", "Fruit & veg", 229, "kg"),
    Own("00116", "Cucumber", "Fruit & veg", 85),
    Own("00117", "Avocado", "Fruit & veg", 95),
    Own("00118", "Lemon", "Fruit & veg", 35),
    Own("00201", "Farmhouse cheddar, cut to order", "Dairy & eggs", 1290, "kg"),
    Own("00202", "Cooked ham, off the bone", "Meat & fish", 1650, "kg"),
    Own("00203", "Kalamata olives", "Food cupboard", 1390, "kg"),
    Own("00204", "Cashew nuts, loose", "Snacks & sweets", 1480, "kg", "standard"),
    Own("00301", "Sourdough loaf", "Bakery", 380, favourite=True),
    Own("00302", "Butter croissant", "Bakery", 135, favourite=True),
    Own("00303", "Cheese scone", "Bakery", 160),
    Own("00304", "Cinnamon bun", "Bakery", 225),
    Own("00305", "Flat white", "Tea & coffee", 295, tax_code="standard", favourite=True),
    Own("00306", "Breakfast tea, cup", "Tea & coffee", 195, tax_code="standard"),
    Own("00401", "Washing-up liquid 500 ml", "Household", 149, tax_code="standard"),
    Own("00402", "Laundry gel 1.5 l", "Household", 650, tax_code="standard"),
    Own("00403", "Dishwasher tablets, 30", "Household", 725, tax_code="standard"),
    Own("00404", "Kitchen roll, 2", "Household", 220, tax_code="standard"),
    Own("00405", "Toilet tissue, 9", "Household", 475, tax_code="standard"),
    Own("00406", "Bin liners 50 l, 20", "Household", 265, tax_code="standard"),
    Own("00407", "Sponge scourers, 5", "Household", 115, tax_code="standard"),
    Own("00408", "Hand soap 250 ml", "Household", 135, tax_code="standard"),
    Own("00409", "Surface cleaner 750 ml", "Household", 199, tax_code="standard"),
    Own("00410", "Matches, 3 boxes", "Household", 99, tax_code="standard"),
    Own("00411", "AA batteries, 4", "Household", 399, tax_code="standard"),
    Own("00412", "Candles, 6", "Household", 250, tax_code="standard"),
    Own("00413", "Kiln-dried logs, net", "Household", 695, tax_code="reduced"),
    Own("00414", "Smokeless fuel 10 kg", "Household", 1195, tax_code="reduced"),
    Own("00415", "Carrier bag", "Household", 10, tax_code="standard", favourite=True),
)
EVERYDAY: Final = (  # real products that stand beside the own ones as favourites, by name
    "Whole milk", "Semi-skimmed milk", "Free range eggs", "Wholemeal bread", "Orange juice", "Still water",
    "Salted popcorn", "Greek yogurt",
)  # fmt: skip

_WEIGHED_PREFIX, _PIECE_PREFIX = "21", "20"  # 21 is a weight in the built-in layouts, 20 an ordinary code


def in_store_code(own: Own) -> str:
    """Give the EAN-13 the shop prints itself, with an empty weight field.

    Source: GS1 General Specifications, section 2.1.12 (restricted circulation numbers).
    """
    body = (_WEIGHED_PREFIX if own.unit == "kg" else _PIECE_PREFIX) + own.item + "00000"
    return body + check_digit(body)


def own_products() -> list[Change]:
    """Give the shop's own goods as product records."""
    return [
        Change(
            key=f"FM-{own.item}",
            fields={
                "name": own.name,
                "price_minor": own.price_minor,
                "unit": own.unit,
                "tax_code": own.tax_code,
                "barcodes": [in_store_code(own)],
                "department": own.department,
                "favourite": own.favourite,
                "track_stock": own.department != "Tea & coffee" and own.name != "Carrier bag",
                "low_stock_milli": 5_000,
                "cost_minor": own.price_minor * 55 // 100,
                "active": True,
            },
        )
        for own in OWN_GOODS
    ]


def reading() -> Reading:
    """Give how this store reads product files."""
    settings = StoreSettings.of(SETTINGS)
    return Reading(
        tax_rates_ppm=settings.rates_ppm(),
        defaults={"unit": "piece", "tax_code": "standard", "active": True, "track_stock": True},
    )


def store_settings() -> Change:
    """Give the settings of the store as a record."""
    return Change(key=STORE, fields=dict(SETTINGS))


def customers() -> list[Change]:
    """Give the customers as records."""
    return [
        Change(
            key=one.customer_id,
            fields={"name": one.name, "email": one.email, "phone": one.phone, "note": one.note, "address": ""},
        )
        for one in CUSTOMERS
    ]
