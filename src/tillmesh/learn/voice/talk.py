"""What is said beside a till and is no command: talk of a shop, and words that sound like words of commands.

Written by hand for training. What judges is other text: docs/reference/voice.md says which.
"""

from __future__ import annotations

from typing import Final


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


TALK: Final = _lines(
    """
    good morning how are you today
    hello there what can i get you
    have a nice day
    see you tomorrow then
    thank you very much
    you are welcome
    do you need a bag for that
    would you like your receipt
    do you have a loyalty card with us
    that comes to nine pounds fifty
    is there anything else i can help you with
    sorry i did not catch that
    could you say that again please
    i will be with you in a minute
    just put it over there
    the milk is at the back on the left
    we are out of bread i am afraid
    the delivery comes at half past seven
    can you bring some more change from the safe
    who left this trolley here
    my card does not work
    it says the card was declined
    please try it the other way round
    enter your pin and press the green button
    you can take your card out now
    i would like to give this back
    it was broken when i opened it
    do you still have the receipt
    how much is this one
    is this the one that was on offer
    two for three pounds they said
    these are buy one get one free
    i think that price is wrong
    could you check the price for me
    let me call the manager
    the scanner is playing up again
    turn it off and on again
    where did you put the keys
    has anybody seen my phone
    i am going for my break now
    your shift starts at six tomorrow
    he has called in sick again
    did you watch the match last night
    it is raining cats and dogs outside
    mind the step when you go out
    close the door behind you please
    the queue is right down to the frozen food
    could somebody open another till
    next please
    over here there is no waiting
    put your basket on the side
    careful that is heavy
    shall i pack that for you
    i need to see some identification
    are you over eighteen
    we do not sell those any more
    they have moved to the end of the aisle
    how do you want to pay for this
    by cash or by card
    that is fifty seven pence change
    i only have a twenty
    can you split it for us
    she wants a separate bill
    forget about the last one
    leave that one out please
    i changed my mind about the cheese
    actually make that three of the small ones
    no not that one the other one
    yes that is what i said
    okay let us see what happens
    never in my life have i seen that
    stop it you two
    come back here at once
    go and ask your mother
    the customer before you left her gloves
    this customer is waiting for a refund
    he always wants a discount
    the drawer is stuck
    the printer has run out of paper
    there is a note on the board for you
    we have to count the stock on sunday
    the report is due on friday
    i could not find it anywhere
    have you searched the store room
    it is dark in there
    light as a feather
    what is that in the window
    can i help who is next
    everything is closed on christmas day
    all of them are sold out
    the first thing you do is wash your hands
    the last train goes at eleven
    one of these days i will leave
    two of you can go home
    three times i have told him
    four hours without a break
    five minutes more and we are done
    half a dozen of them went missing
    a hundred people came in today
    about ninety percent of it is water
    he said he would be here by ten
    my son is twelve next week
    she lives at number seventeen
    the bus to town is the sixty four
    apples do not fall far from the tree
    he is the apple of her eye
    that is not my cup of tea
    as cool as a cucumber
    bring home the bacon
    the whole street smelled of coffee
    red is not my colour
    that was a piece of cake
    salt and vinegar or plain
    is the juice made from real oranges
    does this bread have nuts in it
    i am allergic to milk
    can you cut the ham a bit thinner
    the eggs are cracked
    we had fish for dinner on friday
    my wife makes the soup herself
    put the kettle on
    how was your holiday
    we went to the sea for a week
    the children are back at school
    i have to pick them up at three
    take it easy
    mind your fingers
    what time do you close
    at eight but on sundays at four
    is there a cash machine near here
    round the corner next to the bank
    may i leave my number
    we will ring you when it comes in
    it should be here on thursday
    ask for me when you come
    the boss wants to see you
    did you lock the back door
    i locked it twice
    somebody has to sign for this
    sign here please
    out of order since monday
    clear the floor there is glass
    start without me
    over my dead body
    hold the line please
    hold on a second
    park the van behind the shop
    there is no parking on this street
    show me what you have got
    let me show you how that works
    help yourself
    i could do with some help here
    """
)

# Each near to words of commands or of products: rhymes, neighbours, and other forms of them.
NEAR: Final = tuple(
    """
    nun run ton done gun son sun won bun true few blue shoe zoo who tree free fee knee see sea door more for ford
    pour fife hive dive life fine sticks fix mix kicks heaven eleventh gate late wait hate line mine wine then tent
    den hen eighth again pen man plenty party dirty thirsty sporty fourth sixth seventh tenth fist thirst burst
    worst lost fast past cast post most lasting guest best west test rest key tea team pea pee pet pan plum pan
    port part cart guard hard bard barred cord curd ward cash crash catch cache dash bash cast mash ash gash pack
    bag rack lack sack tack backed backing pray prey play bay day say way hay may ray they clay paid pain pays
    payed place lay late charm chart large barge chance change changed chase arch discos district discord distance
    disc counted account counter county count mount amount total turtle tottle model tortoise toddle bottle battle
    settle title subtle settle metal metre meter undue into until under onto and do to two too undone end send bend
    lend mend tend spend friend shed shelf shirt sheet shipped ship shaft drift lift gift sift swift gifted left
    cliff stiff stuff cuff call ball wall hall tall fall small remote removed remover move moves removal deleted
    delight delayed relate replete complete depleted cleared clearing cleaner clean deer dear near fear year here
    beer gear cheer sail tale tail fail whale snail pale mail male nail sales soled sold sole soul bowl coal goal
    hole pole role toll stole stone store stop shop chop hop top drop crop stops stopped stock sock rock lock clock
    knock block shock stalk talk walk chalk fork work word world bird third price prize prices rise dice mice nice
    twice spice slice ice advice device note notes vote boat coat goat float wrote north nose those rose knows
    nodes noted add had bad sad mad dad glad ad odd egg edge age page cage stage wage customs custom costume
    customary cucumbers costumer hamper camera chimera cameras caramel scanned scans skin can scan scam span spam
    plan clan ran van fan search church surge searched birch perch lurch certain circle fine find kind mind blind
    behind found ground round sound pound down town gown brown noun frown crown drawn drown up cup pup cut but hut
    nut shut what hot pot got knot dot shot spot previously previews precious preview next text nest necks vexed
    taxed backs box fox socks line lime rhyme time climb dime limed lined sign signed signs sine side ride wide
    hide guide tide slide ought out shout about doubt scout route lout log logs logged dog fog frog hog lot locked
    lack settings setting sitting getting letting betting fitting meeting heating seating menus men many venue
    manual minute minus health hell self help elf helped yelp kelp well wealth stealth bell sell cell tell yell
    favour favourite flavour favours savour receipted receive deceit recede seat repeat reprints sprint print
    prince printed spring printer sprinter hint mint tint return turn turned turning burn learn earn fern refunded
    fund fun funds funded yesterday yes yet yell less guess dress mess press chess bless know now go so show low
    slow blow grow snow throw cancel council candle channel chancel handle confirm firm conform confer concern
    perform okra today away stay resumed assume zoom room broom presume soon spoon moon noon noodle doodle poodle
    double trouble bubble rubble stubble dabble doubled trouble mother another brother bother other further father
    rather same game name came fame lame shame tame some come thumb gum dumb sum drum never clever ever river
    leather weather lever level lemur select elect selected effect collect project reject object product produce
    products project productive parked bark dark mark shark spark large lark arc barking darker darling light night
    right fight site bite kite white lighter lightly colour cooler collar caller colours cullers scholar dollar
    apply ample chapel banner bandana tomorrow tomato potter pottery lettuce letters lettered careful garrote cabin
    cabbie cauldron cream scream dream green grain brain train butler buttons bitter better batter brother chess
    chase cheesy jeans geese grease trees breeze hand hum hem him bake lake take make shake snake break brake rake
    wake mulch milky silk ilk mill bill hill fill will still bread dead head red bed fed led thread spread stead
    rye dry try cry fry sky eye buy sugary shaker shagger offer coffin toffees cough coughing off of oft soft loft
    pairs pare bear hair chair stair fair share square cherish chariot peace peaces peek peak leak leek speak weak
    week meek beak paste past pastor pester pester basta pizza piece pitch rich which witch ditch itch juicy goose
    loose moose noose use whys rise wise size eyes watch what waiter walter quarter daughter later letter alter
    salter halt fault malt salted sold shoulder older bolder soup sup soap sob sew
    """.split()
)
