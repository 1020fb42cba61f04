"""Strict reading of JSON from files: the data can be printed, saved again and traversed.

Python's own reader accepts NaN, repeated keys, unpaired surrogates and any depth.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from swarm_nca.arguments import shown

#: The deepest allowed nesting of lists and mappings.
DEEPEST = 64

#: The largest number of digits of a whole number.
_DIGITS = 40


def parsed(text: str, longest: int) -> Any:
    """The data of a JSON text.

    Args:
        longest: the largest allowed number of characters.

    Raises:
        ValueError: not JSON, too long or too deep, a repeated key, numbers that are not finite or
            too long, or text with unpaired surrogates.
    """
    if len(text) > longest:
        raise ValueError(f"{len(text):,} characters of JSON, at most {longest:,} are read")
    try:
        data = json.loads(
            text,
            object_pairs_hook=_mapping,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        _too_deep()
    _check(data)
    return data


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in mapping if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} is given twice")
    return mapping


def _not_finite(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a finite number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{shown(digits)} is beyond the range of floats")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits, at most {_DIGITS} are read")
    return int(digits)


def _check(data: Any) -> None:
    """Raise a ValueError for data nested too deep and for text that cannot be encoded."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{shown(value)} holds an unpaired surrogate") from None
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                _too_deep()
            inside = [*value, *value.values()] if isinstance(value, dict) else value
            waiting += [(entry, depth + 1) for entry in inside]


def _too_deep() -> NoReturn:
    raise ValueError(f"lists and mappings are nested more than {DEEPEST} deep")
