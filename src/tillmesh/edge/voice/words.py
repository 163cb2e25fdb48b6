"""The words that the recogniser knows: those of the commands, and words that names of groceries are made of."""

from __future__ import annotations

from typing import Final

from tillmesh.edge.voice.commands import COMMANDS, NUMBERS

OTHER: Final = "<other>"  # any word that is not on the list

# Chosen by hand from what shelves of a small food shop say; a product is found by the words of its name that are here.
PRODUCT_WORDS: Final = tuple(
    """
    almond apple apples apricot avocado bacon bag baguette banana bananas basil batteries beans beef beer berries
    biscuits black blueberries blue bread broccoli brown butter cabbage cake candles carrier carrots cauliflower celery
    cereal cheddar cheese cherries chicken chilli chips chocolate cider cinnamon cloth coconut cod coffee cola coleslaw
    cookies corn courgette crackers cream crisps croissant cucumber curry custard dark decaf detergent dishwasher
    doughnut dried earl eggs elderflower espresso farmhouse fennel feta fish flour foil free frozen fruit garlic gin
    ginger granola grapefruit grapes greek green grey ground haddock ham herbs honey hot hummus ice jam jasmine juice
    ketchup kitchen kiwi lager lamb large leek lemon lemonade lentils lettuce lime loaf mackerel mango maple
    marmalade matches mayonnaise melon milk mince mint mixed muffin mushrooms mustard natural noodles nuts oat oats oil
    olive olives onion onions orange oranges organic paper parsley pasta pastry peach peanut pear pears peas pepper
    peppers pie pineapple pizza plum plums popcorn pork potato potatoes powder prawns pumpkin raspberries red rice roll
    rolls rosemary rye salad salmon salt salted sauce sausages scone semi skimmed slice small smoked soap soda soup
    sourdough soya sparkling spinach sponge spread steak still strawberries strawberry sugar sunflower sweet syrup
    tablets tea tin toffee tofu toilet tomato tomatoes tonic tuna turkey vanilla vinegar vodka waffles walnut walnuts
    water watermelon wheat whisky white whole wholemeal wine yoghurt
    """.split()
)


def _said() -> tuple[str, ...]:
    words = {word for command in COMMANDS for phrase in command.phrases for word in phrase.split() if word[0] != "{"}
    return tuple(sorted(words | set(NUMBERS) | set(PRODUCT_WORDS)))


# The order is that of the head's outputs: 0 is "nothing" (the blank of CTC), 1 any other word, then these.
WORDS: Final = ("", OTHER, *_said())
