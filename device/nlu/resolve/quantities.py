"""Percentages, temperatures, amounts, units of measurement and currencies.

Units have pint's names, so that the unit skill can hand them on; currencies have their ISO 4217 codes.
"""

from __future__ import annotations

from typing import Final, Literal

from device.nlu.resolve.grammar import skip, skip_any, trim, word
from device.nlu.resolve.numbers import plain, quantity
from device.nlu.types import Percent, Temperature

_LEVELS: Final = {
    "full": 100.0,
    "maximum": 100.0,
    "max": 100.0,
    "highest": 100.0,
    "minimum": 1.0,
    "min": 1.0,
    "lowest": 1.0,
}
"""Levels said without a number; the lowest is still on."""

_BEFORE: Final = ("to", "by", "at", "about", "around", "the", "of", "exactly")
_SCALES: Final[dict[str, Literal["C", "F"]]] = {
    "celsius": "C", "centigrade": "C", "c": "C", "fahrenheit": "F", "f": "F",
}  # fmt: skip

_PREFIXED: Final = {
    "meter": ("milli", "centi", "deci", "kilo", "micro", "nano"),
    "gram": ("milli", "kilo", "micro"),
    "liter": ("milli", "centi", "deci"),
    "byte": ("kilo", "mega", "giga", "tera", "peta"),
    "bit": ("kilo", "mega", "giga", "tera"),
    "joule": ("kilo", "mega"),
    "calorie": ("kilo",),
    "watt": ("milli", "kilo", "mega", "giga"),
    "watt_hour": ("kilo", "mega"),
    "hertz": ("kilo", "mega", "giga"),
    "pascal": ("kilo", "hecto"),
    "second": ("milli", "micro", "nano"),
    "volt": ("milli", "kilo"),
    "ampere": ("milli",),
    "newton": ("kilo",),
}
_PLAIN: Final = (
    "inch foot yard mile nautical_mile light_year ounce pound stone metric_ton ton teaspoon tablespoon fluid_ounce cup "
    "pint quart gallon kelvin minute hour day week month year knot horsepower bar psi atmosphere acre hectare radian "
    "degree barrel carat ohm"
)
_NAMES: Final = {
    "kilo": "kilogram", "kilos": "kilogram", "k m": "kilometer", "feet": "foot", "inches": "inch",
    "tonne": "metric_ton", "tonnes": "metric_ton", "metric tons": "metric_ton", "p s i": "psi", "celsius": "degC",
    "centigrade": "degC", "fahrenheit": "degF", "amp": "ampere", "amps": "ampere", "gig": "gigabyte",
    "gigs": "gigabyte", "k p h": "kilometer_per_hour", "m p h": "mile_per_hour", "micron": "micrometer",
    "microns": "micrometer",
}  # fmt: skip
_RATES: Final = frozenset({"kilometer_per_hour", "mile_per_hour", "meter_per_second"})
"""Rates that have a name of their own in pint."""

_POWERS: Final = {"square": 2, "cubic": 3}


def _known_units() -> dict[str, str]:
    names = [name for base, prefixes in _PREFIXED.items() for name in (base, *(f"{p}{base}" for p in prefixes))]
    names += _PLAIN.split()
    known = {f"{name.replace('_', ' ')}{plural}": name for name in names for plural in ("", "s")}
    british = {word.replace("meter", "metre").replace("liter", "litre"): name for word, name in known.items()}
    return known | british | _NAMES


_UNITS: Final = _known_units()

_CURRENCIES: Final = {
    spoken: code
    for code, names in {
        "EUR": "euro",
        "USD": "dollar|us dollar|american dollar|u s dollar|united states dollar|buck",
        "GBP": "pound|british pound|pounds sterling|pound sterling|quid",
        "JPY": "yen|japanese yen",
        "CHF": "swiss franc|franc",
        "INR": "rupee|indian rupee",
        "PKR": "pakistani rupee",
        "CNY": "yuan|chinese yuan|renminbi",
        "KRW": "won|korean won|south korean won",
        "CAD": "canadian dollar",
        "AUD": "australian dollar",
        "NZD": "new zealand dollar",
        "SGD": "singapore dollar",
        "HKD": "hong kong dollar",
        "MXN": "peso|mexican peso",
        "BRL": "real|reais|brazilian real",
        "SEK": "swedish krona|swedish kronor|swedish crown",
        "NOK": "norwegian krone|norwegian kroner|norwegian crown",
        "DKK": "danish krone|danish kroner|danish crown",
        "PLN": "zloty|polish zloty",
        "CZK": "czech koruna|czech crown",
        "HUF": "forint|hungarian forint",
        "TRY": "lira|turkish lira",
        "RUB": "ruble|rouble|russian ruble|russian rouble",
        "UAH": "hryvnia|ukrainian hryvnia",
        "NGN": "naira|nigerian naira",
        "ZAR": "rand|south african rand",
        "THB": "baht|thai baht",
        "ILS": "shekel|israeli shekel",
        "KES": "kenyan shilling",
        "GHS": "ghanaian cedi|cedi",
        "EGP": "egyptian pound",
        "AED": "dirham|emirati dirham",
        "SAR": "riyal|saudi riyal",
        "VND": "dong|vietnamese dong",
        "MYR": "ringgit|malaysian ringgit",
        "IDR": "rupiah|indonesian rupiah",
        "PHP": "philippine peso",
    }.items()
    for name in names.split("|")
    for spoken in (name, f"{name}s", code.lower(), " ".join(code.lower()))
}


def percent(text: str) -> Percent | None:
    """Such as "fifty percent", "fifty", "three quarters", "half", "maximum"."""
    words = trim(text.split(), _BEFORE, ("brightness", "volume", "please"))
    if len(words) == 1 and words[0] in _LEVELS:
        return Percent(_LEVELS[words[0]])
    found = quantity(words, 0)
    if found is None:
        return None
    value, end = found
    marked = skip(words, end, "percent", "per cent")
    if (end if marked is None else marked) != len(words):
        return None
    share = 0 < value < 1 and marked is None and word(words, 0) != "point"
    return Percent(float(value * 100 if share else value))


def temperature(text: str) -> Temperature | None:
    """Such as "twenty one and a half degrees", "seventy two fahrenheit", "five below zero"."""
    words = trim(text.split(), _BEFORE, ("please",))
    found = quantity(words, 0)
    if found is None:
        return None
    value, end = found
    end = skip_any(words, end, "degrees", "degree")
    unit: Literal["C", "F", ""] = _SCALES.get(word(words, end), "")
    end += bool(unit)
    below = skip(words, end, "below zero", "below freezing", "below")
    if below is not None:
        value, end = -value, below
    return Temperature(float(value), unit) if end == len(words) else None


def amount(text: str) -> int | float | str:
    """A number, articles included ("a", "half a"); the words themselves where a measure belongs to it ("two cups")."""
    words = trim(text.split(), _BEFORE)
    if tuple(words) in (("a",), ("an",)):
        return 1
    found = quantity(words, 0)
    if found and skip_any(words, found[1], "of a", "of", "a") == len(words):
        return plain(found[0])
    return text


def unit(text: str) -> str | None:
    """Name of a unit as pint knows it: "kilometers per hour" is `kilometer_per_hour`, "square feet" `foot ** 2`."""
    words = trim(text.split(), ("a", "an", "the", "in", "to", "into", "one"))
    for divider in ("per", "an", "a"):
        if divider in words[1:-1]:
            at = words.index(divider, 1)
            above, below = unit(" ".join(words[:at])), unit(" ".join(words[at + 1 :]))
            named = f"{above}_per_{below}"
            return (named if named in _RATES else f"{above} / {below}") if above and below else None
    power = _POWERS.get(words[0])
    if power:
        base = unit(" ".join(words[1:])) if len(words) > 1 else None
        return f"{base} ** {power}" if base else None
    if len(words) > 1 and words[0] in ("degrees", "degree"):
        words = words[1:]
    return _UNITS.get(" ".join(words))


def currency(text: str) -> str | None:
    """ISO 4217 code of a currency: "swiss francs" is `CHF`."""
    return _CURRENCIES.get(" ".join(trim(text.split(), ("the", "a", "in", "to", "into"))))
