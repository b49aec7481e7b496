"""One spoken form for all text: what a person would have said, as lower-case words.

"Set a timer for 1h30, at 7:05 p.m.!" and the same sentence from any speech engine become the same words, so that
grammar, model, phonetic search and value resolution never meet digits, symbols or punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from unicode_rbnf import FormatPurpose, RbnfEngine

_SYMBOLS = {
    "%": " percent ", "&": " and ", "+": " plus ", "=": " equals ", "×": " times ", "*": " times ", "÷": " divided by ",
    "°": " degrees ", "€": " euros ", "£": " pounds ", "@": " at ",
}  # fmt: skip
_FRACTIONS = {"½": " and a half ", "¼": " and a quarter ", "¾": " and three quarters "}
_UNITS = {
    "h": "hours", "hr": "hour", "hrs": "hours", "min": "minutes", "mins": "minutes", "sec": "seconds",
    "secs": "seconds", "s": "seconds", "km": "kilometers", "cm": "centimeters", "mm": "millimeters",
    "kg": "kilograms", "mg": "milligrams", "g": "grams", "ml": "milliliters", "lb": "pounds", "lbs": "pounds",
    "oz": "ounces", "ft": "feet", "mph": "miles per hour", "c": "celsius", "f": "fahrenheit",
}  # fmt: skip
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})\b(?=(\s*[ap]m\b)?)")
_HOURS_MINUTES = re.compile(r"\b(\d+)\s?h\s?(\d{1,2})(?:\s?m(?:in)?)?\b")
_MERIDIEM = re.compile(r"(?<=[\d\s])([ap])\s?\.?\s?m\b\.?")
_DOLLARS = re.compile(r"\$\s?(\d+(?:\.\d+)?)")
_NUMBER_UNIT = re.compile(rf"\b(\d+(?:\.\d+)?)\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})\b")
_MINUS = re.compile(r"(?<![\w.])[-−](?=\d)|(?<=\d)\s+[-−]\s+(?=\d)")
_OVER = re.compile(r"(?<=\d)\s?/\s?(?=\d)")
_POWER = re.compile(r"(?<=\d)\s?(?:\^|\*\*)\s?(?=\d)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_ORDINAL = re.compile(r"\b(\d+)(st|nd|rd|th)\b")
_DECIMAL = re.compile(r"\b(\d+)\.(\d+)\b")
_INTEGER = re.compile(r"\d+")
_VARIANTS = {
    "to morrow": "tomorrow", "to day": "today", "to night": "tonight", "per cent": "percent",
    "sub titles": "subtitles", "good bye": "goodbye", "a m": "am", "p m": "pm", "turn of": "turn off",
    "switch of": "switch off", "whats": "what's", "dont": "don't", "wheres": "where's", "hows": "how's",
}  # fmt: skip
"""Spellings of speech engines (the older ones are Moonshine's and Whisper's) to those of the packs."""
_VARIANT = re.compile(rf"\b({'|'.join(_VARIANTS)})\b")
_PUNCTUATION = re.compile(r"[^\w\s']|_")
_LONE_APOSTROPHE = re.compile(r"(?<!\w)'|'(?!\w)")


@lru_cache(maxsize=1)
def _engine() -> RbnfEngine:
    return RbnfEngine.for_language("en")


@lru_cache(maxsize=4096)
def number_words(digits: str, ordinal: bool = False) -> str:
    """Spell a non-negative integer, as "one hundred five", "twenty first" or, for 1100 to 2099, a year.

    Args:
        digits: Decimal digits. A leading zero ("07") is spoken digit by digit ("oh seven"); so are more than
            twelve digits.
        ordinal: Spell the ordinal.
    """
    if len(digits) > 12:
        return " ".join(number_words(d) for d in digits)
    if not ordinal and len(digits) > 1 and digits[0] == "0":
        return " ".join("oh" if d == "0" else number_words(d) for d in digits)
    value = int(digits)
    if ordinal:
        purpose = FormatPurpose.ORDINAL
    elif 1100 <= value <= 2099 and value % 1000 >= 10:
        purpose = FormatPurpose.YEAR
    else:
        purpose = FormatPurpose.CARDINAL
    text: str = _engine().format_number(value, purpose).text
    return text.replace("-", " ").replace(",", "")


@lru_cache(maxsize=512)
def spoken(text: str) -> str:
    """Lower-case words separated by single spaces; digits and symbols become the words that are said for them.

    The last results are kept: with each command the names of a whole household are compared.
    """
    for fraction, words_ in _FRACTIONS.items():  # before NFKC, which makes "1⁄2" of them
        text = text.replace(fraction, words_)
    text = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    text = _MERIDIEM.sub(r" \1m ", text)
    text = _THOUSANDS.sub("", text)
    text = _POWER.sub(" to the power of ", _OVER.sub(" over ", _MINUS.sub(" minus ", text)))
    text = _CLOCK.sub(_clock_words, text)
    text = _HOURS_MINUTES.sub(r"\1 hours \2 minutes", text)
    text = _DOLLARS.sub(r"\1 dollars", text)
    text = _NUMBER_UNIT.sub(lambda m: f"{m[1]} {_UNITS[m[2]]}", text)
    text = _ORDINAL.sub(lambda m: f" {number_words(m[1], ordinal=True)} ", text)
    text = _DECIMAL.sub(lambda m: f" {number_words(m[1])} point {' '.join(number_words(d) for d in m[2])} ", text)
    for symbol, words in _SYMBOLS.items():
        text = text.replace(symbol, words)
    text = _INTEGER.sub(lambda m: f" {number_words(m[0])} ", text)
    text = _LONE_APOSTROPHE.sub(" ", _PUNCTUATION.sub(" ", text))
    return _VARIANT.sub(lambda m: _VARIANTS[m[1]], " ".join(text.split()))


def words(text: str) -> tuple[str, ...]:
    """`spoken` as a tuple of words."""
    return tuple(spoken(text).split())


def _clock_words(match: re.Match[str]) -> str:
    hour, minute = match[1].lstrip("0") or "0", match[2]
    if minute == "00" and match[3]:
        return f" {number_words(hour)} "
    if minute == "00":
        return f" {number_words(hour)} o'clock " if int(hour) <= 12 else f" {number_words(hour)} hundred "
    return f" {number_words(hour)} {number_words(minute)} "
