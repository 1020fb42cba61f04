"""Bounds of the numbers that users give, and the function that checks them.

A record annotates its fields: `radius: Annotated[float, Gt(0), Le(LARGEST)]`. Pydantic reads the
annotations when it validates a file, and writes them into the JSON schema. `check_bounds` reads the
same annotations when a record is made in Python. Numbers within these bounds, and their products
with weights, are safe in float32 and int64.
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

from swarm_nca.arguments import UNREADABLE, real, shown

#: The largest count (of steps, iterations, pictures) and the last step: below 2³².
MOST = 1_000_000_000

#: The largest magnitude of a plain number: its sixth power is still finite in float32.
LARGEST = 1e6

#: The largest seed: two words of a counter-based generator.
MOST_SEED = (1 << 64) - 1

#: The longest side of a picture or canvas, in pixels.
LONGEST_SIDE = 4096

#: Pixels of a canvas. Noise on all pixels brings nearly half of them alive.
MOST_AREA = 2048 * 2048

#: Pictures of one source in a scenario; each picture becomes one world.
MOST_PICTURES = 2_000

#: Entries of a list in a file: perturbations, expectations, parts of a picture.
MOST_ENTRIES = 1000

#: Points of one pen stroke.
MOST_POINTS = 10_000

Count = Annotated[int, Ge(1), Le(MOST)]
Index = Annotated[int, Ge(0), Le(MOST)]
Seed = Annotated[int, Ge(0), Le(MOST_SEED)]
Side = Annotated[int, Ge(1), Le(LONGEST_SIDE)]
Share = Annotated[float, Ge(0.0), Le(1.0)]
Number = Annotated[float, Ge(-LARGEST), Le(LARGEST)]
NonNegative = Annotated[float, Ge(0.0), Le(LARGEST)]
Positive = Annotated[float, Gt(0.0), Le(LARGEST)]

#: Attribute of an annotation that holds its bound → words for the message, comparison.
_RELATIONS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "ge": ("at least", operator.ge),
    "gt": ("above", operator.gt),
    "le": ("at most", operator.le),
    "lt": ("below", operator.lt),
}


def check_bounds(record: Any) -> None:
    """Compare the fields of a dataclass instance with the bounds in their annotations.

    Optional fields that are None and fields without bounds are skipped. Tuples are compared entry
    by entry. Numbers and arrays of other libraries are replaced by plain Python numbers.

    Raises:
        ValueError: names the first field that holds something other than a number, a number that is
            not finite, a fraction instead of a whole number, or a number out of bounds.
    """
    kind: Any = type(record)
    for name, hint in _bounded(kind).items():
        given = getattr(record, name)
        plain = check(name, given, hint)
        if plain is not given:
            object.__setattr__(record, name, plain)


@cache
def _bounded(kind: Any) -> Mapping[str, Any]:
    """Field name → annotation, for the fields of a dataclass that have bounds."""
    hints = get_type_hints(kind, include_extras=True)
    named = {field.name: hints[field.name] for field in fields(kind)}
    return {name: hint for name, hint in named.items() if _holds_bounds(hint)}


def _holds_bounds(hint: Any) -> bool:
    return get_origin(hint) is Annotated or any(map(_holds_bounds, get_args(hint)))


def check(name: str, value: Any, hint: Any) -> Any:
    """The checked value; values with bounds become plain Python types.

    Args:
        hint: an annotated type, such as `Count`.

    Raises:
        ValueError: as for `check_bounds`.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated and parts[0] in (int, float):
        return _check_number(name, value, *parts)
    if origin is Annotated:
        longest = min(
            (part.max_length for part in parts[1:] if isinstance(part, MaxLen)), default=MOST
        )
        if isinstance(value, Sized) and not _is_scalar_array(value) and len(value) > longest:
            raise ValueError(f"{name} must have at most {longest} entries, got {len(value)}")
        return check(name, value, parts[0])
    if origin in (Union, UnionType):
        bounded = [part for part in parts if _holds_bounds(part)]
        if len(bounded) > 1:  # a number or a tuple of numbers
            pair = isinstance(value, Iterable) and not isinstance(value, str)
            bounded = [part for part in bounded if (get_origin(part) is tuple) == pair]
        return value if value is None else check(name, value, bounded[0])
    return _check_entries(name, value, parts) if origin is tuple else value


def _check_entries(name: str, value: Any, parts: tuple[Any, ...]) -> Any:
    """Check each entry of a tuple against its hint; a last `...` repeats the first hint."""
    endless = ... in parts
    try:
        is_list = isinstance(value, Iterable) and not _is_scalar_array(value)
        entries = list(value) if is_list else None
    except UNREADABLE:
        entries = None  # an array that cannot be iterated, such as a sparse one
    if entries is None or not (endless or len(entries) == len(parts)):
        expected = "a list" if endless else "a pair of numbers" if len(parts) == 2 else "a tuple"
        raise ValueError(f"{name} must be {expected}, got {shown(value)}")
    plain = tuple(
        check(f"{name}[{i}]", entry, parts[0 if endless else i]) for i, entry in enumerate(entries)
    )
    return value if isinstance(value, tuple) and all(map(operator.is_, plain, value)) else plain


def _is_scalar_array(value: Any) -> bool:
    """Whether this is an array without axes, which cannot be iterated."""
    return getattr(value, "ndim", 1) == 0


def _check_number(name: str, value: Any, kind: type, *limits: Any) -> Any:
    whole, number = kind is int, value
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        if whole:
            number = operator.index(value)
        elif type(value) in (int, float):
            # An int stays an int in a float field, so that a file shows it as written.
            float(value)
        else:
            number = real(name, value)
    except OverflowError:  # an int beyond the range of floats still compares with the bounds
        pass
    except UNREADABLE as error:
        if "complex" in str(error):
            raise ValueError(f"{name} must be real, got complex numbers") from error
        expected = "a whole number" if whole else "a number"
        raise ValueError(f"{name} must be {expected}, got {shown(value)}") from None
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {shown(value)}")
    for limit in limits:
        for key, (words, holds) in _RELATIONS.items():
            end = getattr(limit, key, None)
            if end is not None and not holds(number, end):
                raise ValueError(f"{name} must be {words} {written(end)}, got {shown(value)}")
    return number


def written(bound: float) -> str:
    """A bound, for a message."""
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
