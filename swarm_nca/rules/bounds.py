"""Bounds of single numbers, and the error messages for numbers out of bounds."""

from __future__ import annotations

import numbers
import reprlib
from dataclasses import dataclass

#: Whole numbers with more digits are described in messages, not printed.
_DIGITS = 40

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlist = _short.maxtuple = _short.maxdict = 4


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def checked(self, name: str, value: object) -> int:
        """The value as a plain int.

        Raises:
            ValueError: not a whole number, or out of bounds.
        """
        wanted = "must be a whole number"
        if not isinstance(value, bool) and isinstance(value, numbers.Integral):
            whole = int(value)
            if self.low <= whole <= self.high:
                return whole
            wanted += (
                f" of at least {self.low}" if whole < self.low else f" of at most {self.high:,}"
            )
        raise ValueError(f"{name} {wanted}, got {shown(value)}")


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`.

    Attributes:
        words: description of allowed numbers, for messages.
        too_high: another description for numbers above `high`.
        excluded: whether `high` itself is out of bounds.
    """

    low: float
    high: float
    words: str
    too_high: str = ""
    excluded: bool = False

    def checked(self, name: str, value: object) -> float:
        """The value as a plain int or float.

        Raises:
            ValueError: not a number, or out of bounds; NaN is out of bounds.
        """
        words = self.words
        if not isinstance(value, bool) and isinstance(value, numbers.Real):
            # A whole number stays an int, because it may be too large for a float.
            number = int(value) if isinstance(value, numbers.Integral) else float(value)
            if self.low <= number <= self.high and not (self.excluded and number == self.high):
                return number
            if number > self.high:
                words = self.too_high or words
        raise ValueError(f"{name} {words}, got {shown(value)}")


def shown(value: object) -> str:
    """The value as one short line, for a message."""
    if isinstance(value, int) and abs(value) >= 10**_DIGITS:
        return f"a whole number of more than {_DIGITS} digits"
    if isinstance(value, numbers.Real):
        return str(value)
    return " ".join(_short.repr(value).split())
