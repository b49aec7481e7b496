"""Arithmetic in words, computed exactly: "point one plus point two" is 0.3, "fifteen percent of eighty" is 12.

A precedence-climbing parser over spoken words; values are fractions, only irrational roots and powers are rounded
(to 30 digits). Libraries that evaluate symbols (simpleeval) would still need the words parsed first, and compute in
binary floating point. Precedence from loose to tight: plus and minus; times, divided by; "of"; sign; powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import ClassVar, Final

from device.errors import SkillError
from device.nlu.resolve.grammar import skip, skip_any, trim, word
from device.nlu.resolve.numbers import digits, integer, ordinal, quantity

_BITS: Final = 4096
"""Numbers of more bits than this (1233 digits) are refused instead of computed."""

_DEPTH: Final = 40
_PRECISE: Final = Context(prec=30)
_LEADING: Final = ("what", "is", "what's", "whats", "how", "much", "calculate", "compute", "equals", "does", "please")


class ExpressionError(SkillError):
    """The expression can't be computed; `spoken` says why."""

    recoverable: ClassVar[bool] = False


class NotAnExpressionError(ExpressionError):
    """The words are no arithmetic."""

    spoken: ClassVar[str] = "Sorry, I can't work that out."


class DivisionByZeroError(ExpressionError):
    """Something is divided by zero."""

    spoken: ClassVar[str] = "Nothing can be divided by zero."


class TooLargeError(ExpressionError):
    """The result has more than a thousand digits."""

    spoken: ClassVar[str] = "That number is too big for me."


class NotRealError(ExpressionError):
    """Such as the square root of a negative number."""

    spoken: ClassVar[str] = "That has no real answer."


@dataclass(frozen=True, slots=True)
class _Term:
    """A value; `percent` for a bare "ten percent", which "plus" takes of what stands before it."""

    value: Fraction
    percent: bool = False


def evaluate(text: str) -> Fraction:
    """The exact value of an expression in spoken form.

    Raises:
        NotAnExpressionError: The words are no arithmetic, or too deeply nested.
        DivisionByZeroError: As it says.
        TooLargeError: The result, or a step on the way, is beyond `_BITS` bits.
        NotRealError: An even root or a broken power of a negative number.
    """
    words = trim(text.split(), _LEADING, ("equals", "equal", "is", "please"))
    parser = _Parser(words)
    term = parser.sum(0)
    if parser.at != len(words):
        raise NotAnExpressionError(f"“{text}” is not an expression: stuck at “{word(words, parser.at)}”.")
    return term.value / 100 if term.percent else term.value


class _Parser:
    """One expression; `at` is the next word."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        self.at = 0

    def take(self, *phrases: str) -> bool:
        """Step over one of the phrases if it stands here."""
        end = skip(self.words, self.at, *phrases)
        if end is not None:
            self.at = end
        return end is not None

    def sum(self, depth: int) -> _Term:
        """Terms joined by plus and minus; "plus ten percent" is of what stands before."""
        if depth > _DEPTH:
            raise NotAnExpressionError("The expression is nested too deeply.")
        left = self.product(depth)
        while True:
            if self.take("plus", "added to"):
                sign = 1
            elif self.take("minus", "less", "take away"):
                sign = -1
            else:
                return left
            right = self.product(depth)
            value = right.value / 100 * (left.value if not left.percent else 1) if right.percent else right.value
            left = _Term((left.value / 100 if left.percent else left.value) + sign * value)

    def product(self, depth: int) -> _Term:
        """Factors joined by times and divided by."""
        left = self.share(depth)
        while True:
            if self.take("times", "multiplied by", "multiply by", "x"):
                left = _Term(_bounded(_plain(left) * _plain(self.share(depth))))
            elif self.take("divided by", "divide by", "over", "by"):
                left = _Term(_divide(_plain(left), _plain(self.share(depth))))
            elif self.take("modulo", "mod"):
                below = _plain(self.share(depth))
                left = _Term(_plain(left) - below * math.floor(_divide(_plain(left), below)))
            else:
                return left

    def share(self, depth: int) -> _Term:
        """Such as "fifteen percent of eighty", "half of ten"."""
        left = self.power(depth)
        if self.take("of"):
            return _Term(_plain(left) * _plain(self.share(depth + 1)))
        return left

    def power(self, depth: int) -> _Term:
        """A sign, a value, and what raises it: "minus three squared" is minus nine."""
        if depth > _DEPTH:
            raise NotAnExpressionError("The expression is nested too deeply.")
        if self.take("minus", "negative"):
            return _Term(-_plain(self.power(depth + 1)))
        base = self.value(depth)
        while True:
            if self.take("squared"):
                base = _Term(_power(_plain(base), Fraction(2)))
            elif self.take("cubed"):
                base = _Term(_power(_plain(base), Fraction(3)))
            elif self.take("factorial"):
                base = _Term(_factorial(_plain(base)))
            elif self.take("to the power of", "to the power", "raised to the power of", "raised to the power"):
                return _Term(_power(_plain(base), _plain(self.power(depth + 1))))
            elif (raised := skip(self.words, self.at, "raised to the", "to the")) is not None:
                exponent = ordinal(self.words, raised) or integer(self.words, raised)
                if exponent is None:
                    return base
                self.at = skip_any(self.words, exponent[1], "power")
                base = _Term(_power(_plain(base), Fraction(exponent[0])))
            else:
                return base

    def value(self, depth: int) -> _Term:
        """A number, a root, or a function said in front ("the sum of four and five")."""
        self.take("the")
        for root, names in ((2, ("square root of", "root of")), (3, ("cube root of", "cubic root of"))):
            if self.take(*names):
                return _Term(_power(_plain(self.power(depth + 1)), Fraction(1, root)))
        if self.take("twice", "double"):
            return _Term(2 * _plain(self.share(depth + 1)))
        for phrases, between, compute in _FUNCTIONS:
            if self.take(*phrases):
                left = _plain(self.share(depth + 1))
                if not self.take(*between):
                    raise NotAnExpressionError(f"“{' '.join(self.words)}” lacks its second number.")
                return _Term(_bounded(compute(left, _plain(self.share(depth + 1)))))
        found = quantity(self.words, self.at)
        spelled = digits(self.words, self.at)
        if spelled and (found is None or spelled[1] > found[1]):
            found = Fraction(spelled[0]), spelled[1]
        if found is None:
            raise NotAnExpressionError(f"“{' '.join(self.words)}” is not an expression.")
        self.at = found[1]
        return _Term(found[0], percent=self.take("percent", "per cent"))


def _plain(term: _Term) -> Fraction:
    return term.value / 100 if term.percent else term.value


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
        raise TooLargeError("The result is too large.")
    return value


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if not right:
        raise DivisionByZeroError("Division by zero.")
    return _bounded(left / right)


def _factorial(value: Fraction) -> Fraction:
    if value < 0 or value.denominator != 1:
        raise NotRealError("Only whole numbers have a factorial.")
    if value > 500:
        raise TooLargeError("The result is too large.")
    return _bounded(Fraction(math.factorial(int(value))))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """Exact for whole exponents and perfect roots, else to 30 digits."""
    if not base:
        if exponent < 0:
            raise DivisionByZeroError("Zero to a negative power.")
        return Fraction(int(exponent == 0))
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * (size - 1) > _BITS:
        raise TooLargeError("The result is too large.")
    if exponent.denominator == 1:
        return _bounded(base**exponent.numerator)
    if base < 0:
        if exponent.denominator % 2 == 0:
            raise NotRealError("An even root of a negative number.")
        return -_power(-base, exponent) if exponent.numerator % 2 else _power(-base, exponent)
    degree = exponent.denominator
    above, below = _whole_root(base.numerator, degree), _whole_root(base.denominator, degree)
    if above and below:
        return Fraction(above, below) ** exponent.numerator
    quotient = _PRECISE.divide(Decimal(base.numerator), Decimal(base.denominator))
    power = _PRECISE.divide(Decimal(exponent.numerator), Decimal(degree))
    return Fraction(_PRECISE.power(quotient, power))


def _whole_root(value: int, degree: int) -> int | None:
    """The exact root of a positive integer, or None."""
    if degree > value.bit_length():
        return 1 if value == 1 else None
    low, high = 1, 1 << (value.bit_length() // degree + 1)
    while low < high:  # the largest integer whose power does not exceed `value`
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low if low**degree == value else None


_FUNCTIONS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[[Fraction, Fraction], Fraction]], ...]] = (
    (("sum of", "add"), ("and", "plus", "to"), lambda left, right: left + right),
    (("difference between", "difference of"), ("and",), lambda left, right: abs(left - right)),
    (("product of", "multiply"), ("and", "by", "with", "times"), lambda left, right: left * right),
    (("quotient of", "divide"), ("and", "by"), _divide),
    (("subtract", "take"), ("from",), lambda left, right: right - left),
)
