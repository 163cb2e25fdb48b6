"""Choose the demo shop's products from a big product list, deterministically.

    python scripts/demo_catalogue.py CATALOGUE.csv.gz src/tillmesh/demo/data/catalogue.csv.gz

The input has the columns ``barcode`` and ``name`` (Open Food Facts, see ATTRIBUTION.md beside the output). A name is
taken if it consists of plain English food words only; its head word decides the department. Prices, costs and tax
codes are made up here, plausibly, from the department and a hash of the barcode.
"""

import csv
import gzip
import hashlib
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WORDS = frozenset("""
    aged albacore ale alfredo all almond almonds american ancient and apple apples applewood apricot apricots artichoke
    artisan asiago asparagus avocado bacon bagel bagels baguette bake baked bakery baking balsamic banana bananas bar
    barley bars basil basmati bay bbq bean beans beef beer beetroot belgian berries berry biscuit biscuits bite bitter
    black blackberry blackcurrant blend blended blossom blue blueberries blueberry bolognese bottle bourbon bran
    bratwurst bread breaded breakfast breast brewed brie brioche british brittle broccoli broth brown brownie buffalo
    buns burger burgers butter buttermilk butternut butterscotch buttery cabbage cajun cake cakes camembert capers
    cappuccino caramel caramels carbonated caribbean carrot carrots cashew cashews cauliflower celery cereal cereals
    chai champagne chardonnay cheddar cheese cheesecake cheesecakes cheesy cherries cherry chick chicken chickpea chilli
    chinese chip chipolatas chipotle chips chive choco chocolate chocolates chopped chorizo chunk chunks chunky chutney
    ciabatta cider cinnamon citrus classic clementines clotted coarse coated cocktail cocoa coconut coeur coffee cola
    cold coleslaw cookie cookies cooking cordial coriander corn cottage cotton country courgette couscous crab cracked
    cracker crackers cranberries cranberry cream creamer creams creamy creole crisp crispbread crisps crispy croissant
    croissants croutons crumble crumbled crumbles crumbs crumpets crunch crunchy crushed crust cucumber cumin cupcake
    cupcakes cured curry custard dairy dark dates decaf digestive digestives dijon dill dinner dip dipped donut donuts
    double dragon dressing dried drink dry duck dutch earth egg eggs elderflower english espresso farmhouse feta
    fettuccine fiber fibre fig filled fillet filling fine finely fish five fizzy flakes flaky flapjack flatbread flour
    free freeze french fresh fried frozen fruit fruits fruity fry fudge fusilli garden garlic gelato giant gin ginger
    gingerbread glazed goat golden gorgonzola gouda grain grains granola granulated grape grapefruit grapes gravy greek
    green grill grilled ground guacamole gum habanero halloumi halves ham handmade hazelnut hazelnuts herb herbal herbs
    hickory highland himalayan honey horseradish hot houmous hummus ice iced in indian infused infusion ipa irish island
    italian jalapeno jalapenos jam japanese jasmine juice kalamata kale kefir ketchup kiwi kombucha korma krispies lager
    lamb lasagna lasagne latte layer leaf leaves leeks lemon lemonade lentil lentils lettuce lightly lime linguine loaf
    london luxury macadamia mackerel madeira madras malbec malt mango manzanilla maple marinara marinated marmalade
    matcha mature mayo mayonnaise meat meatballs mediterranean melon merlot mild milk mince mineral minestrone mint
    mints miso mixed mocha molasses moroccan mousse mozzarella muesli muffin muffins multigrain mushroom mushrooms
    mustard naan nacho natural nectar nuggets nut nuts nutty oat oatcakes oatmeal oats oaty of oil olive olives omega
    onion onions orange oranges organic oriental pale pancake pancakes paprika parsnips passata passion pasta paste
    pastries pastry patties pea peach peaches peanut peanuts pear pears peas pecan pecans peeled pepper peppered
    peppermint pepperoni peppers pesto pickle pickled pickles pie pies pilau pineapple pink pistachio pistachios pita
    pitta pizza plain plant plantain plum pomegranate popcorn popped poppy pork porridge porter potato potatoes powder
    powdered prawn prawns preserve pretzel pretzels prosecco prunes pudding puff puffs pulp pumpkin punch quiche quinoa
    raisin raisins ramen range raspberries raspberry ravioli ready red relish rhubarb ribs rice rich ricotta rigatoni
    rioja ripe risotto roast roasted rocket rolled rolls romano roquefort rose rosemary roti ruby rum rye salad salade
    salami salmon salsa salt salted salty sandwich sandwiches sardines satsumas sauce sauces sauerkraut sausage sausages
    sauvignon scones scotch scottish sea seafood seasoned seasoning seaweed seed seeded seedless seeds selection semi
    sesame sharp shell shells shiraz shortbread shrimp sicilian single skimmed skinless skittles slice sliced slices
    slow smoke smoked smokey smoky smooth smoothie snack soft sorbet soup sour sourdough soy soya soybean spaghetti
    spanish sparkling special spelt spice spiced spices spicy spinach sponge spread spreadable spring squares squash
    sriracha steak stew sticks still stilton stock stout strawberries strawberry stuffed stuffing sultanas sundae
    sundried sunflower super supreme sushi swede sweet sweetcorn sweetener sweets swirl swiss syrup tandoori tangy tart
    taste tea teacakes teriyaki thai thick thin thins tikka toast toasted toaster toffee tofu tomato tomatoes tonic
    tortilla tortillas traditional tree triple tropical truffle truffles tuna turkey turmeric tuscan udon unsalted
    vanilla veg vegetable vegetables velvet victoria vinegar vintage virgin vodka wafer wafers waffle waffles walnut
    walnuts wasabi water watermelon wheat whipped whipping whiskey whisky white whole wholegrain wholemeal wild wine
    wings wrap wrapped wraps yellow yoghurt yogurt
""".split())  # fmt: skip
PROPER = frozenset(
    "american belgian british cajun canadian caribbean chinese dijon dutch english french greek himalayan "
    "indian irish italian jamaican japanese london madeira mediterranean moroccan scotch scottish sicilian "
    "spanish swiss thai tuscan victoria highland bbq ipa rioja".split()
)


class Department(NamedTuple):
    """The head words of a department, how many products it gets, their range of pence and their tax."""

    heads: str
    most: int
    least_minor: int
    most_minor: int
    tax_code: str = "zero"


DEPARTMENTS = {
    "Fruit & veg": Department(
        "apples carrots potatoes spinach broccoli mushrooms salad tomatoes peppers onions kale "
        "blueberries strawberries raspberries mango pineapple avocado leeks courgette parsnips "
        "cabbage lettuce rocket beetroot celery clementines satsumas grapes aubergine melon "
        "watermelon oranges lemons limes bananas pears plums peaches berries cauliflower cucumber "
        "asparagus squash vegetables coleslaw cherries sweetcorn", 110, 65, 320),
    "Bakery": Department(
        "bread loaf baguette bagels croissants buns rolls muffins brioche scones pancakes waffles "
        "crumpets cake cakes brownies pastries donuts tortillas wraps pitta naan ciabatta flatbread "
        "cupcakes teacakes toast focaccia sourdough sponge", 150, 85, 420),
    "Dairy & eggs": Department(
        "milk cheese cheddar yogurt yoghurt butter cream brie feta mozzarella eggs gouda stilton "
        "kefir custard ricotta camembert halloumi parmesan buttermilk", 130, 75, 450),
    "Meat & fish": Department(
        "chicken turkey ham bacon sausages sausage salmon tuna prawns shrimp beef steak mince lamb "
        "meatballs burgers salami pepperoni chorizo mackerel sardines fish duck pork", 130, 180, 899),
    "Drinks": Department(
        "juice water lemonade cola smoothie drink cordial tonic nectar punch kombucha "
        "smoothies", 130, 60, 329, "standard"),
    "Tea & coffee": Department(
        "tea coffee espresso cappuccino latte cocoa chai infusion decaf mocha", 80, 140, 650),
    "Food cupboard": Department(
        "pasta spaghetti fusilli rice sauce ketchup mayonnaise mustard vinegar oil soup beans "
        "chickpeas lentils flour honey jam marmalade spread syrup stock gravy seasoning salt pepper "
        "pesto curry chutney pickle pickles olives capers salsa dressing relish paste quinoa "
        "couscous seeds broth ravioli lasagna tortellini gnocchi stuffing mayo hummus houmous "
        "risotto paprika cumin turmeric", 330, 59, 480),
    "Breakfast": Department("cereal granola muesli oats porridge oatmeal flakes bran cereals", 90, 120, 460),
    "Snacks & sweets": Department(
        "crisps popcorn pretzels nuts almonds cashews peanuts pistachios crackers "
        "chocolate biscuits cookies shortbread caramels fudge toffee sweets mints "
        "truffles wafers digestives flapjack oatcakes walnuts hazelnuts raisins toffees "
        "chocolates gingerbread sultanas", 250, 70, 390, "standard"),
    "Frozen": Department("sorbet gelato pizza peas lasagne nuggets", 110, 120, 550),
    "Beer & wine": Department(
        "beer ale cider wine whisky gin vodka rum lager stout prosecco ipa porter "
        "merlot shiraz chardonnay sauvignon rioja malbec bourbon whiskey champagne", 40, 180, 1100, "standard"),
}  # fmt: skip
HEADS = {head: name for name, department in DEPARTMENTS.items() for head in department.heads.split()}
HEAD_MOST = 16  # of one kind, so that no shelf is all jam
ZERO_RATED_SNACKS = frozenset(
    "crackers biscuits cookies shortbread digestives flapjack oatcakes walnuts hazelnuts raisins gingerbread "
    "sultanas".split()
)
# Words that give away that the head word misleads: chicken soup mix is no meat, kettle corn no vegetable.
MISLEADING = {
    "Fruit & veg": "beef chicken steak turkey egg yogurt fig cake water smoothie creamy baked fried popcorn sausage "
    "tuna shrimp bacon salmon ham sour cream crunchy chickpea bar dried",
    "Bakery": "cheese steak sausage chicken egg crab rice spring fruit tikka salad ham cookie ice coated crumbs "
    "spelt lamb",
    "Dairy & eggs": "chips pretzel pretzels popcorn sauce olives chocolate cookies soy crackers macaroni ravioli "
    "pasta tortilla crisps balls puffs sticks snack pizza syrup scotch burgers ham sandwich "
    "sandwiches stuffed orange rice",
    "Meat & fish": "soup chips fruit rice pasta crisps vegetables cheese crispy orange sesame meatballs water bagel "
    "pie",
    "Drinks": "tuna chicken sardines mackerel salmon in peas beans turkey popcorn biscuits chocolate lip clam crab",
    "Tea & coffee": "ice iced wafers creamer cake biscuit biscuits peanut cookie cream bar cookies",
    "Food cupboard": "chips crackers cupcakes crisps popcorn bar cookies snack almonds cake pretzels nuts "
    "cheesecake bread cookie peanuts",
    "Breakfast": "tuna bar choco bars cookie",
    "Snacks & sweets": "ice risotto hot wine cider drink sauce cream pudding cake",
    "Frozen": "popcorn dough sauce wasabi pretzel sriracha spicy golden chili split seasoned black chick crisps "
    "roasted",
    "Beer & wine": "sauce bbq cooking tomato juice cola vinegar fruit butterscotch cream smoked cheese sausage",
}
# Read by a person and found odd on a shelf.
DROPPED = frozenset(name.strip() for name in """
all butter; chocolate avocado; country crisp raspberries; crunch berries; dark chocolate blueberries; dark chocolate
with raspberries; green giant salt free sweetcorn; green giant sweet corn & peppers; organic sparkling watermelon;
bread & butter squash; risotto chorizo & butternut squash; sauce curry mango; smooth dark with raspberries; sparkling
ice orange mango; special flakes with red berries; white chocolate with strawberries; hot mango; orange & melon;
frozen sliced peaches; cherries & berries; classic mixed vegetables; bakery double berry bar cake; fish cakes; lentil
& corn cakes; thins flatbread; traditional meat loaf; wrapped cake; slices cake; baked donuts; butter toast; cake
loaf; cauliflower cheese; cocoa & milk; cheese spread smoked gouda; chicken salad with goat cheese; creamy tomato &
cheese; custard cream; five cheese; frozen custard; frozen kefir; giant bar apricot & yogurt; golden country salad
cream; pecan butter; pickled eggs; red velvet eggs; rhubarb & custard; salad cream; shells & white cheddar cheese;
smoked salmon & soft cheese; smooth milk; sweet chilli & sour cream; all natural brie; white cheese feta; chicken &
bacon; baguette salami; baked beans with pork sausages; chunk ham; cream of chicken; french onion dip with bacon;
grain burgers; infusion tuna; nacho potatoes with beef & bacon; peanut & avocado burgers; pizza chorizo; popcorn
shrimp; sandwich egg mayo & bacon; sauce butter chicken; sushi duck; pancake sausage; smoke salmon; bbq ribs pork;
breast of turkey; indian mackerel; apple cider vinegar tonic; juice & smoothie; sour sticks cola; super juice; peanut
drink; island punch; fruity drink; whole earth cola; whole earth lemonade; hot ginger beer; golden grapefruit juice;
ruby breakfast juice; chocolate cocoa; cold infusion; dark chocolate with coffee; gelato cappuccino; organic coconut
milk smoothie chai; rich tea; sundae tea; latte espresso; green coffee; baked with golden syrup; black truffle & sea
salt; blue dragon thai red curry; blue dragon white rice vinegar; breakfast muffin banana honey; black jasmine rice
pasta; black seed honey; caramel almond & sea salt; carrots with hummus; cashews honey; chinese honey; chicken &
stuffing; crispy bacon & maple syrup; crunchy sticks salt & vinegar; granola ginger & turmeric; chocolate honey;
halloumi & roasted pepper; lightly crunchy sea salt; porridge super seeds; rice cakes with sunflower seeds; fish oil;
roasted chicken & gravy; roasted peas - sea salt; salt & malt vinegar; salt & vinegar; salt & pepper; sandwich chicken
& pesto; sausages pork & mustard; sea salt & balsamic vinegar; sea salt & cider vinegar; sea salt & malt vinegar;
honey & mustard; sweet chilli & red pepper; sweet potato with sea salt; wholegrain & quinoa; wrap feta & houmous;
yogurt & coconut korma sauce; dairy free spread; double peanut butter; salad super seeds; super soup; raisin peanut
spread; all bran; berry & white chocolate; strawberry banana with cereal; whole earth corn flakes; whole earth organic
muesli; special flakes; golden country white oats; corn flakes honey & nuts; country crisp chunky nuts; country crisp
honey & nuts; country crisp nuts; hummus with pretzels; crunchy muesli dark chocolate; gelato coconut fudge; gelato
dark chocolate; choco crackers; chocolate chip pie with walnuts; pesto and truffles; pickled raisins; quinoa bar
peanuts; waffles pretzels; sticks pretzels; cheesy almonds; mango crisps; baked cookie chocolate; british biscuits;
buffalo milk gelato; butter peas; cereal nuggets; chocolate crunch nuggets; corn nuggets; crispy nuggets; crunchy
nuggets; pretzels nuggets; ravioli cheese with peas; fried & salted peas; whole yellow peas; frozen sour; frozen greek
yogurt gelato; chipotle bourbon; dark chocolate with irish whiskey; dijon mustard with white wine; dragon stout;
double dragon ale; supreme golden ale; whisky bourbon; dark raisins; yellow popcorn; naan crackers; cheddar popcorn;
""".replace("\n", " ").split(";"))  # fmt: skip
PRICES = {  # pence, where a head word knows better than its department
    **dict.fromkeys("beer ale lager stout porter ipa cider".split(), (185, 420)),
    **dict.fromkeys("wine prosecco merlot shiraz chardonnay sauvignon rioja malbec".split(), (599, 1_400)),
    **dict.fromkeys("whisky gin vodka rum bourbon whiskey champagne".split(), (1_500, 3_600)),
    **dict.fromkeys("milk water bananas loaf bread baguette".split(), (79, 240)),
    **dict.fromkeys("salmon prawns shrimp steak lamb beef".split(), (350, 950)),
    **dict.fromkeys("honey oil".split(), (280, 690)),
}
NOT_LAST = frozenset("and with in of from".split())


def read_names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield barcode and name, British barcodes first, then in an order that mixes makers."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [(row["barcode"], row["name"].strip()) for row in csv.DictReader(file)]
    yield from sorted(rows, key=lambda row: (not row[0].startswith("50"), row[0][::-1]))


def department_of(name: str) -> tuple[str, str] | None:
    """Find department and head word, or None when it is doubtful."""
    words = name.lower().replace("&", " ").split()
    if re.search(r"\bice cream$|\bfrozen (yogurt|yoghurt|peas|berries)$|\bpizza$", name.lower()):
        found, head = "Frozen", words[-1]
    else:
        head = words[-1]
        found = HEADS.get(head, "")
        if head == "butter" and set(words) & set("peanut almond cashew nut seed apple cookie cocoa sunflower".split()):
            found = "Food cupboard"
        if head == "milk" and "coconut" in words:
            found = "Food cupboard"
        if head == "chocolate" and "hot" in words:
            return "Tea & coffee", head
        if name.lower().endswith(("ginger ale", "ginger beer")):
            found = "Drinks"
    if (
        not found
        or name.lower().replace(" and ", " & ") in DROPPED
        or set(words) & set(MISLEADING[found].split()) - {head}
    ):
        return None
    return found, head


def acceptable(name: str) -> bool:
    """Say whether a name is short, plain English and about food."""
    words = re.findall(r"[a-z']+", name.lower())
    return (
        re.fullmatch(r"[A-Za-z' &-]+", name) is not None
        and name.count("&") == name.count(" & ")
        and 2 <= len(words) <= 5
        and 8 <= len(name) <= 34
        and len(set(words)) == len(words)
        and words[-1] not in NOT_LAST
        and words[0] not in NOT_LAST
        and all(word in WORDS or word in {"and", "with"} for word in words)
    )


def sentence(name: str) -> str:
    """Write a name the way shelf labels do: one capital, and those of countries."""
    words = [word.title() if word.lower() in PROPER else word.lower() for word in name.replace(" and ", " & ").split()]
    words = [word.upper() if word.lower() in {"bbq", "ipa"} else word for word in words]
    return (words[0][0].upper() + words[0][1:] + " " + " ".join(words[1:])).replace("ipa ", "IPA ")


def made_up(barcode: str, name: str, head: str, department: str) -> list[str]:
    """Give price, tax code, low-stock level and cost: nobody's real prices."""
    digest = hashlib.blake2b(barcode.encode()).digest()
    spec = DEPARTMENTS[department]
    least, most = PRICES.get(head, (spec.least_minor, spec.most_minor))
    share = (digest[0] / 255) ** 1.7  # most things are cheap
    price = int((least + share * (most - least)) // 10) * 10 + (5, 9, 9, 0)[digest[1] % 4]
    frozen_treat = department == "Frozen" and (head in {"sorbet", "gelato"} or "ice cream" in name.lower())
    tax = "standard" if frozen_treat else spec.tax_code
    if department == "Snacks & sweets" and head in ZERO_RATED_SNACKS and "chocolate" not in name.lower():
        tax = "zero"
    net = price * 100 // 120 if tax == "standard" else price
    cost = net * (62 + digest[2] % 16) // 100
    return [f"{price // 100}.{price % 100:02d}", tax, str(4 + digest[3] % 5), f"{cost // 100}.{cost % 100:02d}"]


def choose(path: Path) -> list[list[str]]:
    """Pick rows in the columns of a product export."""
    taken: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    seen: set[frozenset[str]] = set()
    names: set[str] = set()
    rows = []
    for barcode, raw in read_names(path):
        if (
            len(barcode) != 13
            or barcode.startswith("2")
            or not acceptable(raw)
            or (found := department_of(raw)) is None
        ):
            continue
        department, head = found
        alike = frozenset(word.rstrip("s") for word in raw.lower().replace("&", " ").replace(" and ", " ").split())
        if alike in seen or taken[department] >= DEPARTMENTS[department].most or heads[head] >= HEAD_MOST:
            continue
        name = sentence(raw)
        if name in names:
            continue
        names.add(name)
        seen.add(alike)
        taken[department] += 1
        heads[head] += 1
        price, tax, low, cost = made_up(barcode, name, head, department)
        rows.append([barcode, barcode, name, department, price, "piece", tax, "yes", "yes", low, cost, "no"])
    return sorted(rows, key=lambda row: (list(DEPARTMENTS).index(row[3]), row[2]))


def main() -> None:
    """Write the extract, byte for byte the same each time."""
    source, target = map(Path, sys.argv[1:3])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        "sku barcodes name department price unit tax_code active track_stock low_stock cost favourite".split()
    )
    rows = choose(source)
    writer.writerows(rows)
    target.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    for department, count in Counter(row[3] for row in rows).items():
        print(f"{count:5} {department}")


if __name__ == "__main__":
    main()
