"""Changes of a test sentence that should not change its meaning, for the measurement of robustness.

Each takes an example and a source of chance and gives a copy; slots stay exact, intents and acts are kept. A sentence
to which a change does not apply (no word with another spelling, say) comes back unchanged.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from device.nlu.resolve.numbers import SMALL
from quantize.data.augment import AsrNoise, dropped, edited, false_start, filler, read_confusions
from quantize.data.example import Example

TYPO_RATE: Final = 0.15
"""Share of words of three letters or more with a typing error; at least one in a sentence."""
WORD_ERRORS: Final = 0.15
"""Share of words that are misheard."""

_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def typos(example: Example, chance: random.Random) -> Example:
    """Typing errors: a neighbouring key, two letters swapped, one left out or doubled."""
    long = [i for i, word in enumerate(example.words) if len(word) > 2 and word.isalpha()]
    if not long:
        return example
    wrong = {i for i in long if chance.random() < TYPO_RATE} or {chance.choice(long)}
    return msgspec.structs.replace(
        example, words=tuple(_typo(word, chance) if i in wrong else word for i, word in enumerate(example.words))
    )


def casing(example: Example, chance: random.Random) -> Example:
    """Capitals as people and programs write them: the first letter, each word's, or all."""
    style = chance.choice(("first", "each", "all"))
    if style == "all":
        said = [word.upper() for word in example.words]
    else:
        said = [
            word[:1].upper() + word[1:] if i == 0 or style == "each" else word for i, word in enumerate(example.words)
        ]
    return msgspec.structs.replace(example, words=tuple(said))


def misheard(example: Example, chance: random.Random) -> Example:
    """As Moonshine tiny hears it in other people's babble, `WORD_ERRORS` of the words wrong."""
    return _noise()(example, chance)


def dialect(example: Example, chance: random.Random) -> Example:
    """British words and spellings for American ones, as many as there are; "half seven" for "seven thirty"."""
    at = 0
    while at < len(example.words):
        for length in (3, 2, 1):
            group = example.words[at : at + length]
            said = _BRITISH.get(" ".join(group))
            if not said and (not at or example.words[at - 1] not in SMALL):  # "twenty one thirty" is no "half one"
                said = _HALF.get(group)
            if said and len(group) == length:
                changed = edited(example, at, at + length, said.split())
                if changed is not example:
                    example, at = changed, at + len(said.split()) - 1
                    break
        at += 1
    return example


@lru_cache(maxsize=1)
def _noise() -> AsrNoise:
    return AsrNoise(read_confusions(), WORD_ERRORS)


def _typo(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    kind = chance.choice(("neighbour", "swap", "drop", "double"))
    if kind == "swap":
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + chance.choice(_NEIGHBOURS.get(word[at], word[at])) + word[at + 1 :]


def _neighbours() -> dict[str, str]:
    """Keys that touch a key on a QWERTY keyboard, whose rows are shifted by about half a key."""
    places = {key: (column + row / 2, row) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
    return {
        key: "".join(other for other, (u, v) in places.items() if other != key and abs(u - x) <= 1 and abs(v - y) <= 1)
        for key, (x, y) in places.items()
    }


_NEIGHBOURS: Final = _neighbours()

_HOURS: Final = "one two three four five six seven eight nine ten eleven twelve".split()
_HALF: Final[Mapping[tuple[str, ...], str]] = {(hour, "thirty"): f"half {hour}" for hour in _HOURS} | {
    ("half", "past", hour): f"half {hour}" for hour in _HOURS
}

_BRITISH: Final[Mapping[str, str]] = dict(
    pair.split("=")
    for line in """
color=colour, colors=colours, colored=coloured, favorite=favourite, favorites=favourites, gray=grey, flavor=flavour
flavors=flavours, neighbor=neighbour, neighbors=neighbours, neighborhood=neighbourhood, humor=humour, honor=honour
labor=labour, rumor=rumour, behavior=behaviour, harbor=harbour, odor=odour, armor=armour, liter=litre, liters=litres
meter=metre, meters=metres, kilometer=kilometre, kilometers=kilometres, centimeter=centimetre
centimeters=centimetres, millimeter=millimetre, millimeters=millimetres, milliliter=millilitre
milliliters=millilitres, center=centre, theater=theatre, theaters=theatres, fiber=fibre, cozy=cosy, tire=tyre
tires=tyres, program=programme, programs=programmes, jewelry=jewellery, pajamas=pyjamas, organize=organise
organized=organised, realize=realise, recognize=recognise, apologize=apologise, memorize=memorise
prioritize=prioritise, summarize=summarise, customize=customise, canceled=cancelled, canceling=cancelling
traveling=travelling, traveled=travelled, dialog=dialogue, catalog=catalogue, donut=doughnut, donuts=doughnuts
yogurt=yoghurt, aluminum=aluminium, airplane=aeroplane, license=licence, defense=defence, mom=mum, mom's=mum's
mommy=mummy, math=maths, skeptical=sceptical, plow=plough, moldy=mouldy, mold=mould, tv=telly, television=telly
movie=film, movies=films, movie theater=cinema, movie theaters=cinemas, vacation=holiday, two weeks=a fortnight
apartment=flat, elevator=lift, trash=rubbish, garbage=rubbish, trash can=bin, flashlight=torch, cookies=biscuits
cookie=biscuit, candy=sweets, french fries=chips, potato chips=crisps, eggplant=aubergine, zucchini=courgette
cilantro=coriander, arugula=rocket, takeout=takeaway, gas station=petrol station, gas=petrol, gasoline=petrol
soccer=football, cell phone=mobile, cellphone=mobile, store=shop, stores=shops, grocery store=supermarket
drugstore=chemist, pharmacy=chemist, vacuum=hoover, vacuum cleaner=hoover, faucet=tap, closet=wardrobe, couch=sofa
stove=cooker, highway=motorway, freeway=motorway, parking lot=car park, sidewalk=pavement, truck=lorry
sweater=jumper, sneakers=trainers, diaper=nappy, diapers=nappies, stroller=pushchair, mailbox=postbox
zip code=postcode, yard=garden, backyard=back garden, restroom=toilet, bathroom=loo
checking account=current account, calendar=diary, soda=fizzy drink, railroad=railway, attorney=solicitor
""".strip().splitlines()
    for pair in line.split(", ")
)
"""American to British words and spellings of a home's commands; "check" and the like, which are mostly other words,
are left alone."""

PERTURBATIONS: Final[Mapping[str, Callable[[Example, random.Random], Example]]] = MappingProxyType(
    {
        "typos": typos,
        "casing": casing,
        "fillers": filler,
        "false starts": false_start,
        "dropped words": dropped,
        "misheard": misheard,
        "dialect": dialect,
    }
)
"""By the name that reports give them."""
