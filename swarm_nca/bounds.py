"""How large a number of a user's may be: one place for the bounds, one mechanism that keeps them.

A record annotates its fields: `radius: Annotated[float, Gt(0), Le(LARGEST)]`. Pydantic reads the
annotations where a file is validated, and shows them in the JSON schema; `check_bounds` reads the
same annotations where the record is made in Python. Numbers within these bounds are safe in
float32 and int64, and their products with weights too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, MaxLen

#: The largest count (of steps, iterations, pictures) and the last step: below 2³².
MOST = 1_000_000_000

#: The largest magnitude of a plain number: its sixth power is still finite in float32.
LARGEST = 1e6

#: The largest seed: two words of a counter-based generator.
MOST_SEED = (1 << 64) - 1

#: The longest side of a picture or canvas, in pixels.
LONGEST_SIDE = 4096

#: Pixels of a canvas: nearly half of them come alive where noise is added to all.
MOST_AREA = 2048 * 2048

#: Pictures of one source in a scenario, each of which is a world.
MOST_PICTURES = 2_000

#: Entries of a list in a file: perturbations, expectations, parts of a picture.
MOST_ENTRIES = 1000

#: Points of a line that a pen follows.
MOST_POINTS = 10_000

Count = Annotated[int, Ge(1), Le(MOST)]
Index = Annotated[int, Ge(0), Le(MOST)]
Seed = Annotated[int, Ge(0), Le(MOST_SEED)]
Side = Annotated[int, Ge(1), Le(LONGEST_SIDE)]
Share = Annotated[float, Ge(0.0), Le(1.0)]
Number = Annotated[float, Ge(-LARGEST), Le(LARGEST)]
NonNegative = Annotated[float, Ge(0.0), Le(LARGEST)]
Positive = Annotated[float, Gt(0.0), Le(LARGEST)]

#: What array libraries raise for something that is no number.
_UNREADABLE = (
    TypeError,
    ValueError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    AttributeError,
)

#: The attribute in which an annotation keeps its bound, the words for it, and what must hold.
_RELATIONS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "ge": ("at least", operator.ge),
    "gt": ("above", operator.gt),
    "le": ("at most", operator.le),
    "lt": ("below", operator.lt),
}


def check_bounds(record: Any) -> None:
    """Compare the fields of a dataclass instance with the bounds in their annotations.

    Optional fields that are None, and fields without bounds, are not looked at. Tuples are compared
    entry by entry. Numbers and arrays of other libraries become Python's own.

    Raises:
        ValueError: the first field that holds no number, a number that is not finite, a fraction
            where a whole number belongs, or a number out of bounds.
    """
    kind: Any = type(record)
    for name, hint in _bounded(kind).items():
        given = getattr(record, name)
        plain = _check(name, given, hint)
        if plain is not given:
            object.__setattr__(record, name, plain)


@cache
def _bounded(kind: Any) -> Mapping[str, Any]:
    """The annotations of the fields of a dataclass that hold bounds, by name."""
    hints = get_type_hints(kind, include_extras=True)
    named = {field.name: hints[field.name] for field in fields(kind)}
    return {name: hint for name, hint in named.items() if _holds_bounds(hint)}


def _holds_bounds(hint: Any) -> bool:
    return get_origin(hint) is Annotated or any(map(_holds_bounds, get_args(hint)))


def _check(name: str, value: Any, hint: Any) -> Any:
    """The value, in Python's own types where it has bounds."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated and parts[0] in (int, float):
        return _check_number(name, value, *parts)
    if origin is Annotated:
        longest = min(
            (one.max_length for one in parts[1:] if isinstance(one, MaxLen)), default=MOST
        )
        if isinstance(value, Sized) and not _is_one(value) and len(value) > longest:
            raise ValueError(f"{name} must have at most {longest} entries, got {len(value)}")
        return _check(name, value, parts[0])
    if origin in (Union, UnionType):
        for part in filter(_holds_bounds, parts if value is not None else ()):
            value = _check(name, value, part)
        return value
    return _check_entries(name, value, parts) if origin is tuple else value


def _check_entries(name: str, value: Any, parts: tuple[Any, ...]) -> Any:
    """Compare a tuple's entries with the hints of its entries; a last `...` repeats the first."""
    endless = ... in parts
    try:
        entries = list(value) if isinstance(value, Iterable) and not _is_one(value) else None
    except _UNREADABLE:
        entries = None  # an array that cannot be read entry by entry, such as a sparse one
    if entries is None or not (endless or len(entries) == len(parts)):
        expected = "a list" if endless else "a pair of numbers" if len(parts) == 2 else "a tuple"
        raise ValueError(f"{name} must be {expected}, got {shortly(value)}")
    plain = tuple(
        _check(f"{name}[{i}]", entry, parts[0 if endless else i]) for i, entry in enumerate(entries)
    )
    return value if isinstance(value, tuple) and all(map(operator.is_, plain, value)) else plain


def _is_one(value: Any) -> bool:
    """Whether this is an array without axes: a number, which cannot be iterated."""
    return getattr(value, "ndim", 1) == 0


def _check_number(name: str, value: Any, kind: type, *limits: Any) -> Any:
    whole, number = kind is int, value
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        if whole:
            number = operator.index(value)
        elif type(value) in (int, float):
            # A whole number stays one where a float is asked for: files spell it so.
            float(value)
        else:
            from swarm_nca.arguments import real  # it loads numpy

            number = real(name, value)
    except OverflowError:  # an int that no float can hold: its order is told all the same
        pass
    except _UNREADABLE as error:
        if "complex" in str(error):
            raise ValueError(f"{name} must be real, got complex numbers") from error
        expected = "a whole number" if whole else "a number"
        raise ValueError(f"{name} must be {expected}, got {shortly(value)}") from None
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {shortly(value)}")
    for limit in limits:
        for key, (words, holds) in _RELATIONS.items():
            end = getattr(limit, key, None)
            if end is not None and not holds(number, end):
                raise ValueError(f"{name} must be {words} {shortly(end)}, got {shortly(value)}")
    return number


def shortly(value: Any, width: int = 60) -> str:
    """A value as Python writes it, cut to `width` characters."""
    try:
        text = f"{value:g}" if isinstance(value, float) else " ".join(repr(value).split())
    except ValueError:  # Python writes no integers of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= width else text[: width - 1] + "…"
